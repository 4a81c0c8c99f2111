"""Labels of new items, or answers to new prompts, by a saved student."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from outgrow.core.errors import UserError
from outgrow.store import disk
from outgrow.students import inputs
from outgrow.students.saved import SavedStudent, load
from outgrow.students.saved_text import SavedGenerator
from outgrow.tasks import Reading

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
    """Label the rows of a table by a saved student, or answer its prompts.

    The table's rows in their order, with what the student says added: `row`, its number in the table from 1 on,
    whatever lines it takes in the file; the table's columns, without encoded images; the label, and a probability a
    class. Where the student reads votes and an item has none, the label is empty. A student that generates answers
    adds `answer`; its answers are kept in the store as they come, so that what was stopped goes on.

    Args:
        folder: of the student, or of the run that kept it.
        data: the table; a folder of images or an .npz file of pixels for a student of images; a .npz, .npy or
            .parquet file of features for a student of features.
        reading: what its columns are called, where they have other names than those of the table that taught.
        votes_table: a long table of votes on its items, for a student that reads votes.
        out: the file of predictions; beside the table where it is not given.
        overwrite: whether another file of that name may go.

    Returns:
        The file of predictions.

    Raises:
        UserError: what the user can mend.
    """
    student, reading = load(folder), reading or Reading()
    answers = isinstance(student, SavedGenerator)
    place = Path(data).expanduser()
    place = place.resolve() if place.is_dir() else place
    out = place.with_name(f"{place.stem}.{'answers' if answers else 'labels'}.parquet") if out is None else Path(out)
    if out.suffix not in WRITERS:
        raise UserError(f"`out` = {out}: give a {', '.join(WRITERS)} file")
    if isinstance(student, SavedGenerator):
        columns = _answered(student, inputs.prompted(student, data, reading))
    else:
        columns = _labelled(student, inputs.labelled(student, data, reading, votes_table))
    write(columns, out, overwrite)
    return out


def _labelled(student: SavedStudent, rows: inputs.UnlabelledRows) -> dict[str, Any]:
    probs = student.predict_proba(rows.items)
    labels: dict[str, Any] = {
        "label": [None if none else student.classes[c] for c, none in zip(probs.argmax(-1), rows.silent, strict=True)]
    }
    labels |= {f"p_{name}": probs[:, c] for c, name in enumerate(student.classes)}
    return {"row": range(1, len(probs) + 1), **_beside(rows.columns, ("row", *labels)), **labels}


def _answered(student: SavedGenerator, rows: inputs.UnlabelledRows) -> dict[str, Any]:
    answers = student.predict(rows.items)
    return {"row": range(1, len(answers) + 1), **_beside(rows.columns, ("row", "answer")), "answer": answers}


def _beside(columns: Mapping[str, list[Any]], ours: Collection[str]) -> dict[str, list[Any]]:
    """The table's columns; one that is called like ours is NAME_read."""
    renamed: dict[str, list[Any]] = {}
    for name, values in columns.items():
        new = name
        while new in ours or (new != name and new in columns):
            new += "_read"
        renamed[new] = values
    return renamed


def write(columns: dict[str, Any], out: Path, overwrite: bool) -> None:
    """Write the table whole. Raises UserError where something else of that name is there."""
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
