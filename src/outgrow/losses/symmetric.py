"""Symmetric cross-entropy: L = alpha CE(f, w) + beta RCE(f, w)."""

from __future__ import annotations

from dataclasses import dataclass

from outgrow.losses import Objective
from outgrow.losses.reverse_ce import reverse
from outgrow.losses.xent import Xent


@dataclass(frozen=True)
class Symmetric(Objective):
    """Cross-entropy plus reverse cross-entropy.

    Wang et al. 2019 (arXiv 1908.06112), with the weights of Xu et al. 2025 (arXiv 2505.24313).
    """

    alpha: float = 1.0
    beta: float = 0.1

    def __call__(self, logits, targets, weights, progress):
        return self.alpha * Xent()(logits, targets, weights, progress) + self.beta * reverse(logits, targets)
