"""A study of classes, as a recipe:

task -> halves -> supervisors -> weak labels -> methods and baselines -> predictions -> scores -> audits -> report
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType
from typing import Any, ClassVar, final

import numpy as np

from outgrow import label_models, methods, models, supervisors, tasks
from outgrow.core.errors import UserError, unknown
from outgrow.label_models import WeakLabels
from outgrow.models import loader, scratch
from outgrow.pipeline import baselines
from outgrow.pipeline.checks import apart, readable
from outgrow.pipeline.class_cell import STUDENTS, ClassCell
from outgrow.pipeline.keeper import Keeper
from outgrow.pipeline.runner import StudyRows, compute, jobs
from outgrow.pipeline.spaces import Spaces
from outgrow.store import Store
from outgrow.tasks import Reading
from outgrow.tasks.splits import draw
from outgrow.tasks.task import Gold, Task
from outgrow.training import classifier
from outgrow.workflows.request import Chosen, Request
from outgrow.workflows.result import Result

__all__ = ["ClassStudy", "Result"]


@final
@dataclass(frozen=True, kw_only=True)
class ClassStudy(Request):
    """What to run. `run()` goes on where an earlier run of the same study stopped."""

    tasks: Sequence[str] = ("cities",)
    seeds: int = 16
    student: str = "linear"
    """How the student learns: "linear" or "mlp", a head on frozen features without or with a hidden layer; "lora" or
    "full", the model itself, fine-tuned by low-rank updates or all of it."""
    label_model: str = "mean"
    """Turns the labels of several supervisors into one distribution an item."""
    ladder: Sequence[str] = ()
    """Models between the supervisor and the student, the weakest first, for methods that climb."""
    auxiliary: Sequence[str] = ()
    """Other tasks whose gold methods may use."""

    WEAK: ClassVar[str] = "minilm-l6"
    KNOWN: ClassVar[ModuleType] = methods

    def check(self) -> None:
        if self.student not in STUDENTS:
            raise unknown("kind of student", self.student, STUDENTS)
        classifier.check(self.student)
        label_models.find(self.label_model)
        if self.student != "linear" and (new := [name for name in self.students if scratch.named(name)]):
            raise UserError(
                f"student {self.student!r}: {new[0]} is trained from scratch whatever the kind of student: "
                "leave `student` out"
            )
        for name in self.weak:
            supervisors.check(name)
        for name in self.students:
            models.check(name, "model for `strong`")
        for name in self.ladder:
            models.check(name, "model for `ladder`")

    def _load(self, store: Store) -> list[tuple[Any, ...]]:
        """Of each task the task, its gold, what models read of it, and the auxiliary tasks.

        What does not fit in a column of votes or a file of features is said before any model reads.
        """
        others = tuple((task, gold, Spaces(task, store)) for task, gold in map(tasks.load, self.auxiliary))
        read = [tasks.load(name, self._reading()) for name in self.tasks]
        loaded = [(task, gold, Spaces(task, store), others) for task, gold in read]
        for task, _, spaces, _ in loaded:
            pool = ~draw(task, self.seed, range(1)).test[0]
            readable(task, self.weak, spaces, (*supervisors.models_of(self.weak), *self.students, *self.ladder), pool)
        for task, _, spaces in others:
            apart([known for known, *_ in loaded], task)
            readable(task, (), spaces, self.students, np.ones(len(task), bool))
        return loaded

    def _reading(self) -> Reading:
        """Columns of votes that a supervisor names are read without being asked for twice."""
        return self.reading.with_votes(supervisors.columns(self.weak))

    def cell(self, task: Task, gold: Gold, weak: str, strong: str, spaces: Spaces, others: tuple = ()) -> ClassCell:
        """Block 0 of one (task, supervisors, student)."""
        student = "scratch" if scratch.named(strong) else self.student
        made_of = {
            "task": task.digest,
            "seed": self.seed,
            "student": student,
            "precision": loader.chosen_precision(),
            "device": loader.device().type,
            "strong": _digest(strong, spaces.store),
            "weak models": [_digest(name, spaces.store) for name in supervisors.models_of([weak])],
        }
        how = (self.seed, self.weak_gold, spaces, made_of, student, self.label_model, tuple(self.ladder))
        return ClassCell(task, gold, weak, strong, 0, *how, others)

    def _rows(self, given: tuple[Any, ...], weak: str, strong: str, chosen: Chosen, keeper: Keeper) -> StudyRows:
        task, gold, spaces, others = given
        weak = supervisors.spread(weak, task)
        first = self.cell(task, gold, weak, strong, spaces, others)
        cells = [replace(first, block=b) for b in range(math.ceil(self.seeds / first.design.size))]
        needed = {
            "ladder": [_digest(name, spaces.store) for name in self.ladder],
            "auxiliary": [other.digest for other, _, _ in others],
        }
        used: list[Callable[..., Any]] = [label_models.find(name) for name in (self.label_model, WeakLabels.model)]
        used += [kind.label for kind, _ in first.members]
        # As an argument of a partial an object counts with its fields, not by its class alone.
        found = [partial(_call, one) for one in used]
        heard = {"label_model": self.label_model}
        todo = jobs(cells, baselines.registry("classes"), chosen, methods.RESOURCES, heard, found, needed)
        return compute(cells, todo, self.seeds, keeper)


def _call(function: Callable[..., Any], *given: Any) -> Any:
    return function(*given)


def _digest(name: str, store: Store) -> str:
    """The bytes that a model's name means."""
    return models.resolve(name, store).digest
