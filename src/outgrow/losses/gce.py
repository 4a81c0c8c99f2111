"""Generalised cross-entropy: L = sum_c w_c (1 - f_c^q) / q, from cross-entropy (q = 0) to absolute error (q = 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outgrow.losses import Loss

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class GCE(Loss):
    """Generalised cross-entropy, between cross-entropy (q = 0) and absolute error (q = 1).

    The pull of an item fades as f^q where f contradicts it. A soft label takes the mean over classes.

    Args:
        q: 0 is cross-entropy, 1 is absolute error.

    Source:
        Zhang & Sabuncu 2018 (arXiv 1805.07836).

    Example:
        >>> import torch
        >>> GCE(q=1.0)(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 1.0]]), torch.ones(1), 0.0)
        tensor([0.5000])
    """

    q: float = 0.7

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        return -(targets * (self.q * logits.log_softmax(-1)).expm1()).sum(-1) / self.q
