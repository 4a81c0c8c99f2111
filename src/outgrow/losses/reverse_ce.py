"""Reverse cross-entropy, RCE(f, w) = - sum_c f_c log w_c, where |w - 1/2| < c; cross-entropy elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outgrow.losses import Loss
from outgrow.losses.window import surety
from outgrow.losses.xent import Xent

if TYPE_CHECKING:
    from torch import Tensor

FLOOR = -4.0
"""Lower bound of log w: a hard label would have an infinite loss."""


@dataclass(frozen=True)
class ReverseCE(Loss):
    """Reverse cross-entropy where the label is unsure, cross-entropy elsewhere.

    Args:
        c: labels within this distance of 1/2 are unsure; .5 is reverse cross-entropy throughout. With more than two
            classes `surety` takes the place of 2 |w - 1/2|.

    Source:
        CACE, Xu et al. 2025 (arXiv 2505.24313).
    """

    c: float = 0.25

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        unsure = surety(targets) < 2 * self.c
        return reverse(logits, targets).where(unsure, Xent()(logits, targets, weights, progress))


def reverse(logits: Tensor, targets: Tensor) -> Tensor:
    """RCE(f, w) (...)."""
    return -(logits.softmax(-1) * targets.log().clamp_min(FLOOR)).sum(-1)
