"""Where tasks come from. A source is one file in `tasks/builtin` with a function

    @source("cities", "is a city in a country? true or false")
    def cities(name: str, reading: Reading) -> tuple[Task, Gold]: ...

or, for a generation task,

    @generation_source("sudoku", "fill a small grid", dial=Dial("blanks", 1, 10, 4))
    def sudoku(items: int | None, seed: int, dial: int) -> tuple[GenerationTask, GenerationGold]: ...

and is found by walking `tasks/builtin`, or installed by another package. A source of many tasks says with `claims`
which names are its own; one without a dial is called without one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

from outgrow.core.registry import Registry, mark, marked
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.task import GenerationGold, GenerationTask, Gold, Task

Load = Callable[[str, Reading], tuple[Task, Gold]]


@dataclass(frozen=True)
class TaskSource:
    """One way to get tasks."""

    name: str
    """The task's name, or for a source of many tasks the pattern of their names."""
    what: str
    """One line for `outgrow list tasks`."""
    load: Load
    claims: Callable[[str], bool] | None
    """Whether a name is this source's; None: a built-in with its own name only."""


@final
@dataclass(frozen=True)
class Dial:
    """How hard a generated task is."""

    what: str
    low: int
    high: int
    default: int


@final
@dataclass(frozen=True)
class GenerationSource:
    """One way to get items of a generation task."""

    name: str
    what: str
    """One line for `outgrow list tasks`."""
    load: Callable[..., tuple[GenerationTask, GenerationGold]]
    dial: Dial | None


def source(name: str, what: str, claims: Callable[[str], bool] | None = None) -> Callable[[Load], Load]:
    """Mark a function as a source of tasks."""

    def marker(load: Load) -> Load:
        return mark(load, TaskSource(name, what, load, claims))

    return marker


def generation_source(name: str, what: str, dial: Dial | None = None) -> Callable[[Callable], Callable]:
    """Mark a function as a source of a generation task."""

    def marker(load: Callable) -> Callable:
        return mark(load, GenerationSource(name, what, load, dial))

    return marker


TASKS: Registry[TaskSource | GenerationSource] = Registry(
    "task", "outgrow.tasks.builtin", "outgrow.tasks", marked(TaskSource, GenerationSource)
)


def sources() -> list[TaskSource]:
    """All sources of tasks with classes, built-in ones first."""
    found = [one for one in TASKS.all().values() if isinstance(one, TaskSource)]
    return sorted(found, key=lambda s: (s.claims is not None, s.name))


def generation_sources() -> list[GenerationSource]:
    """All sources of generation tasks, by name."""
    return [one for one in TASKS.all().values() if isinstance(one, GenerationSource)]


def generates(names: Sequence[str], reading: Reading | None) -> bool:
    """Whether tasks of these names are answered in free text: tables with a scorer, or generation tasks."""
    known = {source.name for source in generation_sources()}
    return (reading is not None and reading.scorer is not None) or any(
        name.partition(":")[0] in known for name in names
    )
