"""Verdicts on the controls: runs with a known outcome. A failed control is printed first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.metrics.accuracy import Score, accuracy
from outgrow.metrics.baselines import chance, majority_rate
from outgrow.metrics.intervals import ScoreTable

WITHIN = 0.01
"""Largest distance from the floor of the student on the supervisor's own features: one point."""


@final
@dataclass(frozen=True)
class ControlVerdict:
    """The verdict on one control; `passed` is None if the data cannot tell."""

    name: str
    what: str
    value: float
    value_ci: tuple[float, float] | None
    expected: float | str
    passed: bool | None
    says: str


@final
@dataclass(frozen=True)
class CanaryResult:
    """Changes in a method's predictions after hidden gold was permuted (`canary.py`)."""

    permuted: int
    """Number of items whose gold was permuted."""
    changed: float
    """Share of the compared predictions that changed."""
    passed: bool | None
    """None if predictions also differ between two runs without a permutation, and changed no more than that."""
    raised: str = ""
    """The error that the method raised instead."""


def shuffled(
    probs: np.ndarray, labels: np.ndarray, weights: np.ndarray, groups: np.ndarray, kappa: float
) -> ControlVerdict:
    """The student of shuffled weak labels: the interval of its accuracy contains the majority rate.

    With nearly balanced classes such a student may settle on another class than gold's commonest, or on a mixture. The
    expected score of its answers if they were independent of the items is then as good a reference.

    Args:
        probs: (R, n, C).
        labels: (n,) class numbers.
        weights: (n,) of the items.
        groups: (n,) items of one number are resampled together.
        kappa: `intervals.shared_pool`.
    """
    table = ScoreTable.of({"shuffled": accuracy(probs, labels, weights, groups)}, kappa)
    score = table.estimate(table.weights({"shuffled": 1}))
    majority, blind = majority_rate(labels, weights, probs.shape[-1]), chance(probs, labels, weights)
    what = "student of shuffled weak labels, against the majority rate"
    said = f"scores {score.value:.3f}, majority rate {majority:.3f}"
    if score.ci is None:
        return ControlVerdict("shuffled", what, score.value, None, majority, None, f"{said}: no interval to judge by")
    if _contains(score.ci, majority):
        return ControlVerdict("shuffled", what, score.value, score.ci, majority, True, said)
    if _contains(score.ci, blind):
        says = f"{said}; answers in its proportions that know nothing score {blind:.3f}"
        return ControlVerdict("shuffled", what, score.value, score.ci, majority, True, says)
    says = f"{said}, outside its interval: " + (
        "something about gold leaks to the student"
        if score.value > majority
        else "the student makes something of noise"
    )
    return ControlVerdict("shuffled", what, score.value, score.ci, majority, False, says)


def gold_naive(probs: np.ndarray, ceiling: np.ndarray, score: Score, kappa: float) -> ControlVerdict:
    """Gold through the method naive: the ceiling's predictions (R, n, C) to the byte; `score` is that of probs."""
    table = ScoreTable.of({"gold-naive": score}, kappa)
    value = table.estimate(table.weights({"gold-naive": 1}))
    what = "gold labels through naive, against the ceiling, byte by byte"
    alike = probs.shape == ceiling.shape and probs.dtype == ceiling.dtype
    same = alike and np.ascontiguousarray(probs).tobytes() == np.ascontiguousarray(ceiling).tobytes()
    if same:
        says = "the same bytes as the ceiling"
    elif alike:
        differ, total = int((probs != ceiling).any(-1).sum()), probs.shape[0] * probs.shape[1]
        says = f"{differ} of {total} predictions differ from the ceiling's"
    else:
        says = f"predictions {probs.shape} {probs.dtype} where the ceiling's are {ceiling.shape} {ceiling.dtype}"
    return ControlVerdict("gold-naive", what, value.value, value.ci, "the ceiling", same, says)


def own_features(own: Score, floor: Score, kappa: float) -> ControlVerdict:
    """The student on the supervisor's own features: within a point of the floor.

    If it is further away, it fails if the whole interval of the paired difference lies beyond a point; otherwise the
    data cannot tell.
    """
    table = ScoreTable.of({"own": own, "floor": floor}, kappa)
    value = table.estimate(table.weights({"own": 1}))
    difference = table.estimate(table.weights({"own": 1, "floor": -1}))
    what = "student on the supervisor's own features, against the floor"
    says = f"{100 * difference.value:+.1f} points from the floor"
    passed: bool | None = abs(difference.value) <= WITHIN
    if not passed and (difference.ci is None or (difference.ci[0] <= WITHIN and difference.ci[1] >= -WITHIN)):
        passed, says = None, f"{says}, which so few test items and replicates cannot tell from one point"
    return ControlVerdict("own-features", what, value.value, value.ci, floor.value, passed, says)


NAMED = 6
"""Most methods that a verdict names one by one."""


def canary(found: Mapping[str, CanaryResult]) -> ControlVerdict | None:
    """Hidden gold permuted: no prediction may change. One verdict on all methods; None if none ran."""
    if not found:
        return None
    failed = {name: one for name, one in found.items() if one.passed is False}
    unsure = [name for name, one in found.items() if one.passed is None]
    if failed:
        told = [
            f"{name} ended in {one.raised}"
            if one.raised
            else f"{name} changed {100 * one.changed:.1f}% of its predictions"
            for name, one in failed.items()
        ]
        says = f"hidden gold permuted: {'; '.join(told)}. Who never saw that gold says the same as before"
    elif unsure:
        says = f"predictions of {_named(unsure)} differ each time they are made, so that this cannot be told"
    else:
        permuted = max(one.permuted for one in found.values())
        says = f"gold of {permuted:,} hidden items permuted, no prediction of {_named(list(found))} changed"
    passed = False if failed else None if unsure else True
    return ControlVerdict(
        "canary",
        "methods run again with hidden gold permuted, against what they said before",
        max(one.changed for one in found.values()),
        None,
        0.0,
        passed,
        says,
    )


def _named(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= NAMED else f"{len(names)} methods"


def _contains(ci: tuple[float, float], value: float) -> bool:
    slack = 1e-9  # a constant answer has the majority rate up to the order of summation
    return ci[0] - slack <= value <= ci[1] + slack
