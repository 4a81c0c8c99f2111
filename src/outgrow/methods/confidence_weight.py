"""Confidence weight: unsure items count little, and only the supervisor's choice is learned.

minimise  sum_i v_i CE(f_i, 1[w_i])        v = 2 (sigmoid(|margin|) - 1/2)
                                           margin = log w_1 - log w_2 of the two likeliest classes
"""

from __future__ import annotations

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.selection.margin import margin
from outgrow.students.base import Fitted, Student


@method(
    paper="CW-PO, Afzali, Jeon & Brbic 2026 (arXiv 2603.04968)",
    differs="cross-entropy in place of a preference loss, on frozen features; "
    "of more than two classes the margin between the first two",
    wins=World(rate=0.4, telling=1.0, width=40, errors="region"),
    ties=World(rate=0.3, telling=-1.0),
)
def confidence_weight(weak: WeakLabels, student: Student) -> Fitted:
    """Train on the supervisors' choices, each weighted by the margin between its two likeliest classes."""
    labels = weak.beliefs
    choice = np.eye(labels.shape[-1], dtype=np.float32)[labels.argmax(-1)]
    return student.fit(np.where(np.isnan(labels), labels, choice), weights=margin(weak.belief))
