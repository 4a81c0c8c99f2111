"""Where tasks come from. A source is one file in this folder with a function

    @source("cities", "is a city in a country? true or false")
    def cities(name: str, reading: Reading) -> tuple[Task, Gold]: ...

and is found by walking the folder. A source of many tasks says with `claims` which names are its own.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from outgrow.tasks.tables.options import Reading
from outgrow.tasks.task import Gold, Task

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


_sources: dict[str, TaskSource] = {}


def source(name: str, what: str, claims: Callable[[str], bool] | None = None) -> Callable[[Load], Load]:
    """Registers the decorated function as a source of tasks."""

    def register(load: Load) -> Load:
        _sources[name] = TaskSource(name, what, load, claims)
        return load

    return register


@cache
def walk() -> None:
    """Imports every file of the folder, so that what they register is known."""
    package = __name__.rpartition(".")[0] + ".builtin"
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")


def sources() -> list[TaskSource]:
    """All sources, built-in tasks first."""
    walk()
    return sorted(_sources.values(), key=lambda s: (s.claims is not None, s.name))
