"""Two-way variance of replicates and groups of test items, for any linear question about several scores at once.

Every score becomes a table Y (R replicates, G groups) whose mean is its value:

    Y_rg = v_r + G (num_rg - v_r den_rg) / den_r      the group's influence on a ratio (of equal groups its mean)

Such a table, or a weighted sum of several (paired: the same replicates, the same groups), is

    Y_rg = mu + A_r + B_g + C_rg,     expected mean squares  S_R = A + C/G,  S_G = B + C/R,  S_C = C

and the variance of its mean, C counted once (Searle, Casella & McCulloch 1992, Variance Components), is

    this pool    V = S_G / G + (S_R - S_C / G) / R
    new data     V = S_G / G + (S_R - S_C / G) (1/R + kappa)

kappa stands for what the replicates share: all redraw halves of one pool. To first order a score is a mean of
influences (variance a) over the half it reads, a share p of N items: the pool fixes a/N of its variance, and replicates
differ by (a/N) (1-p)/p, so kappa = p/(1-p). That is n_transfer/n_weaktrain for what reads the transfer half (Nadeau and
Bengio's ratio) and the inverse for what reads weak-train; the larger is taken, which is 1 for even halves. Intervals
are Student's with Satterthwaite's degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.metrics.accuracy import Score

FEWEST = 4
"""Fewest replicates, and fewest test groups, that allow an interval."""
LEVEL = 0.95


def shared_pool(weak_train: float, transfer: float) -> float:
    """kappa for halves of these sizes (items, mean over replicates)."""
    return max(transfer / weak_train, weak_train / transfer)


@final
@dataclass(frozen=True)
class Estimate:
    """A value with its standard error (0 where nothing varies) and degrees of freedom."""

    value: float
    se: float
    df: float

    @property
    def ci(self) -> tuple[float, float] | None:
        """The 95% interval; None where there are too few replicates or test groups for one."""
        if not np.isfinite(self.se):
            return None
        reach = float(quantile(self.df)) * self.se
        return self.value - reach, self.value + reach

    @property
    def p(self) -> float | None:
        """Two-sided p of the value being 0; None where there is no interval."""
        from scipy.special import stdtr

        if not np.isfinite(self.se):
            return None
        if self.se == 0:
            return 1.0 if self.value == 0 else 0.0
        return float(2 * stdtr(self.df, -abs(self.value / self.se)))


def quantile(df: np.ndarray | float, level: float = LEVEL) -> np.ndarray | float:
    """Two-sided critical value of Student's t."""
    from scipy.special import stdtrit

    return stdtrit(df, (1 + level) / 2)


