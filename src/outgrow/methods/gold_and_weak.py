"""Gold and weak labels as one posterior: a student learns what gold, votes and their student say together.

    g   the student of the gold that the supervisors know         l   the label model         s = fit(l)
    q_i ~ g_i^a l_i^b s_i^c of labelled items, gold itself where it is known         result = fit(q, weights u)
    u = 1, and of gold items the mean over labelled ones of (C max_c q_ic - 1) / (C - 1)

a, b, c make gold likeliest, of every gold item by a g and an s of other groups; a Gaussian prior at (1, 1/2, 1/2),
since s has learned from l, holds them where gold is little (`students/weighing.py`). Logarithms of independent sources
add up: what gold and weak labels both say counts more than either. u lets a gold item pull no harder than others do:
where the student's features tell little, a few certain labels would drown the many that are as unsure as it is.
"""

from __future__ import annotations

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels, WeakTrain
from outgrow.methods import method
from outgrow.students.base import Fitted, Student

PRIOR = (1.0, 0.5, 0.5)


@method(
    paper="outgrow's own; log-linear pools of Genest & Zidek 1986 with weights by likelihood",
    wins=World(errors="emulable", rate=0.35),
    ties=World(rate=0.0, gap=1.0),
)
def gold_and_weak(
    weak: WeakLabels, student: Student, weak_train: WeakTrain, known_gold: np.ndarray, *, strength: float = 1.0
) -> Fitted:
    """Pool students of gold and of weak labels with the label model, and train on the posterior and the gold.

    Args:
        strength: precision of the prior of the three weights.
    """
    from outgrow.students.crossfit import crossfit
    from outgrow.students.weighing import log_odds, open_to, weigh, weighed

    told, labelled = ~np.isnan(known_gold).any(-1), ~np.isnan(weak.beliefs).any(-1)
    of_gold, named = student.on(told), np.nansum(known_gold, 1) > 0
    unseen = log_odds(open_to(crossfit(of_gold, known_gold, "gold"), named))
    seen = log_odds(open_to(of_gold.fit(known_gold).predict(), named))
    second = log_odds(crossfit(student, weak.beliefs))
    first = log_odds(np.where(labelled[..., None], weak.beliefs, weak_train.said.beliefs))
    targets, pull = np.where(told[..., None], known_gold, np.float32(np.nan)), np.ones(told.shape, np.float32)
    classes = known_gold.shape[-1]
    for r, rows in enumerate(told):
        gold = known_gold[r, rows].argmax(-1)
        weights = weigh(np.stack([unseen[r], first[r], second[r]])[:, rows], gold, PRIOR, strength)
        others = labelled[r] & ~rows
        targets[r, others] = weighed(np.stack([seen[r], first[r], second[r]])[:, others], weights)
        if others.any():
            pull[r, rows] = (classes * targets[r, others].max(-1).mean() - 1) / (classes - 1)
    return student.on(student.train | told).fit(targets, weights=pull)
