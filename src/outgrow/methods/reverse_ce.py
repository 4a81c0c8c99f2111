"""Reverse cross-entropy on unsure labels (CACE): they pull a little towards their answer, never back to even odds.

L = RCE(f, w) = - sum_c f_c log w_c where |w - 1/2| < c, else CE(f, w)        log w >= -4
"""

from __future__ import annotations

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.losses.reverse_ce import ReverseCE
from outgrow.methods import method
from outgrow.students.base import Fitted, Student


@method(
    paper="confidence-adaptive cross-entropy of Xu et al. 2025 (arXiv 2505.24313)",
    differs="a full-batch head on frozen features; the value of c is ours; more classes than two, "
    "which the paper does not treat: (max w - 1/C) / (1 - 1/C) < 2 c",
    wins=World(gap=0.5, rate=0.3, telling=0.6, width=100, items=3000),
    ties=World(errors="emulable"),
)
def reverse_ce(weak: WeakLabels, student: Student, *, c: float = 0.25) -> Fitted:
    """Train with reverse cross-entropy where the weak label is unsure, and plain cross-entropy elsewhere.

    Args:
        c: labels within this distance of 1/2 are unsure.
    """
    return student.fit(weak.beliefs, loss=ReverseCE(c))
