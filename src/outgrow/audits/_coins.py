"""One coin a supervisor: accuracies from agreement, with the jackknife that gives their intervals.

(C P_jm - 1) / (C - 1) = s_j s_m,    s = (C a - 1) / (C - 1)      P: share of the same answers on common items, a: accuracy
s = argmin sum_jm n_jm (s_j s_m - corrected agreement)^2          alternating; the sum of s is above 0
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from outgrow.audits._pairs import joint, triangles
from outgrow.audits._statistics import FOLDS, LEVEL

SEEN = 20
"""Fewest answers to judge a supervisor by."""
ROUNDS = 200


@final
@dataclass(frozen=True)
class Coins:
    """J supervisors."""

    s: np.ndarray
    """(J,): 0 guesses, 1 never errs, below 0 is worse than chance; NaN where agreement does not tell."""
    left: np.ndarray
    """(FOLDS, J) without one fold of items."""
    classes: int

    @cached_property
    def accuracy(self) -> np.ndarray:
        return (1 + (self.classes - 1) * self.s) / self.classes

    @cached_property
    def se(self) -> np.ndarray:
        """(J,) of s"""
        return _spread(self.left)

    def interval(self, of: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """(J,) twice: ends of 95% intervals of s, of so many at once."""
        from scipy.special import stdtrit

        reach = stdtrit(FOLDS - 1, 1 - (1 - LEVEL) / 2 / of) * self.se
        return self.s - reach, self.s + reach

    def mean(self, weight: np.ndarray) -> tuple[float, tuple[float, float]]:
        """Accuracy, mean over those that can be told, weights (J,), and its 95% interval."""
        from scipy.special import stdtrit

        weight = np.where(np.isfinite(self.s), weight, 0) / weight[np.isfinite(self.s)].sum()
        scale = 1 - 1 / self.classes
        value = 1 / self.classes + scale * float(weight @ np.nan_to_num(self.s))
        reach = float(stdtrit(FOLDS - 1, (1 + LEVEL) / 2) * scale * _spread(np.nan_to_num(self.left) @ weight))
        return value, (max(value - reach, 0.0), min(value + reach, 1.0))


def coins(votes, fold: np.ndarray, asked: np.ndarray) -> Coins:
    """From votes on items of folds (N,); only pairs `asked` (J, J) speak."""
    part, one = fold[votes.item], np.ones(len(votes.item))
    common = joint(votes, one, one, part, FOLDS)
    alike = [
        joint(votes, same, same, part, FOLDS)
        for same in ((votes.label == c).astype(float) for c in np.unique(votes.label))
    ]
    agree, classes = sum(alike), len(votes.classes)
    known = triangles(asked & (common.sum(0) > 0))
    told = (np.diagonal(common.sum(0)) >= SEEN) & known.any(1)
    common, agree = (np.concatenate([np.zeros_like(part[:1]), part]) for part in (common, agree))
    fits = _fitted(*(part.sum(0) - part for part in (common, agree)), known, classes)
    fits = np.where(told, fits, np.nan)
    return Coins(fits[0], fits[1:], classes)


def _fitted(common, agree, known, classes) -> np.ndarray:
    """(B, J) of counts (B, J, J)"""
    weight = np.where(known, common, 0)
    corrected = np.where(weight > 0, (classes * agree / np.maximum(common, 1) - 1) / (classes - 1), 0) * weight
    s = np.full((*common.shape[:2], 1), 0.5)
    for _ in range(ROUNDS):
        before, s = s, (s + (corrected @ s / np.maximum(weight @ s**2, 1e-9)).clip(-1, 1)) / 2
        if np.abs(s - before).max() < 1e-6:
            break
    return np.where(s.sum(1, keepdims=True) >= 0, s, -s)[:, :, 0]


def _spread(left: np.ndarray) -> np.ndarray:
    return np.sqrt((FOLDS - 1) / FOLDS * ((left - left.mean(0)) ** 2).sum(0))
