"""Dirichlet multi-weak: supervisors are evidence for a distribution over classes; contradictions leave it vacuous.

    z_k = sum_j log ((1 - t_j) / K + t_j v_jk)      trust t_j = s_j / mean confidence of j, at most 1
    e_k = exp(z_k - min z) - 1,  alpha = e + 1,  S = sum alpha,  belief alpha / S,  vacuity K / S

s_j is the rescaled accuracy, from weak-train gold where known, else from agreement. Evidence is counted from the least
likely class, so that alpha / S is exactly Bayes' rule and no evidence means vacuity 1.
"""

from __future__ import annotations

import numpy as np

from outgrow.label_models import Belief, WeakLabels, label_model
from outgrow.label_models._skill import HIGH, skill
from outgrow.label_models._votes import Votes, WeakVotes, replicates


@label_model
def bayesian(weak: WeakLabels | WeakVotes | Votes) -> Belief:
    """Dirichlet multi-weak: supervisors are evidence for a distribution over classes; contradictions leave it vacuous.

    Confidence is 1 - vacuity.

    Source:
        After Cui et al. 2025 (arXiv 2406.03199), where a student gives the evidence.

    Example:
        >>> votes = Votes.table([0, 0, 0, 1, 1], [0, 1, 2, 0, 1], [1, 1, 0, 0, 0])
        >>> bayesian(votes).probs[0].round(2)
        array([[0.21, 0.79],
               [0.91, 0.09]], dtype=float32)
    """
    found = [_dirichlet(votes) for votes in replicates(weak)]
    probs, vacuity = (np.stack(parts).astype(np.float32) for parts in zip(*found, strict=True))
    return Belief(probs, 1 - vacuity)


def _dirichlet(votes: Votes) -> tuple[np.ndarray, np.ndarray]:
    """(items, C) belief and (items,) vacuity."""
    classes, n = votes.said.shape[1], np.bincount(votes.annotator, minlength=votes.annotators)
    sure = (votes.said.max(1) - 1 / classes) / (1 - 1 / classes)
    sureness = np.bincount(votes.annotator, sure, votes.annotators) / np.maximum(n, 1)
    trust = (skill(votes) / np.maximum(sureness, 1e-6)).clip(max=HIGH)[votes.annotator, None]
    z = votes.sum(np.log((1 - trust) / classes + trust * votes.said))
    z -= z.max(1, keepdims=True)
    probs = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    vacuity = classes * probs.min(1)  # alpha is 1 for the least likely class: its share of S is 1 / S
    silent = np.bincount(votes.item, minlength=votes.items) == 0
    return np.where(silent[:, None], np.nan, probs), np.where(silent, 1, vacuity)
