"""What more gold would add: a learning curve of two sizes, extrapolated.

    e(n) = e_1 n^-c        d = e(n/2) - e(n), measured on the same items        c = log2(1 + d / e(n))
    gain of m more = e(n) - e(n + m)

Errors of students fall like a power of n, or slower once they near what the items allow; a straight line in log n, with
d a doubling, is the fastest that is common. So the estimate is the power law's, and the interval runs from the power
law at the lower end of d's interval to the straight line at its upper end: it holds the error of sampling and that of
the form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from outgrow.metrics.accuracy import Score
from outgrow.metrics.annotators import single


@final
@dataclass(frozen=True)
class MoreGold:
    """What so many more gold labels would add to accuracy."""

    labels: int
    gain: float
    gain_ci: tuple[float, float] | None
    doubling: float
    """What the last doubling of gold added, on the same items."""
    doubling_ci: tuple[float, float] | None


def more_gold(full: Score, halves: Sequence[Score], known: int, labels: int) -> MoreGold:
    """The gain of more gold.

    Args:
        full: of the student that all gold teaches.
        halves: of students that each half of it teaches, on the same items.
        known: number of gold labels there are.
        labels: number of more.

    Example:
        >>> import numpy as np
        >>> def score(wrong): return Score((np.arange(100) >= wrong)[None].astype(float), np.ones(100), np.arange(100))
        >>> more = more_gold(score(20), [score(24), score(26)], known=100, labels=100)
        >>> round(more.doubling, 3), round(more.gain, 3)        # errors .25 -> .20 -> .16
        (0.05, 0.04)
    """
    table = {"full": full, **{f"half {k}": half for k, half in enumerate(halves)}}
    found, _ = single(table, {"full": 1.0, **{f"half {k}": -1 / len(halves) for k in range(len(halves))}})
    wrong, doublings = 1 - full.value, math.log2(1 + labels / known)

    def power(doubling: float) -> float:
        if doubling <= 0:
            return doubling * doublings
        return wrong * (1 - (wrong / (wrong + doubling)) ** doublings) if wrong > 0 else 0.0

    ends = None if found.ci is None else (power(found.ci[0]), max(found.ci[1] * doublings, power(found.ci[1])))
    return MoreGold(labels, power(found.value), ends, found.value, found.ci)
