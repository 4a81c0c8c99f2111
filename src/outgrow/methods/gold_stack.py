"""Stacking: a student of gold and one of weak labels, pooled with weights that make gold likeliest.

    g = fit(gold that the supervisors know)        s = fit(w)        result ~ g^a s^b

a, b: as of `gold_and_weak`, by predictions of other groups' students, with a Gaussian prior at (1, 1). Both students
stay as they are, and their log odds are added up.
"""

from __future__ import annotations

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.students.base import Embedding, Fitted, Student

PRIOR = (1.0, 1.0)


@method(
    paper="stacked generalization (Wolpert 1992), as a log-linear pool",
    differs="weights by likelihood under a prior; fine-tuned students are taught by the pool, to be one checkpoint",
    wins=World(errors="emulable", rate=0.35),
    ties=World(rate=0.0, gap=1.0),
)
def gold_stack(weak: WeakLabels, student: Student, known_gold: np.ndarray, *, strength: float = 1.0) -> Fitted:
    """Pool a student of gold with one of weak labels by how likely they make the gold of other items.

    Args:
        strength: precision of the prior of the two weights.
    """
    from outgrow.students.crossfit import crossfit
    from outgrow.students.ensemble import Pool
    from outgrow.students.weighing import log_odds, weigh

    told = ~np.isnan(known_gold).any(-1)
    of_gold = student.on(told)
    unseen = [log_odds(crossfit(of_gold, known_gold, "gold")), log_odds(crossfit(student, weak.beliefs))]
    shares = [
        weigh(np.stack([one[r, rows] for one in unseen]), known_gold[r, rows].argmax(-1), PRIOR, strength)
        for r, rows in enumerate(told)
    ]
    pool = Pool(np.stack(shares, 1), (of_gold.fit(known_gold), student.fit(weak.beliefs)))
    if isinstance(student, Embedding):
        return pool
    both = student.train | told
    return student.on(both).fit(np.where(told[..., None], known_gold, pool.predict()))
