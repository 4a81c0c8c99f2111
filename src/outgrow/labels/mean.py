"""The mean of the supervisors' probabilities, over those that did not abstain."""

from __future__ import annotations

import numpy as np

from outgrow.labels import Belief, WeakLabels


def mean(weak: WeakLabels) -> Belief:
    """Every supervisor counts the same."""
    spoke = ~np.isnan(weak.probs)
    with np.errstate(invalid="ignore"):
        return Belief.of(np.where(spoke, weak.probs, 0).sum(1) / spoke.sum(1))
