"""Planted worlds as everything that a method can ask for, and what a method is worth in one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from outgrow import methods
from outgrow.core.seeding import derive
from outgrow.core.worlds import Planted, World, plant
from outgrow.label_models import WeakLabels, WeakTrain
from outgrow.metrics.accuracy import accuracy
from outgrow.metrics.intervals import Estimate, ScoreTable
from outgrow.pipeline.oracle import Account
from outgrow.students.features import Auxiliary
from outgrow.students.probe import Probe, Space


def resources(planted: Planted, seed: int = 0, order: np.ndarray | None = None) -> Any:
    """An object with every resource; `order` deals the items out in another order."""
    world, x, gold, test = planted.world, planted.x, planted.gold, planted.test
    said, weak_train, transfer = planted.said, planted.weak_train, planted.transfer
    groups, replicates = planted.groups, range(len(said))
    rng = derive(seed, "resources", world)
    blurred = x + rng.normal(size=x.shape).astype(np.float32)
    others = x @ rng.normal(size=(3, world.width, world.classes)) / world.width**0.5
    kin = (np.eye(world.classes)[gold] + others).argmax(-1)
    if order is not None:
        x, gold, test, groups, blurred = (a[order] for a in (x, gold, test, groups, blurred))
        said, weak_train, transfer, kin = said[:, :, order], weak_train[:, order], transfer[:, order], kin[:, order]

    def heard(rows: np.ndarray, voices: np.ndarray) -> WeakLabels:
        names = tuple(f"weak {j}" for j in range(voices.shape[1]))
        return WeakLabels(np.where(rows[:, None, :, None], voices, np.float32(np.nan)), names)

    def one_hot(rows: np.ndarray) -> np.ndarray:
        return np.where(rows[..., None], np.eye(world.classes, dtype=np.float32)[gold], np.float32(np.nan))

    def teach(targets: np.ndarray) -> WeakLabels:
        """Gold corrects a supervisor on the item itself and on the four nearest, where it does not abstain."""
        voices = said.copy()
        for r, bought in enumerate(~np.isnan(targets).any(-1)):
            for i in np.flatnonzero(bought):
                near = np.argsort(((x - x[i]) ** 2).sum(1), kind="stable")[:5]
                voices[r][:, near] = one_hot(np.ones_like(transfer))[0, near]
        voices[np.isnan(said)] = np.nan
        return heard(transfer, voices)

    def probe(features: np.ndarray) -> Probe:
        return Probe(
            Space(features[:, None], tuple(range(1, len(features) + 1)), ~test), transfer, groups, seed, replicates
        )

    taught_by = WeakTrain(np.where(weak_train, gold, -1), heard(weak_train, said))
    skill = np.nanmean(taught_by.right, -1) if world.supervisors > 1 else None
    weak, student = replace(heard(transfer, said), skill=skill), probe(np.stack([blurred, x]))
    embedded, account = student.embed(weak.beliefs), Account(transfer, one_hot)
    return SimpleNamespace(
        weak=weak,
        student=student,
        rivals=groups,
        rights=np.full(len(gold), 1 if world.fours else -1),
        answers=np.arange(len(gold)),
        features=embedded,
        weak_features=[x[:, : world.weak_width]] * len(said),
        weak_train=taught_by,
        known_gold=one_hot(weak_train),
        tuned=Tuned(student, weak_train),
        generator=Generator(student),
        ladder=[probe(x[None, :, :width]) for width in (world.width // 4, world.width // 2)],
        auxiliary=[
            Auxiliary(f"kin {n}", tuple(map(str, range(world.classes))), embedded, k) for n, k in enumerate(kin)
        ],
        oracle=account.oracle,
        account=account,
        teach=teach,
        rng=derive(seed, "method"),
        gold=gold,
        test=test,
        groups=groups,
    )


@dataclass(frozen=True)
class Tuned:
    """What training on is to a head: it learns gold of weak-train and, less of it, what it learned before."""

    student: Probe
    weak_train: np.ndarray
    before: np.ndarray | None = None

    def after(self, targets: np.ndarray) -> Tuned:
        return replace(self, before=targets)

    def on(self, train: np.ndarray) -> Tuned:
        return self

    def fit(self, targets: np.ndarray) -> Any:
        gold, both = ~np.isnan(targets).any(-1), self.student.on(self.student.train | self.weak_train)
        return both.fit(np.where(gold[..., None], targets, self.before), weights=np.where(gold, 1.0, 0.2))


@dataclass(frozen=True)
class Generator:
    """What language modelling is to texts: directions in which unlabelled features vary more than others grow longer.

    x -> x S^epochs, S: the features' covariance; planted worlds have no texts.
    """

    student: Probe

    def adapted(self, rows: np.ndarray, epochs: int) -> Probe:
        """The same student on features that have learned from the rows (R, N)."""
        space = self.student.space
        x = space.features[:, 0].astype(np.float64)
        spread = np.stack([np.cov(layer[rows.any(0)].T) for layer in x])
        spread = np.linalg.matrix_power(
            spread / np.trace(spread, axis1=1, axis2=2)[:, None, None] * x.shape[-1], epochs
        )
        longer = Space((x @ spread).astype(np.float32)[:, None], space.layers, space.reference)
        return Probe(longer, self.student.train, self.student.groups, self.student.seed, self.student.replicates)


def gain(name: str, world: World, seed: int = 0, replicates: int = 16) -> tuple[Estimate, bool]:
    """Accuracy of the method minus that of naive on test items, for this pool; whether they predict the same."""
    given = resources(plant(world, seed, replicates), seed)
    gold = given.gold[given.test]
    probs = {n: methods.find(n).fit(given).predict(given.test) for n in ("naive", name)}
    scores = {n: accuracy(p, gold, np.ones(len(gold)), given.groups[given.test]) for n, p in probs.items()}
    table = ScoreTable.of(scores, 0.0)
    return table.estimate(table.weights({name: 1, "naive": -1})), np.array_equal(probs["naive"], probs[name])
