"""The mean of the supervisors' probabilities, over those that did not abstain."""

from __future__ import annotations

import numpy as np

from outgrow.label_models import Belief, WeakLabels, label_model
from outgrow.label_models._votes import Votes, WeakVotes, each


@label_model
def mean(weak: WeakLabels | WeakVotes | Votes) -> Belief:
    """The mean of the supervisors' probabilities, over those that did not abstain.

    Example:
        >>> votes = Votes.table([0, 0, 0, 1, 1], [0, 1, 2, 0, 1], [1, 1, 0, 0, 0])
        >>> mean(votes).probs[0].round(2)
        array([[0.33, 0.67],
               [1.  , 0.  ]], dtype=float32)
    """
    if not isinstance(weak, WeakLabels):
        return each(weak, lambda votes: votes.mean)
    spoke = ~np.isnan(weak.probs)
    with np.errstate(invalid="ignore"):
        return Belief.of(np.where(spoke, weak.probs, 0).sum(1) / spoke.sum(1))
