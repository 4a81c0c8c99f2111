"""Dawid-Skene: each supervisor's confusion of classes and the truth, each estimated from the other in turn."""

from __future__ import annotations

from outgrow.label_models import Belief, WeakLabels, label_model
from outgrow.label_models._em import settled
from outgrow.label_models._votes import Votes, WeakVotes, each


@label_model
def dawid_skene(weak: WeakLabels | WeakVotes | Votes) -> Belief:
    """Each supervisor's confusion of classes and the truth, each estimated from the other in turn.

    Votes are soft. Copies of one supervisor can dominate the result: see `blocks`.

    Source:
        Dawid & Skene 1979.

    Example:
        >>> votes = Votes.table([0, 0, 0, 1, 1], [0, 1, 2, 0, 1], [1, 1, 0, 0, 0])
        >>> dawid_skene(votes).probs[0].round(2)
        array([[0.01, 0.99],
               [0.99, 0.01]], dtype=float32)
    """
    return each(weak, lambda votes: settled(votes))
