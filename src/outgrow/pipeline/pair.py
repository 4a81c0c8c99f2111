"""One block of a pair: the task's splits, the weak labels and the student of eight replicates, each made on first use.

Everything expensive comes out of the store. Gold is in here, so a Pair never goes to a method: methods get `weak`
(the transfer rows alone), `student` and what else they ask for, and nothing that leads back (`seal.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np

from outgrow import supervisors
from outgrow.core.fingerprint import fingerprint
from outgrow.core.seeding import derive
from outgrow.label_models import WeakLabels, WeakTrain
from outgrow.models import scratch
from outgrow.pipeline.oracle import Account, Oracle
from outgrow.pipeline.seal import Seal, Sealed, Service
from outgrow.students.convnet import Convnet, Pictures
from outgrow.students.features import Auxiliary, space_of, texts_of
from outgrow.students.finetune import Finetune, Texts
from outgrow.students.probe import HEADS, Probe, Space
from outgrow.tasks.splits import Splits, draw
from outgrow.tasks.task import Gold, Task
from outgrow.training.classifier import KINDS

BLOCK = 8
FOLDS = 5
STUDENTS = (*HEADS, *KINDS)
"""How a student can learn."""


def block_of(kind: str) -> int:
    """Replicates in a block: heads learn side by side, models one after another."""
    return BLOCK if kind in HEADS else 1


@final
class Spaces:
    """Features of one task by model name, read once and shared by every pair and block that needs them."""

    def __init__(self, task: Task, store: Any):
        self.task, self.store = task, store
        self.known: dict[str, Space] = {}
        self.read: dict[str, Texts] = {}
        self.seen: dict[str, Pictures] = {}
        self.asked: dict[str, tuple[float, float]] = {}
        """Seconds and model FLOPs of zero-shot prompts by model name."""

    def __call__(self, model: str, pool: np.ndarray) -> Space:
        if model not in self.known:
            self.known[model] = space_of(self.task, model, pool, self.store)
        return self.known[model]

    def texts(self, model: str) -> Texts:
        """The task's texts for students that are fine-tuned from a model."""
        if model not in self.read:
            self.read[model] = texts_of(self.task, model, self.store)
        return self.read[model]

    def pictures(self, model: str) -> Pictures:
        """The task's images for networks that are trained from scratch."""
        if model not in self.seen:
            self.seen[model] = Pictures(self.task, model, self.store)
        return self.seen[model]

    def costs(self) -> dict[str, tuple[float, float]]:
        """Seconds and model FLOPs of everything read so far, by "stage model"."""
        read = {f"features {model}": (space.seconds, space.flops) for model, space in self.known.items()}
        return read | {f"zero-shot {model}": cost for model, cost in self.asked.items()}


