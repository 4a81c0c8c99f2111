"""Verdicts on the controls: runs that must come out a known way. One that does not is printed first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.metrics.accuracy import Score, accuracy
from outgrow.metrics.baselines import chance, majority_rate
from outgrow.metrics.intervals import ScoreTable

WITHIN = 0.01
"""How far the student on the supervisor's own features may be from the floor: one point."""


@final
@dataclass(frozen=True)
class ControlVerdict:
    """passed is None where the data cannot tell."""

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
    """What became of a method's predictions when hidden gold was permuted (`canary.py`)."""

    permuted: int
    """Items whose gold was."""
    changed: float
    """Share of the predictions that were compared which it then made otherwise."""
    passed: bool | None
    """None where it never says the same twice, and changed no more than by itself."""
    raised: str = ""
    """The error that it ended in instead."""


def shuffled(
    probs: np.ndarray, labels: np.ndarray, weights: np.ndarray, groups: np.ndarray, kappa: float
) -> ControlVerdict:
    """The student of shuffled weak labels: the interval of its accuracy contains the majority rate.

    Where classes are nearly balanced such a student may settle on another class than gold's commonest, or on a mixture;
    then what its answers would score if they knew nothing is just as right, and for a constant answer it is exact.
    probs (R, n, C); labels, weights, groups (n,).
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

    Further off than that, it fails if the interval of the difference (paired) lies beyond a point too; if it does not,
    the data cannot tell.
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
"""Methods that a verdict names one by one."""


def canary(found: Mapping[str, CanaryResult]) -> ControlVerdict | None:
    """Hidden gold permuted: no prediction may follow. One verdict on all methods, which names those that fail; None where none ran."""
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
        says = f"gold of {max(one.permuted for one in found.values()):,} hidden items permuted, no prediction of {_named(list(found))} changed"
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
