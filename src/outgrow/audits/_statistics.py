"""Statistics that several audits share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

FOLDS = 20
LEVEL = 0.95


def apart(items: int, groups: np.ndarray | None = None) -> np.ndarray:
    """(N,) fold of every item, of FOLDS folds of similar size; groups stay whole."""
    _, where = np.unique(np.arange(items) if groups is None else groups, return_inverse=True)
    return np.random.default_rng(0).permutation(where.max() + 1)[where] % FOLDS


def jackknife(of: Callable[[np.ndarray], float]) -> tuple[float, tuple[float, float] | None]:
    """A statistic and its 95% jackknife interval over folds (Student's t, FOLDS - 1 degrees of freedom).

    Args:
        of: the statistic, a function of the indices of the folds that are kept.

    Returns:
        (value, interval); None for the interval where the statistic is not finite without some fold.
    """
    from scipy.special import stdtrit

    every = np.arange(FOLDS)
    value = of(every)
    left = np.array([of(every[every != f]) for f in every])
    if not np.isfinite(left).all():
        return value, None
    se = np.sqrt((FOLDS - 1) / FOLDS * ((left - left.mean()) ** 2).sum())
    reach = stdtrit(FOLDS - 1, (1 + LEVEL) / 2) * se
    return value, (float(value - reach), float(value + reach))


def at_most(value: float, ci: tuple[float, float], chance: float) -> tuple[float, float]:
    """Ends that a statistic passes with probability `chance` each, from its 95% jackknife interval."""
    from scipy.special import stdtrit

    scale = stdtrit(FOLDS - 1, 1 - chance) / stdtrit(FOLDS - 1, (1 + LEVEL) / 2)
    return value - scale * (value - ci[0]), value + scale * (ci[1] - value)


def percent(value: float, digits: int = 0) -> str:
    """0.618 -> 62%; a dash where there is no finite number."""
    return "–" if value is None or not np.isfinite(value) else f"{100 * value:.{digits}f}%"


def listed(names: Sequence[str], which: Sequence[int]) -> str:
    """The first five of the names at `which`, and the number of others."""
    return ", ".join(names[j] for j in which[:5]) + (f" and {len(which) - 5} more" if len(which) > 5 else "")


def together(off: np.ndarray, groups: np.ndarray | None) -> float:
    """Design effect of groups (n,) on a sum of deviations (n,): sum_g (sum off)^2 / sum off^2, at least 1.

    The mean size of a group where all deviations are 0. Source: Kish 1965.
    """
    if groups is None or not len(off):
        return 1.0
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], off)
    total = float((off**2).sum())
    return max(float((sums**2).sum()) / total, 1.0) if total > 0 else len(off) / len(sums)


def wilson(y: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, float]:
    """95% interval of the mean of y (n,) within 0 .. 1, for an effective number of coins with y's variance.

    Args:
        y: (n,) values within 0 .. 1.
        groups: (n,) group of each value; values of a group count as far as they differ.

    Source: Wilson 1927.
    """
    n, p = max(len(y), 1) / together(y - np.mean(y) if len(y) else y, groups), float(np.mean(y)) if len(y) else 0.5
    spread = float(np.var(y, ddof=1)) if len(y) > 1 else 0.0
    n = n * p * (1 - p) / spread if spread else n
    z2 = 1.959964**2
    centre, reach = (p + z2 / (2 * n)) / (1 + z2 / n), np.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return max(float(centre - reach), 0.0), min(float(centre + reach), 1.0)


def coin(signs: np.ndarray, groups: np.ndarray | None = None) -> float:
    """Sign test: p of so few positive signs or fewer among nonzero ones, with counts divided by the design effect."""
    from scipy.special import bdtr

    effect = together(signs, groups)
    up, of = (np.count_nonzero(rows) / effect for rows in (signs > 0, signs != 0))
    return float(bdtr(min(np.ceil(up), round(of)), round(of), 0.5))
