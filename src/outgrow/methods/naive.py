"""Naive fine-tuning: the student is trained on the supervisors' labels as they are.

minimise  CE(f, w)        w: the mean of the supervisors' probabilities
"""

from __future__ import annotations

from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.students.base import Fitted, Student


@method(
    paper="Burns et al. 2023 (arXiv 2312.09390), section 3", differs="a full-batch head on frozen features", usual=True
)
def naive(weak: WeakLabels, student: Student) -> Fitted:
    """Train on the weak labels as they are."""
    return student.fit(weak.beliefs)
