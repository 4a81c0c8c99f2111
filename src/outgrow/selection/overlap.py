"""Overlap density: items with both features that the supervisor knows and others, by four indicators.

    s = z(logit f_y - logit prior_y) + z(m_y) + z(-d) + z(-|H(w) - median H|)        y = argmax w

f: a student that has not seen the item's label; m: mean weak label of the k nearest items in the student's features,
d: distance of the k-th; H: entropy; z: standardised over the items. Kept: the top `share` of s within each class y.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outgrow.label_models import Belief
from outgrow.selection import selection, top
from outgrow.selection.neighbours import neighbourhood


@selection
def overlap(belief: Belief, features: Sequence[np.ndarray], crossed: np.ndarray, share: float, k: int) -> np.ndarray:
    """Items with both features that the supervisor knows and others, by four indicators.

    Args:
        belief: the weak labels.
        features: for each replicate (N, K).
        crossed: (R, N, C) out-of-fold probabilities of the student.
        share: share of every class that is kept.
        k: number of neighbours.

    Returns:
        Weights (R, N): 1 for kept items, 0 for others.

    Source:
        After Shin, Cooper & Sala 2025 (arXiv 2412.03881), whose points of overlap the indicators approximate.
    """
    score = np.zeros(belief.confidence.shape)
    for r, x in enumerate(features):
        spoken = ~np.isnan(belief.probs[r]).any(-1)
        score[r, spoken] = signs(belief.probs[r, spoken], x[spoken], crossed[r, spoken], k).sum(0)
    return top(score, belief, share)


def signs(labels: np.ndarray, x: np.ndarray, crossed: np.ndarray, k: int) -> np.ndarray:
    """(4, n): likelihood ratio, smoothness, density and medium entropy of n items, each standardised."""
    labels = labels.astype(np.float64)
    named = np.arange(len(labels)), labels.argmax(-1)
    near, reach = neighbourhood(x, labels, k)
    entropy = -(labels * np.log(labels.clip(1e-12))).sum(-1)
    ratio = _logit(crossed[named].astype(np.float64)) - _logit(labels.mean(0))[named[1]]
    raw = np.stack([ratio, near[named], -reach, -np.abs(entropy - np.median(entropy))])
    centred, spread = raw - raw.mean(1, keepdims=True), raw.std(1, keepdims=True)
    return np.where(spread > 1e-9, centred / np.maximum(spread, 1e-9), 0)


def _logit(p: np.ndarray) -> np.ndarray:
    p = p.clip(1e-6, 1 - 1e-6)
    return np.log(p) - np.log1p(-p)