@final
@dataclass(frozen=True)
class Pair:
    """Replicates `block_of(kind) * block ...` of one (task, supervisors, student)."""

    task: Task
    gold: Gold
    weak_name: str
    strong_name: str
    block: int
    seed: int
    weak_gold: int | None
    """How many gold items a supervisor learns from; None: all of weak-train."""
    spaces: Spaces
    made_of: dict[str, Any]
    """Hashes of task and models, and the kind of student: what every artifact of this pair depends on beside code."""
    kind: str = "linear"
    """How the student learns."""
    label_model: str = "mean"
    between: tuple[str, ...] = ()
    """Models of the ladder, the weakest first."""
    others: tuple[tuple[Task, Gold, Spaces], ...] = ()
    """Auxiliary tasks."""

    @property
    def replicates(self) -> range:
        size = block_of(self.kind)
        return range(size * self.block, size * (self.block + 1))

    @cached_property
    def splits(self) -> Splits:
        return draw(self.task, self.seed, self.replicates)

    @cached_property
    def test(self) -> np.ndarray:
        """(N,) bool, the same for every replicate."""
        return self.splits.test[0]

    @cached_property
    def known(self) -> np.ndarray:
        """(R, N) bool: the weak-train rows whose gold a supervisor learns from."""
        weak_train = self.splits.weak_train
        return weak_train if self.weak_gold is None else self.few(weak_train, self.weak_gold)

    def few(self, among: np.ndarray, count: int) -> np.ndarray:
        """(R, N) bool: about `count` items a replicate out of `among`, whole groups, smaller sets inside larger ones."""
        names, where = np.unique(self.task.groups, return_inverse=True)
        out = np.zeros_like(among)
        for r, rows in enumerate(among):
            sizes = np.bincount(where, weights=rows, minlength=len(names))
            order = derive(self.seed, self.task.name, "few", self.replicates[r]).permutation(len(names))
            order = order[sizes[order] > 0]
            taken = order[: int(np.searchsorted(np.cumsum(sizes[order]), count)) + 1]
            out[r] = rows & np.isin(where, taken)
        return out

    @cached_property
    def labels(self) -> np.ndarray:
        """(R, J, N, C) what each supervisor says of every item."""
        return np.stack([self._labels(kind, argument) for kind, argument in self.members], 1)

    @property
    def members(self) -> list[tuple[supervisors.Kind, str]]:
        """The supervisors."""
        return supervisors.parse(self.weak_name)

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(self.weak_name.split("+"))

    def _labels(self, kind: supervisors.Kind, argument: str) -> np.ndarray:
        def build() -> np.ndarray:
            probs = self._say(kind, argument, self._gold(self.known))
            return probs if kind.learns else probs[:1]

        probs = self._kept("labels", kind, argument, build)
        return np.broadcast_to(probs, (len(self.replicates), *probs.shape[1:]))

    def _crossed(self, kind: supervisors.Kind, argument: str) -> np.ndarray:
        """As `_labels` for weak-train items: of each, what copies say that learned from the others' gold."""

        def build() -> np.ndarray:
            names, where = np.unique(self.task.groups, return_inverse=True)
            draws = [
                derive(self.seed, self.task.name, "crossed", r).permutation(len(names)) % FOLDS for r in self.replicates
            ]
            fold, out = (
                np.stack(draws)[:, where],
                np.full((len(draws), len(self.task), len(self.task.classes)), np.nan, np.float32),
            )
            for k in range(FOLDS):
                rows = self.known & (fold == k)
                out[rows] = self._say(kind, argument, self._gold(self.known & (fold != k)))[rows]
            return out

        return self._kept("crossed", kind, argument, build) if kind.learns else self._labels(kind, argument)

    def _kept(self, what: str, kind: supervisors.Kind, argument: str, build: Callable[[], np.ndarray]) -> np.ndarray:
        made_of = {**self.made_of, "supervisor": [kind.name, argument], "code": fingerprint(what, kind.label)}
        made_of |= {"block": self.block, "weak_gold": self.weak_gold} if kind.learns else {}
        if not kind.planted:
            made_of.pop("strong", None)
        made = self.spaces.store.make(what, made_of, lambda: ({"probs": np.ascontiguousarray(build(), np.float32)}, {}))
        return made.arrays["probs"]

    @cached_property
    def seal(self) -> Seal:
        """By which services see gold, and by which what methods must not see is permuted (`canary.py`)."""
        return Seal(self.gold, "labels")

    def _gold(self, known: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Gold (or other class numbers (N,)) of the rows (R, N), -1 elsewhere."""
        return np.where(known, self.gold.labels if labels is None else labels, -1)

    def _say(self, kind: supervisors.Kind, argument: str, gold: np.ndarray) -> np.ndarray:
        """What a supervisor that learns from `gold` (R, N), -1: not known, says of every item."""
        view = supervisors.SupervisorView(
            self.task, gold, ~self.test, self.seed, tuple(self.replicates), self.spaces.store, self.spaces, self.head
        )
        if kind.planted:
            view = replace(view, truth=self.gold.labels, strong=self.strong_name)
        return kind.label(*([view, argument] if kind.argument else [view]))

    @cached_property
    def weak(self) -> WeakLabels:
        """The weak labels of the transfer rows; all other rows are NaN."""
        return self._heard(self.labels)

    def _heard(self, labels: np.ndarray) -> WeakLabels:
        seen = np.where(self.splits.transfer[:, None, :, None], labels, np.float32(np.nan))
        return WeakLabels(seen, self.names, self.label_model, self.skill if len(self.names) > 1 else None)

    def believed(self, label_model: str) -> np.ndarray:
        """(R, n_test, C): what a label model makes of the supervisors' answers to the test items, heard with the transfer items'."""
        heard = np.where((self.splits.transfer | self.test)[:, None, :, None], self.labels, np.float32(np.nan))
        return WeakLabels(heard, self.names, label_model, self.skill).beliefs[:, self.test]

    @cached_property
    def skill(self) -> np.ndarray:
        """(R, J): share of weak-train gold that each supervisor's copies get right without having seen it, as the measure per row counts; NaN where
        none is known."""
        said = replace(
            self.weak_train.said, probs=self.task.even(self.weak_train.said.probs, np.ones(len(self.task), bool))
        )
        right = replace(self.weak_train, said=said).right
        told = ~np.isnan(right) * self.gold.weights
        with np.errstate(invalid="ignore"):
            return ((np.where(told > 0, right, 0) * told).sum(-1) / told.sum(-1)).astype(np.float32)

    @property
    def weak_train(self) -> WeakTrain:
        """The weak-train items with their gold, and what supervisors say of them that have not seen it."""
        return WeakTrain(self._gold(self.known), self._said_of_weak_train)

    @cached_property
    def _said_of_weak_train(self) -> WeakLabels:
        said = np.stack([self._crossed(kind, argument) for kind, argument in self.members], 1)
        said = np.where(self.known[:, None, :, None], said, np.float32(np.nan))
        return WeakLabels(said, self.names, self.label_model)

    @cached_property
    def features(self) -> list[np.ndarray]:
        """Per replicate (N, K): the student's features in the layer that the weak labels choose, or once they have taught it."""
        if isinstance(self.student, Convnet):
            return self.student.embed(self.weak.beliefs)
        return self.probe(self.spaces(self.strong_name, ~self.test)).embed(self.weak.beliefs)

    @cached_property
    def weak_features(self) -> list[np.ndarray] | None:
        """The same of the first supervisor that is a probe, in its own layer; None where none is."""
        for kind, model in self.members:
            if kind.name == "probe" and not scratch.named(model):
                return self.probe(self.spaces(model, ~self.test)).on(self.known).embed(self.one_hot(self.known))
        return None

    @property
    def rivals(self) -> np.ndarray:
        """(N,) what an item is weighed against: candidates of one question, or items of one group, have the same number."""
        return self.task.groups if self.task.question is None else self.task.question

    @property
    def rights(self) -> np.ndarray:
        """(N,) how many of an item's rivals, itself among them, are right by the form of the task: 1 of a question's, else -1."""
        return np.full(len(self.task), -1 if self.task.question is None else 1)

    @property
    def answers(self) -> np.ndarray:
        """(N,) what an item says, whatever it is asked: one number for the same answer, or for nobody else where items are no answers."""
        return np.arange(len(self.task)) if self.task.answer is None else self.task.answer

    @cached_property
    def ladder(self) -> list[Probe | Finetune | Convnet] | None:
        """Students of the sizes in between, the weakest first; None where none was named."""
        return [self.learner(model) for model in self.between] or None

    @cached_property
    def auxiliary(self) -> list[Auxiliary] | None:
        """Other tasks with their gold, in the student's axes; None where none was named, or the student is no head in such axes."""
        student = self.student
        if not self.others or not isinstance(student, Probe):
            return None
        layers = student.layers(self.weak.beliefs)
        found = []
        for task, gold, spaces in self.others:
            read = spaces(self.strong_name, np.ones(len(task), bool)).features
            x = {i: student.space.basis(i).project(Space.read(read[i])) for i in set(layers)}
            width = {i: student.space.basis(i).turn.shape[1] for i in set(layers)}
            found.append(Auxiliary(task.name, task.classes, [x[i][:, : width[i]].numpy() for i in layers], gold.labels))
        return found

    @cached_property
    def account(self) -> Account:
        """Gold of transfer items, for sale."""
        return Account(self.splits.transfer, lambda rows: self.one_hot(rows, self.seal.true("labels")))

    @property
    def oracle(self) -> Oracle:
        """Gold of transfer items at a counted price."""
        return self.account.oracle

    @property
    def teach(self) -> Sealed | None:
        """What supervisors say that learned the likeliest class of targets (R, N, C), NaN: none, beside their own gold.

        Those that do not learn say what they said; None where all of them are such. A planted supervisor's errors are its
        structure's, whatever it is taught.
        """
        return self._teaching.sealed if any(kind.teachable for kind, _ in self.members) else None

    @cached_property
    def _teaching(self) -> Service:
        def taught(targets: np.ndarray) -> WeakLabels:
            gold, new = self._gold(self.known, self.seal.true("labels")), ~self.known & ~np.isnan(targets).any(-1)
            gold[new] = targets[new].argmax(-1)
            said = [self._say(k, a, gold) if k.teachable else self._labels(k, a) for k, a in self.members]
            return self._heard(np.stack(said, 1))

        return Service(taught)

    @property
    def rng(self) -> np.random.Generator:
        """A method's own randomness."""
        return derive(self.seed, self.task.name, "method", self.block)

    def probe(self, space: Space) -> Probe:
        """A probe in some space, allowed to train on the transfer rows."""
        return Probe(space, self.splits.transfer, self.task.groups, self.seed, self.replicates, self.head)

    @property
    def head(self) -> str:
        """What is trained on features where features are what is asked for."""
        return self.kind if self.kind in HEADS else "linear"

    def learner(self, model: str) -> Probe | Finetune | Convnet:
        """A model as a student of the kind that the study asks for, allowed to train on the transfer rows."""
        if scratch.named(model):
            return Convnet(
                self.spaces.pictures(model), self.splits.transfer, self.task.groups, self.seed, self.replicates
            )
        if self.kind in HEADS:
            return self.probe(self.spaces(model, ~self.test))
        return Finetune(
            self.spaces.texts(model), self.kind, self.splits.transfer, self.task.groups, self.seed, self.replicates
        )

    @cached_property
    def student(self) -> Probe | Finetune | Convnet:
        """The strong model, allowed to train on the transfer rows."""
        return self.learner(self.strong_name)

    @property
    def generator(self) -> Finetune | None:
        """The student where its texts can be learned as a language model does; None where they cannot."""
        return (
            self.student if isinstance(self.student, Finetune) and self.student.texts.model.kind == "causal" else None
        )

    @cached_property
    def gold_student(self) -> Probe | Finetune | Convnet:
        """The same student for what is trained on gold: a student remembers what was chosen for which targets."""
        return self.student.on(self.splits.transfer)

    def one_hot(self, rows: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Gold (or other class numbers (R, N)) of the rows (R, N) as targets (R, N, C); NaN elsewhere."""
        labels = self.gold.labels if labels is None else labels
        out = np.eye(len(self.task.classes), dtype=np.float32)[np.broadcast_to(labels, rows.shape)]
        out[~rows] = np.nan
        return out
