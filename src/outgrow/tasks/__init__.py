"""Tasks: `load(name)` gives a data set with a question, and its gold in an object of its own."""

from __future__ import annotations

from pathlib import Path

from outgrow.core.errors import UserError, unknown
from outgrow.tasks.source import source, sources
from outgrow.tasks.tables.formats import SUFFIXES
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.task import FREE, POOL, TEST, Gold, Task

__all__ = ["FREE", "POOL", "TEST", "Gold", "Reading", "Task", "load", "names", "source"]


def load(name: str, reading: Reading | None = None) -> tuple[Task, Gold]:
    """The task of a name, and its sealed gold.

    Args:
        name: A built-in task, the path of a table, or `hub:OWNER/NAME`.
        reading: What the user says about a table.

    Raises:
        UserError: One line, for what the user can mend.

    Example:
        >>> task, gold = load("cities", Reading(items=100))
        >>> len(task), task.classes, gold.labels.shape
        (100, ('false', 'true'), (100,))
    """
    reading = reading or Reading()
    if reading.items is not None and reading.items < 1:
        raise UserError(f"`items` = {reading.items}: give a number above 0")
    known = sources()
    for candidate in known:
        if candidate.claims is None and candidate.name == name:
            extra = [name for name in reading.given() if name != "items"]
            if extra:
                raise UserError(f"`{extra[0]}` is for tables; {name!r} is built in and takes `items` only")
            return candidate.load(name, reading)
        if candidate.claims is not None and candidate.claims(name):
            return candidate.load(name, reading)
    if Path(name).suffix or "/" in name or Path(name).exists():
        raise UserError(f"cannot read {name!r}: give a {SUFFIXES} file, or hub:OWNER/NAME")
    raise unknown("task", name, (s.name for s in known if s.claims is None))


def names() -> list[tuple[str, str]]:
    """(name, one line) of every source, for `outgrow list tasks`."""
    return [(s.name, s.what) for s in sources()]
