"""What the rows of each layout ask: between which options, and which of them is gold. Bad rows are refused here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final

from outgrow.core.errors import UserError
from outgrow.core.progress import say
from outgrow.tasks.tables import classes
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.preferences import SIDES, verdicts
from outgrow.tasks.tables.roles import Layout
from outgrow.tasks.tables.rows import TableRows
from outgrow.tasks.tables.values import Options, blank, by_index, choices, chooser, class_name, numeric, texts
from outgrow.tasks.tables.votes import named_by_objects, named_by_votes
from outgrow.tasks.task import Kind

Roles = Mapping[str, list[str]]
"""The texts of the columns that play a role, by role."""
Problems = dict[str, list[int]]
"""Bad rows by reason."""
MOST_CLASSES = 20
"""A column with more values than this, and than half the rows, is no label."""


@final
@dataclass(frozen=True)
class Targets:
    """By row number, for the rows kept."""

    options: dict[int, tuple[str, ...]]
    """`choose`: the different choices, sorted; `prefer`: the two texts, sorted; `classify`: empty."""
    gold: dict[int, int]
    """Which option or class is gold; -1 where that is not known."""
    vote_options: dict[int, Options]
    """What the user's votes choose between, in the order of the file."""
    classes: tuple[str, ...] = ()
    also: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """`choose`: further options that are right, of rows that have several."""


def classify(rows: TableRows, layout: Layout, roles: Roles, reading: Reading) -> Targets:
    """The class of every row."""
    return _classify(rows, layout, roles, reading, partly=False)


def classify_partly(rows: TableRows, layout: Layout, roles: Roles, reading: Reading) -> Targets:
    """`classify` with gold on some rows or none: where there is none, the classes are those that the votes name."""
    return _classify(rows, layout, roles, reading, partly=True)


def _classify(rows: TableRows, layout: Layout, roles: Roles, reading: Reading, partly: bool) -> Targets:
    column = layout.columns["label"]
    names = classes.gold(rows.table, column, rows.kept, reading)
    problems = {} if reading.template else _missing(rows, layout, roles, ("text", "question"))
    if not partly:
        problems |= _without_gold(rows, column, names)
    rows.refuse(problems | _strangers(rows, names, classes.asked(reading)), reading)
    if partly:
        _say_unknown(rows, column, names)
    known, ordered = _classes(rows, column, names, reading)
    number = {name: c for c, name in enumerate(known)} | {"": -1}
    every = Options(known, ordered=ordered)
    return Targets({}, {i: number[names[i]] for i in rows.kept}, dict.fromkeys(rows.kept, every), known)


def _classes(rows: TableRows, column: str, names: Sequence[str], reading: Reading) -> tuple[tuple[str, ...], bool]:
    """The classes, and whether their order is beyond doubt: of `classes`, else of gold, else of the votes."""
    asked = classes.asked(reading)
    present = {names[i] for i in rows.kept if names[i]}
    if not present and not asked and reading.votes:
        present = classes.by_votes(rows.table, named_by_votes(rows.table, reading, rows.kept))
        present |= named_by_objects(rows.table, reading, rows.kept)
    if len(present) > max(MOST_CLASSES, len(rows.kept) / 2):
        raise UserError(
            f"column {column!r} has {len(present)} values in {len(rows.kept)} rows: name the label with `label`"
        )
    categories = tuple(name for name in rows.table.categories.get(column, ()) if name in present)
    known = asked or categories or _sorted(present)
    return known, classes.ordered(known, reading, categories)


def _sorted(names: set[str]) -> tuple[str, ...]:
    numbers = all(map(numeric, names))
    return tuple(sorted(names, key=lambda name: (int(name) if numbers else 0, name)))


def _without_gold(rows: TableRows, column: str, names: Sequence[str]) -> Problems:
    """Rows of unknown gold, which only tables of votes may have."""
    raw = rows.table.column(column)
    unknown = [i for i in rows.kept if not names[i]]
    return {
        "missing label": [i for i in unknown if blank(raw[i])],
        "a label that means unknown (`classes` makes it a class)": [i for i in unknown if not blank(raw[i])],
    }


def _say_unknown(rows: TableRows, column: str, names: Sequence[str]) -> None:
    """Says which words of a column of gold were read as unknown."""
    raw = rows.table.column(column)
    if words := Counter(class_name(raw[i]) for i in rows.kept if not names[i] and not blank(raw[i])):
        shown = ", ".join(f"{word} ({count})" for word, count in words.most_common())
        say(f"{rows.table.name}: gold is unknown where column {column!r} holds {shown}; `classes` makes it a class")


def _strangers(rows: TableRows, names: Sequence[str], asked: Sequence[str]) -> Problems:
    """Rows whose label is none of --classes, or, without `classes`, a word among numbers or a number among words."""
    labelled = [i for i in rows.kept if names[i]]
    if asked:
        return {
            f"labels that are none of the classes {', '.join(asked)}": [i for i in labelled if names[i] not in asked]
        }
    words = [i for i in labelled if not numeric(names[i])]
    numbers = [i for i in labelled if numeric(names[i])]
    odd = min(words, numbers, key=len)
    shown = ", ".join(sorted({names[i] for i in odd})[:3])
    return {f"labels {shown} among others that are {'numbers' if odd is words else 'words'} (`classes` allows)": odd}


