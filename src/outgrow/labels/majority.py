"""The share of supervisors that vote for each class, ties within a vote shared."""

from __future__ import annotations

import numpy as np

from outgrow.labels import WeakLabels


def majority(weak: WeakLabels) -> np.ndarray:
    """Beliefs (R, N, C) float32; NaN where every supervisor abstained."""
    with np.errstate(invalid="ignore"):
        top = weak.probs == weak.probs.max(-1, keepdims=True)
        votes = top / np.maximum(top.sum(-1, keepdims=True), 1)
        total = votes.sum(1)
        return (total / total.sum(-1, keepdims=True)).astype(np.float32)
