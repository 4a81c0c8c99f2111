"""Iterate: train on consistent items, let the student relabel the discarded ones, and train again on both.

A: the top `share` of confidence within each class        f_1 = fit(w on A)
B: the top `share` of |f_1| within each class, not in A   f_2 = fit(w on A, 1[f_1 > t] on B)
"""

from __future__ import annotations

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import Belief, WeakLabels
from outgrow.methods import method
from outgrow.selection.confidence import confidence
from outgrow.students.base import Fitted, Student
from outgrow.students.crossfit import answers


@method(
    paper="Shi et al. 2025 (arXiv 2503.04249)",
    differs="confidence in place of the consistency of sampled answers; t keeps the class balance of w; "
    "f_2 starts afresh",
    wins=World(rate=0.4, telling=1.0, width=40, errors="region"),
    ties=World(rate=0.3),
)
def iterate(weak: WeakLabels, student: Student, *, share: float = 0.5) -> Fitted:
    """Train on the most confident weak labels, relabel the other items with the student, and train on both.

    Args:
        share: share of each class that is kept, first by the labels' confidence, then by the student's.
    """
    labels = weak.beliefs
    kept = confidence(weak.belief, share)
    first = student.fit(labels, weights=kept).predict()
    discarded = Belief.of(np.where(kept[..., None] > 0, np.float32(np.nan), np.where(np.isnan(labels), labels, first)))
    relabelled = np.where(kept[..., None] > 0, labels, answers(first, labels))
    return student.fit(relabelled, weights=kept + confidence(discarded, share))
