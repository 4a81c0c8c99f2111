"""The alarm above the ceiling: is a method better than the same student taught by gold, by more than chance?

    difference = method - ceiling, on the same replicates and test items
    alarm where its lower bound, one-sided, at .05 shared among the methods (Bonferroni), is above MARGIN

It may be so honestly: where there was little gold to teach the ceiling, or where weak labels know more than gold's own half
does. It is also how a leak looks that nothing else shows, one through files for example.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.metrics.intervals import FEWEST, ScoreTable, quantile

MARGIN = 0.005
"""Half a point: what is closer to the ceiling than this is no alarm, however sure."""
LEVEL = 0.05


@final
@dataclass(frozen=True)
class Above:
    """A method against the ceiling. `low`: the lower bound of the difference; None where there are too few test groups."""

    difference: float
    low: float | None

    @property
    def alarm(self) -> bool | None:
        """Whether it is above; None where that cannot be told."""
        return None if self.low is None else self.low > MARGIN


def above(table: ScoreTable, methods: Sequence[str], ceiling: str = "ceiling") -> dict[str, Above]:
    """By method how it stands against the ceiling, for new data; of fewer than four replicates by test items alone."""
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
