"""Product of student and supervisor as target: L = CE(f, stop(normalised f^beta w^alpha))."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outgrow.losses import Aimed

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Product(Aimed):
    """Cross-entropy with the normalised product of student and supervisor.

    A head of zeros starts at the targets.

    Args:
        alpha: power of the targets.
        beta: power of the student's probabilities.

    Source:
        Loss "product" of the code published with Burns et al. 2023 (arXiv 2312.09390).
    """

    alpha: float = 1.0
    beta: float = 1.0

    def aim(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        scores = self.beta * logits.log_softmax(-1) + self.alpha * targets.clamp_min(1e-9).log()
        return scores.softmax(-1)