def choose(rows: TableRows, layout: Layout, roles: Roles, reading: Reading) -> Targets:
    """The right choice of every row, or several where its answer is a list."""
    column = layout.columns["answer"]
    among = [choices(value) for value in rows.table.column(layout.columns["choices"])]
    answers = [value if isinstance(value, list) else [value] for value in rows.table.column(column)]
    few = [i for i in rows.kept if len(set(among[i].texts)) < 2]
    unanswered = [i for i in rows.kept if not answers[i] or any(map(blank, answers[i]))]
    out = {*few, *unanswered}
    sound = [i for i in rows.kept if i not in out]
    pick = chooser(column, [a for i in sound for a in answers[i]], [among[i] for i in sound for _ in answers[i]])
    right = {i: [pick(a, among[i]) for a in answers[i]] for i in sound}
    none = [i for i in sound if None in right[i]]
    rows.refuse(
        _missing(rows, layout, roles, ("question",))
        | {
            "fewer than two different choices": few,
            f"missing {column}": unanswered,
            f"{column} that is none of the choices (an index counts from 0)": none,
        },
        reading,
    )
    options = {i: tuple(sorted(set(among[i].texts))) for i in rows.kept}
    if repeated := sum(len(among[i].texts) - len(options[i]) for i in rows.kept):
        rows.counts["choices left out: same as another of the question"] = repeated
    found = {i: [options[i].index(text) for text in right[i] if text is not None] for i in rows.kept}
    return Targets(
        options,
        {i: first for i, (first, *_) in found.items()},
        {i: replace(among[i], ordered=pick is by_index) for i in rows.kept},
        also={i: tuple(more) for i, (_, *more) in found.items() if more},
    )


def prefer(rows: TableRows, layout: Layout, roles: Roles, reading: Reading) -> Targets:
    """The better text of every row."""
    chosen, rejected = (texts(rows.table, layout.columns[role]) for role in ("chosen", "rejected"))
    problems = _missing(rows, layout, {"chosen": chosen, "rejected": rejected}, ("chosen", "rejected"))
    same = [i for i in rows.kept if chosen[i].strip() == rejected[i].strip() and not blank(chosen[i])]
    rows.refuse(problems | {"chosen and rejected are the same": same}, reading)
    options = {i: tuple(sorted((chosen[i], rejected[i]))) for i in rows.kept}
    gold = {i: options[i].index(chosen[i]) for i in rows.kept}
    return Targets(options, gold, dict.fromkeys(rows.kept, Options(("rejected", "chosen"))))


def compare(rows: TableRows, layout: Layout, roles: Roles, reading: Reading) -> Targets:
    """Which of two texts is better, on every row; rows that tie have no gold, and are left out."""
    targets = compare_partly(rows, layout, roles, reading)
    column = layout.columns["label"]
    raw = rows.table.column(column)
    rows.refuse({f"missing {column}": [i for i in rows.kept if blank(raw[i])]}, reading)
    rows.leave_out({i for i in rows.kept if targets.gold[i] < 0}, "neither text is better")
    return targets


def compare_partly(rows: TableRows, layout: Layout, roles: Roles, reading: Reading) -> Targets:
    """Two texts on every row, and which of them is better as far as gold says so."""
    first, second = (texts(rows.table, layout.columns[role]) for role in ("first", "second"))
    problems = _missing(rows, layout, {"first": first, "second": second}, ("first", "second"))
    same = [i for i in rows.kept if first[i].strip() == second[i].strip() and not blank(first[i])]
    rows.refuse(problems | {"first and second are the same": same}, reading)
    told = verdicts(rows.table, layout.columns["label"], rows.kept, reading)
    better = {i: -1 if p is None or p == 0.5 else int(p < 0.5) for i, p in zip(rows.kept, told, strict=True)}
    options: dict[int, tuple[str, ...]] = {i: (first[i], second[i]) for i in rows.kept}
    return Targets(options, better, dict.fromkeys(rows.kept, Options(SIDES, ordered=True)), SIDES)


def _missing(rows: TableRows, layout: Layout, values: Roles, roles: Sequence[str]) -> Problems:
    """Rows without one of the texts that a layout cannot do without."""
    return {f"missing {layout.columns[r]}": [i for i in rows.kept if blank(values[r][i])] for r in roles if r in values}


TARGETS: dict[Kind, Callable[[TableRows, Layout, Roles, Reading], Targets]] = {
    "classify": classify,
    "choose": choose,
    "prefer": prefer,
    "compare": compare,
}
PARTLY: dict[Kind, Callable[[TableRows, Layout, Roles, Reading], Targets]] = {
    "classify": classify_partly,
    "compare": compare_partly,
}
"""Of tables whose gold may be missing in part."""
