"""Accuracies of annotators from their agreement, without gold.

    P_ij = share of equal labels among the items that i and j both label
    (C P_ij - 1) / (C - 1) = s_i s_j,      s = (C a - 1) / (C - 1) for an annotator of accuracy a

This holds for pairs whose errors are independent and fall evenly on the other classes: the one-coin model (Dawid &
Skene 1979 with one parameter each; by moments Ghosh, Kale & McAfee 2011). Three annotators that overlap determine s up
to its sign, which is taken as positive: most annotators are better than chance. Copies look better than they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.metrics.accuracy import Score
from outgrow.metrics.intervals import FEWEST, LEVEL, Estimate, ScoreTable
from outgrow.metrics.power import WANTED

TOGETHER = 20
"""Fewest items that two annotators must both have labelled for their agreement to count."""
ONE_SIDED = 0.95
"""An annotator with a larger share of its votes on one class is left out, as agreement tells little of it."""
DRAWS = 200
ROUNDS = 200


@final
@dataclass(frozen=True)
class AnnotatorAgreement:
    """J annotators by their agreement."""

    together: np.ndarray
    """(J, J) number of items that both labelled."""
    same: np.ndarray
    """(J, J) share of equal labels among them; NaN if there are none."""
    accuracy: np.ndarray
    """(J,) accuracy on the items that an annotator labels; NaN if agreement does not tell."""
    low: np.ndarray
    high: np.ndarray
    """(J,) ends of the 95% bootstrap intervals over groups."""


def agreement_of(answers: np.ndarray, classes: int, groups: np.ndarray, rng: np.random.Generator) -> AnnotatorAgreement:
    """Estimate accuracies by agreement.

    Args:
        answers: (J, N) class numbers, -1 for an abstention.
        classes: number of classes.
        groups: (N,) items of one number are resampled together.
        rng: draws the resamples.
    """
    spoke = answers >= 0
    said = [(answers == c).astype(np.float32) for c in range(classes)]
    shares = np.stack([s.sum(1) for s in said]) / np.maximum(spoke.sum(1), 1)
    eligible = (shares.max(0) <= ONE_SIDED) & spoke.any(1)

    def counts(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        both = (spoke * weights) @ spoke.T.astype(np.float32)
        return both, sum((s * weights) @ s.T for s in said)

    both, same = counts(np.ones(answers.shape[1], np.float32))
    known = _triangles((both >= TOGETHER) & eligible[:, None] & eligible & ~np.eye(len(answers), dtype=bool))
    accuracy, draws = np.full(len(answers), np.nan), []
    if known.any():
        accuracy = _one_coin(both, same, known, classes)
        where = np.unique(groups, return_inverse=True)[1]
        for _ in range(DRAWS):
            times = np.bincount(rng.integers(where.max() + 1, size=where.max() + 1), minlength=where.max() + 1)
            draws.append(_one_coin(*counts(times[where].astype(np.float32)), known, classes))
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0) if draws else (accuracy, accuracy)
    with np.errstate(invalid="ignore"):
        return AnnotatorAgreement(both, same / both, accuracy, low, high)


def _triangles(pairs: np.ndarray) -> np.ndarray:
    """The pairs (J, J) that are part of a triangle of pairs."""
    return pairs & ((pairs.astype(np.float32) @ pairs) > 0)


def _one_coin(both: np.ndarray, same: np.ndarray, known: np.ndarray, classes: int) -> np.ndarray:
    """(J,) the accuracies whose products fit the corrected agreement best; pairs weigh by their items."""
    weight = np.where(known, both, 0)
    corrected = np.where(weight > 0, (classes * same / np.maximum(both, 1) - 1) / (classes - 1), 0)
    s = np.full(len(both), 0.5)
    for _ in range(ROUNDS):
        fit = (weight * corrected) @ s / np.maximum(weight @ s**2, 1e-9)
        s = (s + fit.clip(0, 1)) / 2
    return np.where(known.any(1), (1 + (classes - 1) * s) / classes, np.nan)


def single(scores: Mapping[str, Score], of: Mapping[str, float]) -> tuple[Estimate, ScoreTable]:
    """A weighted sum of scores of one run, paired by item, with the standard error of sampling groups of items."""
    table = ScoreTable.of(scores, 0.0)
    w = table.weights(of)
    value = float(w @ table.mean)
    if table.groups < FEWEST:
        return Estimate(value, np.nan, np.nan), table
    return Estimate(value, math.sqrt(float(table.components(w).s_g) / table.groups), table.groups - 1), table


def needed(differ: float, gain: float) -> int:
    """Gold labels needed to show a gain of one labeller over another: power 80%, paired, two-sided.

    n = (z + z')^2 (differ - gain^2) / gain^2, as an item counts +1, -1 or 0, and at most `differ` of them are not 0.

    Args:
        differ: share of items on which the two differ.
        gain: difference of their accuracies.

    Example:
        >>> needed(differ=0.2, gain=0.05)
        621
    """
    from scipy.special import ndtri

    reach = float(ndtri((1 + LEVEL) / 2) + ndtri(WANTED))
    return math.ceil(reach**2 * max(differ - gain**2, 0) / gain**2)
