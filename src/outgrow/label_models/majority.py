"""The share of supervisors that vote for each class, ties within a vote shared."""

from __future__ import annotations

import numpy as np

from outgrow.label_models import Belief, WeakLabels, label_model
from outgrow.label_models._votes import Votes, WeakVotes, each


@label_model
def majority(weak: WeakLabels | WeakVotes | Votes) -> Belief:
    """The share of supervisors that vote for each class, ties within a vote shared.

    Example:
        >>> votes = Votes.table([0, 0, 0, 1, 1], [0, 1, 2, 0, 1], [1, 1, 0, 0, 0])
        >>> majority(votes).probs[0].round(2)
        array([[0.33, 0.67],
               [1.  , 0.  ]], dtype=float32)
    """
    if not isinstance(weak, WeakLabels):
        return each(weak, lambda votes: votes.hard.mean)
    with np.errstate(invalid="ignore"):
        top = weak.probs == weak.probs.max(-1, keepdims=True)
        votes = top / np.maximum(top.sum(-1, keepdims=True), 1)
        total = votes.sum(1)
        return Belief.of(total / total.sum(-1, keepdims=True))
