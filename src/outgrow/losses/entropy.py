"""Minimum entropy: L = CE(f, w) + lambda_t (H(f) + KL(mean f || prior)), lambda_t = lambda * progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outgrow.losses import Loss
from outgrow.losses.logconf import prior

if TYPE_CHECKING:
    from torch import Tensor

LEAST = 1e-6
"""The share of a class that no target names."""


@dataclass(frozen=True)
class Entropy(Loss):
    """Minimum entropy beside cross-entropy: the boundary is drawn to where few items lie.

    Low entropy alone would put all items into one class, so the mean of f is held at the targets' balance. An item's
    part in that is sum_c f_c log(mean f_c / prior_c), the ratio without gradient, which has the gradient of the KL.

    Args:
        strength: lambda at the end of training.

    Source:
        Grandvalet & Bengio 2004.
    """

    strength: float = 1.0

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        log_f = logits.log_softmax(-1)
        f = log_f.exp()
        found, wanted = (prior(p, weights).clamp_min(LEAST).log() for p in (f.detach(), targets))
        ratio = found - wanted
        certain = (f * (ratio.unsqueeze(-2) - log_f)).sum(-1)
        return self.strength * progress * certain - (targets * log_f).sum(-1)
