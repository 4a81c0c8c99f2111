"""One replicate of a study of answers in words: its supervisors, what they write, its student, and what is run beside the methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np

from outgrow import verifiers
from outgrow.core.seeding import derive
from outgrow.generation import Answer
from outgrow.generation.candidates.forms import FORMS
from outgrow.methods import text as sequences
from outgrow.methods.text import WeakAnswers
from outgrow.methods.text.naive import naive
from outgrow.metrics import text as scorers
from outgrow.metrics.accuracy import Score
from outgrow.models import Model
from outgrow.pipeline import scoring
from outgrow.pipeline.seal import Seal, Sealed, Service, call
from outgrow.students.generator import TextStudent, Writers, epochs, training_seed
from outgrow.supervisors.text import SHOTS, ModelSupervisor, Named, RecordedSupervisor, Supervisor, shown
from outgrow.tasks.splits import draw
from outgrow.tasks.task import GenerationGold, GenerationTask
from outgrow.verifiers import Attempt
from outgrow.verifiers import Verdict as Checked

WIDTH = 5
"""Beams of a supervisor (Cui et al. 2025, section 4)."""
SKILL = 64
"""Weak-train items on which several supervisors are compared."""


@final
class VerdictAccount:
    """The seller's side of an executor: verdicts that were paid for. No method gets it."""

    def __init__(self, right: Callable[[Sequence[int], Sequence[str]], np.ndarray]):
        self._right = right
        self.reopen()

    def reopen(self) -> None:
        """Nothing is paid for, and executors of before answer no more: who asks now pays for all that it asks."""
        self._asked: set[tuple[int, str]] = set()
        self._service = Service(self._sell)

    @property
    def executor(self) -> Executor:
        """What a method is handed."""
        return Executor(self._service.token)

    @property
    def spent(self) -> int:
        """Verdicts asked for."""
        return len(self._asked)

    def _sell(self, items: Sequence[int] | None = None, texts: Sequence[str] = ()) -> Any:
        if items is None:
            return self.spent
        items, texts = [int(i) for i in items], [str(text) for text in texts]
        self._asked.update(zip(items, texts, strict=True))
        return self._right(items, texts)


@final
@dataclass(frozen=True, slots=True)
class Executor:
    """Whether answers to transfer items are right, by gold, each asked for at a counted price."""

    _token: str

    def __call__(self, items: Sequence[int], texts: Sequence[str]) -> np.ndarray:
        """(answers,) bool for answers to transfer items by their numbers."""
        return call(self._token, items, texts)

    @property
    def spent(self) -> int:
        """Verdicts asked for."""
        return call(self._token)


