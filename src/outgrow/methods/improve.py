"""Supervisors improved in rounds: they are retrained on gold where the student contradicts them, and label anew.

for each round:   f = fit(w)      T = T + {i of largest KL(w_i || f_i)}      w = labels by supervisors retrained with T
student = fit(w)
"""

from __future__ import annotations

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.methods.resources import GoldSale, Teach
from outgrow.students.base import Fitted, Student


@method(
    paper="iterated supervision: query by committee (Seung, Opper & Sompolinsky 1992) in rounds "
    "that teach the supervisor",
    differs="the budget is shared evenly by the rounds; gold reaches the student through its supervisors alone",
    wins=World(rate=0.4),
    ties=World(rate=0.0, gap=1.0),
)
def improve(
    weak: WeakLabels, student: Student, oracle: GoldSale, teach: Teach, *, budget: int = 100, rounds: int = 2
) -> Fitted:
    """Retrain the supervisors on gold where the student disagrees with them, and train on their new labels.

    Args:
        budget: gold labels that are bought in all.
        rounds: rounds that share the budget evenly.
    """
    spoke = ~np.isnan(weak.beliefs).any(-1)
    taught = np.zeros_like(spoke)
    for done in range(rounds):
        labels = weak.beliefs
        with np.errstate(invalid="ignore"):
            apart = (labels * np.log(np.maximum(labels, 1e-9) / student.fit(labels).predict())).sum(
                -1, dtype=np.float64
            )
        weakest = np.where(spoke & ~taught & ~np.isnan(apart), apart, -np.inf)
        share = budget * (done + 1) // rounds - budget * done // rounds
        for r, row in enumerate(weakest):
            # Ties are broken by the label's confidence, never by an item's position.
            order = np.lexsort((weak.belief.confidence[r], row))[::-1]
            taught[r, order[: min(share, np.isfinite(row).sum())]] = True
        weak = teach(oracle.ask(taught))
    return student.fit(weak.beliefs)
