"""Baselines of studies of classes: floor, ceiling, controls that must come out a known way, contrasts that teach."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from outgrow import label_models
from outgrow.label_models import WeakLabels
from outgrow.label_models._floor import FEWEST, agreeing, candidates, filled
from outgrow.methods.naive import naive
from outgrow.metrics.accuracy import rightness
from outgrow.pipeline.baselines import baseline, registry
from outgrow.pipeline.cell import Predictions
from outgrow.students.base import Traced
from outgrow.students.crossfit import folds

if TYPE_CHECKING:
    from outgrow.pipeline.class_cell import ClassCell
    from outgrow.tasks.task import Gold, Task

CURVE = (16, 64, 256, 1024, 4096, 16384)
"""Gold items that students of the gold curve learn from."""
COMMON = ", its silence as the commonest class"
"""Set behind the name of a floor whose abstentions are no guesses."""


def _label_models() -> list[Callable[..., Any]]:
    """All of them: each is tried, or has a row."""
    return [label_models.find(name) for name in label_models.registry()]


@baseline(kind="floor", trains=False, calls=_label_models)
def floor(
    task: Task,
    gold: Gold,
    test: np.ndarray,
    known: np.ndarray,
    labels: np.ndarray,
    names: tuple[str, ...],
    heard: Callable[[], WeakLabels],
    common: np.ndarray,
    seed: int,
) -> Predictions:
    """What is best on weak-train gold: the supervisor, or of several the best label model that needs no gold.

    Chosen replicate by replicate; the label model that taught is among them. Abstentions count as guesses or as the
    commonest class, whichever is better there. With fewer than FEWEST known items of weak-train, label models are
    chosen by agreement with held-out votes. Gold of transfer and test items is not looked at.
    """
    several, everywhere = len(names) > 1, np.ones(len(task), bool)
    if not several and not np.isnan(bare := task.even(labels[:, 0, test], test)).any():
        return Predictions(bare, names * len(known), bare)
    weak = heard()
    believed = {name: task.even(beliefs, everywhere) for name, beliefs in candidates(weak).items()}
    options = [(name, belief, belief) for name, belief in believed.items()]
    options += [(name + COMMON, filled(b, common), b) for name, b, _ in options if np.isnan(b[:, test]).any()]

    def right(belief: np.ndarray, rows: np.ndarray) -> float:
        return float(np.average(rightness(belief[None, rows], gold.labels[rows])[0], weights=gold.weights[rows]))

    score = np.array([[right(belief[r], rows) for r, rows in enumerate(known)] for _, belief, _ in options])
    if several and (few := known.sum(1) < FEWEST).any():
        score[:, few] = [
            np.broadcast_to(-1.0 if name.endswith(COMMON) else agreeing(weak, name, seed)[few], few.sum())
            for name, *_ in options
        ]
    chosen = score.argmax(0)
    probs, bare = (np.stack([options[o][which][r][test] for r, o in enumerate(chosen)]) for which in (1, 2))
    named = [f"label model {name}" if several else names[0] + name for name, *_ in options]
    return Predictions(probs, tuple(named[o] for o in chosen), bare)


@baseline(kind="contrast", trains=False, name="best member")
def best_member(
    task: Task, test: np.ndarray, labels: np.ndarray, names: tuple[str, ...], best: np.ndarray
) -> Predictions:
    """The supervisor that is best on weak-train gold, alone."""
    weak = task.even(labels[:, :, test], test)
    return Predictions(weak[np.arange(len(best)), best], tuple(names[j] for j in best))


def _every_label_model(cells: Sequence[ClassCell]) -> Mapping[str, Mapping[str, Any]]:
    several = len(cells[0].names) > 1
    return {f"label-model:{name}": {"name": name} for name in label_models.registry() if several}


@baseline(kind="contrast", trains=False, rows=_every_label_model, calls=_label_models)
def label_model(task: Task, test: np.ndarray, believed: Any, *, name: str) -> Predictions:
    """The beliefs of one label model."""
    return Predictions(task.even(believed(name), test))


def _every_supervisor(cells: Sequence[ClassCell]) -> Mapping[str, Mapping[str, Any]]:
    """Each of several; of one its own answers where the floor answers for it when it abstains."""
    names = cells[0].names
    if len(names) == 1:
        found = registry("classes")["floor"]
        floors = [found.fit(cell) for cell in cells]
        if all(np.array_equal(one.bare, one.values, equal_nan=True) for one in floors):
            return {}
    return {f"supervisor:{name}": {"j": j} for j, name in enumerate(names)}


@baseline(kind="contrast", trains=False, rows=_every_supervisor)
def supervisor(task: Task, test: np.ndarray, labels: np.ndarray, *, j: int) -> Predictions:
    """The labels of one supervisor, NaN where it abstains."""
    return Predictions(task.even(labels[:, j, test], test))


@baseline(kind="ceiling")
def ceiling(gold_student: Any, transfer_gold: np.ndarray) -> Any:
    """The same student trained on the transfer half's gold, settings chosen by gold held out within that half."""
    return gold_student.fit(transfer_gold)


