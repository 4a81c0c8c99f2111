"""Agreement filter: the student is trained on items whose weak label it predicts without having seen it.

minimise  sum_{i kept} CE(f_i, w_i)        kept: argmax w_i = 1[g_i > t], g the student fitted on the other folds
"""

from __future__ import annotations

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.selection.agreement import agreement
from outgrow.students.base import Fitted, Student
from outgrow.students.crossfit import answers, crossfit


@method(
    paper="cross-validated committees filter, Brodley & Friedl 1999 (doi 10.1613/jair.606); "
    "confident learning, Northcutt et al. 2021 (arXiv 1911.00068)",
    differs="one student of the final kind in place of a committee; t keeps the class balance of w, "
    "or a rare class would be filtered out",
    wins=World(rate=0.4, gap=1.0, width=6),
    ties=World(errors="emulable"),
)
def agreement_filter(weak: WeakLabels, student: Student) -> Fitted:
    """Train on the items where a cross-fitted student agrees with the weak label."""
    labels = weak.beliefs
    return student.fit(labels, weights=agreement(weak.belief, answers(crossfit(student, labels), labels)))
