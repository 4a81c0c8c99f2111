"""Items that a second opinion answers as the weak label does."""

from __future__ import annotations

import numpy as np

from outgrow.label_models import Belief
from outgrow.selection import selection


@selection
def agreement(belief: Belief, opinion: np.ndarray) -> np.ndarray:
    """Items that a second opinion answers as the weak label does.

    Weights (R, N): 1 where the opinion (R, N, C; NaN: none) has the weak label's likeliest class, 0 elsewhere.
    """
    voiced = ~np.isnan(belief.probs).any(-1) & ~np.isnan(opinion).any(-1)
    return (voiced & (belief.probs.argmax(-1) == opinion.argmax(-1))).astype(np.float32)
