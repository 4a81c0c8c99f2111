"""Generalised cross-entropy: L = sum_c w_c (1 - f_c^q) / q, between cross-entropy (q -> 0) and absolute error (q = 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outgrow.losses import Loss

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class GCE(Loss):
    """Generalised cross-entropy, between cross-entropy (q -> 0) and absolute error (q = 1).

    Zhang & Sabuncu 2018 (arXiv 1805.07836), its mean over a soft label. An item's pull fades as f^q where f contradicts it.
    """

    q: float = 0.7

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        return -(targets * (self.q * logits.log_softmax(-1)).expm1()).sum(-1) / self.q
