"""What every study runs beside the methods: the ceiling, controls that must come out a known way, contrasts that teach.

Each is a function of a Pair that returns a fitted student, or test probabilities, or None where it does not apply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow import supervisors
from outgrow.core.seeding import derive
from outgrow.label_models import WeakLabels
from outgrow.label_models._floor import FEWEST, agreeing, candidates, filled
from outgrow.methods.naive import naive
from outgrow.metrics.accuracy import rightness
from outgrow.pipeline.pair import Pair
from outgrow.students.crossfit import folds
from outgrow.students.probe import HEADS
from outgrow.supervisors.prompt import ask

CURVE = (16, 64, 256, 1024, 4096, 16384)
COMMON = ", its silence as the commonest class"
"""What is said of a floor whose silence is no guess."""


@final
@dataclass(frozen=True)
class Floor:
    """What taught, as it answers the test items."""

    probs: np.ndarray
    """(R, n_test, C)"""
    bare: np.ndarray
    """The same before silence was given an answer: NaN where nobody spoke."""
    names: tuple[str, ...]
    """Of each replicate what it is."""
    common: np.ndarray
    """(R,) the commonest class of the weak-train gold that is known."""
    best: np.ndarray | None
    """(R,) the supervisor that is best on weak-train gold; None where there is one, or none is known to be."""


def floor(pair: Pair) -> Floor:
    """Per replicate what is best on weak-train gold: the supervisor, or of several the best label model that needs no gold.

    The label model that taught is among them. Silence is a guess or the commonest class, whichever is better there. With
    fewer than FEWEST known items of weak-train, label models are chosen by agreement with held-out votes. Gold of transfer and
    test items is not looked at.
    """
    test, known, weights, gold = pair.test, pair.known, pair.gold.weights, pair.gold.labels
    common = np.array([np.bincount(gold[rows], minlength=len(pair.task.classes)).argmax() for rows in known])
    several, everywhere = len(pair.names) > 1, np.ones(len(pair.task), bool)
    if not several and not np.isnan(bare := pair.task.even(pair.labels[:, 0, test], test)).any():
        return Floor(bare, bare, pair.names * len(known), common, None)
    seen = np.where((pair.splits.transfer | test)[:, None, :, None], pair.labels, np.float32(np.nan))
    seen = np.where(known[:, None, :, None], pair.weak_train.said.probs, seen)
    weak = WeakLabels(seen, pair.names, pair.label_model, pair.skill if several else None)
    options = [
        (name, even, even)
        for name, beliefs in candidates(weak).items()
        for even in [pair.task.even(beliefs, everywhere)]
    ]
    options += [(name + COMMON, filled(b, common), b) for name, b, _ in options if np.isnan(b[:, test]).any()]
    score = np.array(
        [
            [
                np.average(rightness(b[None, r, rows], gold[rows])[0], weights=weights[rows])
                for r, rows in enumerate(known)
            ]
            for _, b, _ in options
        ]
    )
    if several and (few := known.sum(1) < FEWEST).any():
        score[:, few] = [
            np.broadcast_to(-1.0 if name.endswith(COMMON) else agreeing(weak, name, pair.seed)[few], few.sum())
            for name, *_ in options
        ]
    chosen = score.argmax(0)
    probs, bare = (np.stack([options[o][which][r][test] for r, o in enumerate(chosen)]) for which in (1, 2))
    named = [f"label model {name}" if several else pair.names[0] + name for name, *_ in options]
    best = np.nan_to_num(pair.skill).argmax(1) if several and not np.isnan(pair.skill).all(1).any() else None
    return Floor(probs, bare, tuple(named[o] for o in chosen), common, best)


def ceiling(pair: Pair):
    """The same student trained on the transfer half's gold, settings chosen by gold held out within that half."""
    return pair.gold_student.fit(pair.one_hot(pair.splits.transfer))


