"""The power statement: how many test items, or how many replicates, would resolve the gap.

If the gap and its variance components are as they were estimated, a study of R replicates and G test groups has

    V(R, G) = B/G + C/(R G) + A (1/R + kappa),      power = E Phi((gap - t sqrt(V')) / sqrt(V))

where V' is what such a study would estimate V to be: its mean squares vary as chi-squares, independently of its mean,
and where A is small next to C/G that costs more power than A itself. The part A kappa is what all replicates share
because they share a pool; neither number makes it smaller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.metrics.intervals import FEWEST, Components, ScoreTable, quantile

WANTED = 0.8
MOST = 1_000_000


@final
@dataclass(frozen=True)
class Power:
    """None for a number: no number of these alone would do, or only one beyond a million."""

    items: int | None
    """Test items needed with as many replicates as there are."""
    replicates: int | None
    """Replicates needed with the test items there are."""
    says: str


def power(table: ScoreTable, floor: str = "floor", ceiling: str = "ceiling") -> Power | None:
    """What would resolve the gap with 80% power; None where it is resolved or cannot be judged."""
    gap = table.estimate(table.weights({ceiling: 1, floor: -1}))
    if gap.ci is None or gap.ci[0] > 0 or gap.ci[1] < 0:
        return None
    if gap.value <= 0:
        return Power(
            None, None, f"the ceiling came out {_points(-gap.value)} below the floor: there is no gap to resolve"
        )
    parts = table.components(table.weights({ceiling: 1, floor: -1}))
    r, g = table.replicates, table.groups
    groups = _smallest(lambda n: chance_to_resolve(gap.value, parts, table.kappa, r, n), g)
    replicates = _smallest(lambda n: chance_to_resolve(gap.value, parts, table.kappa, n, g), r)
    items = None if groups is None else int(np.ceil(groups * table.items / g))
    return Power(items, replicates, _says(gap.value, items, replicates, table))


def chance_to_resolve(gap: float, parts: Components, kappa: float, replicates: int, groups: int) -> float:
    """Probability that a study of this size finds a gap whose 95% interval lies above 0."""
    from scipy.special import ndtr

    a, b, c = _true(parts)
    truth = a * (1 / replicates + kappa) + b / groups + c / (replicates * groups)
    if truth == 0:
        return 1.0
    s_r = (a + c / groups) * _mean_squares(replicates - 1)[:, None]
    s_g = (b + c / replicates) * _mean_squares(groups - 1)[None, :]
    variance, df = Components(s_r, s_g, np.array(c), replicates, groups).variance(kappa)
    return float(ndtr((gap - quantile(df) * np.sqrt(variance)) / np.sqrt(truth)).mean())


def _mean_squares(free: int, points: int = 50) -> np.ndarray:
    """Equally likely values of a chi-square over its degrees of freedom."""
    from scipy.special import gammaincinv

    return gammaincinv(free / 2, (np.arange(points) + 0.5) / points) * 2 / free


def _true(parts: Components) -> tuple[float, float, float]:
    """Variance components A, B, C from the mean squares."""
    c = float(parts.s_c)
    a, b = float(parts.s_r - c / parts.groups), float(parts.s_g - c / parts.replicates)
    return max(a, 0.0), max(b, 0.0), c


def _smallest(chance: Callable[[int], float], start: int) -> int | None:
    """Least number from `start` on that gives the wanted power."""
    start = max(start, FEWEST)
    if chance(MOST) < WANTED:
        return None
    low, high = start - 1, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if chance(middle) < WANTED else (low, middle)
    return high


def _says(gap: float, items: int | None, replicates: int | None, table: ScoreTable) -> str:
    start = f"if the gap is as large as it looks ({_points(gap)}), 80% power to resolve it takes"
    by_items = f"{items or 0:,} test items with these {table.replicates} replicates"
    by_replicates = f"{replicates or 0:,} replicates with these {table.items:,} test items"
    if items and replicates:
        return f"{start} {by_items}, or {by_replicates}"
    if items:
        return f"{start} {by_items}; no number of replicates would do, the test items are what is uncertain"
    if replicates:
        return f"{start} {by_replicates}; no number of test items would do, the replicates are what differs"
    return f"{start} more data to train on: neither more test items nor more replicates alone would do"


def _points(share: float) -> str:
    return f"{100 * share:.1f} points"
