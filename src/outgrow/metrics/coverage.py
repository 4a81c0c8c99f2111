"""The value of k samples: coverage, the score of a choice among them, and the gap between generating and verifying.

    pass@k = 1 - C(N - C, k) / C(N, k), 1 if N - C < k           C of N samples are right
                                                                 (Chen et al. 2021, arXiv 2107.03374, equation 1)
    J(choice at k) = mean score of the choice over sets of k of the N samples
    gap = J(verifier's choice) - J(single)                       (Song et al. 2024, arXiv 2412.02674, section 2)
    relative gap = gap / (1 - J(single)), a ratio of means over items

All sets of k are used if there are at most SETS, otherwise SETS random ones. Intervals resample groups of items.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

SETS = 500
DRAWS = 2000
LEVEL = 0.95
FEWEST = 2
"""Fewest groups for an interval."""
COVERED, TIMES = 0.3, 1.5
"""A committee's figures count only if coverage is at least the first, and so many times the score of a single sample;
or if at most half of what a single sample misses is missed, since of a score above 2/3 there is no 1.5 times."""


def pass_at_k(n: np.ndarray | int, right: np.ndarray | int, k: int) -> np.ndarray:
    """The probability that k of n samples contain a right one; NaN if n < k. `n` and `right` broadcast.

    Example:
        >>> round(float(pass_at_k(4, 2, k=2)), 3)        # 1 - 1/6
        0.833
    """
    n, right = np.broadcast_arrays(np.asarray(n), np.asarray(right))
    missed = [
        1.0 if k == 0 else math.comb(a - c, k) / math.comb(a, k) if a >= k else math.nan
        for a, c in zip(n.ravel().tolist(), right.ravel().tolist(), strict=True)
    ]
    return 1 - np.array(missed).reshape(n.shape)


def subsets(n: int, k: int, rng: np.random.Generator) -> np.ndarray:
    """(S, n) bool: sets of k of n samples, all of them or SETS random ones."""
    if math.comb(n, k) <= SETS:
        chosen = np.array(list(itertools.combinations(range(n), k)))
    else:
        chosen = rng.random((SETS, n)).argpartition(k, axis=1)[:, :k]
    among = np.zeros((len(chosen), n), bool)
    among[np.arange(len(chosen))[:, None], chosen] = True
    return among


def ladder(n: int) -> list[int]:
    """1, 2, 4, ... and n."""
    return sorted({*(2**e for e in range(n.bit_length())), n})


@final
@dataclass(frozen=True)
class CoverageFigure:
    """A value with its 95% interval; None if there are too few groups."""

    value: float
    ci: tuple[float, float] | None


@final
@dataclass(frozen=True)
class Resampled:
    """Means over items, and their bootstrap values over groups of items; all figures share the resamples."""

    value: Mapping[str, float]
    drawn: Mapping[str, np.ndarray]
    """(B,) by name."""

    def figure(self, name: str) -> CoverageFigure:
        """One of the means."""
        return self._figure(self.value[name], self.drawn[name])

    def difference(self, one: str, other: str) -> CoverageFigure:
        """The difference of two means, paired."""
        return self._figure(self.value[one] - self.value[other], self.drawn[one] - self.drawn[other])

    def relative_gap(self, choice: str, single: str) -> CoverageFigure:
        """(J(choice) - J(single)) / (1 - J(single)); NaN if a single sample is always right."""

        def share(j: np.ndarray, alone: np.ndarray) -> np.ndarray:
            return np.divide(j - alone, 1 - alone, out=np.full(np.shape(j), np.nan), where=alone < 1)

        value = share(np.array(self.value[choice]), np.array(self.value[single]))
        return self._figure(float(value), share(self.drawn[choice], self.drawn[single]))

    def _figure(self, value: float, drawn: np.ndarray) -> CoverageFigure:
        if not len(drawn) or not np.isfinite(drawn).all():
            return CoverageFigure(round(float(value), 12), None)
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        # The last bits of a matrix product depend on the memory layout.
        return CoverageFigure(round(float(value), 12), (round(float(low), 12), round(float(high), 12)))


def resample(values: Mapping[str, np.ndarray], groups: np.ndarray, rng: np.random.Generator) -> Resampled:
    """Means over items of `values` (N,) by name, with bootstrap resamples of `groups` (N,)."""
    names = list(values)
    x = np.stack([np.asarray(values[name], np.float64) for name in names])
    labels, where = np.unique(groups, return_inverse=True)
    sums = np.stack([np.bincount(where, row, len(labels)) for row in x], axis=1)
    mean = dict(zip(names, x.mean(1).tolist(), strict=True))
    if len(labels) < FEWEST:
        return Resampled(mean, {name: np.zeros(0) for name in names})
    times = rng.multinomial(len(labels), np.full(len(labels), 1 / len(labels)), size=DRAWS).astype(np.float64)
    drawn = (times @ sums) / (times @ np.bincount(where))[:, None]
    return Resampled(mean, dict(zip(names, drawn.T, strict=True)))


def counts(single: float, coverage: float) -> bool:
    """Whether a committee's figures count: coverage is high enough, and clearly above a single sample."""
    halved = coverage > single and 1 - coverage <= (1 - single) / 2
    return coverage >= COVERED and (coverage >= TIMES * single or halved)
