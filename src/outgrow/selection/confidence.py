"""The surest items: of every class that the weak labels name, the share with the most confidence."""

from __future__ import annotations

import numpy as np

from outgrow.label_models import Belief
from outgrow.selection import selection, top


@selection
def confidence(belief: Belief, share: float) -> np.ndarray:
    """The surest items: of every class that the weak labels name, the share with the most confidence.

    Weights (R, N), 1 for what is kept and 0 for the rest; items as confident as the last one kept are kept with it.
    """
    return top(belief.confidence, belief, share)
