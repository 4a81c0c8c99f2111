"""The mean of the supervisors' probabilities, over those that did not abstain."""

from __future__ import annotations

import numpy as np

from outgrow.labels import WeakLabels


def mean(weak: WeakLabels) -> np.ndarray:
    """Beliefs (R, N, C) float32; NaN where every supervisor abstained."""
    if weak.probs.shape[1] == 1:
        return weak.probs[:, 0]
    spoke = ~np.isnan(weak.probs)
    with np.errstate(invalid="ignore"):
        return (np.where(spoke, weak.probs, 0).sum(1) / spoke.sum(1)).astype(np.float32)
