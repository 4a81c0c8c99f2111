"""The cell of a study of generated answers: supervisors, their answers, a student, of one replicate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from outgrow import verifiers
from outgrow.core.fingerprint import fingerprint
from outgrow.core.seeding import derive
from outgrow.generation import Answer
from outgrow.methods.text import WeakAnswers
from outgrow.models import Model
from outgrow.pipeline import scoring
from outgrow.pipeline.cell import Predictions, StoredCell
from outgrow.pipeline.design import Halves
from outgrow.pipeline.seal import Sealed, Service
from outgrow.pipeline.verdicts import Executor, VerdictAccount
from outgrow.store import Artifact
from outgrow.students import generator
from outgrow.students.generator import TextStudent, Writers, training_seed
from outgrow.supervisors.text import SHOTS, ModelSupervisor, Named, RecordedSupervisor, Supervisor, shown
from outgrow.tasks.task import GenerationGold, GenerationTask
from outgrow.verifiers import Attempt, Verdict

if TYPE_CHECKING:
    from outgrow.training.causal import Example

WIDTH = 5
"""Beams of a supervisor (Cui et al. 2025, section 4)."""
SKILL = 64
"""Weak-train items on which several supervisors are compared."""
EARNED = {"row": "what supervisors' answers earn"}
"""What is kept beside the rows."""

UNTRAINED = ("floor", "best member", "untrained", "gold-naive")
"""Rows that take no training of their own; gold through naive is the ceiling's."""


