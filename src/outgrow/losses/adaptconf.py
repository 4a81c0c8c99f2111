"""Adaptive confidence: L = (1-a) CE(f, w) + a CE(f, stop(1[f])), a by the distances of f to both answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outgrow.losses import Aimed

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Adaptconf(Aimed):
    """Adaptive confidence: the aim mixes target and the student's own answer, item by item.

    a = e^{CE_self/T} / (e^{CE_self/T} + e^{CE_teacher/T}), CE_self = CE(f, 1[f]), CE_teacher = CE(f, 1[w]), without
    gradient: 1/2 where student and supervisor agree, and less where they do not.

    Args:
        temperature: T.

    Source:
        Guo et al. 2024 (arXiv 2402.03749).
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
    """1[argmax] (..., C); tied classes share it, so that the order of classes does not matter."""
    top = (scores == scores.amax(-1, keepdim=True)).to(scores.dtype)
    return top / top.sum(-1, keepdim=True)
