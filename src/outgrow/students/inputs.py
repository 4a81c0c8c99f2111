"""Rows without gold, as a saved student reads them: texts, pairs of texts, images, features, votes, prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from outgrow.core.errors import UserError
from outgrow.models.files import rows as feature_rows
from outgrow.students.saved import SavedStudent
from outgrow.students.saved_text import SavedGenerator
from outgrow.students.student_file import VOTES
from outgrow.tasks.tables import annotators, files, images, pictures
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import id_column
from outgrow.tasks.tables.structures import PROMPTS
from outgrow.tasks.tables.template import OPTION, compiled
from outgrow.tasks.tables.values import blank, texts

REPLY = OPTION["prefer"]
PAIR = ("chosen", "rejected")
"""Roles of the two texts of a pair; the first is asked to be the better one."""
ROLES = ("text", "text2", "image", "context", "question", "answer", "prompt", *PAIR)
"""Roles whose column may have another name than in the table that taught."""


@final
@dataclass(frozen=True)
class UnlabelledRows:
    """Rows of a table.

    Args:
        items: what the student reads of each; votes with annotators first.
        columns: what goes into the table of predictions beside them, by name.
        silent: (n,) bool: rows of which there is nothing to read, so that they have no label.
    """

    items: Any
    columns: dict[str, list[Any]]
    silent: np.ndarray


def labelled(student: SavedStudent, data: str | TableFile, reading: Reading, votes_table: str | None) -> UnlabelledRows:
    """The rows for a student that labels.

    Args:
        student: who reads them.
        data: a table; of images also a folder or an .npz file of pixels; of features a .npz, .npy or .parquet file.
        reading: what columns are called, where they have other names than those of the table that taught.
        votes_table: a long table of votes on the items, for a student that reads votes.

    Raises:
        UserError: a column is missing, or a row cannot be read.
    """
    _refuse_unread(student, reading, votes_table)
    if student.reads == "features":
        ids, x = feature_rows(str(data))
        return UnlabelledRows(x, {} if ids is None else {"id": ids}, np.zeros(len(x), bool))
    table = pictures.read(data) if "images" in student.reads else files.read(data)
    columns = _carried(table)
    if (key := id_column(table, reading)) is not None:
        columns[key] = annotators.carried(table, key)
    if student.reads == VOTES:
        votes = annotators.reread(table, reading, votes_table, student.voters, student.classes)
        return UnlabelledRows(votes, columns, np.isnan(votes).any(-1).all(0))
    seen = _images(student, table, reading) if "images" in student.reads else []
    read = _fields(student, table, reading)
    if student.reads == "images":
        items: Sequence[Any] = seen
    elif student.reads == "pairs":
        items = list(zip(*(_texts(student, table, read, side) for side in PAIR), strict=True))
    else:
        found = _texts(student, table, read)
        items = list(zip(seen, found, strict=True)) if seen else found
    return UnlabelledRows(items, columns, np.zeros(len(table.lines), bool))


def _refuse_unread(student: SavedStudent, reading: Reading, votes_table: str | None) -> None:
    """Raises UserError for a flag that names what the student does not read."""
    reads = {"image"} if "images" in student.reads else set()
    if student.reads not in ("features", VOTES, "images"):
        reads |= set(compiled(student.template).fields)
    reads |= set(PAIR) if student.reads == "pairs" else set()
    for role in ROLES:
        if (column := reading.column(role)) is not None and role not in reads:
            raise UserError(
                f"`{role}` = {column}: the student reads {', '.join(sorted(reads)) or student.reads}; leave it out"
            )
    if votes_table is not None and student.reads != VOTES:
        raise UserError(f"`votes_table`: the student reads {student.reads} and no votes; leave it out")


def prompted(student: SavedGenerator, data: str | TableFile, reading: Reading) -> UnlabelledRows:
    """The rows for a student that generates answers, with all their columns; arguments as of `labelled`.

    Raises:
        UserError: a column is missing, or a row has no prompt.
    """
    table, layout = files.read(data), student.answers.layout
    if layout in PROMPTS:
        prompts = PROMPTS[layout](table)
    else:
        column = _column(table, reading, student.columns, "prompt")
        prompts = [text.strip() for text in texts(table, column)]
        _refuse_blank(table, prompts)
    return UnlabelledRows(prompts, _carried(table), np.zeros(len(prompts), bool))


def _carried(table: TableFile) -> dict[str, list[Any]]:
    """The table's columns, without encoded images."""
    cells = {name: table.column(name) for name in table.names}
    return {name: files.plain(values) for name, values in cells.items() if not any(map(_encoded, values))}


def _encoded(value: Any) -> bool:
    """Whether a cell holds an image."""
    return isinstance(value, bytes) or (isinstance(value, dict) and isinstance(value.get("bytes"), bytes))


def _fields(student: SavedStudent, table: TableFile, reading: Reading) -> dict[str, tuple[str, list[str]]]:
    """By field, or by side of a pair, the column that the student reads, and its texts."""
    if student.reads == "images":
        return {}
    fields = [field for field in compiled(student.template).fields if student.reads != "pairs" or field != REPLY]
    found = {}
    for field in (*fields, *(PAIR if student.reads == "pairs" else ())):
        column = _column(table, reading, student.columns, field)
        found[field] = (column, texts(table, column))
    return found


def _column(table: TableFile, reading: Reading, known: Mapping[str, str], field: str) -> str:
    """The column of a field. Raises UserError where it is missing."""
    column = (reading.column(field) if field in ROLES else None) or known.get(field, field)
    if column not in table.names:
        flag = f" (or name its column here with `{field}`)" if field in ROLES else ""
        raise UserError(
            f"{table.name}: no column {column!r}, which the student reads{flag}; "
            f"the columns are {', '.join(table.names)}"
        )
    return column


def _texts(
    student: SavedStudent, table: TableFile, fields: dict[str, tuple[str, list[str]]], side: str = ""
) -> list[str]:
    """What the student reads of every row, or of one side of it. Raises UserError for rows without text."""
    template = compiled(student.template)
    named = {REPLY: fields[side], **fields} if side else fields
    wanted = {name: values for name, (_, values) in named.items() if name in template.fields}
    read = [template.render({name: values[i] for name, values in wanted.items()}) for i in range(len(table.lines))]
    _refuse_blank(table, named[REPLY][1] if side else read)
    return read


def _refuse_blank(table: TableFile, read: Sequence[str]) -> None:
    if empty := [i for i, text in enumerate(read) if blank(text)]:
        raise UserError(f"{table.name}: no text in {table.places(empty)}: mend the rows, or leave them out")


def _images(student: SavedStudent, table: TableFile, reading: Reading) -> list[bytes]:
    """The encoded image of every row. Raises UserError for rows without one."""
    own = student.columns.get("image") in table.names or pictures.IMAGE not in table.names
    column = _column(table, reading, student.columns if own else {}, "image")
    found, bad = images.read(table, column, range(len(table.lines)))
    for why, rows in bad.items():
        if rows:
            raise UserError(f"{table.name}: {why} in {table.places(rows)}: mend the rows, or leave them out")
    return [found[i] for i in range(len(table.lines))]
