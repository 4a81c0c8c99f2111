"""The labels of a long table of votes (item, worker, label, and gold where there is any), as numbers of classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outgrow.core.errors import UserError
from outgrow.tasks.tables.classes import asked, by_votes, each, empty, find, gold, printed, short, silent, stray
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.values import class_name


def numbers(
    table: TableFile, annotators: Sequence[str], column: str | None, most: int, reading: Reading
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray | None]:
    """The classes of a long table of votes; the number of every row's label, (V,) int64, -1 where it abstains; and that of its gold.

    annotators: who votes, by row; column: that of gold, or None. More names than `most` are open answers, of which
    only empty cells and words of --abstain are none.
    """
    raw, named = table.column("label"), asked(reading)
    distinct = {class_name(value) for value in raw if not empty(value, reading)}
    opened = len(distinct) > most and not named
    if odd := [i for i, value in enumerate(raw) if printed(value, opened) and class_name(value) not in named]:
        raise UserError(
            f"{table.name}: column 'label' holds {short(raw[odd[0]])} in {table.places(odd)}: write one class a cell, a row a vote"
        )
    told = None if column is None else gold(table, column, range(len(raw)), reading, opened)
    known = tuple(sorted(set(told or ()) - {""}))
    if opened:
        names = tuple(dict.fromkeys((*sorted(distinct), *known)))
        said = each(raw, lambda value: "" if empty(value, reading) else class_name(value))
    else:
        cast = each(raw, lambda value: "" if silent(value, reading) else class_name(value))
        names = named or known or tuple(sorted(by_votes(table, _by_annotator(annotators, cast))))
        said = _recognised(table, raw, names, reading)
    number = {name: c for c, name in enumerate(names)} | {"": -1}
    if told is not None and (wrong := [i for i, name in enumerate(told) if name not in number]):
        raise UserError(
            f"{table.name}: labels that are none of the classes {', '.join(names)} in column {column!r}, in {table.places(wrong)}: mend them"
        )
    labels, golds = (
        None if part is None else np.array([number[name] for name in part], np.int64) for part in (said, told)
    )
    return names, labels, golds  # type: ignore[return-value]


def _by_annotator(annotators: Sequence[str], said: Sequence[str]) -> dict[str, dict[int, str]]:
    """annotator -> row -> name, of rows that do not abstain."""
    votes: dict[str, dict[int, str]] = {}
    for i, name in enumerate(said):
        if name:
            votes.setdefault(annotators[i], {})[i] = name
    return votes


def _recognised(table: TableFile, raw: Sequence[object], names: Sequence[str], reading: Reading) -> list[str]:
    """The class in every row of the column of labels, "" where it abstains. UserError for what is neither."""
    found = each(raw, lambda value: find(value, names, reading))
    if wrong := [i for i, name in enumerate(found) if name is None]:
        raise UserError(
            f"{table.name}: votes in column 'label' that are none of {', '.join(names)} in {table.places(wrong)}: "
            f"mend them, or leave them empty to abstain ({stray((raw[i] for i in wrong), names)})"
        )
    return found  # type: ignore[return-value]
