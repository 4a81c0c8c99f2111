"""Items and votes as they are found in an export, and the tables that they become."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

from outgrow.core.errors import UserError
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import READABLE
from outgrow.tasks.tables.values import blank, class_name, id_name

KEY = "id"
"""The column of the items' ids."""
SEVERAL = "with several labels"
UNANSWERED = "without an answer"
SKIPPED = "skipped"
SHOWN = 6
"""Classes that a line names."""


@final
@dataclass(frozen=True)
class Export:
    """What a labelling tool exported, as tables that `learn` and `audit` read."""

    items: TableFile
    votes: TableFile | None
    """A long table of votes on the items; None where they lie in columns of `items`."""
    reading: Reading
    """What was said about the export, as it goes for `items`."""
    said: str
    """What was read, in words."""


@final
@dataclass(frozen=True)
class ExportFormat:
    """One form of export."""

    name: str
    """As `format` names it."""
    tool: str
    fits: Callable[[TableFile, Reading], bool]
    read: Callable[[TableFile, Reading], Export]
    general: bool = False
    """Whether exports of tools fit it as well: it is asked about last."""


@final
class Collected:
    """Items and votes of an export, collected row by row.

    Args:
        table: The export.
        reading: What the user said about it.
    """

    def __init__(self, table: TableFile, reading: Reading):
        self.table, self.reading = table, reading
        self.fields: dict[str, dict[str, Any]] = {}
        self.left_out: Counter[str] = Counter()
        self._row: dict[str, int] = {}
        self._votes: dict[str, list[tuple[str, str, Any, int]]] = {}
        self._unread: dict[str, Counter[str]] = {}

    def item(self, key: object, row: int, fields: Mapping[str, Any]) -> str:
        """The id of an item; its fields are those of the first row that shows it.

        Raises:
            UserError: `id` names a field that the item lacks, or the item shows two texts.
        """
        name = self.reading.id
        if name in fields or name not in (None, "none", KEY):
            key = fields.get(str(name))
        if blank(key) or isinstance(key, list | dict | bytes):
            raise UserError(f"{self.table.name}: an item without an id in {self.table.places([row])}: mend the row")
        item = id_name(key)
        first = self.fields.setdefault(item, dict(fields))
        start = self._row.setdefault(item, row)
        shown = (self.reading.text, *READABLE) if start != row else ()
        if any(role in first and first[role] != fields.get(role) for role in shown):
            raise UserError(
                f"{self.table.name}: item {item!r} has two texts, in {self.table.places([start, row])}: "
                "give every text an id of its own"
            )
        return item

    def vote(self, item: str, annotator: object, labels: Sequence[Any], row: int, question: str = "") -> None:
        """A vote for the one label among `labels`; several that differ, or none, are left out and counted.

        Args:
            item: Its id.
            annotator: Who votes; nobody known where it is missing.
            labels: What was answered.
            row: The row of the export.
            question: What was asked, of exports in which several things are.
        """
        found = {class_name(label): label for label in labels if not blank(label)}
        if len(found) != 1:
            self._unread.setdefault(question, Counter())[SEVERAL if found else UNANSWERED] += 1
            return
        (label,) = found.values()
        who = id_name(annotator) if not blank(annotator) else "annotator"
        self._votes.setdefault(question, []).append((item, who, label, row))

    def gold(self, item: str, label: object, row: int, column: str) -> None:
        """The gold of an item, which becomes a column. Raises UserError where it has another one already."""
        known = self.fields[item].setdefault(column, label)
        if class_name(known) != class_name(label):
            raise UserError(f"{self.table.name}: item {item!r} has two golds, in {self.table.places([row])}: keep one")

    def export(self, hint: str, question: str | None = None) -> Export:
        """The export as tables.

        Args:
            hint: What kind of answer is read, for the error where there is none.
            question: What was asked, of exports in which several things are; None: `votes`, or the only one.

        Raises:
            UserError: No vote is left, or it is not certain which question is meant.
        """
        asked = self._question() if question is None else question
        votes = self._votes.get(asked, [])
        if not votes:
            raise UserError(f"{self.table.name}: no vote is left{self._why(asked)}: {hint}")
        reading = replace(self.reading, id=self._key(), votes=(), format=None, annotator=None)
        reading = replace(reading, text=self._text())
        return Export(self._items(reading.id or KEY), self._long(votes), reading, self._said(votes, asked))

    def _key(self) -> str:
        return KEY if self.reading.id in (None, "none") else str(self.reading.id)

    def _question(self) -> str:
        return one_of(self.table, "question", list(self._votes), self.reading.votes)

    def _text(self) -> str | None:
        """The field that items are read by: as asked, else None where one is called as a role, else the only text."""
        names = dict.fromkeys(name for fields in self.fields.values() for name in fields)
        asked = self.reading.text
        if asked is not None or self.reading.template is not None or any(self._named(role, names) for role in READABLE):
            return asked
        held = [name for name in names if any(isinstance(f.get(name), str) for f in self.fields.values())]
        return held[0] if len(held) == 1 else None

    def _named(self, role: str, names: Iterable[str]) -> bool:
        return (self.reading.column(role) or role) in names

    def _items(self, key: str) -> TableFile:
        names = tuple(dict.fromkeys((key, *(name for fields in self.fields.values() for name in fields))))
        lines = [self.table.lines[self._row[item]] for item in self.fields]

        def column(name: str) -> list:
            return list(self.fields) if name == key else [fields.get(name) for fields in self.fields.values()]

        return replace(self.table, names=names, column=column, lines=lines)

    def _long(self, votes: Sequence[tuple[str, str, Any, int]]) -> TableFile:
        columns = dict(zip(("item", "worker", "label"), map(list, list(zip(*votes, strict=True))[:3]), strict=True))
        lines = [self.table.lines[row] for *_, row in votes]
        return replace(self.table, names=tuple(columns), column=lambda name: list(columns[name]), lines=lines)

    def _said(self, votes: Sequence[tuple[str, str, Any, int]], question: str) -> str:
        labels = Counter(class_name(label) for _, _, label, _ in votes if not blank(label))
        often = sorted(labels.items(), key=lambda one: (-one[1], one[0]))
        shown = ", ".join(f"{label} {count:,}" for label, count in often[:SHOWN])
        more = f" and {len(labels) - SHOWN} labels more" if len(labels) > SHOWN else ""
        annotators = len({who for _, who, _, _ in votes})
        of = f" on {question!r}" if question else ""
        counted = [f"{len(self.fields):,} items", f"{annotators:,} annotators", f"{len(votes):,} votes{of}"]
        return f"{', '.join(counted)} ({shown}{more}){self._why(question)}"

    def _why(self, question: str) -> str:
        left = self.left_out + self._unread.get(question, Counter())
        out = ", ".join(f"{count:,} {why}" for why, count in left.items())
        return f"; left out: {out}" if out else ""


def one_of(table: TableFile, what: str, names: Sequence[str], asked: Sequence[str]) -> str:
    """The question that `votes` names, else the only one. Raises UserError where it is another, or not certain."""
    if len(asked) > 1:
        raise UserError(f"{table.name}: `votes` = {' '.join(asked)}: one {what} is learned at a time: name one")
    if asked and asked[0] not in names:
        raise UserError(f"{table.name}: no {what} {asked[0]!r} for `votes`: there are {', '.join(names) or 'none'}")
    if len(names) > 1 and not asked:
        raise UserError(f"{table.name}: {len(names)} {what}s, {', '.join(names)}: say which with `votes`")
    return asked[0] if asked else next(iter(names), "")


def part(table: TableFile, row: int, value: Any, kind: type, name: str) -> Any:
    """A part of a row. Raises UserError where it is of another kind."""
    if not isinstance(value, kind):
        raise UserError(
            f"{table.name}: {name!r} holds {value!r:.60} in {table.places([row])}, no {kind.__name__}: export it again"
        )
    return value
