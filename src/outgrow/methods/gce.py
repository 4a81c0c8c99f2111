"""Generalised cross-entropy: an item pulls less the more the student contradicts its label.

L = sum_c w_c (1 - f_c^q) / q        q -> 0: cross-entropy, q = 1: absolute error; for one label y, dL = f_y^q dCE
"""

from __future__ import annotations

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.losses.gce import GCE
from outgrow.methods import method
from outgrow.students.base import Fitted, Student


@method(
    paper="Zhang & Sabuncu 2018 (arXiv 1805.07836)",
    differs="a full-batch head on frozen features, untruncated; soft labels take the mean over classes, "
    "which aims at w^(1/(1-q))",
    wins=World(gap=0.5, rate=0.15, width=100, items=3000),
    ties=World(errors="emulable"),
)
def gce(weak: WeakLabels, student: Student, *, q: float = 0.7) -> Fitted:
    """Train with a loss between cross-entropy and absolute error, which is robust to wrong labels.

    Args:
        q: 0 is cross-entropy, 1 is absolute error.
    """
    return student.fit(weak.beliefs, loss=GCE(q))
