"""Which of two texts is better, as a cell says it: the first, the second, neither, or how probable the first is.

words           first, second, tie, or others of WORDS, in any case; the better text itself is none
numbers         fractions, or any in a column called P: the probability that the first is better; 1, 1.5 and 2 where
                some are above 1: the number of the better text, 1.5 a tie
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from outgrow.core.errors import UserError
from outgrow.tasks.tables.classes import near, short, silent
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.values import class_name

SIDES = ("first", "second")
P = "p"
"""The column of the probability that the first is better."""
WORDS = {
    **dict.fromkeys(("first", "left", "a", "model a", "response a", "text1"), 1.0),
    **dict.fromkeys(("second", "right", "b", "model b", "response b", "text2"), 0.0),
    **dict.fromkeys(("tie", "draw", "both", "same", "equal", "neither", "both bad", "tie (bothbad)"), 0.5),
}
"""What is written where a text is better, or neither -> the probability that the first is."""


def with_default(table: TableFile, reading: Reading) -> Reading:
    """The reading with the column P as votes, of pairs of which no other votes are named."""
    pairs = all((reading.column(side) or side) in table.names for side in SIDES)
    return replace(reading, votes=(P,)) if pairs and not reading.votes and P in table.names else reading


def verdicts(table: TableFile, column: str, rows: Sequence[int], reading: Reading) -> list[float | None]:
    """The probability that the first text is better, by each of the rows; None where nothing is said.

    Raises:
        UserError: A cell is none of the words or numbers, or the numbers could mean two things.
    """
    raw = table.column(column)
    cells = [None if silent(raw[i], reading) and not _word(raw[i]) else raw[i] for i in rows]
    numbers = {number for cell in cells if (number := _number(cell)) is not None}
    counted = bool(numbers) and max(numbers) > 1
    if numbers and not counted and column != P and all(number in (0, 1) for number in numbers):
        raise UserError(
            f"{table.name}: column {column!r} holds {' and '.join(f'{n:g}' for n in sorted(numbers))}, the number of "
            f"the better text or the probability that the first is: write first, second and tie, or call it {P!r}"
        )
    found = [_verdict(cell, counted) for cell in cells]
    if wrong := [i for i, cell, p in zip(rows, cells, found, strict=True) if p is None and cell is not None]:
        raise UserError(
            f"{table.name}: column {column!r} holds {short(raw[wrong[0]])} in {table.places(wrong)}, which says not "
            "which text is better: write first, second or tie, or the probability that the first is"
        )
    return found


def _word(cell: Any) -> float | None:
    return WORDS.get(near(class_name(cell))) if isinstance(cell, str) else None


def _number(cell: Any) -> float | None:
    if cell is None or isinstance(cell, bool):
        return None
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return None


def _verdict(cell: Any, counted: bool) -> float | None:
    word, number = _word(cell), _number(cell)
    if word is not None or number is None:
        return word
    if counted:
        return 2 - number if number in (1, 1.5, 2) else None
    return number if 0 <= number <= 1 else None
