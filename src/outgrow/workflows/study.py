"""A study of classes, as a recipe:

task -> halves -> supervisors -> weak labels -> methods and baselines -> predictions -> scores -> audits -> report
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from outgrow import label_models, methods, models, supervisors, tasks
from outgrow.core.errors import UserError, unknown
from outgrow.label_models import WeakLabels
from outgrow.models import scratch
from outgrow.pipeline import baselines
from outgrow.pipeline.class_cell import STUDENTS, ClassCell
from outgrow.pipeline.runner import StudyRows, compute, jobs
from outgrow.pipeline.spaces import Spaces
from outgrow.store import Store
from outgrow.supervisors.column import cast
from outgrow.tasks import Reading
from outgrow.tasks.splits import FEWEST, draw
from outgrow.tasks.task import Gold, Task
from outgrow.workflows.request import Request
from outgrow.workflows.result import Result

__all__ = ["Result", "Study"]


@final
@dataclass(frozen=True, kw_only=True)
class Study(Request):
    """What to run. `run()` goes on where an earlier run of the same study stopped."""

    tasks: Sequence[str] = ("cities",)
    seeds: int = 16
    student: str = "linear"
    """How the student learns: "linear" or "mlp", a head on frozen features without or with a hidden layer; "lora" or "full",
    the model itself, fine-tuned by low-rank updates or all of it."""
    label_model: str = "mean"
    """What makes one belief of several supervisors."""
    ladder: Sequence[str] = ()
    """Models between the supervisor and the student, the weakest first, for methods that climb."""
    auxiliary: Sequence[str] = ()
    """Other tasks whose gold methods may use."""

    WEAK = "minilm-l6"
    KNOWN = methods

    def run(self, overwrite: bool = False) -> Result:
        """Compute what is missing, write the run folder, return the result; `overwrite`: another result in it may go.

        Raises UserError for what the user can mend.
        """
        from outgrow import report
        from outgrow.audits import examine_all
        from outgrow.report.audit import keep
        from outgrow.runs import write
        from outgrow.runs.evidence import of_folder

        chosen = self.chosen()
        if self.student not in STUDENTS:
            raise unknown("kind of student", self.student, STUDENTS)
        label_models.find(self.label_model)
        if self.student != "linear" and (new := [name for name in self.students if scratch.named(name)]):
            raise UserError(
                f"student {self.student!r}: {new[0]} is trained from scratch whatever the kind of student: leave --student out"
            )
        named = [a for name in self.weak for kind, a in supervisors.parse(name) if kind.argument == "model"]
        for model in (*named, *self.students, *self.ladder):
            models.check(model)
        began = time.time()
        store = Store.default()
        loaded = [
            (task, gold, Spaces(task, store))
            for task, gold in (tasks.load(name, self._reading()) for name in self.tasks)
        ]
        others = tuple((task, gold, Spaces(task, store)) for task, gold in map(tasks.load, self.auxiliary))
        # What does not fit in a column of votes or a file of features is said before any model reads.
        for task, _, spaces in loaded:
            pool = ~draw(task, self.seed, range(1)).test[0]
            for name in self.weak:
                _enough(task, supervisors.spread(name, task), pool)
            for file in filter(models.files.named, (*named, *self.students, *self.ladder)):
                spaces(file, pool)
        for task, _, spaces in others:
            for known, _, _ in loaded:
                _apart(known, task)
            for file in filter(models.files.named, self.students):
                spaces(file, np.ones(len(task), bool))
        out = self.folder()
        write.claim(out, self, [task for task, _, _ in loaded], overwrite)
        done = []
        for task, gold, spaces in loaded:
            for strong in self.students:
                done += [
                    self._rows(task, gold, supervisors.spread(weak, task), strong, spaces, others, chosen)
                    for weak in self.weak
                ]
        write.write(out, self, chosen, done, began)
        keep(str(out), examine_all(of_folder(out)), out)
        report.write(out)
        return Result(out)

    def _reading(self) -> Reading:
        """Columns of votes that a supervisor names are read without being asked for twice."""
        named = [a for name in self.weak for kind, a in supervisors.parse(name) if kind.name == "column"]
        missing = tuple(a for a in named if a not in self.reading.votes)
        return replace(self.reading, votes=(*self.reading.votes, *missing)) if missing else self.reading

    def cell(self, task: Task, gold: Gold, weak: str, strong: str, spaces: Spaces, others: tuple = ()) -> ClassCell:
        """Block 0 of one (task, supervisors, student)."""
        student = "scratch" if scratch.named(strong) else self.student
        named = [argument for kind, argument in supervisors.parse(weak) if kind.argument == "model"]
        made_of = {
            "task": task.digest,
            "seed": self.seed,
            "student": student,
            "strong": _digest(strong, spaces.store),
            "weak models": [_digest(name, spaces.store) for name in named],
        }
        return ClassCell(
            task,
            gold,
            weak,
            strong,
            0,
            self.seed,
            self.weak_gold,
            spaces,
            made_of,
            student,
            self.label_model,
            tuple(self.ladder),
            others,
        )

    def _rows(
        self,
        task: Task,
        gold: Gold,
        weak: str,
        strong: str,
        spaces: Spaces,
        others: tuple,
        chosen: Mapping[str, Mapping[str, Any]],
    ) -> StudyRows:
        """All rows of one (task, supervisors, student)."""
        first = self.cell(task, gold, weak, strong, spaces, others)
        cells = [replace(first, block=b) for b in range(math.ceil(self.seeds / first.design.size))]
        needed = {
            "ladder": [_digest(name, spaces.store) for name in self.ladder],
            "auxiliary": [other.digest for other, _, _ in others],
        }
        found: list[Callable[..., Any]] = [label_models.find(name) for name in (self.label_model, WeakLabels.model)]
        found += [kind.label for kind, _ in first.members]
        asked = [(methods.find(name), parameters) for name, parameters in chosen.items()]
        todo = jobs(cells, baselines.registry("classes"), asked, {"label_model": self.label_model}, found, needed)
        return compute(cells, todo, self.seeds)


def _enough(task: Task, name: str, pool: np.ndarray) -> None:
    """Raises UserError where supervisors are columns of votes, and have too few on items that are not test."""
    members = supervisors.parse(name)
    if any(kind.name != "column" for kind, _ in members):
        return
    heard = np.any([~np.isnan(cast(task, column)).any(-1) for _, column in members], 0)
    if (heard & pool).sum() < 2 * FEWEST:
        raise UserError(
            f"{task.name}: {(heard & pool).sum()} items outside the test split have a vote of {name!r}: give at least {2 * FEWEST}, half of which teach"
        )


def _apart(task: Task, auxiliary: Task) -> None:
    """Raises UserError where an auxiliary task, whose gold methods may read, has items of the task itself."""
    its, others = (set(zip(one.texts, one.images or [None] * len(one), strict=True)) for one in (task, auxiliary))
    if shared := len(its & others):
        raise UserError(
            f"--auxiliary {auxiliary.name}: {shared:,} of its items are items of {task.name}, whose gold is sealed: name another task"
        )


def _digest(name: str, store: Store) -> str:
    """The bytes that a model's name means."""
    return models.resolve(name, store).digest
