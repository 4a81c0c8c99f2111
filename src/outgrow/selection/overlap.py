"""Overlap density: items that carry both what the supervisor knows and what only the student sees, by four signs.

    s = z(logit f_y - logit prior_y) + z(m_y) + z(-d) + z(-|H(w) - median H|)        y = argmax w

f: a student that has not seen the item's label; m: mean weak label of the k nearest items in the student's features,
d: how far the k-th is; H: entropy; z: standardised over the items. Kept: the top `share` of s within each class y.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outgrow.label_models import Belief
from outgrow.selection import selection, top
from outgrow.selection.neighbours import neighbourhood


@selection
def overlap(belief: Belief, features: Sequence[np.ndarray], crossed: np.ndarray, share: float, k: int) -> np.ndarray:
    """Overlap density: items that carry both what the supervisor knows and what only the student sees, by four signs.

    Weights (R, N), 1 or 0, from features (N, K) of each replicate and out-of-fold probabilities (R, N, C).

    After Shin, Cooper & Sala 2025 (arXiv 2412.03881), whose points of overlap these signs stand for.
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
