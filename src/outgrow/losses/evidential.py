"""Evidential: exp(z) is evidence for each class, L = sum_c y_c (log S - log alpha_c + lambda_t KL_c).

alpha = exp(z) + 1        S = sum alpha        KL_c = KL[Dir(alpha, but 1 at c) || Dir(1)]        lambda_t = progress
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma
from typing import TYPE_CHECKING

from outgrow.losses import Loss
from outgrow.losses.adaptconf import answer

if TYPE_CHECKING:
    from torch import Tensor

BOUND = 10.0
"""Logits are clamped to this size, as is usual."""


@dataclass(frozen=True)
class Evidential(Loss):
    """Evidence for each class instead of log odds, so that a student can express ignorance.

    KL_c discourages evidence for classes other than c. Logits are centred, and L is scaled so that its curvature is
    that of cross-entropy: two classes have one logit z, and alpha / S = sigmoid(z / 2); with more, the KL grows with C.

    Args:
        self_term: g; the label is (1-g) y + g stop(1[f]), as L is linear in y.

    Source:
        Sensoy et al. 2018 (arXiv 1806.01768), as used by Cui et al. 2025 (arXiv 2406.03199).
    """

    self_term: float = 0.0

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        y = (1 - self.self_term) * targets + self.self_term * answer(logits.detach())
        alpha = _alpha(logits.double())
        fit = alpha.sum(-1, keepdim=True).log() - alpha.log()
        scale = 2 if logits.shape[-1] == 2 else 1 / logits.shape[-1]
        return scale * (y * (fit + progress * misleading(alpha))).sum(-1).to(logits.dtype)

    def read(self, logits: Tensor) -> Tensor:
        """alpha / S, the mean of the Dirichlet."""
        alpha = _alpha(logits)
        return alpha / alpha.sum(-1, keepdim=True)


def vacuity(logits: Tensor) -> Tensor:
    """C / S (...): 1 without evidence, 0 with much."""
    return logits.shape[-1] / _alpha(logits).sum(-1)


def misleading(alpha: Tensor) -> Tensor:
    """KL_c (..., C) for every c; its sums over classes are those of alpha without the terms of c."""
    e, classes = alpha - 1, alpha.shape[-1]
    rest = e.sum(-1, keepdim=True) - e
    mixed = e * alpha.digamma() - alpha.lgamma()
    total = rest + classes
    return total.lgamma() - lgamma(classes) + mixed.sum(-1, keepdim=True) - mixed - rest * total.digamma()


def _alpha(logits: Tensor) -> Tensor:
    return (logits - logits.mean(-1, keepdim=True)).clamp(-BOUND, BOUND).exp() + 1