@final
@dataclass(frozen=True)
class ScoreTable:
    """K paired scores of R replicates on G groups of test items: means and mean squares of every pair of scores."""

    names: tuple[str, ...]
    mean: np.ndarray
    """(K,)"""
    by_replicate: np.ndarray
    by_group: np.ndarray
    by_cell: np.ndarray
    """(K, K) mean products S_R, S_G, S_C."""
    replicates: int
    groups: int
    items: int
    kappa: float

    @classmethod
    def of(cls, scores: Mapping[str, Score], kappa: float) -> ScoreTable:
        """From scores on the same test items; ValueError where they are not, or a replicate has nothing to score."""
        names = tuple(scores)
        first = scores[names[0]]
        if any(not np.array_equal(s.groups, first.groups) for s in scores.values()):
            raise ValueError("scores to compare must have the same test items in the same groups")
        replicates = max(len(s.num) for s in scores.values())
        labels, where = np.unique(first.groups, return_inverse=True)
        y = np.stack(
            [np.broadcast_to(_influence(s, where, len(labels)), (replicates, len(labels))) for s in scores.values()]
        )
        rows, columns, mean = y.mean(2), y.mean(1), y.mean((1, 2))
        cells = (y - rows[:, :, None] - columns[:, None, :] + mean[:, None, None]).reshape(len(names), -1)
        free_r, free_g = max(replicates - 1, 1), max(len(labels) - 1, 1)
        rows, columns = rows - mean[:, None], columns - mean[:, None]
        return cls(
            names, mean, rows @ rows.T / free_r, columns @ columns.T / free_g, cells @ cells.T / (free_r * free_g),
            replicates, len(labels), len(first), kappa,
        )  # fmt: skip

    def weights(self, of: Mapping[str, float]) -> np.ndarray:
        """(K,) the linear question that gives the named scores these weights, all others none."""
        w = np.zeros(len(self.names))
        for name, weight in of.items():
            w[self.names.index(name)] = weight
        return w

    def components(self, w: np.ndarray) -> Components:
        """Variance components of the question w (K,) or of many, (M, K)."""
        squares = (self.by_replicate, self.by_group, self.by_cell)
        s_r, s_g, s_c = (np.maximum(((w @ s) * w).sum(-1), 0) for s in squares)
        return Components(s_r, s_g, s_c, self.replicates, self.groups)

    def variance(self, w: np.ndarray, new_data: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """Variance and degrees of freedom of the mean of w @ scores; w (K,) or (M, K)."""
        return self.components(w).variance(self.kappa if new_data else 0.0)

    def estimate(self, w: np.ndarray | Sequence[float], new_data: bool = True) -> Estimate:
        """w @ scores with its standard error."""
        w = np.asarray(w, np.float64)
        value = float(w @ self.mean)
        if min(self.replicates, self.groups) < FEWEST:
            return Estimate(value, np.nan, np.nan)
        variance, df = self.variance(w, new_data)
        return Estimate(value, float(np.sqrt(variance)), float(df))


def share_ci(estimate: Estimate, table: ScoreTable) -> tuple[float, float] | None:
    """The interval of a share: kept between 0 and 1, and exact (Clopper-Pearson, by group) where every item is alike.

    With nothing wrong in G groups the share of wrong ones may still be 1 - (.05/2)^(1/G).
    """
    if estimate.ci is None:
        return None
    low, high = max(estimate.ci[0], 0.0), min(estimate.ci[1], 1.0)
    if estimate.se < 1e-12 and min(estimate.value, 1 - estimate.value) < 1e-12:
        edge = ((1 - LEVEL) / 2) ** (1 / table.groups)
        return (edge, 1.0) if estimate.value > 0.5 else (0.0, 1 - edge)
    return low, high


@final
@dataclass(frozen=True)
class Components:
    """Mean squares of one question (or an array of them) over R replicates and G groups."""

    s_r: np.ndarray
    s_g: np.ndarray
    s_c: np.ndarray
    replicates: int | np.ndarray
    groups: int | np.ndarray

    def variance(self, kappa: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Variance of the mean, and Satterthwaite's degrees of freedom."""
        r, g = self.replicates, self.groups
        scale = 1 / r + kappa
        replicate = np.maximum(self.s_r - self.s_c / g, 0) * scale
        group = self.s_g / g
        total = replicate + group
        # the truncated difference is as uncertain as S_R is
        doubt = replicate**2 / (r - 1) + group**2 / (g - 1)
        df = np.divide(total**2, doubt, out=np.full(np.shape(total), 1e6), where=doubt > 0)
        return total, df


def _influence(score: Score, where: np.ndarray, groups: int) -> np.ndarray:
    """The table Y (R or 1, G) of one score."""
    num = _by_group(score.num, where, groups)
    den = _by_group(np.atleast_2d(score.den), where, groups)
    total = den.sum(1, keepdims=True)
    if not (total > 0).all():
        raise ValueError("a replicate has nothing to score: its denominators are all zero")
    value = num.sum(1, keepdims=True) / total
    return value + groups * (num - value * den) / total


def _by_group(x: np.ndarray, where: np.ndarray, groups: int) -> np.ndarray:
    """(R, n) -> (R, G) sums, one bincount over all replicates."""
    index = np.arange(len(x))[:, None] * groups + where
    return np.bincount(index.ravel(), weights=np.asarray(x, np.float64).ravel(), minlength=len(x) * groups).reshape(
        len(x), groups
    )
