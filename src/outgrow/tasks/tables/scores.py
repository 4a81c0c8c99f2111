"""Scores of annotators, as from 1 to 5, cut into two classes at a threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from outgrow.core.errors import UserError
from outgrow.tasks.tables.classes import asked, silent
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.values import class_name, numeric

CUT = ("0", "1")
"""The classes of scores below the threshold and from it on, where `classes` names none."""


def cut(table: TableFile, votes: Sequence[str], gold: str | None, reading: Reading) -> tuple[TableFile, Reading]:
    """The table with classes in the place of scores; as it is where no threshold is given.

    Args:
        table: Any table.
        votes: Its columns of scores; a cell may be a list of them.
        gold: Its column of gold, which is cut as well where all of it are numbers, and others than the classes.
        reading: What the user said about it; `classes` names the lower class and the upper one.

    Returns:
        The table, and the reading with both classes.

    Raises:
        UserError: There are not two classes, or a score is no number.

    Example:
        >>> import polars as pl
        >>> from outgrow.tasks.tables.frames import of_frame
        >>> scores = of_frame(pl.DataFrame({"judge": [1, 4, 5, None]}))
        >>> table, reading = cut(scores, ["judge"], None, Reading(threshold=4))
        >>> table.column("judge"), reading.classes
        (['0', '1', '1', None], ('0', '1'))
    """
    threshold = reading.threshold
    if threshold is None:
        return table, reading
    names = asked(reading) or CUT
    if len(names) != 2:
        raise UserError(
            f"`threshold` = {threshold:g} cuts scores into two classes, and `classes` names {len(names)}: name "
            "the lower and the upper one, or leave the threshold out, so that scores are classes in order"
        )
    if not math.isfinite(threshold):
        raise UserError(f"`threshold` = {threshold}: give a number")
    reading = replace(reading, classes=names)
    columns = {name: _column(table, name, names, reading, threshold) for name in votes}
    if gold is not None and _scores(table.column(gold), names, reading):
        columns[gold] = _column(table, gold, names, reading, threshold)
    return table.with_columns(columns), reading


def _scores(cells: Sequence[Any], names: Sequence[str], reading: Reading) -> bool:
    known = {class_name(cell) for cell in cells if not silent(cell, reading)}
    return bool(known - set(names)) and all(_number(name) is not None for name in known)


def _column(table: TableFile, name: str, names: Sequence[str], reading: Reading, threshold: float) -> list[Any]:
    """The classes of a column of scores. Raises UserError for what is none."""
    cells, wrong = table.column(name), object()

    def of(cell: Any) -> Any:
        if isinstance(cell, list):
            return list(map(of, cell))
        if silent(cell, reading):
            return None
        score = _number(cell)
        if score is None:
            return cell if class_name(cell) in names and not numeric(class_name(cell)) else wrong
        return names[score >= threshold]

    found = list(map(of, cells))
    if odd := [i for i, cell in enumerate(found) if wrong in (cell if isinstance(cell, list) else [cell])]:
        raise UserError(
            f"{table.name}: column {name!r} holds {cells[odd[0]]!r:.40} in {table.places(odd)}, no score that "
            "`threshold` could cut: mend the rows, or leave them empty to abstain"
        )
    return found


def _number(cell: Any) -> float | None:
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
