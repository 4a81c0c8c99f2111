"""Long tables: a row a vote (item, worker, label), an answer (item, model, answer), a verdict (item, judge, ...)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, final

import numpy as np

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.tasks.tables.classes import (
    asked,
    by_votes,
    each,
    empty,
    find,
    gold,
    printed,
    short,
    silent,
    stray,
    unknown_gold,
)
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import id_column
from outgrow.tasks.tables.values import blank, class_name, id_name

LONG = ("item", "worker", "label")
"""Columns of a long table of votes."""


def numbered(table: TableFile, column: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """(V,) int64 numbers of the ids in a column, -1 where there is none; and the ids.

    Raises UserError for what is no id.
    """
    raw = table.column(column)
    if bad := [i for i, value in enumerate(raw) if isinstance(value, list | dict | bytes)]:
        raise UserError(
            f"{table.name}: column {column!r} holds a {type(raw[bad[0]]).__name__} in {table.places(bad)}, no id"
        )
    order: dict[str, int] = {}
    number = (-1 if blank(value) else order.setdefault(id_name(value), len(order)) for value in raw)
    return np.fromiter(number, np.int64, len(raw)), tuple(order)


def numbered_votes(table: TableFile) -> tuple[np.ndarray, tuple[str, ...], np.ndarray, tuple[str, ...]]:
    """The item and the worker of every row, (V,) int64 each, with their ids. Raises UserError where a row lacks one."""
    (item, ids), (worker, names) = (numbered(table, name) for name in LONG[:2])
    if (bad := np.flatnonzero((item < 0) | (worker < 0))).size:
        raise UserError(
            f"{table.name}: no item or no worker in {table.places(bad.tolist())}: mend the rows, or leave them out"
        )
    return item, ids, worker, names


@final
@dataclass(frozen=True)
class LongLabels:
    """The labels of a long table of votes as numbers of classes."""

    classes: tuple[str, ...]
    labels: np.ndarray
    """(V,) int64 of every row; -1 where it abstains."""
    gold: np.ndarray | None
    """(V,) int64 of every row, -1 where it is unknown; None without a column of gold."""


def read_labels(
    table: TableFile, annotators: Sequence[str], column: str | None, most: int, reading: Reading
) -> LongLabels:
    """The labels of a long table of votes.

    Args:
        table: Of columns item, worker and label.
        annotators: Who votes, by row.
        column: The column of gold, or None.
        most: More names than these are open answers, of which only empty cells and words of `abstain` are none.
        reading: Classes and words that abstain.

    Raises:
        UserError: A label or a gold is none of the classes, or could be something else.
    """
    raw, named = table.column("label"), asked(reading)
    distinct = {class_name(value) for value in raw if not empty(value, reading)}
    opened = len(distinct) > most and not named
    if odd := [i for i, value in enumerate(raw) if printed(value, opened) and class_name(value) not in named]:
        raise UserError(
            f"{table.name}: column 'label' holds {short(raw[odd[0]])} in {table.places(odd)}: "
            "write one class a cell, a row a vote"
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
    return LongLabels(names, *_in_numbers(table, names, said, told, column))


def _in_numbers(
    table: TableFile, names: Sequence[str], said: Sequence[str], told: Sequence[str] | None, column: str | None
) -> tuple[np.ndarray, np.ndarray | None]:
    number = {name: c for c, name in enumerate(names)} | {"": -1}
    labels = np.array([number[name] for name in said], np.int64)
    if told is None:
        return labels, None
    if wrong := [i for i, name in enumerate(told) if name not in number]:
        raise UserError(
            f"{table.name}: labels that are none of the classes {', '.join(names)} in column {column!r}, "
            f"in {table.places(wrong)}: mend them"
        )
    return labels, np.array([number[name] for name in told], np.int64)


def _by_annotator(annotators: Sequence[str], said: Sequence[str]) -> dict[str, dict[int, str]]:
    """annotator -> row -> name, of rows that do not abstain."""
    votes: dict[str, dict[int, str]] = {}
    for i, name in enumerate(said):
        if name:
            votes.setdefault(annotators[i], {})[i] = name
    return votes


def _recognised(table: TableFile, raw: Sequence[object], names: Sequence[str], reading: Reading) -> list[str]:
    """The class in every row of the column of labels, "" where it abstains. Raises UserError for what is neither."""
    found = each(raw, lambda value: find(value, names, reading))
    if wrong := [i for i, name in enumerate(found) if name is None]:
        raise UserError(
            f"{table.name}: votes in column 'label' that are none of {', '.join(names)} in {table.places(wrong)}: "
            f"mend them, or leave them empty to abstain ({stray((raw[i] for i in wrong), names)})"
        )
    return found


def with_votes(table: TableFile, reading: Reading, votes: TableFile) -> tuple[TableFile, tuple[str, ...]]:
    """A table of items with a column for each worker of a long table of votes, joined by the items' ids.

    Returns:
        The table, and the names of the new columns.

    Raises:
        UserError: An id stands twice, a vote is for no item of the table, or a worker votes twice and otherwise.
    """
    key = _key(table, reading, "votes are joined by the items' ids")
    for name in LONG:
        if name not in votes.names:
            raise UserError(f"{votes.name}: no column {name!r}: a table of votes has {', '.join(LONG)}, a row a vote")
    row = _rows_by_id(table, key)
    item, ids, worker, names = numbered_votes(votes)
    _refuse_strangers(votes, item, ids, table, key, row)
    columns: dict[str, list[Any]] = {f"worker {name}": [None] * len(table.lines) for name in names}
    of_worker, twice = list(columns.values()), []
    for at, label in enumerate(votes.column("label")):
        column, i = of_worker[worker[at]], row[ids[item[at]]]
        if _unknown(column[i], reading):
            column[i] = label
        elif not _unknown(label, reading) and class_name(column[i]) != class_name(label):
            twice.append(at)
    repeated(votes, twice, reading)
    ordered = tuple(sorted(columns, key=lambda name: (len(name), name)))
    return table.with_columns({name: columns[name] for name in ordered}), ordered


def repeated(votes: TableFile, rows: Sequence[int], reading: Reading) -> None:
    """Refuses votes of a worker who voted otherwise on the item before, or says that they are left out."""
    if rows and not reading.skip_bad_rows:
        raise UserError(
            f"{votes.name}: a worker votes on an item again, and otherwise, in {votes.places(rows)}: "
            "keep one vote, or let the first count with `skip_bad_rows`"
        )
    if rows:
        progress.say(f"{votes.name}: {len(rows)} votes left out: another of the same worker on the item comes first")


def with_gold(table: TableFile, beside: TableFile, reading: Reading, columns: Sequence[str]) -> TableFile:
    """The table with a column `gold` out of another one's first column of these, joined by the items' ids.

    Raises:
        UserError: A table has no ids, the other one no gold, an item two golds, or no item is in both tables.
    """
    key, other = (_key(file, reading, "gold is joined by the items' ids") for file in (table, beside))
    known = next((name for name in columns if name in beside.names), None)
    if known is None:
        raise UserError(
            f"{beside.name}: no column {', '.join(columns)} for gold; the columns are {', '.join(beside.names)}"
        )
    gold: dict[str, Any] = {}
    for at, (item, value) in enumerate(zip(beside.column(other), beside.column(known), strict=True)):
        if _unknown(value, reading):
            continue
        if class_name(gold.setdefault(id_name(item), value)) != class_name(value):
            raise UserError(f"{beside.name}: an item has two golds, in {beside.places([at])}: give it one")
    found = [None if blank(item) else gold.get(id_name(item)) for item in table.column(key)]
    if not any(value is not None for value in found):
        raise UserError(f"{beside.name}: none of its items is in {table.name}: mend column {other!r} or {key!r}")
    return table.with_columns({"gold": found})


def _key(table: TableFile, reading: Reading, why: str) -> str:
    key = id_column(table, reading)
    if key is None:
        raise UserError(f"{table.name}: {why}: name their column with `id`")
    return key


def _rows_by_id(table: TableFile, key: str) -> dict[str, int]:
    row: dict[str, int] = {}
    for i, value in enumerate(table.column(key)):
        if not blank(value) and (first := row.setdefault(id_name(value), i)) != i:
            raise UserError(
                f"{table.name}: {key} {id_name(value)!r} stands twice, in {table.places([first, i])}: "
                "votes are joined by it, make it unique"
            )
    return row


def _refuse_strangers(
    votes: TableFile, item: np.ndarray, ids: Sequence[str], table: TableFile, key: str, row: Mapping[str, int]
) -> None:
    """Raises UserError for votes on items that the table does not have."""
    strangers = [name for name in (ids[number] for number in item.tolist()) if name not in row]
    if strangers:
        shown = ", ".join(dict.fromkeys(strangers[:5]))
        raise UserError(
            f"{votes.name}: {len(strangers)} votes are for items that are not in {table.name} (item {shown}, ...), "
            f"where they are called {', '.join(islice(row, 3))}, ...: mend column {key!r}"
        )


def _unknown(value: object, reading: Reading) -> bool:
    """Whether a cell of labels says nothing: empty, -1, a word of `abstain`."""
    return unknown_gold("" if blank(value) else class_name(value), reading)