@final
@dataclass(frozen=True)
class Replicate:
    """One replicate of one (task, supervisors, student), everything made on first use. Gold is in here: no method gets it."""

    task: GenerationTask
    gold: GenerationGold
    weak_name: str
    strong: Model
    number: int
    seed: int
    weak_gold: int | None
    kind: str
    writers: Writers
    bases: tuple[tuple[Named, Model | None], ...]
    """Each supervisor with its checkpoint, where it has one."""
    made_of: Mapping[str, Any]

    @cached_property
    def halves(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Item numbers of weak-train, transfer and test."""
        splits = draw(self.task, self.seed, [self.number])  # type: ignore[arg-type]
        weak, transfer, test = (np.flatnonzero(mask[0]) for mask in (splits.weak_train, splits.transfer, splits.test))
        return weak, transfer, test

    @cached_property
    def known(self) -> np.ndarray:
        """The weak-train items whose gold the supervisors learn from: whole groups, smaller sets inside larger ones."""
        weak = self.halves[0]
        if self.weak_gold is None:
            return weak
        groups = self.task.groups[weak]
        order = derive(self.seed, self.task.name, "few", self.number).permutation(np.unique(groups))
        sizes = np.array([(groups == group).sum() for group in order])
        return weak[np.isin(groups, order[: int(np.searchsorted(np.cumsum(sizes), self.weak_gold)) + 1])]

    def prompts(self, items: np.ndarray) -> tuple[str, ...]:
        return tuple(self.task.prompts[i] for i in items)

    @cached_property
    def supervisors(self) -> tuple[Supervisor, ...]:
        """Each tuned on the gold of `known`, or shown some of it, or recorded."""
        return tuple(self._supervisor(one, base) for one, base in self.bases)

    def _supervisor(self, one: Named, base: Model | None) -> Supervisor:
        from outgrow.training.causal import Example, tune

        if base is None:
            return RecordedSupervisor(one.name, self.task.written[one.of])
        if one.kind == "shots":
            few = derive(self.seed, self.task.name, "shots", self.number).permutation(self.known)[:SHOTS]
            return ModelSupervisor(
                one.name, self.task, self.writers, base, base, shown(self.task, {i: self.gold.answers[i] for i in few})
            )
        examples = [Example(self.task.prompts[i], self.gold.answers[i]) for i in self.known]
        passes = epochs(sum(len(example.prompt) + len(example.answer) for example in examples))
        seed = self._seed("supervisor", one.name)
        tuned = tune(
            base, examples, kind=self.kind, seed=seed, store=self.writers.store, chat=self.task.chat, epochs=passes
        )
        return ModelSupervisor(one.name, self.task, self.writers, tuned, base)

    @property
    def learn(self) -> bool:
        """Whether a supervisor sees gold."""
        return any(base is not None for _, base in self.bases)

    @property
    def modelled(self) -> bool:
        """Whether all supervisors are models."""
        return all(base is not None for _, base in self.bases)

    @cached_property
    def fresh(self) -> np.ndarray:
        """Weak-train items whose gold no supervisor has seen."""
        return np.setdiff1d(self.halves[0], self.known)[:SKILL] if self.learn else self.halves[0]

    def earned(self, answers: Sequence[str]) -> float:
        """What answers to the fresh items earn by their gold."""
        return next(iter(scores(self.task, self.gold, self.fresh, [list(answers)]).values())).value

    @cached_property
    def skill(self) -> np.ndarray:
        """(J,) of several: what each earns on weak-train items whose gold it has not seen; ones where there is none such."""
        if len(self.bases) == 1 or not len(self.fresh):
            return np.ones(len(self.bases))
        return np.array([self.earned(supervisor.answers(self.fresh)) for supervisor in self.supervisors])

    @cached_property
    def weak(self) -> WeakAnswers:
        """What the supervisors write to the transfer items."""
        transfer = self.halves[1]
        beams = tuple(tuple(supervisor.beams(transfer, WIDTH)) for supervisor in self.supervisors)
        return WeakAnswers(
            self.prompts(transfer), tuple(supervisor.name for supervisor in self.supervisors), beams, self.skill
        )

    @cached_property
    def seal(self) -> Seal:
        """By which verdicts see gold, and by which what methods must not see is permuted (`canary.py`)."""
        return Seal(self.gold, "answers", "keys")

    @cached_property
    def _services(self) -> dict[str, Service]:
        """What methods call and must not look into: this replicate stands behind it."""
        return {}

    def _sealed(self, function: Callable[..., Any]) -> Sealed:
        return self._services.setdefault(function.__name__, Service(function)).sealed

    @property
    def likelihood(self) -> Sealed | None:
        """(numbers of transfer items, an answer to each) -> (J, answers): sum of log p of its tokens and its end, by each supervisor."""
        transfer = self.halves[1]

        def likelihood(items: Sequence[int], texts: Sequence[str]) -> np.ndarray:
            asked = [int(transfer[i]) for i in items]
            return np.array([[logp.sum() for logp in one.logprobs(asked, texts)] for one in self._models()])

        return self._sealed(likelihood) if self.modelled else None

    def _models(self) -> list[ModelSupervisor]:
        """The supervisors, all of which are models."""
        return [one for one in self.supervisors if isinstance(one, ModelSupervisor)]

    @property
    def sure(self) -> np.ndarray | None:
        """(n,) mean log p of the tokens of the best supervisor's likeliest answer to each transfer item."""
        return np.array([np.mean(answer.logprobs) for answer in self.weak.best]) if self.modelled else None

    def _seed(self, *names: str) -> int:
        return training_seed(self.seed, self.task.name, *names, self.number)

    @property
    def seeds(self) -> set[int]:
        """Of all trainings of this replicate."""
        return {self._seed("student"), *(self._seed("supervisor", one.name) for one, _ in self.bases)}

    @property
    def committee(self) -> WeakAnswers | None:
        return self.weak if len(self.bases) > 1 else None

    @property
    def aligned(self) -> tuple[Model, Model] | None:
        """The best supervisor's checkpoint after and before it was tuned, where it and the student have the same vocabulary."""
        one = self.supervisors[int(self.skill.argmax())]
        if isinstance(one, RecordedSupervisor):
            return None
        same = self.writers(one.before).vocabulary == self.writers(self.strong).vocabulary
        return (one.model, one.before) if same and one.model is not one.before else None

    @property
    def bridge(self) -> Sealed | None:
        """What a supervisor says of the tokens of answers to transfer items, as the student cuts them: p (T,) each."""
        from outgrow.generation.bridge import across

        transfer = self.halves[1]

        def over(j: int, items: Sequence[int], texts: Sequence[str]) -> list[np.ndarray]:
            one, asked = self._models()[j], [int(transfer[i]) for i in items]
            said, own = (
                one.logprobs(asked, texts),
                self.writers.each(self.strong, [self.task.prompts[i] for i in asked], texts),
            )
            weak, strong = self.writers(one.model), self.writers(self.strong)
            return [
                np.exp(across(text, weak, a[:-1], strong, b[:-1])) for text, a, b in zip(texts, said, own, strict=True)
            ]

        return self._sealed(over) if self.modelled else None

    @cached_property
    def student(self) -> TextStudent:
        return TextStudent(self.strong, self.prompts(self.halves[1]), self.kind, self._seed("student"), self.writers)

    @property
    def verify(self) -> Sealed | None:
        """The task's own check of answers to transfer items; None where it has none."""
        found = verifiers.registry().get(self.task.verifier)
        transfer = self.halves[1]
        if found is None:
            return None

        def check(items: Sequence[int], texts: Sequence[str]) -> list[Checked]:
            rows = [int(transfer[i]) for i in items]
            return found.run(
                [Attempt(self.task.prompts[i], text, self.task.shown[i]) for i, text in zip(rows, texts, strict=True)]
            )

        return self._sealed(check)

    @cached_property
    def verdicts(self) -> VerdictAccount:
        """Verdicts by gold, for sale."""
        transfer = self.halves[1]

        def right(items: Sequence[int], texts: Sequence[str]) -> np.ndarray:
            rows, keys = [int(transfer[i]) for i in items], self.seal.true("keys")
            return scoring.right(self.task.scorer, [self.task.prompts[i] for i in rows], texts, [keys[i] for i in rows])

        return VerdictAccount(right)

    @property
    def executor(self) -> Executor:
        return self.verdicts.executor

    def lacks(self, name: str) -> list[str]:
        """The resources that a method asks for and this replicate has not; none where `name` is no method."""
        found = sequences.registry().get(name)
        return [need for need in found.resources if getattr(self, need) is None] if found else []

    def tested(self, model: Model) -> list[str]:
        """A model's answers to the test items."""
        return self.writers.likeliest(model, self.prompts(self.halves[2]))

    def told(self, answers: Sequence[Answer]) -> WeakAnswers:
        """These answers to the transfer items in the place of the supervisors'."""
        beams = tuple((answer,) for answer in answers)
        return replace(self.weak, names=("given",), beams=(beams,), skill=np.ones(1))


@final
@dataclass(frozen=True)
class TaughtAnswers:
    """Answers to the test items, and whose they are."""

    answers: list[str]
    of: str


def floor(replicate: Replicate) -> TaughtAnswers:
    """What taught: the supervisor that is best on weak-train, or the plurality of three and more where that earns more there.

    Where no gold is left that no supervisor has seen it is the plurality, which agrees with most of what they say.
    """
    test, voices, best = replicate.halves[2], replicate.supervisors, int(replicate.skill.argmax())
    order = np.argsort(-replicate.skill, kind="stable").tolist()
    if len(voices) > 2:
        fresh = [voices[j].answers(replicate.fresh) for j in order] if len(replicate.fresh) else []
        if not fresh or replicate.earned(plurality(fresh, replicate.task.form)) > replicate.skill[best]:
            return TaughtAnswers(
                plurality([voices[j].answers(test) for j in order], replicate.task.form), "plurality of the supervisors"
            )
    return TaughtAnswers(voices[best].answers(test), voices[best].name)


def plurality(answers: Sequence[Sequence[str]], form: str) -> list[str]:
    """Of each item the answer whose form most give, of equally common ones that of the first in `answers`; answers without a form where there is no other.

    The floor lists the best supervisor first.
    """
    chosen = []
    for said in zip(*answers, strict=True):
        forms = [FORMS[form](text) for text in said]
        told = [one for one in forms if one is not None]
        chosen.append(said[max(range(len(said)), key=lambda j: (told.count(forms[j]), -j))])
    return chosen


def best_member(replicate: Replicate) -> TaughtAnswers | None:
    """The supervisor that is best on weak-train, alone; None where there is one, or none is known to be."""
    if len(replicate.bases) == 1 or not len(replicate.fresh):
        return None
    one = replicate.supervisors[int(replicate.skill.argmax())]
    return TaughtAnswers(one.answers(replicate.halves[2]), one.name)


def supervisor(replicate: Replicate, j: int) -> list[str]:
    """The answers of supervisor j."""
    return replicate.supervisors[j].answers(replicate.halves[2])


def ceiling(replicate: Replicate) -> Model:
    """The student tuned on the transfer half's gold."""
    return on_gold(replicate, replicate.halves[1])


def gold_few(replicate: Replicate) -> Model | None:
    """The student tuned on the gold that the supervisors learned from; None where a supervisor is just that."""
    tuned = {base.digest for one, base in replicate.bases if base is not None and one.kind == "tuned"}
    return None if replicate.strong.digest in tuned else on_gold(replicate, replicate.known)


def on_gold(replicate: Replicate, items: np.ndarray) -> Model:
    from outgrow.training.causal import Example

    examples = [Example(replicate.task.prompts[i], replicate.gold.answers[i]) for i in items]
    return replicate.student.tune(examples)


def untrained(replicate: Replicate) -> Model:
    """The student before any training."""
    return replicate.strong


def shuffled(replicate: Replicate) -> Model:
    """Naive on answers that are dealt out to the wrong items: nothing about an item can be learned."""
    order = derive(replicate.seed, replicate.task.name, "shuffled", replicate.number).permutation(
        len(replicate.weak.best)
    )
    return _naive(replicate, [replicate.weak.best[i] for i in order])


def gold_naive(replicate: Replicate) -> Model:
    """Gold in the place of weak answers, through naive: the ceiling, to the letter."""
    return _naive(replicate, [Answer(replicate.gold.answers[i], (), (), "stop", 0) for i in replicate.halves[1]])


def _naive(replicate: Replicate, answers: Sequence[Answer]) -> Model:
    return naive(replicate.told(answers), replicate.student)


CONTROLS = {"shuffled": shuffled, "gold-naive": gold_naive}
CONTRASTS = {"untrained": untrained, "gold-few": gold_few}


def scores(
    task: GenerationTask, gold: GenerationGold, items: np.ndarray, answers: Sequence[Sequence[str]]
) -> dict[str, Score]:
    """By metric what R x n answers to these items earn."""
    keys, groups = [gold.keys[i] for i in items], task.groups[items]
    if task.scorer in scorers.SCORERS:
        return scorers.scores(task.scorer, answers, keys, groups)
    prompts = [task.prompts[i] for i in items]
    right = np.array([scoring.right(task.scorer, prompts, row, keys) for row in answers], np.float64)
    return {"accuracy": Score(right, np.ones(right.shape[1]), groups)}


def checks(task: GenerationTask) -> tuple[Callable[..., Any], ...]:
    """The verifiers that a task names, as its own check or in the place of a scorer."""
    known = verifiers.registry()
    return tuple(known[name].run for name in (task.verifier, task.scorer) if name in known)
