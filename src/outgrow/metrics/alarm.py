"""The alarm above the ceiling: is a method better than the same student trained on gold, beyond chance?

    difference = method - ceiling, on the same replicates and test items
    alarm where its lower bound, one-sided, at .05 shared among the methods (Bonferroni), is above MARGIN

There can be honest reasons: little gold for the ceiling, or weak labels that know more than the gold of one half. A
leak that nothing else shows, through files for example, looks the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.metrics.intervals import FEWEST, ScoreTable, quantile

MARGIN = 0.005
"""Half a point: a smaller difference is no alarm, however certain."""
LEVEL = 0.05


@final
@dataclass(frozen=True)
class Above:
    """A method against the ceiling; `low` is the lower bound of the difference, None if there are too few groups."""

    difference: float
    low: float | None

    @property
    def alarm(self) -> bool | None:
        """Whether the method is above the ceiling; None if that cannot be told."""
        return None if self.low is None else self.low > MARGIN


def above(table: ScoreTable, methods: Sequence[str], ceiling: str = "ceiling") -> dict[str, Above]:
    """Each method against the ceiling, for new data; with fewer than four replicates by test items alone."""
    found = {}
    for name in methods:
        w = table.weights({name: 1, ceiling: -1})
        estimate = table.estimate(w)
        se, df = estimate.se, estimate.df
        if table.replicates < FEWEST <= table.groups:
            se, df = float(np.sqrt(max(w @ table.by_group @ w, 0) / table.groups)), table.groups - 1
        low = estimate.value - float(quantile(df, 1 - 2 * LEVEL / len(methods))) * se if np.isfinite(se) else None
        found[name] = Above(estimate.value, low)
    return found
