"""What several audits count with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

FOLDS = 20
LEVEL = 0.95


def apart(items: int, groups: np.ndarray | None = None) -> np.ndarray:
    """(N,) the fold of every item, of FOLDS of about equal size; whole groups."""
    _, where = np.unique(np.arange(items) if groups is None else groups, return_inverse=True)
    return np.random.default_rng(0).permutation(where.max() + 1)[where] % FOLDS


def jackknife(of: Callable[[np.ndarray], float]) -> tuple[float, tuple[float, float] | None]:
    """A statistic of all folds, and its 95% interval by leaving out one at a time (Student's, FOLDS - 1 degrees of freedom).

    `of` takes the numbers of the folds that are kept. No interval where the statistic is not finite without some fold.
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
    """Ends of a statistic's jackknife, each of which it passes with that chance; from its 95% interval."""
    from scipy.special import stdtrit

    scale = stdtrit(FOLDS - 1, 1 - chance) / stdtrit(FOLDS - 1, (1 + LEVEL) / 2)
    return value - scale * (value - ci[0]), value + scale * (ci[1] - value)


def percent(value: float, digits: int = 0) -> str:
    """0.618 -> 62%; a dash where there is no number."""
    return "–" if value is None or not np.isfinite(value) else f"{100 * value:.{digits}f}%"


def listed(names: Sequence[str], which: Sequence[int]) -> str:
    """The first five of some names, and how many more there are."""
    return ", ".join(names[j] for j in which[:5]) + (f" and {len(which) - 5} more" if len(which) > 5 else "")


def together(off: np.ndarray, groups: np.ndarray | None) -> float:
    """Design effect of groups (n,) on the sum of deviations off (n,): sum_g (sum off)^2 / sum off^2 (Kish 1965), at least 1.

    Where nothing deviates, the mean size of a group.
    """
    if groups is None or not len(off):
        return 1.0
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], off)
    total = float((off**2).sum())
    return max(float((sums**2).sum()) / total, 1.0) if total > 0 else len(off) / len(sums)


def wilson(y: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, float]:
    """95% interval of the mean of y (n,) within 0 .. 1 (Wilson 1927), of as many coins as would vary as y does; groups (n,) vary as one."""
    n, p = max(len(y), 1) / together(y - np.mean(y) if len(y) else y, groups), float(np.mean(y)) if len(y) else 0.5
    spread = float(np.var(y, ddof=1)) if len(y) > 1 else 0.0
    n = n * p * (1 - p) / spread if spread else n
    z2 = 1.959964**2
    centre, reach = (p + z2 / (2 * n)) / (1 + z2 / n), np.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return max(float(centre - reach), 0.0), min(float(centre + reach), 1.0)


def coin(signs: np.ndarray, groups: np.ndarray | None = None) -> float:
    """p of so few positive signs or fewer, were each that is not 0 an even coin; counts are divided by the design effect of groups."""
    from scipy.special import bdtr

    effect = together(signs, groups)
    up, of = (np.count_nonzero(rows) / effect for rows in (signs > 0, signs != 0))
    return float(bdtr(min(np.ceil(up), round(of)), round(of), 0.5))
