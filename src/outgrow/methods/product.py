"""Product: the target is the normalised product of the student's and the supervisor's beliefs.

    L = CE(f, stop(f^beta w^alpha / Z))
"""

from outgrow.labels.mean import mean
from outgrow.methods import method
from outgrow.objectives.product import Product


@method(
    paper='loss "product" of the code published with Burns et al. 2023 (arXiv 2312.09390)',
    differs="a full-batch head on frozen features",
)
def product(weak, student, *, alpha: float = 1.0, beta: float = 1.0):
    """Weak labels times the student's own beliefs as the target."""
    return student.fit(mean(weak), objective=Product(alpha, beta))
