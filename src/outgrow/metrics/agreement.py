"""Student-supervisor agreement, split by whether the supervisor was right.

A student that copies agrees as often where its supervisor is wrong as where it is right; one that outgrew it does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.metrics.accuracy import Score
from outgrow.metrics.intervals import ScoreTable, share_ci


@final
@dataclass(frozen=True)
class Agreement:
    """Shares of test items; None where the supervisor is never right (or never wrong) in some replicate."""

    when_right: float | None
    when_right_ci: tuple[float, float] | None
    when_wrong: float | None
    when_wrong_ci: tuple[float, float] | None


def agreement(
    student: np.ndarray,
    supervisor: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    groups: np.ndarray,
    kappa: float,
) -> Agreement:
    """How often the two give the same answer.

    student and supervisor (R or 1, n, C) probabilities; labels, weights, groups (n,); kappa is `intervals.shared_pool`.
    Items on which the supervisor abstained (NaN) are left out. Of classes that tie the first is the answer.
    """
    answered = ~np.isnan(supervisor).any(-1)
    said = np.nan_to_num(supervisor, nan=-1.0).argmax(-1)
    same = np.nan_to_num(student, nan=-1.0).argmax(-1) == said
    return split_agreement(same, said == labels, answered, weights, groups, kappa)


def split_agreement(
    same: np.ndarray, right: np.ndarray, answered: np.ndarray, weights: np.ndarray, groups: np.ndarray, kappa: float
) -> Agreement:
    """Shares of items on which student and supervisor give the same answer, by whether the supervisor was right.

    Args:
        same: (R, n) bool, whether the two answers are the same.
        right: (R or 1, n) bool, whether the supervisor's is right.
        answered: (R or 1, n) bool, whether the supervisor answered at all.
        weights: (n,) what an item counts.
        groups: (n,) items with the same number are resampled together.
        kappa: `intervals.shared_pool`.
    """
    same = same * np.float64(1)
    parts: list[tuple[float, tuple[float, float] | None] | tuple[None, None]] = []
    for where in (answered & right, answered & ~right):
        den = np.broadcast_to(where * np.asarray(weights, np.float64), same.shape)
        if not (den.sum(1) > 0).all():
            parts.append((None, None))
            continue
        table = ScoreTable.of({"same": Score(same * den, den, groups)}, kappa)
        share = table.estimate(table.weights({"same": 1}))
        parts.append((share.value, share_ci(share, table)))
    (when_right, right_ci), (when_wrong, wrong_ci) = parts
    return Agreement(when_right, right_ci, when_wrong, wrong_ci)
