"""The mean of the supervisors' probabilities, over those that did not abstain."""

from __future__ import annotations

import numpy as np

from outgrow.label_models import Belief, WeakLabels, label_model
from outgrow.label_models._votes import Votes, WeakVotes, each


@label_model
def mean(weak: WeakLabels | WeakVotes | Votes) -> Belief:
    """The mean of the supervisors' probabilities, over those that did not abstain."""
    if not isinstance(weak, WeakLabels):
        return each(weak, lambda votes: votes.mean)
    spoke = ~np.isnan(weak.probs)
    with np.errstate(invalid="ignore"):
        return Belief.of(np.where(spoke, weak.probs, 0).sum(1) / spoke.sum(1))
