"""Labels of new items by a saved student."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from outgrow.core.errors import UserError
from outgrow.store import disk
from outgrow.students.saved import VOTES, SavedStudent, load
from outgrow.students.saved_text import SavedGenerator
from outgrow.tasks import Reading
from outgrow.tasks.tables import annotators as tables
from outgrow.tasks.tables import files
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.roles import id_column
from outgrow.tasks.tables.template import compiled
from outgrow.tasks.tables.values import blank, texts

WRITERS: dict[str, Callable[[pl.DataFrame, Path], object]] = {
    ".parquet": pl.DataFrame.write_parquet,
    ".csv": pl.DataFrame.write_csv,
    ".jsonl": pl.DataFrame.write_ndjson,
}


def predict(
    folder: Path,
    data: str,
    *,
    reading: Reading | None = None,
    votes_table: str | None = None,
    out: Path | None = None,
    overwrite: bool = False,
) -> Path:
    """Label the rows of a table by a saved student.

    A row each, in the table's order: `row`, its number in the table from 1 on, whatever lines it takes in the file;
    the table's own id; the columns that the student reads; the label, and a probability a class. Where the student
    reads votes and an item has none, the label is empty.

    Args:
        folder: of the student, or of the run that kept it.
        data: the table.
        reading: what its columns are called, where they have other names than those of the table that taught.
        votes_table: a long table of votes on its items, for a student that reads votes.
        out: the file of labels; beside the table where it is not given.
        overwrite: whether another file of that name may go.

    Returns:
        The file of labels.

    Raises:
        UserError: what the user can mend.
    """
    student = load(folder)
    if isinstance(student, SavedGenerator):
        raise UserError(f"the student in {folder} generates answers: load it in Python and give it prompts")
    table, reading = files.read(data), reading or Reading()
    out = Path(data).with_suffix(".labels.parquet") if out is None else Path(out)
    if out.suffix not in WRITERS:
        raise UserError(f"`out` = {out}: give a {', '.join(WRITERS)} file")
    silent, read = np.zeros(len(table.lines), bool), dict[str, tuple[str, list[str]]]()
    if student.model == VOTES:
        votes = tables.reread(table, reading, votes_table, student.voters, student.classes)
        probs, silent = student.predict(votes), np.isnan(votes).any(-1).all(0)
    else:
        read = _read(student, table, reading)
        probs = student.predict(_texts(student, table, read))
    columns: dict[str, Any] = {"row": range(1, len(table.lines) + 1)}
    if (key := id_column(table, reading)) is not None:
        columns[key] = tables.carried(table, key)
    columns |= {name: values for name, values in read.values() if name not in columns}
    more: dict[str, Any] = {
        "label": [None if none else student.classes[c] for c, none in zip(probs.argmax(-1), silent, strict=True)]
    }
    more |= {f"p_{name}": probs[:, c] for c, name in enumerate(student.classes)}
    columns = {f"{name}_read" if name in more else name: values for name, values in columns.items()} | more
    with disk.guarded(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        part = out.with_name(f"{out.name}.part")
        WRITERS[out.suffix](pl.DataFrame(columns), part)
        if out.exists() and not overwrite and (not out.is_file() or disk.sha256(out) != disk.sha256(part)):
            part.unlink()
            raise UserError(
                f"`out` = {out}: there is something else of that name; "
                "give another file, or `overwrite=True` if it may go"
            )
        part.replace(out)
    return out


def _read(student: SavedStudent, table: TableFile, reading: Reading) -> dict[str, tuple[str, list[str]]]:
    """By field the column that the student reads, and its texts. Raises UserError for a column that is missing."""
    found, named = {}, asdict(reading)
    for field in compiled(student.template).fields:
        column = named.get(field) or student.columns.get(field, field)
        if column not in table.names:
            flag = f" (or name its column here with `{field}`)" if field in student.columns else ""
            raise UserError(
                f"{table.name}: no column {column!r}, which the student reads{flag}; "
                f"the columns are {', '.join(table.names)}"
            )
        found[field] = (column, texts(table, column))
    return found


def _texts(student: SavedStudent, table: TableFile, fields: dict[str, tuple[str, list[str]]]) -> list[str]:
    """What the student reads of every row. Raises UserError for rows without text."""
    template = compiled(student.template)
    read = [template.render({name: values[i] for name, (_, values) in fields.items()}) for i in range(len(table.lines))]
    if empty := [i for i, text in enumerate(read) if blank(text)]:
        raise UserError(f"{table.name}: no text in {table.places(empty)}: mend the rows, or leave them out")
    return read
