"""Product: the target is the normalised product of the student's and the supervisor's probabilities.

L = CE(f, stop(f^beta w^alpha / Z))
"""

from __future__ import annotations

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.losses.product import Product
from outgrow.methods import method
from outgrow.students.base import Fitted, Student


@method(
    paper='loss "product" of the code published with Burns et al. 2023 (arXiv 2312.09390)',
    differs="a full-batch head on frozen features",
    wins=World(gap=0.5, rate=0.15, width=100, items=3000),
    ties=World(errors="emulable"),
    usual=True,
)
def product(weak: WeakLabels, student: Student, *, alpha: float = 1.0, beta: float = 1.0) -> Fitted:
    """Train on the product of the weak labels and the student's own probabilities.

    Args:
        alpha: power of the weak labels.
        beta: power of the student's probabilities.
    """
    return student.fit(weak.beliefs, loss=Product(alpha, beta))
