"""The cell of a study of classes: splits, weak labels and students of the replicates of one block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np

from outgrow import models, supervisors
from outgrow.core.fingerprint import fingerprint
from outgrow.core.seeding import derive
from outgrow.label_models import WeakLabels, WeakTrain
from outgrow.models import Model, scratch
from outgrow.pipeline.cell import Predictions, StoredCell
from outgrow.pipeline.design import BLOCK, FOLDS, Halves
from outgrow.pipeline.oracle import Account, Oracle
from outgrow.pipeline.seal import Sealed, Service
from outgrow.pipeline.spaces import Spaces
from outgrow.store import Artifact
from outgrow.students.base import Traced
from outgrow.students.convnet import Convnet
from outgrow.students.features import Auxiliary
from outgrow.students.finetune import Finetune
from outgrow.students.probe import HEADS, Probe, Space
from outgrow.supervisors.prompt import ask
from outgrow.tasks.splits import Splits
from outgrow.tasks.task import Gold, Task
from outgrow.training.classifier import KINDS

STUDENTS = (*HEADS, *KINDS)
"""How a student can learn."""


@final
@dataclass(frozen=True)
class ClassCell(StoredCell):
    """Weak labels and students of one (task, supervisors, student) and block.

    Args:
        task: the task.
        gold: its true labels.
        weak_name: the supervisors, joined by "+".
        strong_name: the student's model.
        block: number of the block.
        seed: names the study.
        weak_gold: how many gold items a supervisor learns from; None: all of weak-train.
        spaces: what models read of the task.
        made_of: hashes of task and models, and the kind of student: what every artifact depends on beside code.
        kind: how the student learns.
        label_model: turns several supervisors' labels into one distribution an item.
        between: models of the ladder, the weakest first.
        others: auxiliary tasks.
    """

    task: Task
    gold: Gold
    weak_name: str
    strong_name: str
    block: int
    seed: int
    weak_gold: int | None
    spaces: Spaces
    made_of: dict[str, Any]
    kind: str = "linear"
    label_model: str = "mean"
    between: tuple[str, ...] = ()
    others: tuple[tuple[Task, Gold, Spaces], ...] = ()

    GOLD: ClassVar[tuple[str, ...]] = ("labels",)
    STAGE: ClassVar[str] = "heads"

    @cached_property
    def design(self) -> Halves:
        """Heads learn side by side, eight replicates a block; models one after another."""
        return Halves(self.task, self.seed, self.block, BLOCK if self.kind in HEADS else 1)

    @property
    def name(self) -> str:
        """The task's."""
        return self.task.name

    @property
    def replicates(self) -> range:
        """Numbers of the block's replicates."""
        return self.design.replicates

    @property
    def splits(self) -> Splits:
        """Masks (R, N) of weak-train, transfer and test."""
        return self.design.splits

    @cached_property
    def test(self) -> np.ndarray:
        """(N,) bool, the same for every replicate."""
        return np.asarray(self.splits.test[0])

    @cached_property
    def known(self) -> np.ndarray:
        """(R, N) bool: the weak-train items whose gold a supervisor learns from."""
        weak_train = self.splits.weak_train
        return weak_train if self.weak_gold is None else self.design.few(weak_train, self.weak_gold)

    @property
    def hidden(self) -> np.ndarray:
        """(N,) bool: transfer and test items of replicate 0, and those of weak-train whose gold no supervisor knows."""
        return np.asarray(~self.known[0])

    @property
    def sizes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(R,) each: items of weak-train (twice: reports give the whole half), and of transfer."""
        weak_train = self.splits.weak_train.sum(1)
        return weak_train, weak_train, self.splits.transfer.sum(1)

    @property
    def models(self) -> list[Model]:
        """None: heads share their features in this process, and fine-tuning keeps its own accelerator."""
        return []

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
        """As `_labels` for weak-train items: of each, labels of a copy that did not learn from its gold."""

        def build() -> np.ndarray:
            names, where = np.unique(self.task.groups, return_inverse=True)
            draws = [rng.permutation(len(names)) % FOLDS for rng in self.rngs("crossed")]
            fold = np.stack(draws)[:, where]
            out = np.full((*fold.shape, len(self.task.classes)), np.nan, np.float32)
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

    def _gold(self, known: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Gold (or other class numbers (N,)) of the rows (R, N), -1 elsewhere."""
        return np.where(known, self.gold.labels if labels is None else labels, -1)

    def _say(self, kind: supervisors.Kind, argument: str, gold: np.ndarray) -> np.ndarray:
        """Labels of every item by a supervisor that learns from `gold` (R, N); -1: not known."""
        view = supervisors.SupervisorView(
            self.task, gold, ~self.test, self.seed, tuple(self.replicates), self.spaces.store, self.spaces, self.head
        )
        if kind.planted:
            view = replace(view, truth=self.gold.labels, strong=self.strong_name)
        return kind.label(*([view, argument] if kind.argument else [view]))

    @cached_property
    def weak(self) -> WeakLabels:
        """The weak labels of the transfer items; all other items are NaN."""
        return self._heard(self.labels)

    def _heard(self, labels: np.ndarray) -> WeakLabels:
        seen = np.where(self.splits.transfer[:, None, :, None], labels, np.float32(np.nan))
        return WeakLabels(seen, self.names, self.label_model, self.skill if len(self.names) > 1 else None)

    def heard(self) -> WeakLabels:
        """What a floor is chosen from: labels of transfer and test items, and out-of-sample ones of weak-train."""
        seen = np.where((self.splits.transfer | self.test)[:, None, :, None], self.labels, np.float32(np.nan))
        seen = np.where(self.known[:, None, :, None], self.weak_train.said.probs, seen)
        return WeakLabels(seen, self.names, self.label_model, self.skill if len(self.names) > 1 else None)

    def believed(self, label_model: str) -> np.ndarray:
        """(R, n_test, C): a label model's beliefs of the test items, fitted together with the transfer items."""
        heard = np.where((self.splits.transfer | self.test)[:, None, :, None], self.labels, np.float32(np.nan))
        return WeakLabels(heard, self.names, label_model, self.skill).beliefs[:, self.test]

    @cached_property
    def skill(self) -> np.ndarray:
        """(R, J): share of weak-train gold that out-of-sample copies of each supervisor get right, by the measure's own
        weights; NaN where none is known."""
        every = np.ones(len(self.task), bool)
        said = replace(self.weak_train.said, probs=self.task.even(self.weak_train.said.probs, every))
        right = replace(self.weak_train, said=said).right
        told = ~np.isnan(right) * self.gold.weights
        with np.errstate(invalid="ignore"):
            share: np.ndarray = (np.where(told > 0, right, 0) * told).sum(-1) / told.sum(-1)
            return share.astype(np.float32)

    @property
    def best(self) -> np.ndarray | None:
        """(R,) the supervisor that is best on weak-train gold; None where there is one, or none is known to be."""
        if len(self.names) == 1 or np.isnan(self.skill).all(1).any():
            return None
        return np.asarray(np.nan_to_num(self.skill).argmax(1))

    @cached_property
    def common(self) -> np.ndarray:
        """(R,) the commonest class of the weak-train gold that is known."""
        count = len(self.task.classes)
        return np.array([np.bincount(self.gold.labels[rows], minlength=count).argmax() for rows in self.known])

    @property
    def weak_train(self) -> WeakTrain:
        """The weak-train items with their gold, and out-of-sample weak labels of them."""
        return WeakTrain(self._gold(self.known), self._said_of_weak_train)

    @cached_property
    def _said_of_weak_train(self) -> WeakLabels:
        said = np.stack([self._crossed(kind, argument) for kind, argument in self.members], 1)
        said = np.where(self.known[:, None, :, None], said, np.float32(np.nan))
        return WeakLabels(said, self.names, self.label_model)

    @cached_property
    def features(self) -> list[np.ndarray]:
        """Per replicate (N, K): the student's features, in the layer that weak labels choose or as they taught it."""
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
        """(N,) candidates of one question, or else items of one group, have the same number."""
        return self.task.groups if self.task.question is None else self.task.question

    @property
    def rights(self) -> np.ndarray:
        """(N,) how many of an item's rivals are right by the task's form: 1 of a question's candidates, else -1."""
        return np.full(len(self.task), -1 if self.task.question is None else 1)

    @property
    def answers(self) -> np.ndarray:
        """(N,) items with the same number are the same answer; each has its own where items are no answers."""
        return np.arange(len(self.task)) if self.task.answer is None else self.task.answer

    @cached_property
    def ladder(self) -> list[Probe | Finetune | Convnet] | None:
        """Students of the sizes in between, the weakest first; None where none was named."""
        return [self.learner(model) for model in self.between] or None

    @cached_property
    def auxiliary(self) -> list[Auxiliary] | None:
        """Other tasks with their gold, in the student's axes; None without one, or where the student is no head."""
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
        """Weak labels of supervisors retrained on their gold plus the likeliest class of targets (R, N, C), NaN: none.

        Supervisors that do not learn repeat their labels; None where no supervisor learns. A planted supervisor's
        errors are those of its structure, whatever it is taught.
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
    def tuned(self) -> Finetune | None:
        """The student where it is fine-tuned."""
        return self.student if isinstance(self.student, Finetune) else None

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
        out: np.ndarray = np.eye(len(self.task.classes), dtype=np.float32)[np.broadcast_to(labels, rows.shape)]
        out[~rows] = np.nan
        return out

    @property
    def transfer_gold(self) -> np.ndarray:
        """(R, N, C) gold of the transfer items; NaN elsewhere. For baselines alone."""
        return self.one_hot(self.splits.transfer)

    @property
    def known_gold(self) -> np.ndarray:
        """(R, N, C) the gold that the supervisors know; NaN elsewhere."""
        return self.one_hot(self.known)

    def some_gold(self, count: int) -> np.ndarray:
        """(R, N, C) gold of about `count` transfer items a replicate. For baselines alone."""
        return self.one_hot(self.design.few(self.splits.transfer, count))

    @property
    def heads(self) -> Probe | None:
        """The student where it is a head on features; None of any other. For baselines alone."""
        return self.student if isinstance(self.student, Probe) else None

    @property
    def copying_student(self) -> Probe | None:
        """A head on its one supervisor's own features; None where that is no probe. For baselines alone."""
        (kind, model), *others = self.members
        if kind.name != "probe" or others or self.kind not in HEADS:
            return None
        return self.probe(self.spaces(model, ~self.test))

    @cached_property
    def prompted(self) -> np.ndarray | None:
        """(R, n_test, C) answers of the strong model to prompts, without training; None where it has none."""
        if models.resolve(self.strong_name, self.spaces.store).kind != "causal":
            return None
        if self.task.kind != "prefer" and not self.task.words:
            return None
        probs, cost = ask(self.task, np.flatnonzero(self.test).tolist(), self.strong_name, self.spaces.store)
        self.spaces.prompted[self.strong_name] = (cost.seconds, cost.flops)
        return np.broadcast_to(probs, (len(self.replicates), *probs.shape))

    def prepare(self) -> None:
        """Read and label what all rows share."""
        _ = self.student, self.weak

    def forget(self) -> None:
        """Forget what was bought."""
        self.account.reopen()

    def predicted(self, fitted: Any) -> np.ndarray:
        """(R, n_test, C) float32 of a fitted student or of given predictions."""
        if isinstance(fitted, Predictions):
            return fitted.values
        return self.task.even(fitted.predict(self.test), self.test)

    def packed(self, fitted: Any, predicted: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Predictions; of heads also the classes (points, R, n_test) at points of training, and their settings."""
        arrays = {"probs": np.ascontiguousarray(predicted, np.float32)}
        meta: dict[str, Any] = {"progress": [], "settings": []}
        if isinstance(fitted, Traced):
            points = [(at, self.task.even(probs, self.test)) for at, probs in fitted.path(self.test)]
            arrays["path"] = np.stack([probs.argmax(-1).astype(np.uint8) for _, probs in points])
            meta = {"progress": [at for at, _ in points], "settings": fitted.chosen()}
        if isinstance(fitted, Predictions) and fitted.bare is not None:
            arrays["bare"] = np.ascontiguousarray(fitted.bare, np.float32)
        return arrays, meta

    def unpacked(self, artifact: Artifact) -> np.ndarray:
        """(R, n_test, C)"""
        return artifact.arrays["probs"]

    def costs(self) -> dict[str, tuple[float, float]]:
        """Seconds and model FLOPs of everything read so far, by "stage model"."""
        return self.spaces.costs()

    def code(self, *found: Any) -> str:
        """Hash of the code that computes a row, and of functions that were found by name."""
        return fingerprint("block", *found)

    def _row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.made_of, "weak": self.weak_name, "weak_gold": self.weak_gold, "block": self.block, **row}

    def make(self, row: Mapping[str, Any], build: Callable[[], Any]) -> Artifact:
        """The artifact of a row out of the store, built where it is missing."""
        return self.spaces.store.make("block", self._row(row), build)

    def has(self, row: Mapping[str, Any]) -> bool:
        """Whether the artifact of a row is in the store."""
        return self.spaces.store.get("block", self._row(row)) is not None

    @property
    def finished(self) -> bool:
        """Nothing is kept beside the rows."""
        return True

    def finish(self) -> None:
        """Heads are small: nothing is let go."""
