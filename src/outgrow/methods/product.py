"""Product: the target is the normalised product of the student's and the supervisor's beliefs.

L = CE(f, stop(f^beta w^alpha / Z))
"""

from outgrow.core.worlds import World
from outgrow.losses.product import Product
from outgrow.methods import method


@method(
    paper='loss "product" of the code published with Burns et al. 2023 (arXiv 2312.09390)',
    differs="a full-batch head on frozen features",
    wins=World(gap=0.5, rate=0.15, width=100, items=3000),
    ties=World(errors="emulable"),
    usual=True,
)
def product(weak, student, *, alpha: float = 1.0, beta: float = 1.0):
    """Weak labels times the student's own beliefs as the target."""
    return student.fit(weak.beliefs, loss=Product(alpha, beta))
