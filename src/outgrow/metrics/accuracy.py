"""Scores: a numerator and a denominator for each replicate and test item, so that every metric shares one PGR.

    value of replicate r = sum_i num[r, i] / sum_i den[r, i]

Accuracy: num = weight * (1 if right), den = weight. Choice: one entry a question. Ties share the point, so that a
student that cannot tell two classes apart scores like a coin; an abstention (NaN) is a tie of all classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np


@final
@dataclass(frozen=True)
class Score:
    """The scores of R replicates on the same n test items (or questions)."""

    num: np.ndarray
    """(R, n) float64; R = 1 for a score that does not depend on the replicate."""
    den: np.ndarray
    """(n,) or (R, n) float64, not negative."""
    groups: np.ndarray
    """(n,) int: entries of one number are resampled together."""

    @property
    def values(self) -> np.ndarray:
        """(R,) the value of each replicate; NaN where a replicate's denominator is zero."""
        total = np.broadcast_to(self.den, self.num.shape).sum(1)
        return np.divide(self.num.sum(1), total, out=np.full(len(total), np.nan), where=total > 0)

    @property
    def value(self) -> float:
        """The mean over replicates."""
        return float(self.values.mean())

    def __len__(self) -> int:
        return len(self.groups)


def rightness(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Whether predictions are right: 1 where gold's class is the likeliest, 1/k where it is one of k likeliest.

    Args:
        probs: (R, n, C); NaN for an abstention.
        labels: (n,) class numbers.

    Returns:
        (R, n) float64.

    Example:
        >>> rightness(np.array([[[0.2, 0.8], [0.5, 0.5]]]), np.array([1, 0]))
        array([[1. , 0.5]])
    """
    top = probs == probs.max(-1, keepdims=True)
    top |= np.isnan(probs).any(-1, keepdims=True)
    gold = np.take_along_axis(top, np.broadcast_to(labels[None, :, None], (*top.shape[:2], 1)), axis=-1)[..., 0]
    return gold / top.sum(-1)


def accuracy(probs: np.ndarray, labels: np.ndarray, weights: np.ndarray, groups: np.ndarray) -> Score:
    """Accuracy: the weighted share of right items.

    Args:
        probs: (R, n, C); NaN for an abstention.
        labels: (n,) class numbers.
        weights: (n,) of the items.
        groups: (n,) items of one number are resampled together.
    """
    weights = np.asarray(weights, np.float64)
    return Score(rightness(probs, labels) * weights, weights, groups)


def choice(probs: np.ndarray, labels: np.ndarray, question: np.ndarray, groups: np.ndarray) -> Score:
    """Share of questions whose right candidate has the largest P(right); tied candidates share the point.

    Questions without both a right and a wrong candidate have weight 0.

    Args:
        probs: (R, n, 2), P(right) last; NaN for an abstention.
        labels: (n,) 1 for right candidates.
        question: (n,) candidates of one number belong to one question.
        groups: (n,) items of one number are resampled together.

    Raises:
        ValueError: the candidates of a question lie in several groups.
    """
    order = np.argsort(question, kind="stable")
    starts = np.flatnonzero(np.diff(question[order], prepend=question[order[0]] - 1))
    sizes = np.diff(starts, append=len(order))
    group = groups[order][starts]
    if (np.repeat(group, sizes) != groups[order]).any():
        raise ValueError("the candidates of a question must share one group")
    belief = np.nan_to_num(probs[:, order, 1], nan=0.5)
    top = belief == np.repeat(np.maximum.reduceat(belief, starts, axis=1), sizes, axis=1)
    right = labels[order] == 1
    won = np.add.reduceat(top & right, starts, axis=1, dtype=np.float64)
    count = np.add.reduceat(right, starts, dtype=np.int64)
    asks = ((count > 0) & (count < sizes)).astype(np.float64)
    return Score(won / np.add.reduceat(top, starts, axis=1, dtype=np.float64) * asks, asks, group)
