"""A table of votes, with gold on some rows or none: what a practitioner has.

Votes are columns of the table, or lie in a long table of their own (item, worker, label), a row a vote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from outgrow.core.errors import UserError, unknown
from outgrow.tasks.tables import exports, soft
from outgrow.tasks.tables.files import TableFile, listed, read
from outgrow.tasks.tables.layouts import from_votes
from outgrow.tasks.tables.long import with_votes
from outgrow.tasks.tables.matrices import beside, is_matrix
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.preferences import with_default
from outgrow.tasks.tables.probabilities import recognised
from outgrow.tasks.tables.roles import id_column, readable, vote_columns
from outgrow.tasks.tables.rows import annotator_columns
from outgrow.tasks.tables.values import Options, blank, class_name, id_name
from outgrow.tasks.tables.votes import Belief, read_votes
from outgrow.tasks.task import Gold, Task


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
    complete: bool
    """Whether every annotator saw every item: so for columns of votes, not for a long table."""


def load(
    table: str | TableFile, reading: Reading, votes_table: str | TableFile | None = None, texts: bool = True
) -> Annotations:
    """The items and votes of a table, or of what a labelling tool exported.

    Args:
        table: A file, or an open table.
        reading: What the user said about it.
        votes_table: A long table of votes (item, worker, label), or a matrix of votes, a row a row of `table`.
        texts: Whether items need a text.

    Raises:
        UserError: One line, for what the user can mend.
    """
    if votes_table is None:
        found = exports.opened(table, reading)
        return of_table(found.items, found.reading, found.votes, texts)
    for name, value in (("format", reading.format), ("annotator", reading.annotator)):
        if value not in (None, exports.WIDE):
            raise UserError(f"`{name}` = {value}: with a `votes_table` a row is an item: leave it out")
    if is_matrix(votes_table):
        return of_table(*beside(read(table), reading, votes_table), texts=texts)
    return of_table(read(table), reading, read(votes_table), texts)


def of_table(
    table: TableFile, reading: Reading, votes_table: TableFile | None = None, texts: bool = True
) -> Annotations:
    """`load` for tables that are open already, as of data frames."""
    if reading.scorer is not None:
        raise UserError(f"`scorer` = {reading.scorer} compares answers in words, and votes are classes: leave it out")
    reading = with_default(table, reading)
    table, votes = soft.gathered(table, listed(reading.votes, table.names))
    reading = recognised(table, replace(reading, votes=_columns(table, votes)))
    key = id_column(table, reading)
    if not texts:
        reading = _by_ids(table, key, reading)
    elif not readable(table, reading):
        hint = "name it with `text`; where items have none, `strong` = votes learns from the votes alone"
        raise UserError(f"{table.name}: no column of texts: {hint}; the columns are {', '.join(table.names)}")
    if votes_table is not None:
        table, workers = with_votes(table, reading, votes_table)
        reading = replace(reading, id=key, votes=(*reading.votes, *workers))
    if not reading.votes:
        long = "; where a row is an annotation say `format` = long" if annotator_columns(table.names) else ""
        raise UserError(
            f"{table.name}: name the columns that hold your votes with `votes`; "
            f"the columns are {', '.join(table.names)}{long}"
        )
    if reading.label is None and "label" not in table.names:
        table = table.with_columns({"label": [None] * len(table.lines)})
    task, gold, row = from_votes(table, reading)
    if task.images is not None:
        raise UserError(f"{table.name}: `learn` teaches students of text; images go through `outgrow run` with `image`")
    ids = {} if key is None else {key: table.column(key)}
    return Annotations(task, gold, replace(table, column=ids.__getitem__), row, reading, votes_table is None)


def _by_ids(table: TableFile, key: str | None, reading: Reading) -> Reading:
    """The reading of items without text, whose ids stand for it."""
    if key is None:
        raise UserError(f"{table.name}: items without text need ids: name their column with `id`")
    nameless = [i for i, value in enumerate(table.column(key)) if blank(value)]
    if nameless and not reading.skip_bad_rows:
        raise UserError(
            f"{table.name}: missing {key} in {table.places(nameless)}: "
            "mend them, or go on without them with `skip_bad_rows`"
        )
    return replace(reading, id=key, template=f"{{{key}}}")


def _columns(table: TableFile, words: Sequence[str]) -> tuple[str, ...]:
    """The columns that `votes` names."""
    names = listed(words, table.names)
    for name in names:
        if name not in table.names:
            raise unknown("column for `votes`", name, table.names)
    return tuple(dict.fromkeys(names))


def carried(table: TableFile, key: str) -> list:
    """The items' ids as they go into a table of labels: as they are, or as text where they are of several types.

    Raises:
        UserError: A cell is no id.
    """
    values = table.column(key)
    if odd := [i for i, value in enumerate(values) if isinstance(value, list | dict | bytes)]:
        raise UserError(
            f"{table.name}: column {key!r} holds a {type(values[odd[0]]).__name__} in {table.places(odd)}, no id: "
            "name another with `id`"
        )
    types = {type(value) for value in values if value is not None}
    return values if len(types) <= 1 else [None if blank(value) else id_name(value) for value in values]


def reread(
    table: TableFile, reading: Reading, votes_table: str | None, annotators: Sequence[str], classes: Sequence[str]
) -> np.ndarray:
    """Votes of annotators that are known by name, on the items of another table.

    Returns:
        (J, n, C) float32; NaN where an annotator abstains or is not there.

    Raises:
        UserError: None of the annotators is there, or a vote is no class.
    """
    reading = replace(reading, classes=tuple(classes))
    if votes_table is not None:
        table, _ = with_votes(table, reading, read(votes_table))
    gone = [name for name in annotators if name not in table.names]
    spread = [name for name in gone if set(map(class_name, soft.spread_of(table.names, name))) == set(classes)]
    table, _ = soft.gathered(table, spread)
    options = [Options(tuple(classes), ordered=True)] * len(table.lines)
    found: dict[str, list[Belief]] = {}
    for column in vote_columns(table, annotators):
        if column in table.names:
            found |= read_votes(table, column, "classify", range(len(table.lines)), options, reading)
    if not set(found) & set(annotators):
        raise UserError(
            f"{table.name}: no votes of {', '.join(annotators[:5])}{', ...' if len(annotators) > 5 else ''}, "
            "which the student reads"
        )
    out = np.full((len(annotators), len(table.lines), len(classes)), np.nan, np.float32)
    for j, name in enumerate(annotators):
        for i, belief in enumerate(found.get(name, ())):
            if belief is not None:
                out[j, i] = [belief[c] for c in classes]
    return out
