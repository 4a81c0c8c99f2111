"""Agreement: items on which a second opinion agrees with the weak label."""

from __future__ import annotations

import numpy as np

from outgrow.label_models import Belief
from outgrow.selection import selection


@selection
def agreement(belief: Belief, opinion: np.ndarray) -> np.ndarray:
    """Items on which a second opinion agrees with the weak label.

    Args:
        belief: the weak labels.
        opinion: (R, N, C) other probabilities, NaN where there are none.

    Returns:
        Weights (R, N): 1 where both have the same likeliest class, 0 elsewhere.
    """
    voiced = ~np.isnan(belief.probs).any(-1) & ~np.isnan(opinion).any(-1)
    return (voiced & (belief.probs.argmax(-1) == opinion.argmax(-1))).astype(np.float32)
