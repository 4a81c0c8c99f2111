"""The rows of a table that take part, and why the others do not: nothing is dropped in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from outgrow.core.errors import UserError
from outgrow.core.seeding import hashed
from outgrow.tasks.tables.files import TableFile, listed
from outgrow.tasks.tables.options import Reading, flag
from outgrow.tasks.tables.values import blank, texts
from outgrow.tasks.task import FREE, POOL, TEST


class TableRows:
    """Row numbers still in, and counts of those left out."""

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

    def refuse(self, problems: dict[str, list[int]], reading: Reading) -> None:
        """Raises UserError for bad rows, or leaves them out where the user said so."""
        found = {why: rows for why, rows in problems.items() if rows}
        if found and not reading.skip_bad_rows:
            listed = "; ".join(f"{why} in {self.table.places(rows)}" for why, rows in found.items())
            raise UserError(f"{self.table.name}: {listed}: mend them, or go on without them with --skip-bad-rows")
        for why, rows in found.items():
            self.leave_out(set(rows), why)
        if not self.kept:
            raise UserError(f"{self.table.name}: no row is left ({self.counts})")


def optional(table: TableFile, reading: Reading, field: str) -> str | None:
    """The column for id, split or group: the one the user named, else the one of that name, else None."""
    named = getattr(reading, field)
    if named is not None:
        return named if named in table.names else None
    return field if field in table.names else None


def sides(rows: TableRows, reading: Reading) -> list[int]:
    """FREE, POOL or TEST for every row of the table; rows of other values of the split are left out and counted."""
    table, column = rows.table, optional(rows.table, reading, "split")
    asked: dict[int, tuple[str, ...]] = {TEST: reading.test_values, POOL: reading.pool_values}
    if column is None:
        if any(asked.values()):
            raise UserError("--test-values and --pool-values need a column with the split: name it with --split")
        return [FREE] * len(table.lines)
    values = texts(table, column)
    sizes = Counter(values)
    asked = {side: listed(names, sizes) for side, names in asked.items()}
    shown = ", ".join(f"{v or '(none)'} ({n})" for v, n in sorted(sizes.items()))
    for side, names in asked.items():
        for name in names:
            if name not in sizes:
                raise UserError(f"no {name!r} in column {column!r} for {flag(_FLAGS[side])}: its values are {shown}")
            if name in asked[TEST] and name in asked[POOL]:
                raise UserError(f"contradictory flags: {name!r} is both in --test-values and in --pool-values")
    if len(sizes) == 1 and not any(asked.values()):
        return [FREE] * len(table.lines)
    side_of = dict.fromkeys(asked[TEST] or _usual_test(set(sizes) - set(asked[POOL])), TEST)
    pool = asked[POOL] or [v for v in sizes if v.lower().startswith("train") and v not in side_of]
    side_of |= dict.fromkeys(pool, POOL)
    for side in (TEST, POOL):
        if side not in side_of.values():
            raise UserError(
                f"column {column!r} has the values {shown}: say which are {'test' if side == TEST else 'pool'} with "
                f"{flag(_FLAGS[side])}, or ignore the column with --split none"
            )
    for value in sorted(set(sizes) - set(side_of)):
        rows.leave_out({i for i, v in enumerate(values) if v == value}, f"{column} {value or '(none)'}")
    return [side_of.get(v, FREE) for v in values]


_FLAGS = {TEST: "test_values", POOL: "pool_values"}


def _usual_test(values: set[str]) -> list[str]:
    """The value that is called test; where none is, the only one that is called validation."""
    named = [v for v in values if v.lower() == "test"]
    valid = [v for v in values if v.lower() in ("valid", "validation", "val", "dev", "eval")]
    return named if len(named) == 1 else valid if not named and len(valid) == 1 else []


def keys(
    rows: TableRows, reading: Reading, content: dict[int, tuple[str, ...]], tie: Callable[[int], str]
) -> dict[int, str]:
    """A hashed id for every row kept: from the user's id, else from its content.

    Rows of the same content are numbered in the order of `tie`, which must not depend on the order of the file.
    UserError for ids that are missing or stand twice.
    """
    column = optional(rows.table, reading, "id")
    if column is None:
        same: dict[tuple[str, ...], list[int]] = {}
        for i in rows.kept:
            same.setdefault(content[i], []).append(i)
        found = {}
        for name, members in same.items():
            for number, i in enumerate(sorted(members, key=tie) if len(members) > 1 else members):
                found[i] = hashed("content", *name, number)
        return found
    values = texts(rows.table, column)
    rows.refuse({f"missing {column}": [i for i in rows.kept if blank(values[i])]}, reading)
    first: dict[str, int] = {}
    for i in rows.kept:
        if (other := first.setdefault(values[i], i)) != i:
            raise UserError(
                f"{rows.table.name}: {column} {values[i]!r} stands twice, in {rows.table.places([other, i])}: "
                "make it unique, or do without with --id none"
            )
    return {i: hashed("id", values[i]) for i in rows.kept}
