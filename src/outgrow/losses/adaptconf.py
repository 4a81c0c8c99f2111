"""Adaptive confidence: L = (1-a) CE(f, w) + a CE(f, stop(1[f])), a = softmax of how far f is from its own answer and from w's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outgrow.losses import Aimed

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Adaptconf(Aimed):
    """Adaptive confidence: mixed with the student's own answer by how sure the student is of it.

    Guo et al. 2024 (arXiv 2402.03749).

    a = e^{CE_self/T} / (e^{CE_self/T} + e^{CE_teacher/T}), CE_self = CE(f, 1[f]), CE_teacher = CE(f, 1[w]); no
    gradient through a. So a = 1/2 where student and supervisor agree, and less where they do not.
    """

    temperature: float = 1.0

    def strength(self, logits: Tensor, targets: Tensor) -> Tensor:
        """a (..., N, 1)."""
        log_f = logits.log_softmax(-1)
        apart = (log_f * (answer(targets) - answer(logits))).sum(-1, keepdim=True)
        return (apart / self.temperature).sigmoid()

    def aim(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        a = self.strength(logits, targets)
        return (1 - a) * targets + a * answer(logits)


def answer(scores: Tensor) -> Tensor:
    """1[argmax] (..., C); classes that tie share it, so that their order is nobody's business."""
    top = (scores == scores.amax(-1, keepdim=True)).to(scores.dtype)
    return top / top.sum(-1, keepdim=True)
