"""The share of supervisors that vote for each class, ties within a vote shared."""

from __future__ import annotations

import numpy as np

from outgrow.labels import Belief, WeakLabels


def majority(weak: WeakLabels) -> Belief:
    """How sure a supervisor is does not count, only what it is for."""
    with np.errstate(invalid="ignore"):
        top = weak.probs == weak.probs.max(-1, keepdims=True)
        votes = top / np.maximum(top.sum(-1, keepdims=True), 1)
        total = votes.sum(1)
        return Belief.of(total / total.sum(-1, keepdims=True))
