"""Margin: every item is weighted by the margin between the two likeliest classes of its weak label.

v = 2 (sigmoid(|margin|) - 1/2) = (p_1 - p_2) / (p_1 + p_2)        margin = log p_1 - log p_2
"""

from __future__ import annotations

import numpy as np

from outgrow.label_models import Belief
from outgrow.selection import selection


@selection
def margin(belief: Belief) -> np.ndarray:
    """Weights by the margin between the two likeliest classes of the weak label.

    Returns:
        Weights (R, N) in [0, 1]: 0 at even odds and where all supervisors abstained.

    Source:
        Afzali et al. 2026 (arXiv 2603.04968).
    """
    second, first = np.moveaxis(np.sort(np.nan_to_num(belief.probs, nan=1.0), -1)[..., -2:], -1, 0)
    return (first - second) / (first + second)
