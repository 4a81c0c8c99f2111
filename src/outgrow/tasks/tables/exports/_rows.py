"""Tables with a row an annotation: which columns say what was labelled, by whom, and how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from outgrow.core.errors import UserError
from outgrow.tasks.tables.exports._export import Collected, Export
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import READABLE
from outgrow.tasks.tables.values import blank, id_name

GOLD = ("gold", "truth")
"""Columns that hold the gold of an item, and no label of an annotator."""


def by_rows(
    table: TableFile,
    reading: Reading,
    *,
    item: str,
    worker: str,
    about: Sequence[str] = (),
    answer: Callable[[Any], list[Any]] = lambda cell: [cell],
) -> Export:
    """The export in a table with a row an annotation.

    Args:
        table: The table.
        reading: What the user said about it.
        item: The column of items.
        worker: The column of annotators.
        about: Columns about the annotation, which hold neither labels nor fields of the item.
        answer: The labels in a cell.

    Raises:
        UserError: It is not certain which column holds the labels, or a row lacks its item or its annotator.
    """
    columns = {name: table.column(name) for name in table.names}
    keys = ids(table, item, reading)
    for name in (column for column in (reading.text, reading.label) if column is not None):
        if name not in columns:
            raise UserError(f"{table.name}: no column {name!r}: the columns are {', '.join(table.names)}")
    fixed, changing = _split(columns, keys)
    text = [name for name in (reading.text, *READABLE) if name in columns]
    gold = [reading.label] if reading.label is not None else [name for name in GOLD if name in columns]
    others = [name for name in columns if name not in (item, worker, reading.id, *about, *text, *gold)]
    label = _label(table, reading, [name for name in others if name in changing], others)
    shown = [name for name in columns if name in (*fixed, *text) and name not in (label, worker, *about, *gold)]
    found = Collected(table, reading)
    for row, key in enumerate(keys):
        if key is None:
            found.left_out["without an item or an annotator"] += 1
            continue
        if blank(columns[worker][row]):
            if not reading.skip_bad_rows:
                raise UserError(
                    f"{table.name}: missing {worker} in {table.places([row])}: mend the row, or go on without it with "
                    "`skip_bad_rows`"
                )
            found.left_out["without an item or an annotator"] += 1
            continue
        one = found.item(key, row, {name: columns[name][row] for name in shown})
        found.vote(one, columns[worker][row], answer(columns[label][row]), row, label)
        for name in (name for name in gold if not blank(columns[name][row])):
            found.gold(one, columns[name][row], row, name)
    for fields in found.fields.values():
        fields.update({name: None for name in gold if name not in fields})
    return found.export(f"column {label!r} is empty", question=label)


def ids(table: TableFile, column: str, reading: Reading) -> list[str | None]:
    """The item of every row; None of bad rows that are left out. Raises UserError for a cell that is no id."""
    raw = table.column(column)
    if odd := [i for i, value in enumerate(raw) if isinstance(value, list | dict | bytes)]:
        raise UserError(
            f"{table.name}: column {column!r} holds a {type(raw[odd[0]]).__name__} in {table.places(odd)}, no id"
        )
    if (none := [i for i, value in enumerate(raw) if blank(value)]) and not reading.skip_bad_rows:
        raise UserError(
            f"{table.name}: missing {column} in {table.places(none)}: mend the rows, or go on without them with "
            "`skip_bad_rows`"
        )
    return [None if blank(value) else id_name(value) for value in raw]


def _split(columns: dict[str, list], keys: Sequence[str | None]) -> tuple[list[str], list[str]]:
    """The columns that are the same in all rows of an item, and those that change within one."""
    first: dict[str | None, int] = {}
    start = [first.setdefault(key, row) for row, key in enumerate(keys)]
    changing = [name for name, of in columns.items() if any(of[row] != of[at] for row, at in enumerate(start))]
    return [name for name in columns if name not in changing], changing


def _label(table: TableFile, reading: Reading, changing: Sequence[str], others: Sequence[str]) -> str:
    """The column of labels.

    It is the one that `votes` names, else `label`, or the only one that annotators of an item fill differently, or the
    only one that is left.
    """
    if len(reading.votes) == 1:
        if reading.votes[0] not in table.names:
            raise UserError(
                f"{table.name}: no column {reading.votes[0]!r} for `votes`: the columns are {', '.join(table.names)}"
            )
        return reading.votes[0]
    if "label" in changing:
        return "label"
    among = [name for name in others if name in changing or name == "label"] or others
    if len(among) != 1:
        which = f"its label could be {' or '.join(among)}: say which" if among else "no column holds its label: name it"
        raise UserError(f"{table.name}: a row is an annotation, and {which} with `votes`")
    return among[0]
