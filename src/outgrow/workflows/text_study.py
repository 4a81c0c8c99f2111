"""A study of generated answers, as a recipe:

    task -> halves -> supervisors -> their beams on the transfer half -> methods and baselines -> a tuned student
    -> its answers to the test items -> scores -> audits -> report

Every trained model, every set of answers and every row of a replicate is an artifact in the store. A replicate's
models are let go of once all its answers are there: they are large, and nothing asks for them again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from types import ModuleType
from typing import Any, ClassVar, final

from outgrow.core import progress
from outgrow.core.errors import UserError, unknown
from outgrow.core.fingerprint import fingerprint
from outgrow.generation import Sampling
from outgrow.methods import text as sequences
from outgrow.metrics import text as scorers
from outgrow.models import loader
from outgrow.pipeline import baselines
from outgrow.pipeline.keeper import Keeper
from outgrow.pipeline.runner import StudyRows, compute, jobs
from outgrow.pipeline.scoring import checks
from outgrow.pipeline.text_cell import TextCell, plan
from outgrow.store import Store
from outgrow.students.generator import Writers
from outgrow.supervisors import text as supervisors
from outgrow.supervisors.text import parse
from outgrow.tasks import generation
from outgrow.tasks.prompting import AUTO
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.prompts import Columns
from outgrow.tasks.tables.structures import LAYOUTS
from outgrow.tasks.task import GenerationGold, GenerationTask
from outgrow.training import classifier, pruned
from outgrow.training.classifier import KINDS
from outgrow.training.pruned import resolve
from outgrow.workflows.request import Chosen, Request

__all__ = ["TextStudy", "load", "parse"]


@final
@dataclass(frozen=True, kw_only=True)
class TextStudy(Request):
    """A study of generated answers. Its supervisors are those of `supervisors/text.py`."""

    seeds: int = 4
    student: str = "lora"
    """How the student learns: "lora", by low-rank updates, or "full"."""
    prompting: str = AUTO
    """How models are asked: "chat", "plain", or "auto", chat where a model has a chat template."""

    WEAK: ClassVar[str] = "sibling:smollm2-135m:12"
    KNOWN: ClassVar[ModuleType] = sequences

    def check(self) -> None:
        if self.student not in KINDS:
            raise unknown("kind of student for generation tasks", self.student, KINDS)
        classifier.check(self.student)
        for weak in self.weak:
            supervisors.check(weak)
        for name in self.students:
            pruned.check(name, "model for `strong`")

    def _load(self, store: Store) -> list[tuple[Any, ...]]:
        """Of each task the task, its gold, and the store."""
        reading = self.reading.with_votes(supervisors.columns(self.weak))
        return [(*load(name, reading, self.seed, self.prompting), store) for name in self.tasks]

    def _rows(self, given: tuple[Any, ...], weak: str, strong: str, chosen: Chosen, keeper: Keeper) -> StudyRows:
        task, gold, store = given
        cells = self.cells(task, gold, store, weak, strong)
        todo = jobs(cells, baselines.registry("texts"), chosen, sequences.RESOURCES, {}, checks(task))
        progress.say(plan(cells[0], [job.name for job in todo], self.seeds))
        return compute(cells, todo, self.seeds, keeper)

    def cells(self, task: GenerationTask, gold: GenerationGold, store: Store, weak: str, strong: str) -> list[TextCell]:
        """All replicates of one (task, supervisors, student), nothing of them computed."""
        writers = Writers(store, Sampling(tokens=task.tokens, stop=task.stop, prompting=task.prompting))
        bases = tuple((one, None if one.kind == "column" else resolve(one.of, store)) for one in parse(weak))
        student = resolve(strong, store)
        made_of = {
            "task": task.digest,
            "prompting": asdict(task.prompting),
            "seed": self.seed,
            "weak": [(asdict(one), base and base.digest) for one, base in bases],
            "weak_gold": self.weak_gold,
            "strong": student.digest,
            "student": self.student,
            "precision": loader.chosen_precision(),
            "device": loader.device().type,
            "code": fingerprint("written", *checks(task)),
        }
        shared = (self.seed, self.weak_gold, self.student, writers, student, bases, made_of)
        return [TextCell(task, gold, weak, student.name, r, *shared) for r in range(self.seeds)]


def load(name: str, reading: Reading, seed: int, prompting: str = AUTO) -> tuple[GenerationTask, GenerationGold]:
    """The task of that name. Raises UserError, one line."""
    if reading.scorer is None:
        extra = [field for field in reading.given() if field != "items"]
        if extra:
            raise UserError(f"`{extra[0]}` is for tables; {name!r} is built in and takes `items` only")
        return generation.load(name, reading.items, seed, prompting=prompting)
    scorers.metrics(reading.scorer)
    takes = {"scorer", "items", "votes", "skip_bad_rows"} | (
        set() if reading.scorer in LAYOUTS else {"prompt", "answer"}
    )
    if extra := [field for field in reading.given() if field not in takes]:
        raise UserError(f"`{extra[0]}` does not apply to `scorer` = {reading.scorer}: leave it out")
    columns = Columns(scorer=reading.scorer, skip_bad_rows=reading.skip_bad_rows)
    columns = replace(columns, prompt=reading.prompt or columns.prompt, gold=reading.answer or columns.gold)
    return generation.load(name, reading.items, seed, columns, reading.votes, prompting)
