"""The rows of a table that take part, and why the others do not: nothing is dropped in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import final

from outgrow.core.errors import UserError
from outgrow.core.seeding import hashed
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import optional
from outgrow.tasks.tables.values import blank, texts

ANNOTATOR = ("annotator", "annotatorid", "worker", "workerid", "rater", "raterid", "labeler", "labeller", "completedby")
"""What a column is called, but for case and signs, that says whose annotation a row is."""
Content = Mapping[int, tuple[object, ...]]
"""By row what its item is made of, gold and votes left aside."""


@final
class TableRows:
    """Numbers of the rows still in, and counts of those left out."""

    def __init__(self, table: TableFile):
        self.table = table
        self.kept = list(range(len(table.lines)))
        self.counts = {"rows": len(self.kept)}

    def leave_out(self, rows: set[int], why: str) -> None:
        """Leaves out those of the rows that were still in, and counts them."""
        before = len(self.kept)
        self.kept = [i for i in self.kept if i not in rows]
        if before > len(self.kept):
            self.counts[f"rows left out: {why}"] = before - len(self.kept)

    def refuse(self, problems: Mapping[str, list[int]], reading: Reading) -> None:
        """Raises UserError for bad rows, or leaves them out where the user said so."""
        found = {why: rows for why, rows in problems.items() if rows}
        if found and not reading.skip_bad_rows:
            listed = "; ".join(f"{why} in {self.table.places(rows)}" for why, rows in found.items())
            raise UserError(f"{self.table.name}: {listed}: mend them, or go on without them with `skip_bad_rows`")
        for why, rows in found.items():
            self.leave_out(set(rows), why)
        if not self.kept:
            raise UserError(f"{self.table.name}: no row is left ({self.counts})")


def keys(rows: TableRows, reading: Reading, content: Content, tie: Callable[[int], str]) -> dict[int, str]:
    """A hashed id for every row kept: from the user's id, else from its content.

    Rows of the same content are numbered in the order of `tie`, which must not depend on the order of the file.

    Raises:
        UserError: An id is missing, or stands twice.
    """
    column = optional(rows.table, reading, "id")
    return _by_content(rows.kept, content, tie) if column is None else _by_id(rows, column, reading)


def _by_content(kept: Sequence[int], content: Content, tie: Callable[[int], str]) -> dict[int, str]:
    same: dict[tuple[object, ...], list[int]] = {}
    for i in kept:
        same.setdefault(content[i], []).append(i)
    found = {}
    for name, members in same.items():
        for number, i in enumerate(sorted(members, key=tie) if len(members) > 1 else members):
            found[i] = hashed("content", *name, number)
    return found


def _by_id(rows: TableRows, column: str, reading: Reading) -> dict[int, str]:
    values = texts(rows.table, column)
    rows.refuse({f"missing {column}": [i for i in rows.kept if blank(values[i])]}, reading)
    first: dict[str, int] = {}
    for i in rows.kept:
        if (other := first.setdefault(values[i], i)) != i:
            raise UserError(
                f"{rows.table.name}: {column} {values[i]!r} stands twice, in {rows.table.places([other, i])}: "
                "make it unique, or do without with `id` = none"
            )
    return {i: hashed("id", values[i]) for i in rows.kept}


def annotator_columns(names: Iterable[str]) -> list[str]:
    """The columns whose name says that they tell whose annotation a row is."""
    return [name for name in names if "".join(filter(str.isalpha, name.casefold())) in ANNOTATOR]


def one_row_an_item(rows: TableRows, reading: Reading, content: Content) -> None:
    """Refuses a table in which a row is an annotation.

    That is where most rows show what another row shows and no `id` names items.
    """
    if not (reading.votes or annotator_columns(rows.table.names)):
        return
    count = Counter(content[i] for i in rows.kept)
    again = [i for i in rows.kept if count[content[i]] > 1]
    if len(again) > len(rows.kept) / 2 and reading.id in (None, "none"):
        raise UserError(
            f"{rows.table.name}: {len(rows.kept)} rows hold {len(count)} items, a row an annotation as it seems "
            f"(the same in {rows.table.places(again)}): give a row an item, and the votes in a `votes_table` "
            "(item, worker, label), which `audit` reads alone, other names by `columns` = "
            "item=...,worker=...,label=...; "
            "rows that are items need their `id` named"
        )
