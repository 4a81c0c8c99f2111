"""A table of votes, with gold on some rows or none: what a practitioner has.

Votes are columns of the table, or lie in a long table of their own (item, worker, label), a row a vote.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np

from outgrow.core import progress
from outgrow.core.errors import UserError, unknown
from outgrow.tasks.tables.classes import unknown_gold
from outgrow.tasks.tables.files import READERS, TableFile, read_file
from outgrow.tasks.tables.layouts import from_votes
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.values import Options, blank, class_name, id_name
from outgrow.tasks.tables.votes import Belief, read_votes
from outgrow.tasks.task import Gold, Task

READ = ("text", "question", "image", "chosen")
"""Roles of which a table with something to read has one."""
LONG = ("item", "worker", "label")
"""Columns of a long table of votes."""


@final
@dataclass(frozen=True)
class Annotations:
    """Items with votes. Gold is -1 where it is not known."""

    task: Task
    gold: Gold
    table: TableFile
    """Of its columns only the items' ids are left to be read: gold lies in `gold`, and nowhere else."""
    row: np.ndarray
    """(N,) int64: the table's row of every item."""
    reading: Reading
    """As it was resolved: every column of votes by name."""


def load(path: str, reading: Reading, votes_table: str | None = None, texts: bool = True) -> Annotations:
    """The table at `path` (.parquet, .csv, .jsonl), whose items need no text where `texts` is False.

    Raises UserError, one line, for what the user can mend.
    """
    if reading.scorer is not None:
        raise UserError(f"--scorer {reading.scorer} compares answers in words, and votes are classes: leave it out")
    table = read(path)
    reading, key = replace(reading, votes=_columns(table, reading.votes)), id_column(table, reading)
    if texts and not any(getattr(reading, role) or role in table.names for role in READ):
        hint = "name it with --text; where items have none, --strong votes learns from the votes alone"
        raise UserError(f"{table.name}: no column of texts: {hint}; the columns are {', '.join(table.names)}")
    if key is None and not texts:
        raise UserError(f"{table.name}: items without text need ids: name their column with --id")
    if (
        not texts
        and not reading.skip_bad_rows
        and (nameless := [i for i, value in enumerate(table.column(key)) if blank(value)])
    ):
        raise UserError(
            f"{table.name}: missing {key} in {table.places(nameless)}: mend them, or go on without them with --skip-bad-rows"
        )
    if not texts:
        reading = replace(reading, id=key, template=f"{{{key}}}")
    if votes_table is not None:
        table, workers = joined(table, reading, read(votes_table))
        reading = replace(reading, id=key, votes=(*reading.votes, *workers))
    if not reading.votes:
        raise UserError(
            f"{table.name}: name the columns that hold your votes with --votes; the columns are {', '.join(table.names)}"
        )
    if reading.label is None and "label" not in table.names:
        table = _with(table, {"label": [None] * len(table.lines)})
    task, gold, row = from_votes(table, reading)
    if task.images is not None:
        raise UserError(f"{table.name}: `learn` teaches students of text; images go through `outgrow run --image`")
    ids = {} if key is None else {key: table.column(key)}
    return Annotations(task, gold, replace(table, column=ids.__getitem__), row, reading)


def read(path: str) -> TableFile:
    """The table in a file. Raises UserError where it is none that can be read."""
    if Path(path).suffix.lower() not in READERS:
        raise UserError(f"cannot read {path!r}: give a {', '.join(READERS)} file")
    return read_file(Path(path).expanduser())


def joined(table: TableFile, reading: Reading, votes: TableFile) -> tuple[TableFile, tuple[str, ...]]:
    """A column for every worker of a long table of votes, joined by the items' ids; and the columns' names."""
    key = id_column(table, reading)
    if key is None:
        raise UserError(f"{table.name}: votes are joined by the items' ids: name their column with --id")
    for name in LONG:
        if name not in votes.names:
            raise UserError(f"{votes.name}: no column {name!r}: a table of votes has {', '.join(LONG)}, a row a vote")
    row: dict[str, int] = {}
    for i, value in enumerate(table.column(key)):
        if not blank(value) and (first := row.setdefault(id_name(value), i)) != i:
            raise UserError(
                f"{table.name}: {key} {id_name(value)!r} stands twice, in {table.places([first, i])}: votes are joined by it, make it unique"
            )
    columns: dict[str, list] = {}
    strangers, twice, nameless = [], [], []
    for at, (item, worker, label) in enumerate(zip(*map(votes.column, LONG), strict=True)):
        if blank(item) or blank(worker):
            nameless.append(at)
            continue
        i = row.get(id_name(item))
        if i is None:
            strangers.append(at)
            continue
        column = columns.setdefault(f"worker {id_name(worker)}", [None] * len(table.lines))
        if unknown_gold("" if blank(column[i]) else class_name(column[i]), reading):
            column[i] = label
        elif not unknown_gold("" if blank(label) else class_name(label), reading) and class_name(
            column[i]
        ) != class_name(label):
            twice.append(at)
    if nameless:
        raise UserError(
            f"{votes.name}: no item or no worker in {votes.places(nameless)}: mend the rows, or leave them out"
        )
    if strangers:
        shown = ", ".join(dict.fromkeys(id_name(votes.column("item")[at]) for at in strangers[:5]))
        raise UserError(
            f"{votes.name}: {len(strangers)} votes are for items that are not in {table.name} (item {shown}, ...), where they are "
            f"called {', '.join(itertools.islice(row, 3))}, ...: mend column {key!r}"
        )
    if twice and not reading.skip_bad_rows:
        said = "a worker votes on an item again, and otherwise"
        raise UserError(
            f"{votes.name}: {said}, in {votes.places(twice)}: keep one vote, or let the first count with --skip-bad-rows"
        )
    if twice:
        progress.say(f"{votes.name}: {len(twice)} votes left out: another of the same worker on the item comes first")
    names = sorted(columns, key=lambda name: (len(name), name))
    return _with(table, {name: columns[name] for name in names}), tuple(names)


