"""Symmetric cross-entropy: L = alpha CE(f, w) + beta RCE(f, w)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outgrow.losses import Loss
from outgrow.losses.reverse_ce import reverse
from outgrow.losses.xent import Xent

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Symmetric(Loss):
    """Cross-entropy plus reverse cross-entropy.

    Args:
        alpha: weight of cross-entropy.
        beta: weight of reverse cross-entropy.

    Source:
        Wang et al. 2019 (arXiv 1908.06112), with the weights of Xu et al. 2025 (arXiv 2505.24313).
    """

    alpha: float = 1.0
    beta: float = 0.1

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        return self.alpha * Xent()(logits, targets, weights, progress) + self.beta * reverse(logits, targets)
