"""A data frame as a task."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from outgrow.core.errors import UserError, unknown
from outgrow.core.seeding import hashed
from outgrow.tasks.source import GenerationSource, TaskSource
from outgrow.tasks.tables.frames import of_frame
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.task import Task

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
    reading = described(**columns)
    if reading.scorer is not None:
        return _generation(frame, name, reading)

    def load(_: str, asked: Reading) -> Any:
        from outgrow.tasks.tables.layouts import from_table

        return from_table(of_frame(frame, name), over(reading, asked))

    return TaskSource(name, WHAT, load, lambda given: given == name)


def described(reading: Reading | None = None, **columns: Any) -> Reading:
    """What is said about a table by name, over what a record says.

    Args:
        reading: the record.
        columns: fields of `Reading`, None where nothing is said; `gold` is another name of `label`.

    Raises:
        UserError: there is no such field, or the column of gold is named twice.

    Example:
        >>> described(text="message", votes=["rule_1", "rule_2"], gold="truth").label
        'truth'
    """
    several = {field.name for field in fields(Reading) if field.default == ()}
    said: dict[str, Any] = {
        key: _several(value) if key in several else value for key, value in columns.items() if value is not None
    }
    if "gold" in said and "label" in said:
        raise UserError("`gold` and `label` are both the column of gold: leave one out")
    said |= {"label": said.pop("gold")} if "gold" in said else {}
    for key in said:
        if key not in Reading.__dataclass_fields__:
            raise unknown("option of a data frame", key, Reading.__dataclass_fields__)
    return Reading(**said) if reading is None else over(reading, Reading(**said))


def _several(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def source_of(value: Any) -> TaskSource | GenerationSource:
    """The source of a task that is no name: itself, or that of a data frame. Raises UserError for a bare `Task`."""
    if isinstance(value, TaskSource | GenerationSource):
        return value
    if isinstance(value, Task):
        raise UserError(
            f"task {value.name!r} has no gold: give the data frame, or Task.of(frame, ...), which keeps it sealed"
        )
    return of(value)


def by_content(value: Any) -> TaskSource | GenerationSource:
    """`source_of`, a frame named by what it holds, so that another frame is another task."""
    if isinstance(value, TaskSource | GenerationSource | Task):
        return source_of(value)
    return of(value, f"frame-{hashed(of_frame(value).source)[:6]}")


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
