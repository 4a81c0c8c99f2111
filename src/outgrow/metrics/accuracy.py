"""Scores: per replicate and test item a numerator and a denominator, so that every metric goes through the one PGR.

    value of replicate r = sum_i num[r, i] / sum_i den[r, i]

Accuracy: num = weight * (1 if right), den = weight. Choice: one entry a question. Ties share what they would win, so
that a student who cannot tell two classes apart scores what a coin would; an abstention (NaN) is a tie of all classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np


@final
@dataclass(frozen=True)
class Score:
    """What R replicates score on the same n test items (or questions)."""

    num: np.ndarray
    """(R, n) float64; R = 1 stands for something that does not depend on the replicate."""
    den: np.ndarray
    """(n,) or (R, n) float64, not negative."""
    groups: np.ndarray
    """(n,) int: entries with the same number are resampled together."""

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
    """(R, n) float64 out of probabilities (R, n, C): 1 where gold's class is the likeliest, 1/k if it is one of k."""
    top = probs == probs.max(-1, keepdims=True)
    top |= np.isnan(probs).any(-1, keepdims=True)
    gold = np.take_along_axis(top, np.broadcast_to(labels[None, :, None], (*top.shape[:2], 1)), axis=-1)[..., 0]
    return gold / top.sum(-1)


def accuracy(probs: np.ndarray, labels: np.ndarray, weights: np.ndarray, groups: np.ndarray) -> Score:
    """Weighted share of items that are right. probs (R, n, C), labels (n,) class numbers, weights (n,), groups (n,)."""
    weights = np.asarray(weights, np.float64)
    return Score(rightness(probs, labels) * weights, weights, groups)


def choice(probs: np.ndarray, labels: np.ndarray, question: np.ndarray, groups: np.ndarray) -> Score:
    """Share of questions whose right candidate has the largest P(right); candidates that tie for it share the point.

    probs (R, n, 2) with P(right) last, labels (n,) 1 for right candidates, question (n,) numbers, groups (n,).
    Questions without both a right and a wrong candidate ask nothing and weigh nothing. Raises ValueError where a
    question's candidates lie in several groups.
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
