"""The mean of the supervisors' probabilities, over those that did not abstain."""

from __future__ import annotations

import numpy as np

from outgrow.label_models import Belief, WeakLabels
from outgrow.label_models._votes import Votes, WeakVotes, each


def mean(weak: WeakLabels | WeakVotes | Votes) -> Belief:
    """Every supervisor counts the same."""
    if not isinstance(weak, WeakLabels):
        return each(weak, lambda votes: votes.mean)
    spoke = ~np.isnan(weak.probs)
    with np.errstate(invalid="ignore"):
        return Belief.of(np.where(spoke, weak.probs, 0).sum(1) / spoke.sum(1))