@final
@dataclass(frozen=True)
class TextCell(StoredCell):
    """Weak answers and students of one (task, supervisors, student) and replicate.

    Args:
        task: the task.
        gold: its right answers.
        weak_name: the supervisors, joined by "+".
        strong_name: the student's model.
        block: number of the replicate.
        seed: names the study.
        weak_gold: how many gold items a supervisor learns from; None: all of weak-train.
        kind: how the student learns, "lora" or "full".
        writers: checkpoints at work.
        strong: the student's checkpoint.
        bases: each supervisor with its checkpoint, where it has one.
        made_of: what every artifact depends on beside the replicate.
    """

    task: GenerationTask
    gold: GenerationGold
    weak_name: str
    strong_name: str
    block: int
    seed: int
    weak_gold: int | None
    kind: str
    writers: Writers
    strong: Model
    bases: tuple[tuple[Named, Model | None], ...]
    made_of: Mapping[str, Any]

    GOLD: ClassVar[tuple[str, ...]] = ("answers", "keys")
    STAGE: ClassVar[str] = "tuning and answers"

    @cached_property
    def design(self) -> Halves:
        """One replicate: its models are large."""
        return Halves(self.task, self.seed, self.block, 1)

    @property
    def name(self) -> str:
        """The task's."""
        return self.task.name

    @property
    def replicates(self) -> range:
        """The number of the replicate."""
        return self.design.replicates

    @cached_property
    def weak_items(self) -> np.ndarray:
        """Item numbers of weak-train."""
        return np.flatnonzero(self.design.splits.weak_train[0])

    @cached_property
    def transfer_items(self) -> np.ndarray:
        """Item numbers of transfer."""
        return np.flatnonzero(self.design.splits.transfer[0])

    @cached_property
    def test_items(self) -> np.ndarray:
        """Item numbers of test, the same for every replicate."""
        return np.flatnonzero(self.design.splits.test[0])

    @cached_property
    def known(self) -> np.ndarray:
        """The weak-train items whose gold the supervisors learn from: whole groups, smaller sets inside larger ones."""
        weak = self.weak_items
        if self.weak_gold is None:
            return weak
        groups = self.task.groups[weak]
        order = derive(self.seed, self.task.name, "few", self.block).permutation(np.unique(groups))
        sizes = np.array([(groups == group).sum() for group in order])
        return weak[np.isin(groups, order[: int(np.searchsorted(np.cumsum(sizes), self.weak_gold)) + 1])]

    @property
    def hidden(self) -> np.ndarray:
        """(N,) bool: the items whose gold no supervisor has learned from."""
        return ~np.isin(np.arange(len(self.task)), self.known)

    @property
    def sizes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(1,) each: items whose gold the supervisors know, items of weak-train, items of transfer."""
        known, weak, transfer = (np.array([len(i)]) for i in (self.known, self.weak_items, self.transfer_items))
        return known, weak, transfer

    @property
    def models(self) -> list[Model]:
        """The student's checkpoint and the supervisors'."""
        return [self.strong, *(base for _, base in self.bases if base is not None)]

    @property
    def names(self) -> tuple[str, ...]:
        """The supervisors."""
        return tuple(one.name for one, _ in self.bases)

    def prompts(self, items: np.ndarray) -> tuple[str, ...]:
        """The prompts of items."""
        return tuple(self.task.prompts[i] for i in items)

    @cached_property
    def supervisors(self) -> tuple[Supervisor, ...]:
        """Each tuned on the gold of `known`, or shown some of it, or recorded."""
        return tuple(self._supervisor(one, base) for one, base in self.bases)

    def _supervisor(self, one: Named, base: Model | None) -> Supervisor:
        from outgrow.training.causal import tune

        if base is None:
            return RecordedSupervisor(one.name, self.task.written[one.of])
        if one.kind == "shots":
            few = derive(self.seed, self.task.name, "shots", self.block).permutation(self.known)[:SHOTS]
            prefix = shown(self.task, {i: self.gold.answers[i] for i in few})
            return ModelSupervisor(one.name, self.task, self.writers, base, base, prefix)
        examples = self.known_gold
        passes = generator.epochs(sum(len(example.prompt) + len(example.answer) for example in examples))
        seed = self._seed("supervisor", one.name)
        tuned = tune(
            base,
            examples,
            kind=self.kind,
            seed=seed,
            store=self.writers.store,
            prompting=self.task.prompting,
            epochs=passes,
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
        return np.setdiff1d(self.weak_items, self.known)[:SKILL] if self.learn else self.weak_items

    def earned(self, answers: Sequence[str]) -> float:
        """Score of answers to the fresh items by their gold."""
        found = scoring.text_scores(self.task, self.gold, self.fresh, [list(answers)])
        return next(iter(found.values())).value

    @cached_property
    def skill(self) -> np.ndarray:
        """(J,) score of each of several supervisors on weak-train items whose gold none has seen; 1 without such."""
        if len(self.bases) == 1 or not len(self.fresh):
            return np.ones(len(self.bases))
        fresh = self.fresh.tolist()
        return np.array([self.earned(supervisor.answers(fresh)) for supervisor in self.supervisors])

    @cached_property
    def weak(self) -> WeakAnswers:
        """What the supervisors answer to the transfer items."""
        items = self.transfer_items.tolist()
        beams = tuple(tuple(supervisor.beams(items, WIDTH)) for supervisor in self.supervisors)
        return WeakAnswers(self.prompts(self.transfer_items), self.names, beams, self.skill)

    @cached_property
    def _services(self) -> dict[str, Service]:
        """What methods call and must not look into: it leads to this cell."""
        return {}

    def _sealed(self, function: Callable[..., Any]) -> Sealed:
        return self._services.setdefault(function.__name__, Service(function)).sealed

    @property
    def likelihood(self) -> Sealed | None:
        """(numbers of transfer items, an answer to each) -> (J, answers) log-probability by each supervisor."""
        transfer = self.transfer_items

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
        return training_seed(self.seed, self.task.name, *names, self.block)

    @property
    def seeds(self) -> set[int]:
        """The seeds of all trainings of this replicate."""
        return {self._seed("student"), *(self._seed("supervisor", one.name) for one, _ in self.bases)}

    @property
    def committee(self) -> WeakAnswers | None:
        """The weak answers of several supervisors; None of one."""
        return self.weak if len(self.bases) > 1 else None

    @property
    def aligned(self) -> tuple[Model, Model] | None:
        """The best supervisor's checkpoint after and before tuning; None unless it has the student's vocabulary."""
        one = self.supervisors[int(self.skill.argmax())]
        if isinstance(one, RecordedSupervisor):
            return None
        same = self.writers(one.before).vocabulary == self.writers(self.strong).vocabulary
        return (one.model, one.before) if same and one.model is not one.before else None

    @property
    def bridge(self) -> Sealed | None:
        """A supervisor's probabilities (T,) of the tokens of answers to transfer items, on the student's tokens."""
        from outgrow.generation.bridge import across

        transfer = self.transfer_items

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
        prompts = self.prompts(self.transfer_items)
        return TextStudent(self.strong, prompts, self.kind, self._seed("student"), self.writers)

    @property
    def verify(self) -> Sealed | None:
        """The task's own check of answers to transfer items; None where it has none."""
        found = verifiers.registry().get(self.task.verifier)
        transfer = self.transfer_items
        if found is None:
            return None

        def check(items: Sequence[int], texts: Sequence[str]) -> list[Verdict]:
            rows = [int(transfer[i]) for i in items]
            return found.run(
                [Attempt(self.task.prompts[i], text, self.task.shown[i]) for i, text in zip(rows, texts, strict=True)]
            )

        return self._sealed(check)

    @cached_property
    def account(self) -> VerdictAccount:
        """Verdicts by gold, for sale."""
        transfer = self.transfer_items

        def right(items: Sequence[int], texts: Sequence[str]) -> np.ndarray:
            rows, keys = [int(transfer[i]) for i in items], self.seal.true("keys")
            return scoring.right(self.task.scorer, [self.task.prompts[i] for i in rows], texts, [keys[i] for i in rows])

        return VerdictAccount(right)

    @property
    def executor(self) -> Executor:
        """Verdicts on answers to transfer items, by gold at a counted price."""
        return self.account.executor

    @property
    def transfer_gold(self) -> list[Example]:
        """Gold answers to the transfer items. For baselines alone."""
        return self._gold(self.transfer_items)

    @property
    def known_gold(self) -> list[Example]:
        """Gold answers to the items whose gold the supervisors know. For baselines alone."""
        return self._gold(self.known)

    def some_gold(self, count: int) -> list[Example]:
        """Gold answers to about `count` transfer items. For baselines alone."""
        return self._gold(np.flatnonzero(self.design.few(self.design.teach, count)[0]))

    def _gold(self, items: np.ndarray) -> list[Example]:
        from outgrow.training.causal import Example

        return [Example(self.task.prompts[i], self.gold.answers[i]) for i in items]

    @property
    def untaught_student(self) -> TextStudent | None:
        """The student, for baselines; None where a supervisor is the same model, tuned on the same gold."""
        tuned = {base.digest for one, base in self.bases if base is not None and one.kind == "tuned"}
        return None if self.strong.digest in tuned else self.student

    def as_weak(self, answers: Sequence[Answer]) -> WeakAnswers:
        """Given answers to the transfer items in the place of the supervisors'. For baselines alone."""
        return replace(self.weak, names=("given",), beams=(tuple((answer,) for answer in answers),), skill=np.ones(1))

    @property
    def coverage(self) -> dict[str, float]:
        """Scores of the supervisors' answers to the transfer items by gold.

        `first`: the best supervisor's likeliest answers; `best`: the best of all supervisors' answers to each item;
        `cut`: the share of the first that was cut at the token limit.
        """

        def build() -> tuple[dict[str, np.ndarray], dict[str, Any]]:
            pools = [[first.text, *pool] for first, pool in zip(self.weak.best, self.weak.pooled, strict=True)]
            ends = np.cumsum([len(pool) for pool in pools])
            items = np.repeat(self.transfer_items, [len(pool) for pool in pools])
            texts = [text for pool in pools for text in pool]
            score = next(iter(scoring.text_scores(self.task, self.gold, items, [texts]).values()))
            num, den = score.num[0], np.broadcast_to(score.den, score.num.shape)[0]
            share = np.divide(num, den, out=np.ones(len(num)), where=den > 0)
            firsts = ends - [len(pool) for pool in pools]
            bests = [start + int(share[start:end].argmax()) for start, end in zip(firsts, ends, strict=True)]
            chosen = (("first", firsts), ("best", bests))
            earned = {name: float(num[at].sum() / max(den[at].sum(), 1e-9)) for name, at in chosen}
            return {}, {**earned, "cut": float(np.mean([answer.cut for answer in self.weak.best]))}

        return self.make(EARNED, build).meta

    def prepare(self) -> None:
        """Nothing: models are read with the row that needs them first."""

    def forget(self) -> None:
        """Forget what was bought."""
        self.account.reopen()

    def predicted(self, fitted: Any) -> np.ndarray:
        """(1, n_test) answers: a tuned model's likeliest ones, or those that were given."""
        if isinstance(fitted, Predictions):
            return fitted.values
        if isinstance(fitted, Model):
            fitted = self.writers.likeliest(fitted, self.prompts(self.test_items))
        return np.array([fitted], object)

    def packed(self, fitted: Any, predicted: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The answers, as plain data."""
        return {}, {"answers": predicted[0].tolist()}

    def unpacked(self, artifact: Artifact) -> np.ndarray:
        """(1, n_test)"""
        return np.array([artifact.meta["answers"]], object)

    def costs(self) -> dict[str, tuple[float, float]]:
        """None: what models read is part of each row's time."""
        return {}

    def code(self, *found: Any) -> str:
        """Hash of the code that computes a row, and of functions that were found by name."""
        return fingerprint("written", *found)

    def _row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.made_of, "replicate": self.block, **row}

    def make(self, row: Mapping[str, Any], build: Callable[[], Any]) -> Artifact:
        """The artifact of a row out of the store, built where it is missing."""
        return self.writers.store.make("written", self._row(row), build)

    def has(self, row: Mapping[str, Any]) -> bool:
        """Whether the artifact of a row is in the store."""
        return self.writers.store.get("written", self._row(row)) is not None

    @property
    def finished(self) -> bool:
        """Whether what is kept beside the rows is in the store."""
        return self.has(EARNED)

    def finish(self) -> None:
        """Keep the scores of the supervisors' answers, and remove the models that were trained."""
        _ = self.coverage
        store = self.writers.store
        for made in store.records("tuned"):
            if made.get("seed") in self.seeds:
                store.drop("tuned", made)


def plan(first: TextCell, rows: Sequence[str], seeds: int) -> str:
    """What a study is about to do, in tokens, so that who waits can tell for how long."""
    weak, transfer, test = (len(items) for items in (first.weak_items, first.transfer_items, first.test_items))
    letters = int(
        np.mean([len(p) + len(a) for p, a in zip(first.task.prompts, first.gold.answers, strict=True)]) * transfer
    )
    learn = [name for name in rows if name not in UNTRAINED and not name.startswith("supervisor:")]
    trainings = sum(one.kind == "tuned" for one, _ in first.bases) + len(learn)
    read = int(trainings * seeds * generator.epochs(letters) * letters / 4)
    taught = (
        f"{len(first.known)} of {weak} items teach the supervisor"
        if first.learn
        else f"{len(first.known)} of {weak} items have gold"
    )
    return (
        f"{first.task.name}: {taught}, {transfer} the student, {test} test both; "
        f"up to {trainings} trainings a replicate, {seeds} replicates, "
        f"some {round(read, -3):,} tokens in all to learn from, and as many answers as {len(rows) * seeds * test:,}"
    )
