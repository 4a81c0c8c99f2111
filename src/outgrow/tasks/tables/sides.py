"""The data's own split: which rows of a table are on the test side, which in the pool, which on neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from outgrow.core.errors import UserError
from outgrow.core.progress import say
from outgrow.tasks.tables.classes import unknown_gold
from outgrow.tasks.tables.files import listed
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import optional
from outgrow.tasks.tables.rows import TableRows
from outgrow.tasks.tables.values import blank, class_name, texts
from outgrow.tasks.tables.votes import Belief
from outgrow.tasks.task import FREE, POOL, TEST

PARAMETERS = {TEST: "`test_values`", POOL: "`pool_values`"}
VALIDATION = ("valid", "validation", "val", "dev", "eval")
MANY = 20
"""A group of more rows than this, and of half of all, leaves no split that means anything."""


def sides(rows: TableRows, reading: Reading) -> list[int]:
    """FREE, POOL or TEST for every row of the table; rows of other values of the split are left out and counted."""
    column = optional(rows.table, reading, "split")
    if column is None:
        if reading.test_values or reading.pool_values:
            raise UserError("`test_values` and `pool_values` need a column with the split: name it with `split`")
        return [FREE] * len(rows.table.lines)
    values = texts(rows.table, column)
    sizes = Counter(values)
    asked = {TEST: listed(reading.test_values, sizes), POOL: listed(reading.pool_values, sizes)}
    shown = ", ".join(f"{value or '(none)'} ({n})" for value, n in sorted(sizes.items()))
    _check_values(asked, sizes, column, shown)
    if len(sizes) == 1 and not any(asked.values()):
        return [FREE] * len(values)
    side_of = _side_of(asked, sizes)
    for side in (TEST, POOL):
        if side not in side_of.values():
            raise UserError(
                f"column {column!r} has the values {shown}: say which are {'test' if side == TEST else 'pool'} with "
                f"{PARAMETERS[side]}, or ignore the column with `split` = none"
            )
    for value in sorted(set(sizes) - set(side_of)):
        rows.leave_out({i for i, v in enumerate(values) if v == value}, f"{column} {value or '(none)'}")
    return [side_of.get(value, FREE) for value in values]


def _check_values(asked: Mapping[int, Sequence[str]], sizes: Collection[str], column: str, shown: str) -> None:
    for side, names in asked.items():
        for name in names:
            if name not in sizes:
                raise UserError(f"no {name!r} in column {column!r} for {PARAMETERS[side]}: its values are {shown}")
            if name in asked[TEST] and name in asked[POOL]:
                raise UserError(f"contradictory flags: {name!r} is both in `test_values` and in `pool_values`")


def _side_of(asked: Mapping[int, Sequence[str]], sizes: Collection[str]) -> dict[str, int]:
    """Value -> side, as the flags say, else as the values are usually called."""
    test = asked[TEST] or _usual_test(set(sizes) - set(asked[POOL]))
    pool = asked[POOL] or [value for value in sizes if value.lower().startswith("train") and value not in test]
    return dict.fromkeys(test, TEST) | dict.fromkeys(pool, POOL)


def _usual_test(values: set[str]) -> list[str]:
    """The value that is called test; where none is, the only one that is called validation."""
    named = [value for value in values if value.lower() == "test"]
    valid = [value for value in values if value.lower() in VALIDATION]
    return named if len(named) == 1 else valid if not named and len(valid) == 1 else []


def with_gold_in_test(rows: TableRows, side: list[int], column: str, reading: Reading) -> list[int]:
    """The sides, undone where a test split that nobody asked for by name has no gold."""
    raw = rows.table.column(column)
    tested = [i for i in rows.kept if side[i] == TEST]
    if not tested or reading.test_values or not all(_unknown(raw[i], reading) for i in tested):
        return side
    name = rows.table.name
    say(f"{name}: the test split has no gold in column {column!r}; test items are drawn from the other rows")
    return _undone(rows, side, "whose gold is unknown")


def _unknown(value: object, reading: Reading) -> bool:
    return blank(value) or unknown_gold(class_name(value), reading)


def with_votes_in_test(rows: TableRows, side: list[int], votes: Mapping[str, Mapping[int, Belief]]) -> list[int]:
    """The sides, undone where an annotator of pool rows says nothing of any test row."""
    silent = [annotator for annotator, beliefs in votes.items() if _silent_in_test(rows, side, beliefs)]
    if not silent:
        return side
    say(
        f"{rows.table.name}: no votes of {', '.join(silent)} on the test split, where no student could be compared "
        "with them; test items are drawn from the other rows"
    )
    return _undone(rows, side, "of which votes say nothing")


def _silent_in_test(rows: TableRows, side: Sequence[int], beliefs: Mapping[int, Belief]) -> bool:
    voted = {s: [beliefs[i] is not None for i in rows.kept if side[i] == s] for s in (POOL, TEST)}
    return any(voted[POOL]) and bool(voted[TEST]) and not any(voted[TEST])


def _undone(rows: TableRows, side: Sequence[int], why: str) -> list[int]:
    """Leaves out the test split; the sides of the others, whose test items are yet to be drawn."""
    rows.leave_out({i for i in rows.kept if side[i] == TEST}, f"in the test split, {why}")
    return [FREE] * len(side)


def separate(rows: TableRows, side: Sequence[int], groups: Mapping[int, str], reading: Reading) -> None:
    """Leaves out pool rows whose group is on the test side, too: the test set stays what the data says it is.

    Raises:
        UserError: No pool row is left, or one group holds most rows and nobody asked for it.
    """
    kept, name = rows.kept, rows.table.name
    tested = {groups[i] for i in kept if side[i] == TEST}
    shared = {i for i in kept if side[i] == POOL and groups[i] in tested}
    if len(shared) > len(kept) / 10:
        say(
            f"{name}: {len(shared)} of {len(kept)} rows are left out of the pool, because the test split "
            "has rows of the same group (context, question or text); `group` names other groups"
        )
    rows.leave_out(shared, "their group is in the test split")
    if tested and not any(side[i] == POOL for i in rows.kept):
        raise UserError(f"{name}: every pool row shares its group with the test split: name another `group`")
    largest = max(Counter(groups[i] for i in rows.kept).values())
    if largest > max(len(rows.kept) / 2, MANY) and reading.group is None:
        column = optional(rows.table, reading, "group")
        same, instead = (column, ", or ignore the column with `group` = none") if column else ("context or text", "")
        raise UserError(
            f"{name}: {largest} of {len(rows.kept)} rows have the same {same}, which makes them "
            f"one group: name another column with `group`{instead}"
        )
