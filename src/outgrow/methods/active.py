"""Active relabelling: gold is bought where student and supervisors disagree most, and replaces their labels.

    f = fit(w)        d_i = - sum_c w_ic log f_ic + sum_c w_ic log w_ic        buy gold y_i at the `budget` largest d_i
    minimise  sum_{i not bought} CE(f_i, w_i) + u sum_{i bought} CE(f_i, y_i)        u = 1 / mean confidence of w

The less sure the labels are, the more a gold label outweighs one of them.
"""

from __future__ import annotations

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.methods.resources import GoldSale
from outgrow.students.base import Fitted, Student


@method(
    paper="query by committee (Seung, Opper & Sompolinsky 1992), as a budgeted step after weak supervision",
    differs="one round; a head on frozen features",
    wins=World(rate=0.2, width=100, gap=0.5, items=2400),
    ties=World(rate=0.0, gap=1.0),
)
def active(
    weak: WeakLabels,
    student: Student,
    oracle: GoldSale,
    rng: np.random.Generator,
    *,
    budget: int = 100,
    query: str = "disagreement",
) -> Fitted:
    """Buy gold where the student disagrees most with its supervisors, and train on weak labels and gold.

    Args:
        budget: gold labels that are bought.
        query: "disagreement", or "random" for items drawn at random.
    """
    labels = weak.beliefs
    spoke = ~np.isnan(labels).any(-1)
    names, where = np.unique(student.groups, return_inverse=True)
    chance = np.stack([rng.permutation(len(names)) for _ in labels])[:, where].astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = (labels * np.log(np.maximum(labels, 1e-9) / student.fit(labels).predict())).sum(-1, dtype=np.float64)
    score = np.where(spoke, apart if query == "disagreement" else chance, -np.inf)
    bought = np.zeros_like(spoke)
    for r in range(len(labels)):
        # Ties are broken by a draw of the group, then by the label's confidence: never by an item's position.
        order = np.lexsort((weak.belief.confidence[r], chance[r], score[r]))[::-1]
        bought[r, order[: min(budget, spoke[r].sum())]] = True
    weight = 1 / np.maximum(np.mean(weak.belief.confidence, -1, where=spoke, keepdims=True), 0.01)
    targets = np.where(bought[..., None], oracle.ask(bought), labels)
    return student.fit(targets, weights=np.where(bought, weight, 1))
