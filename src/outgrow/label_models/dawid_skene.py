"""Dawid-Skene: each supervisor's confusion of classes and the truth, each estimated from the other in turn."""

from __future__ import annotations

from outgrow.label_models import Belief, WeakLabels, label_model
from outgrow.label_models._em import settled
from outgrow.label_models._votes import Votes, WeakVotes, each


@label_model
def dawid_skene(weak: WeakLabels | WeakVotes | Votes) -> Belief:
    """Each supervisor's confusion of classes and the truth, each estimated from the other in turn.

    Dawid & Skene 1979, votes soft. Supervisors that copy one another can take it over: see `blocks`.
    """
    return each(weak, lambda votes: settled(votes))