def shuffled(pair: Pair):
    """Naive on weak labels that are dealt out to the wrong items: nothing can be learned."""
    probs = np.array(pair.weak.probs)
    for r, rows in enumerate(pair.splits.transfer):
        where = np.flatnonzero(rows)
        order = derive(pair.seed, pair.task.name, "shuffled", pair.replicates[r]).permutation(len(where))
        probs[r][:, where] = probs[r][:, where[order]]
    return _naive(pair, probs)


def gold_naive(pair: Pair):
    """Gold in the place of weak labels, through naive: the ceiling, to the byte."""
    return _naive(pair, pair.one_hot(pair.splits.transfer)[:, None])


def own_features(pair: Pair):
    """The student on its supervisor's own features: it can do no better than copy. A fine-tuned student has none."""
    (kind, model), *others = supervisors.parse(pair.weak_name)
    if kind.name != "probe" or others or pair.kind not in HEADS:
        return None
    return pair.probe(pair.spaces(model, ~pair.test)).fit(pair.weak.beliefs)


def zero_shot(pair: Pair):
    """The strong model, asked in words, without any training."""
    from outgrow import models

    if models.resolve(pair.strong_name, pair.spaces.store).kind != "causal":
        return None
    if pair.task.kind != "prefer" and not pair.task.words:
        return None
    probs, cost = ask(pair.task, np.flatnonzero(pair.test), pair.strong_name, pair.spaces.store)
    pair.spaces.asked[pair.strong_name] = (cost.seconds, cost.flops)
    return np.broadcast_to(probs, (len(pair.replicates), *probs.shape))


def gold_few(pair: Pair):
    """The student trained directly on the gold that trained the supervisor."""
    return pair.gold_student.on(pair.known).fit(pair.one_hot(pair.known))


def iid_noise(pair: Pair):
    """Naive on gold with flips by chance, as many as the supervisor has errors on the transfer half."""
    believed, classes = pair.weak.beliefs.argmax(-1), len(pair.task.classes)
    labels = np.tile(pair.gold.labels, (len(pair.replicates), 1))
    for r, rows in enumerate(pair.splits.transfer):
        rng = derive(pair.seed, pair.task.name, "noise", pair.replicates[r])
        where = np.flatnonzero(rows & ~np.isnan(pair.weak.beliefs[r]).any(-1))
        rate = (believed[r] != labels[r])[where].mean()
        wrong = rng.random(len(where)) < rate
        shift = rng.integers(1, classes, len(where))
        labels[r, where] = (labels[r, where] + wrong * shift) % classes
    return _naive(pair, pair.one_hot(pair.splits.transfer, labels)[:, None])


def cheat_stop(pair: Pair):
    """Naive, stopped at the point of training where gold of held-out transfer items is met most often. Heads alone."""
    if pair.kind not in HEADS:
        return None
    held = folds(pair.student, "cheat", 5) == 0
    learned = pair.student.fit(pair.weak.beliefs, weights=~held)
    seen, every = held & pair.splits.transfer, np.ones(len(pair.task), bool)
    right = [
        ((pair.task.even(p, every).argmax(-1) == pair.gold.labels) * seen * pair.gold.weights).sum(-1)
        for _, p in learned.path(None)
    ]
    # Of points that are equally good, the last: no stop without a reason.
    stop = len(right) - 1 - np.argmax(right[::-1], 0)
    path = np.stack([p for _, p in naive(pair.weak, pair.student).path(pair.test)])
    return path[stop, np.arange(len(stop))]


def gold_curve(pair: Pair, count: int):
    """The student trained on `count` gold items of the transfer half."""
    rows = pair.few(pair.splits.transfer, count)
    return pair.gold_student.on(rows).fit(pair.one_hot(rows))


def _naive(pair: Pair, probs: np.ndarray):
    return naive(WeakLabels(probs, ("given",) * probs.shape[1]), pair.gold_student)


CONTROLS = {"shuffled": shuffled, "gold-naive": gold_naive, "own-features": own_features}
CONTRASTS = {"zero-shot": zero_shot, "gold-few": gold_few, "iid-noise": iid_noise, "cheat-stop": cheat_stop}
