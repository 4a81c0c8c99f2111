"""The share of the gain of tuning that is reached without it: the gap closed, with an interval.

    closed = (steered - before) / (tuned - before)        (Liu et al. 2024, arXiv 2401.08565, section 3)

As for PGR the interval inverts one test: it holds the p for which D(p) = (steered - before) - p (tuned - before) is not
clearly on one side of 0 in resamples. Whole groups of test items are resampled, for the three terms together, and
replicates if there are at least FEWEST; with fewer the interval is for these trainings. Resamples cannot bound the
difference of scores that agree on every item: of n groups at most 1 - .025^(1/n) differ then (Clopper-Pearson).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from outgrow.metrics.accuracy import Score
from outgrow.metrics.intervals import FEWEST, LEVEL
from outgrow.metrics.pgr import BELOW, FEW_GROUPS, OK, UNRESOLVED, Interval, ends

DRAWS = 4000


@final
@dataclass(frozen=True)
class Closed:
    """The share of the gap that is closed; None if the gap is not resolved."""

    value: float | None
    ci: Interval | None
    gap: float
    gap_ci: Interval | None
    status: str


@final
@dataclass(frozen=True)
class Resamples:
    """K paired scores and `count` resamples of them."""

    scores: Mapping[str, Score]
    rng: np.random.Generator
    count: int = DRAWS

    @cached_property
    def drawn(self) -> dict[str, np.ndarray]:
        """(count,) means over replicates by name."""
        first = next(iter(self.scores.values()))
        where = np.unique(first.groups, return_inverse=True)[1]
        groups, replicates = where.max() + 1, max(len(score.num) for score in self.scores.values())
        counts = self.rng.multinomial(groups, np.full(groups, 1 / groups), self.count)[:, where]
        share = np.full((self.count, replicates), 1 / replicates)
        if replicates >= FEWEST:
            share = self.rng.multinomial(replicates, share[0], self.count) / replicates
        found = {}
        for name, score in self.scores.items():
            num, den = score.num, np.broadcast_to(score.den, score.num.shape)
            values = (counts @ num.T) / (counts @ den.T)
            found[name] = (values * share).sum(1) if len(num) > 1 else values[:, 0]
        return found

    @property
    def groups(self) -> int:
        """Number of groups of test items."""
        return len(np.unique(next(iter(self.scores.values())).groups))

    def mean(self, of: Mapping[str, float]) -> float:
        """The weighted sum of scores."""
        return float(sum(weight * self.scores[name].value for name, weight in of.items()))

    def ci(self, of: Mapping[str, float]) -> Interval | None:
        """The 95% interval of the weighted sum; None if there are too few groups.

        It is exact for a single score of 0 or 1, and for two scores that agree on every item.
        """
        if self.groups < FEWEST:
            return None
        drawn = np.sum([weight * self.drawn[name] for name, weight in of.items()], 0)
        low, high = (float(end) for end in np.quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2)))
        if len(of) == 1 and low == high and low in (0, 1):
            return (1 - self.unseen, 1.0) if low else (0.0, self.unseen)
        return (-self.unseen, self.unseen) if len(of) == 2 and not drawn.any() else (low, high)

    @property
    def unseen(self) -> float:
        """The largest share of groups that may differ if none of the sampled ones does."""
        return 1 - ((1 - LEVEL) / 2) ** (1 / self.groups)

    def closed(self, steered: str, before: str, tuned: str) -> Closed:
        """The share of the gap between `before` and `tuned` that `steered` closes."""
        possible = {tuned: 1.0, before: -1.0}
        gap, gap_ci = self.mean(possible), self.ci(possible)
        status = FEW_GROUPS if gap_ci is None else OK if gap_ci[0] > 0 else BELOW if gap_ci[1] < 0 else UNRESOLVED
        if gap_ci is None or status != OK:
            return Closed(None, None, gap, gap_ci, status)
        value = self.mean({steered: 1, before: -1}) / gap
        top, bottom = (self.drawn[name] - self.drawn[before] for name in (steered, tuned))
        slack = 0.0 if top.any() else self.unseen

        def outside(p: np.ndarray) -> np.ndarray:
            low, high = np.quantile(
                top - np.asarray(p)[..., None] * bottom, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), axis=-1
            )
            return (low > slack) | (high < -slack)

        return Closed(
            value, ends(outside, value, float(np.std(top - value * bottom) + slack) / gap), gap, gap_ci, status
        )
