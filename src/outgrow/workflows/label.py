"""From texts and names of classes to a table of labels by language models, as a recipe:

table -> question -> models -> probabilities, labels -> table
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.store import Store
from outgrow.supervisors.labeller import LabelledTable, labelled
from outgrow.tasks import Reading
from outgrow.tasks.asking import Asking
from outgrow.tasks.tables import exports, files
from outgrow.tasks.tables.files import TableFile
from outgrow.workflows import predict


def label(
    data: str | TableFile,
    *,
    by: Sequence[str],
    reading: Reading | None = None,
    asking: Asking | None = None,
    seed: int = 0,
    out: Path | None = None,
    overwrite: bool = False,
) -> LabelledTable:
    """Ask models for the class of every row of a table, and write the table with their labels.

    Answers are kept in the store as they come, so that what was stopped goes on where it was.

    Args:
        data: a table: a .parquet, .csv or .jsonl file, or an open one.
        by: models: checkpoints, or server:URL,NAME.
        reading: what its columns are called, and the classes.
        asking: how models are asked.
        seed: the seed of sampled answers.
        out: the file of the labels, where one is to be written.
        overwrite: whether another file of that name may go.

    Returns:
        The table with the columns of every model.

    Raises:
        UserError: what the user can mend.
    """
    if out is not None:
        _check(data, out)
    reading, asking = reading or Reading(), asking or Asking()
    found = labelled(files.read(data), reading, by, asking, seed, Store.default())
    if out is not None:
        predict.write({name: _cells(found.table, name, out) for name in found.table.names}, out, overwrite)
    return found


def with_labels(
    data: str | TableFile, reading: Reading, by: Sequence[str], asking: Asking | None, seed: int
) -> tuple[str | TableFile, Reading]:
    """A table and its reading with the labels of models among its votes; without models both as they are.

    Raises:
        UserError: what the user can mend.
    """
    if not by:
        if asking is not None and asking != Asking():
            given = next(f.name for f in fields(asking) if vars(asking)[f.name] != f.default)
            raise UserError(f"`{given}` is for models that are asked for labels: name them with `ask`, or leave it out")
        return data, reading
    table = files.read(data)
    if (form := exports.form_of(table, reading)) is not None:
        raise UserError(
            f"{table.name} is read as {form.tool}, and models are asked about a table with a row an item: leave `ask` "
            f"out; where a row is an item say `format` = {exports.WIDE}"
        )
    found = label(table, by=by, reading=reading, asking=asking, seed=seed)
    for line in found.told():
        progress.say(line)
    return found.table, found.reading(reading)


def _cells(table: TableFile, name: str, out: Path) -> list[Any]:
    """A column as the file can hold it; a cell that was empty in a .csv file is empty there again."""
    cells = files.plain(table.column(name))
    return [None if cell == "" else cell for cell in cells] if out.suffix == ".csv" else cells


def _check(data: str | TableFile, out: Path) -> None:
    if out.suffix not in predict.WRITERS:
        raise UserError(f"`out` = {out}: give a {', '.join(predict.WRITERS)} file")
    if isinstance(data, str) and out.exists() and out.samefile(Path(data).expanduser()):
        raise UserError(f"`out` = {out}: that is the table itself: give another file")
