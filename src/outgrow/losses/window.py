"""Confidence window: CE(f, w) on items of which the student is not yet sure, max f < 1/2 + radius; 0 elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outgrow.losses import Aimed

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Window(Aimed):
    """Cross-entropy on the items of which the student is not yet sure; no gradient elsewhere.

    Args:
        radius: distance from 1/2 at which the student is sure; 0 takes the median of |w - 1/2| over the trained items,
            which the source calls "midweak". With more than two classes `surety` takes the place of 2 |f - 1/2|.

    Source:
        Loss "window" of EleutherAI's code for "Experiments in weak-to-strong generalization" (2024).
    """

    radius: float = 0.0

    def aim(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        bound = 2 * self.radius if self.radius else middle(surety(targets), weights)
        f = logits.softmax(-1)
        return targets.where((surety(f) < bound).unsqueeze(-1), f)


def surety(probs: Tensor) -> Tensor:
    """(max p - 1/C) / (1 - 1/C), from probabilities (..., C): 0 at even odds, 1 at certainty; 2 |p - 1/2| of two."""
    even = 1 / probs.shape[-1]
    return (probs.amax(-1) - even) / (1 - even)


def middle(values: Tensor, weights: Tensor) -> Tensor:
    """Median (..., 1) of values (..., N) over the items of weight > 0."""
    return values.where(weights > 0, float("nan")).nanmedian(-1, keepdim=True).values
