"""Symmetric cross-entropy: the plain loss learns, the reverse one bounds the pull of a wrong label.

L = alpha CE(f, w) + beta RCE(f, w)        RCE(f, w) = - sum_c f_c log w_c, log w >= -4
"""

from __future__ import annotations

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.losses.symmetric import Symmetric
from outgrow.methods import method
from outgrow.students.base import Fitted, Student


@method(
    paper="Wang et al. 2019 (arXiv 1908.06112); for weak labels Xu et al. 2025 (arXiv 2505.24313)",
    differs="a full-batch head on frozen features",
    wins=World(gap=0.5, rate=0.3, telling=1.0, width=100, items=3000),
    ties=World(errors="emulable"),
)
def symmetric(weak: WeakLabels, student: Student, *, alpha: float = 1.0, beta: float = 0.1) -> Fitted:
    """Train with cross-entropy plus a little reverse cross-entropy.

    Args:
        alpha: weight of cross-entropy.
        beta: weight of reverse cross-entropy.
    """
    return student.fit(weak.beliefs, loss=Symmetric(alpha, beta))
