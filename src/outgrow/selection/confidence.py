"""Confidence: of every class that the weak labels name, the share of items with the most confidence."""

from __future__ import annotations

import numpy as np

from outgrow.label_models import Belief
from outgrow.selection import selection, top


@selection
def confidence(belief: Belief, share: float) -> np.ndarray:
    """The most confident items of every class that the weak labels name.

    Args:
        belief: the weak labels.
        share: share of every class that is kept; items tied with the last one are kept, too.

    Returns:
        Weights (R, N): 1 for kept items, 0 for others.
    """
    return top(belief.confidence, belief, share)