def renamed(table: TableFile, columns: Sequence[str]) -> TableFile:
    """The table with columns under names that readers look for: "label=answer", or "judge=model+mode", two columns as one name."""
    given = [word for words in columns for word in words.split(",")]
    more: dict[str, list] = {}
    for word in given:
        name, _, of = word.partition("=")
        if not name or not of:
            raise UserError(f"--columns {word}: write NAME=COLUMN, or NAME=COLUMN+COLUMN, with commas between several")
        parts = [of] if of in table.names else of.split("+")
        for part in parts:
            if part not in table.names:
                raise unknown("column for --columns", part, table.names)
        values = [table.column(part) for part in parts]
        more[name] = (
            values[0]
            if len(parts) == 1
            else [" ".join("" if blank(v) else id_name(v) for v in row) for row in zip(*values, strict=True)]
        )
    return _with(table, more)


def with_gold(table: TableFile, beside: TableFile, reading: Reading, columns: Sequence[str]) -> TableFile:
    """The table with a column `gold` out of another one's first column of these, joined by the items' ids."""
    key, other = id_column(table, reading), id_column(beside, reading)
    known = next((name for name in columns if name in beside.names), None)
    for file, column in ((table, key), (beside, other)):
        if column is None:
            raise UserError(f"{file.name}: gold is joined by the items' ids: name their column with --id")
    if known is None:
        raise UserError(
            f"{beside.name}: no column {', '.join(columns)} for gold; the columns are {', '.join(beside.names)}"
        )
    gold: dict[str, Any] = {}
    for at, (item, value) in enumerate(zip(beside.column(other), beside.column(known), strict=True)):
        told = not unknown_gold("" if blank(value) else class_name(value), reading)
        if told and class_name(gold.setdefault(id_name(item), value)) != class_name(value):
            raise UserError(f"{beside.name}: an item has two golds, in {beside.places([at])}: give it one")
    joined = [None if blank(item) else gold.get(id_name(item)) for item in table.column(key)]
    if not any(value is not None for value in joined):
        raise UserError(f"{beside.name}: none of its items is in {table.name}: mend column {other!r} or {key!r}")
    return _with(table, {"gold": joined})


def id_column(table: TableFile, reading: Reading) -> str | None:
    """The column of the items' ids: the one that the user named, else `id` or `item`."""
    known = (reading.id,) if reading.id else ("id", "item")
    return next((name for name in known if name in table.names), None)


def carried(table: TableFile, key: str) -> list:
    """The items' ids as they go into a table of labels: as they are, or as text where they are of several types. UserError for what is no id."""
    values = table.column(key)
    if odd := [i for i, value in enumerate(values) if isinstance(value, list | dict | bytes)]:
        raise UserError(
            f"{table.name}: column {key!r} holds a {type(values[odd[0]]).__name__} in {table.places(odd)}, no id: name another with --id"
        )
    types = {type(value) for value in values if value is not None}
    return values if len(types) <= 1 else [None if blank(value) else id_name(value) for value in values]


def numbered(file: TableFile, column: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """(V,) numbers of the ids in a column, -1 where there is none, and the ids."""
    raw = file.column(column)
    if bad := [i for i, value in enumerate(raw) if isinstance(value, list | dict | bytes)]:
        raise UserError(
            f"{file.name}: column {column!r} holds a {type(raw[bad[0]]).__name__} in {file.places(bad)}, no id"
        )
    order: dict[str, int] = {}
    number = (-1 if blank(value) else order.setdefault(id_name(value), len(order)) for value in raw)
    return np.fromiter(number, np.int64, len(raw)), tuple(order)


def reread(
    table: TableFile, reading: Reading, votes_table: str | None, voters: Sequence[str], classes: Sequence[str]
) -> np.ndarray:
    """(J, n, C) what voters that are known by name say of the items of another table; NaN where one is silent or absent."""
    reading = replace(reading, classes=tuple(classes))
    if votes_table is not None:
        table, _ = joined(table, reading, read(votes_table))
    options = [Options(tuple(classes), ordered=True)] * len(table.lines)
    out = np.full((len(voters), len(table.lines), len(classes)), np.nan, np.float32)
    found: dict[str, list[Belief]] = {}
    for column in dict.fromkeys(name if name in table.names else name.partition("[")[0] for name in voters):
        if column in table.names:
            found |= read_votes(table, column, "classify", range(len(table.lines)), options, reading)
    if not set(found) & set(voters):
        raise UserError(
            f"{table.name}: no votes of {', '.join(voters[:5])}{', ...' if len(voters) > 5 else ''}, which the student reads"
        )
    for j, name in enumerate(voters):
        for i, belief in enumerate(found.get(name, ())):
            if belief is not None:
                out[j, i] = [belief[c] for c in classes]
    return out


def _columns(table: TableFile, asked: tuple[str, ...]) -> tuple[str, ...]:
    """Names of columns; several may stand in one word, with commas between them."""
    names = [name for word in asked for name in ([word] if word in table.names else word.split(","))]
    for name in names:
        if name not in table.names:
            raise unknown("column for --votes", name, table.names)
    return tuple(dict.fromkeys(names))


def _with(table: TableFile, more: dict[str, list]) -> TableFile:
    """The table with further columns."""
    return replace(
        table,
        names=tuple(dict.fromkeys((*table.names, *more))),
        column=lambda name: more[name] if name in more else table.column(name),
    )
