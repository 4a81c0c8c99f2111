"""Baselines: what every study runs beside its methods, as functions of named resources. One file a kind of cell.

    @baseline(kind="contrast")
    def gold_few(gold_student, known, known_gold):
        return gold_student.on(known).fit(known_gold)

As a method does, it returns a fitted student; or `Predictions`, where none had to be trained. Unlike a method it may
ask for gold. What a cell does not have is None, and a baseline that asks for it is left out. Rows come in the order of
the file; methods follow the ceiling.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

from outgrow.core.registry import first_line, mark, marked

Kind = Literal["floor", "ceiling", "control", "contrast", "curve"]
Rows = Callable[[Sequence[Any]], Mapping[str, Mapping[str, Any]]]
"""From the cells of a study to the rows of a baseline: their names, and its keyword arguments in each."""
Calls = Callable[[], Sequence[Callable[..., Any]]]

UNTAUGHT = frozenset(
    {"task", "test", "gold_student", "transfer_gold", "known", "known_gold", "some_gold", "prompted", "student"}
)
"""Resources that do not depend on what the supervisors say."""


@final
@dataclass(frozen=True)
class Baseline:
    """A registered baseline: `run(*resources, **parameters)`."""

    name: str
    kind: Kind
    line: str
    run: Callable[..., Any]
    resources: tuple[str, ...]
    rows: Rows | None
    """None where it is one row of its own name."""
    trains: bool
    """Whether a student is trained for it, so that its seconds are a cost."""
    calls: Calls | None
    """The functions found by name that it calls, beside those that every row calls."""

    def fit(self, cell: Any, **parameters: Any) -> Any:
        """Run it on the attributes of a cell that it asks for; None where one of them is not to be had."""
        given = [getattr(cell, name) for name in self.resources]
        return None if any(one is None for one in given) else self.run(*given, **parameters)

    def named(self, cells: Sequence[Any]) -> Mapping[str, Mapping[str, Any]]:
        """Its rows in a study of these cells, with the keyword arguments of each."""
        return {self.name: {}} if self.rows is None else self.rows(cells)

    @property
    def heard(self) -> bool:
        """Whether it depends on what the supervisors say."""
        return not UNTAUGHT.issuperset(self.resources)


def baseline(
    *, kind: Kind, rows: Rows | None = None, trains: bool = True, name: str | None = None, calls: Calls | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a function as a baseline, named like the function with "-" for "_" where no name is given."""

    def marker(run: Callable[..., Any]) -> Callable[..., Any]:
        asked = tuple(p.name for p in inspect.signature(run).parameters.values() if p.kind is not p.KEYWORD_ONLY)
        called = name or run.__name__.replace("_", "-")
        return mark(run, Baseline(called, kind, first_line(run), run, asked, rows, trains, calls))

    return marker


def registry(cells: Literal["classes", "texts", "votes"]) -> dict[str, Baseline]:
    """Every baseline of a kind of cell by name, in the order of its file."""
    members = map(read, vars(importlib.import_module(f"{__name__}.{cells}")).values())
    return {found.name: found for found in members if found is not None}


read = marked(Baseline)
"""The record of a function that is a baseline; None for any other value."""
