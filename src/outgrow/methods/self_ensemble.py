"""Self-ensemble: students on halves of the weak labels vote on the other halves, and the student learns the vote.

minimise  sum_i CE(f_i, u_i)        u_i = mean_d 1[g_d,i > t], g_d: fitted on the half of split d without i
"""

from __future__ import annotations

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.students.base import Fitted, Student
from outgrow.students.crossfit import answers, crossfit


@method(
    paper="self-ensembling, Laine & Aila 2017 (arXiv 1610.02242); bagging, Breiman 1996",
    differs="members are students of other halves of the groups and not of other epochs, and vote only on what they "
    "have not seen; t keeps the class balance of w; the last student starts afresh, on votes alone",
    wins=World(items=600, width=60, gap=1.0, rate=0.35),
    ties=World(errors="emulable"),
)
def self_ensemble(weak: WeakLabels, student: Student, *, draws: int = 4) -> Fitted:
    """Train on the votes of students of random halves of the weak labels, each on the items of the other half.

    Args:
        draws: random splits into halves.
    """
    labels = weak.beliefs
    votes = [answers(crossfit(student, labels, f"half {d}", 2), labels) for d in range(draws)]
    return student.fit(np.mean(votes, 0))
