"""The user's own label columns: hard votes, probabilities, lists of either; missing = abstained."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence

from outgrow.errors import UserError
from outgrow.tasks.table import Table
from outgrow.tasks.task import Kind
from outgrow.tasks.values import Choices, blank, chooser, class_name

ABSTAINED = (-1, "-1")
Belief = dict[str, float] | None
"""Probability of each option; None = abstained."""


def read_votes(
    table: Table, column: str, kind: Kind, rows: Sequence[int], options: Sequence[Choices]
) -> dict[str, list[Belief]]:
    """What each voter of a column believes about each of the rows.

    A value is an option: a class (`classify`), "chosen" or "rejected", 1 or 0 (`prefer`), or a choice by text, index or
    letter (`choose`). In the first two kinds, with two options, fractions are probabilities of the second one.
    A list holds one voter an entry (`column[0]`, ...), or, where it holds fractions, the probabilities of the options; in a
    row without one all voters abstain.
    UserError lists the rows whose values are none of these.
    """
    if column not in table.names:
        raise _no_column(table, column)
    raw = table.column(column)
    values = [_opened(raw[i]) for i in rows]
    lists = [v for v in values if isinstance(v, list)]
    if not lists:
        voters = {column: values}
    elif any(_fraction(x) for v in lists for x in v):
        return {column: _checked(table, column, rows, values, options, _distribution)}
    elif any(not isinstance(v, list) and not blank(v) for v in values) or len({len(v) for v in lists}) > 1:
        raise UserError(f"column {column!r} for --votes: every row needs a list of the same length, or none")
    else:
        voters = {f"{column}[{j}]": [None if blank(v) else v[j] for v in values] for j in range(len(lists[0]))}
    return {
        name: _checked(table, name, rows, cast, options, _reader(kind, name, cast, options))
        for name, cast in voters.items()
    }


def named(table: Table, columns: Sequence[str], rows: Sequence[int]) -> set[str]:
    """The classes that columns of votes name outright; columns of probabilities name none."""
    found = set()
    for column in columns:
        if column not in table.names:
            raise _no_column(table, column)
        raw = table.column(column)
        opened = [_opened(raw[i]) for i in rows]
        values = [x for v in opened for x in (v if isinstance(v, list) else [v]) if not blank(x)]
        if not any(map(_fraction, values)):
            found |= {class_name(x) for x in values if x not in ABSTAINED}
    return found


def _no_column(table: Table, column: str) -> UserError:
    return UserError(f"no column {column!r} for --votes: the columns are {', '.join(table.names)}")


Read = Callable[[object, Choices], Belief]


def _checked(
    table: Table, name: str, rows: Sequence[int], values: list, options: Sequence[Choices], read: Read
) -> list[Belief]:
    beliefs = [None if _abstains(v, o) else read(v, o) for v, o in zip(values, options, strict=True)]
    wrong = [i for i, b, v, o in zip(rows, beliefs, values, options, strict=True) if b is None and not _abstains(v, o)]
    if wrong:
        known = ", ".join(options[0].texts) if all(o is options[0] for o in options) else "the row's choices"
        raise UserError(
            f"{table.name}: votes in column {name!r} that are none of {known} in {table.places(wrong)}: "
            "mend them, or leave them empty to abstain"
        )
    return beliefs


def _abstains(value: object, among: Choices) -> bool:
    if isinstance(value, list):
        return all(map(blank, value))
    return blank(value) or (value in ABSTAINED and "-1" not in among.texts)


def _reader(kind: Kind, name: str, values: list, options: Sequence[Choices]) -> Read:
    """How one voter's values are read."""
    if kind == "choose":
        cast = [(v, o) for v, o in zip(values, options, strict=True) if not _abstains(v, o)]
        pick = chooser(name, [v for v, _ in cast], [o for _, o in cast])
        return lambda value, among: _certain(pick(value, among), among)
    if len(options[0].texts) == 2 and any(map(_fraction, values)):
        return _second
    known = {text: _certain(text, options[0]) for text in options[0].texts}
    if kind == "prefer":
        known |= {str(number): known[text] for number, text in enumerate(options[0].texts)}
    return lambda value, _: known.get(class_name(value))


def _certain(picked: str | None, among: Choices) -> Belief:
    return {text: float(text == picked) for text in among.texts} if picked in among.texts else None


def _second(value: object, among: Choices) -> Belief:
    p = _number(value)
    return dict(zip(among.texts, (1 - p, p), strict=True)) if p is not None and 0 <= p <= 1 else None


def _distribution(value: object, among: Choices) -> Belief:
    found = [_number(x) for x in value] if isinstance(value, list) else []
    if len(found) != len(among.texts) or any(p is None or not 0 <= p <= 1 for p in found) or abs(sum(found) - 1) > 1e-3:
        return None
    belief = dict.fromkeys(among.texts, 0.0)
    for text, p in zip(among.texts, found, strict=True):
        belief[text] += p / sum(found)
    return belief


def _opened(value: object) -> object:
    """A list that csv holds as JSON text."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _number(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def _fraction(value: object) -> bool:
    number = _number(value)
    return number is not None and math.isfinite(number) and not number.is_integer()