@baseline(kind="control")
def shuffled(weak: WeakLabels, gold_student: Any, splits: Any, rngs: Any) -> Any:
    """Naive on weak labels that are dealt out to the wrong items: nothing can be learned."""
    probs = np.array(weak.probs)
    for r, (rows, rng) in enumerate(zip(splits.transfer, rngs("shuffled"), strict=True)):
        where = np.flatnonzero(rows)
        probs[r][:, where] = probs[r][:, where[rng.permutation(len(where))]]
    return _naive(gold_student, probs)


@baseline(kind="control")
def gold_naive(gold_student: Any, transfer_gold: np.ndarray) -> Any:
    """Gold in the place of weak labels, through naive: the ceiling, to the byte."""
    return _naive(gold_student, transfer_gold[:, None])


@baseline(kind="control")
def own_features(copying_student: Any, weak: WeakLabels) -> Any:
    """The student on its supervisor's own features: it can do no better than copy. A fine-tuned student has none."""
    return copying_student.fit(weak.beliefs)


@baseline(kind="contrast")
def zero_shot(task: Task, test: np.ndarray, prompted: np.ndarray) -> Predictions:
    """The strong model, prompted, without any training."""
    return Predictions(task.even(prompted, test))


@baseline(kind="contrast")
def gold_few(gold_student: Any, known: np.ndarray, known_gold: np.ndarray) -> Any:
    """The student trained directly on the gold that trained the supervisor."""
    return gold_student.on(known).fit(known_gold)


@baseline(kind="contrast")
def iid_noise(weak: WeakLabels, gold_student: Any, gold: Gold, splits: Any, rngs: Any, one_hot: Any) -> Any:
    """Naive on gold with flips by chance, as many as the supervisor has errors on the transfer half."""
    believed, classes = weak.beliefs.argmax(-1), weak.beliefs.shape[-1]
    labels = np.tile(gold.labels, (len(believed), 1))
    for r, (rows, rng) in enumerate(zip(splits.transfer, rngs("noise"), strict=True)):
        where = np.flatnonzero(rows & ~np.isnan(weak.beliefs[r]).any(-1))
        rate = (believed[r] != labels[r])[where].mean()
        wrong = rng.random(len(where)) < rate
        shift = rng.integers(1, classes, len(where))
        labels[r, where] = (labels[r, where] + wrong * shift) % classes
    return _naive(gold_student, one_hot(splits.transfer, labels)[:, None])


@baseline(kind="contrast")
def cheat_stop(heads: Any, weak: WeakLabels, task: Task, gold: Gold, test: np.ndarray, splits: Any) -> Predictions:
    """Naive, stopped at the point of training where gold of held-out transfer items is met most often. Heads alone."""
    held = folds(heads, "cheat", 5) == 0
    learned = heads.fit(weak.beliefs, weights=~held)
    seen, every = held & splits.transfer, np.ones(len(task), bool)
    right = [
        ((task.even(p, every).argmax(-1) == gold.labels) * seen * gold.weights).sum(-1) for _, p in learned.path(None)
    ]
    # Of points that are equally good, the last: no stop without a reason.
    stop = len(right) - 1 - np.argmax(right[::-1], 0)
    fitted = naive(weak, heads)
    assert isinstance(fitted, Traced)
    path = np.stack([p for _, p in fitted.path(test)])
    return Predictions(task.even(path[stop, np.arange(len(stop))], test))


def _counts(cells: Sequence[ClassCell]) -> Mapping[str, Mapping[str, Any]]:
    fewest = min(int(cell.splits.transfer.sum(1).min()) for cell in cells)
    return {f"gold:{count}": {"count": count} for count in CURVE if count < fewest}


@baseline(kind="curve", rows=_counts)
def gold_curve(gold_student: Any, some_gold: Any, *, count: int) -> Any:
    """The student trained on `count` gold items of the transfer half."""
    targets = some_gold(count)
    return gold_student.on(~np.isnan(targets).any(-1)).fit(targets)


def _naive(gold_student: Any, probs: np.ndarray) -> Any:
    return naive(WeakLabels(probs, ("given",) * probs.shape[1]), gold_student)
