"""Accuracies of supervisors from their agreement, one coin a supervisor, with jackknife intervals.

    (C P_jm - 1) / (C - 1) = s_j s_m,    s = (C a - 1) / (C - 1)
    s = argmin sum_jm n_jm (s_j s_m - corrected agreement)^2          alternating; the sum of s is above 0

P: share of the same answers on common items, n of them; a: accuracy; C: number of classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from outgrow.audits._pairs import joint, triangles
from outgrow.audits._statistics import FOLDS, LEVEL
from outgrow.audits.evidence import VoteTable

SEEN = 20
"""Answers that a supervisor must have given."""
ROUNDS = 200


@final
@dataclass(frozen=True)
class Coins:
    """Estimates for J supervisors."""

    s: np.ndarray
    """(J,): 0 for a guess, 1 for no error, below 0 worse than chance; NaN where agreement cannot tell."""
    left: np.ndarray
    """(FOLDS, J): s without each fold of items."""
    classes: int

    @cached_property
    def accuracy(self) -> np.ndarray:
        """(J,) share of right answers."""
        return (1 + (self.classes - 1) * self.s) / self.classes

    @cached_property
    def se(self) -> np.ndarray:
        """(J,) standard errors of s."""
        return _spread(self.left)

    def interval(self, of: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Ends (J,) and (J,) of 95% intervals of s, simultaneous for `of` supervisors."""
        from scipy.special import stdtrit

        reach = stdtrit(FOLDS - 1, 1 - (1 - LEVEL) / 2 / of) * self.se
        return self.s - reach, self.s + reach

    def mean(self, weight: np.ndarray) -> tuple[float, tuple[float, float]]:
        """Mean accuracy with weights (J,), over supervisors that can be estimated, and its 95% interval."""
        from scipy.special import stdtrit

        weight = np.where(np.isfinite(self.s), weight, 0) / weight[np.isfinite(self.s)].sum()
        scale = 1 - 1 / self.classes
        value = 1 / self.classes + scale * float(weight @ np.nan_to_num(self.s))
        reach = float(stdtrit(FOLDS - 1, (1 + LEVEL) / 2) * scale * _spread(np.nan_to_num(self.left) @ weight))
        return value, (max(value - reach, 0.0), min(value + reach, 1.0))


def coins(votes: VoteTable, fold: np.ndarray, pairs: np.ndarray) -> Coins:
    """Estimates from votes; `fold` (N,) of the items, `pairs` (J, J) bool: pairs whose agreement counts."""
    part, one = fold[votes.item], np.ones(len(votes.item))
    common = joint(votes, one, one, part, FOLDS)
    alike = [
        joint(votes, same, same, part, FOLDS)
        for same in ((votes.label == c).astype(float) for c in np.unique(votes.label))
    ]
    agree, classes = np.sum(alike, axis=0), len(votes.classes)
    known = triangles(pairs & (common.sum(0) > 0))
    enough = (np.diagonal(common.sum(0)) >= SEEN) & known.any(1)
    common, agree = (np.concatenate([np.zeros_like(part[:1]), part]) for part in (common, agree))
    fits = _fitted(common.sum(0) - common, agree.sum(0) - agree, known, classes)
    fits = np.where(enough, fits, np.nan)
    return Coins(fits[0], fits[1:], classes)


def _fitted(common: np.ndarray, agree: np.ndarray, known: np.ndarray, classes: int) -> np.ndarray:
    """s (B, J) of counts (B, J, J)."""
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
