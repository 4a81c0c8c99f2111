"""Votes weighted by the log-odds of being right: from weak-train gold where known, else from agreement.

log q_k = sum_j w_j v_jk + const,    w_j = log (1 + (K - 1) s_j) / (1 - s_j),    s_j = (accuracy_j - 1/K) / (1 - 1/K)
"""

from __future__ import annotations

import numpy as np

from outgrow.label_models import Belief, WeakLabels, label_model
from outgrow.label_models._skill import skill
from outgrow.label_models._votes import Votes, WeakVotes, each


@label_model
def accuracy(weak: WeakLabels | WeakVotes | Votes) -> Belief:
    """Votes weighted by the log-odds of being right: from weak-train gold where known, else from agreement.

    This is Bayes' rule for hard votes whose errors are independent and spread evenly over the classes.

    Source:
        Nitzan & Paroush 1982.

    Example:
        >>> votes = Votes.table([0, 0, 0, 1, 1], [0, 1, 2, 0, 1], [1, 1, 0, 0, 0])
        >>> accuracy(votes).probs[0].round(2)
        array([[0.21, 0.79],
               [0.91, 0.09]], dtype=float32)
    """
    return each(weak, lambda votes: weighted(votes, skill(votes)))


def weighted(votes: Votes, s: np.ndarray) -> np.ndarray:
    """(items, C): the posterior of votes by annotators of rescaled accuracies s (annotators,)."""
    weight = np.log((1 + (votes.said.shape[1] - 1) * s) / (1 - s))
    log_q = votes.sum(weight[votes.annotator, None] * votes.said)
    q = np.exp(log_q - log_q.max(1, keepdims=True))
    return q / q.sum(1, keepdims=True)
