"""The surest items: of every class that the weak labels name, the share with the most confidence."""

from __future__ import annotations

import numpy as np

from outgrow.labels import Belief


def confidence(belief: Belief, share: float) -> np.ndarray:
    """Weights (R, N), 1 for what is kept and 0 for the rest; items as confident as the last one kept are kept with it."""
    answer = np.where(np.isnan(belief.probs).any(-1), -1, belief.probs.argmax(-1))
    out = np.zeros(answer.shape, np.float32)
    for r, row in enumerate(answer):
        for c in range(belief.probs.shape[-1]):
            named = row == c
            if named.any():
                out[r] += named & (belief.confidence[r] >= np.quantile(belief.confidence[r, named], 1 - share))
    return out
