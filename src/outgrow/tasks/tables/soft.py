"""Votes that are probabilities of all classes: a column a class, or in each cell an object of them.

columns     gpt_ham, gpt_spam: `votes` = gpt, or both of them, where they add up to 1 in every row; columns called as
            in `probabilities` are votes of their annotator, however they are named
objects     {"ham": 0.2, "spam": 0.8}, or how many votes each class has: {"ham": 1, "spam": 4}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from outgrow.core.errors import UserError
from outgrow.core.progress import say
from outgrow.tasks.tables import classes
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.probabilities import annotator_of, columns_of
from outgrow.tasks.tables.values import blank, class_name

NEAR = 0.01
"""How far probabilities may be from 1 together, as rounded ones are."""


def gathered(table: TableFile, votes: Sequence[str]) -> tuple[TableFile, tuple[str, ...]]:
    """The table with one column of objects for each annotator whose probabilities lie in a column a class.

    Args:
        table: Any table.
        votes: Columns of votes, or what the names of such columns begin with.

    Returns:
        The table, and the columns of votes.

    Example:
        >>> import polars as pl
        >>> from outgrow.tasks.tables.frames import of_frame
        >>> table, votes = gathered(of_frame(pl.DataFrame({"gpt_ham": [0.2], "gpt_spam": [0.8]})), ["gpt"])
        >>> votes, table.column("gpt")
        (('gpt',), [{'ham': 0.2, 'spam': 0.8}])
    """
    votes = tuple(dict.fromkeys(annotator_of(table.names, name) or name for name in votes))
    found: dict[str, dict[str, str]] = {}
    for name in votes:
        if name not in table.names and len(spread := spread_of(table.names, name)) > 1:
            found[name] = spread
    named = [name for name in votes if name in table.names]
    found |= _together(table, named)
    taken = {column for spread in found.values() for column in spread.values()}
    rest = [name for name in votes if name not in found and name not in taken]
    if found:
        held = "; ".join(f"{name} of {', '.join(spread.values())}" for name, spread in found.items())
        say(f"{table.name}: columns are read as probabilities of the classes: {held}")
    return table.with_columns({name: _objects(table, spread) for name, spread in found.items()}), (*found, *rest)


def spread_of(names: Sequence[str], annotator: str) -> dict[str, str]:
    """class -> column, of columns that may hold an annotator's probabilities."""
    return columns_of(names, annotator) or _begins([n for n in names if annotator_of(names, n) is None], annotator)


def _begins(names: Iterable[str], start: str) -> dict[str, str]:
    """class -> column, of columns that are called START, a sign, and a class."""
    return {
        name[len(start) + 1 :]: name
        for name in names
        if name.startswith(start) and len(name) > len(start) + 1 and not name[len(start)].isalnum()
    }


def _ends(name: str, end: str) -> bool:
    """Whether a column is called something, a sign, and END."""
    return name.endswith(end) and len(name) > len(end) + 1 and not name[-len(end) - 1].isalnum()


def _together(table: TableFile, votes: Sequence[str]) -> dict[str, dict[str, str]]:
    """By annotator the columns of its classes: the same classes for each, fractions, which add up to 1 in every row."""
    for at in range(len(votes[0]) - 2 if votes else 0, 0, -1):
        if votes[0][at].isalnum():
            continue
        ended = tuple(_begins(votes, votes[0][:at]))
        if len(ended) < 2:
            continue
        ends = [next((c for c in ended if _ends(name, c)), None) for name in votes]
        if None in ends:
            continue
        starts = dict.fromkeys(name[: -len(str(end)) - 1] for name, end in zip(votes, ends, strict=True))
        found = {start: _begins(votes, start) for start in starts}
        if all(set(of) == set(ended) and _whole(table, of) for of in found.values()):
            return found
    return {}


def _whole(table: TableFile, spread: Mapping[str, str]) -> bool:
    rows = list(zip(*map(table.column, spread.values()), strict=True))
    numbers = [[_number(cell) for cell in row] for row in rows if not all(map(blank, row))]
    fit = all(None not in row and min(row) >= 0 and abs(sum(row) - 1) <= NEAR for row in numbers)  # type: ignore
    return fit and any(cell % 1 for row in numbers for cell in row if cell is not None)


def _objects(table: TableFile, spread: Mapping[str, str]) -> list[dict[str, Any] | None]:
    rows = zip(*map(table.column, spread.values()), strict=True)
    return [None if all(map(blank, row)) else dict(zip(spread, row, strict=True)) for row in rows]


def may_be(value: Any) -> bool:
    """Whether a cell may hold an object: it is one, or text that begins as one."""
    return isinstance(value, dict) or (isinstance(value, str) and value.lstrip()[:1] == "{")


def opened(value: Any) -> Any:
    """An object that csv holds as JSON text; any other value as it is."""
    if not isinstance(value, str) or not may_be(value):
        return value
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return found if isinstance(found, dict) else value


def silent(value: Any) -> bool:
    """Whether an object says nothing: it is empty, or all its numbers are missing."""
    return isinstance(value, dict) and all(map(blank, value.values()))


def names(values: Iterable[Any]) -> list[str]:
    """The classes that objects name, in the order of their first."""
    return list(
        dict.fromkeys(class_name(key) for value in map(opened, values) if isinstance(value, dict) for key in value)
    )


def distribution(value: Any, among: Sequence[str]) -> dict[str, float] | None:
    """The probability of each class in an object of probabilities or counts; None where it holds others.

    Example:
        >>> distribution({"ham": 1, "spam": 3}, ("ham", "spam")), distribution({"ham": 0.2}, ("ham", "spam"))
        ({'ham': 0.25, 'spam': 0.75}, None)
    """
    if not isinstance(value, dict):
        return None
    held = {class_name(key): 0.0 if blank(p) else _number(p) for key, p in value.items()}
    if any(p is None or p < 0 for p in held.values()) or not set(held) <= set(among):
        return None
    total = sum(p for p in held.values() if p is not None)
    counts = all(not p % 1 for p in held.values() if p is not None)
    if total <= 0 or not (counts or abs(total - 1) <= NEAR):
        return None
    return {name: (held.get(name) or 0.0) / total for name in among}


def all_objects(table: TableFile, column: str, values: Sequence[Any], reading: Reading) -> bool:
    """Whether a column holds objects of numbers. Raises UserError where it holds other votes as well."""
    objects = [
        isinstance(value, dict) and all(blank(p) or _number(p) is not None for p in value.values()) for value in values
    ]
    if not any(objects):
        return False
    if odd := [
        value for value, one in zip(values, objects, strict=True) if not one and not classes.silent(value, reading)
    ]:
        raise UserError(
            f"{table.name}: column {column!r} holds objects of probabilities and {odd[0]!r:.40} beside them: write "
            "one form alone"
        )
    return True


def _number(cell: Any) -> float | None:
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number == number and abs(number) != float("inf") else None
