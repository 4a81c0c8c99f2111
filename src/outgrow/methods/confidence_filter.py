"""Confidence filter: the student is trained on the most confident weak labels of each class.

minimise  sum_{i kept} CE(f_i, w_i)        kept: the top `share` of confidence within each class that w names
"""

from __future__ import annotations

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.selection.confidence import confidence
from outgrow.students.base import Fitted, Student


@method(
    paper="confidence thresholding in Burns et al. 2023 (arXiv 2312.09390), a negative result there",
    differs="a head on frozen features; half of the items where the paper kept 5 to 20%",
    wins=World(rate=0.4, telling=1.0, width=40, errors="region"),
    ties=World(rate=0.3),
)
def confidence_filter(weak: WeakLabels, student: Student, *, share: float = 0.5) -> Fitted:
    """Train on the items of each class with the most confident weak labels.

    Args:
        share: share of each class that is kept.
    """
    return student.fit(weak.beliefs, weights=confidence(weak.belief, share))
