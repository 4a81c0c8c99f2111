"""Several fitted students as one.

Choice     of replicate r:  f_m       m = which_r
Pool       f ~ prod_m f_m^(c_m)       log odds are sum_m c_m z_m: a log-linear opinion pool (Genest & Zidek 1986)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.students.base import Fitted


@final
@dataclass(frozen=True)
class Choice:
    """One of several students for every replicate: `which` (R,) holds indices into `members`."""

    which: np.ndarray
    members: Sequence[Fitted]

    def predict(self, mask: np.ndarray | None = None) -> np.ndarray:
        """Probabilities (R, n, C) float32."""
        out = self.members[0].predict(mask)
        for number in set(self.which.tolist()) - {0}:
            out[self.which == number] = self.members[number].predict(mask)[self.which == number]
        return out


@final
@dataclass(frozen=True)
class Pool:
    """A weighted sum of several students' log odds: `shares` (M, R) are the weights of the `members` by replicate."""

    shares: np.ndarray
    members: Sequence[Fitted]

    def predict(self, mask: np.ndarray | None = None) -> np.ndarray:
        """Probabilities (R, n, C) float32."""
        return pooled([member.predict(mask) for member in self.members], list(self.shares[..., None, None]))


def pooled(probs: Sequence[np.ndarray], shares: Sequence[np.ndarray | float]) -> np.ndarray:
    """The log-linear pool of several students.

    Args:
        probs: of each student probabilities (..., C).
        shares: of each student its weight, a number or an array that broadcasts to (..., C).

    Returns:
        (..., C) float32.

    Example:
        >>> pooled([np.array([0.5, 0.5]), np.array([0.2, 0.8])], [0.5, 0.5]).round(3)
        array([0.333, 0.667], dtype=float32)
    """
    log_p = sum(c * np.log(p.astype(np.float64).clip(1e-6, 1 - 1e-6)) for p, c in zip(probs, shares, strict=True))
    out = np.exp(log_p - log_p.max(-1, keepdims=True))
    return (out / out.sum(-1, keepdims=True)).astype(np.float32)
