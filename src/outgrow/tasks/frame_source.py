"""A data frame as a task."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from outgrow.core.errors import unknown
from outgrow.tasks.source import GenerationSource, TaskSource
from outgrow.tasks.tables.frames import of_frame
from outgrow.tasks.tables.options import Reading

WHAT = "a data frame"


def of(frame: Any, name: str = "frame", **columns: Any) -> TaskSource | GenerationSource:
    """A data frame as a task, read as a file with the same columns would be.

    Args:
        frame: a data frame of pandas, polars, pyarrow or another library that narwhals reads.
        name: what rows and folders call the task.
        columns: fields of `Reading`: which column plays which role, the classes, and more. With `scorer` the
            items are answered in free text.

    Raises:
        UserError: there is no such field; what the columns do not allow is told when the study runs.
    """
    for key in columns:
        if key not in Reading.__dataclass_fields__:
            raise unknown("option of a data frame", key, Reading.__dataclass_fields__)
    given: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in columns.items()}
    reading = Reading(**given)
    if reading.scorer is not None:
        return _generation(frame, name, reading)

    def load(_: str, asked: Reading) -> Any:
        from outgrow.tasks.tables.layouts import from_table

        return from_table(of_frame(frame, name), over(reading, asked))

    return TaskSource(name, WHAT, load, lambda given: given == name)


def over(reading: Reading, asked: Reading) -> Reading:
    """A reading with what a study asks for in the place of its own; columns of votes are those of both."""
    given = {f.name: value for f in fields(asked) if (value := getattr(asked, f.name)) != f.default}
    votes = tuple(dict.fromkeys((*reading.votes, *asked.votes)))
    return replace(reading, **given | {"votes": votes})


def _generation(frame: Any, name: str, reading: Reading) -> GenerationSource:
    from outgrow.tasks.tables.prompts import Columns, from_table

    columns = Columns(
        reading.prompt or Columns.prompt,
        reading.answer or Columns.gold,
        reading.scorer,
        skip_bad_rows=reading.skip_bad_rows,
    )
    return GenerationSource(
        name,
        WHAT,
        lambda items, seed: from_table(of_frame(frame, name), columns, items or reading.items, reading.votes),
        None,
    )
