"""Neighbours: items whose weak label agrees with those of their nearest neighbours, in the student's features.

kept: y_i = argmax_c  m_ic / prior_c        m_i: mean weak label of the k items nearest to i, without i
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outgrow.label_models import Belief
from outgrow.selection import selection


@selection
def neighbours(belief: Belief, features: Sequence[np.ndarray], k: int) -> np.ndarray:
    """Items whose weak label agrees with those of their nearest neighbours in the student's features.

    Args:
        belief: the weak labels.
        features: for each replicate (N, K).
        k: number of neighbours.

    Returns:
        Weights (R, N): 1 where the label's class has the largest lift among the neighbours, ties included, else 0.

    Source:
        Wilson 1972; Bahri, Jiang & Gupta 2020 (arXiv 2004.12289). The prior is added for rare classes.
    """
    out = np.zeros(belief.confidence.shape, np.float32)
    for r, x in enumerate(features):
        spoken = ~np.isnan(belief.probs[r]).any(-1)
        labels = belief.probs[r, spoken].astype(np.float64)
        near, _ = neighbourhood(x[spoken], labels, k)
        lift = near / np.maximum(labels.mean(0), 1e-12)
        own = np.take_along_axis(lift, labels.argmax(-1)[:, None], -1)[:, 0]
        out[r, spoken] = own >= lift.max(-1) * (1 - 1e-6)
    return out


def neighbourhood(x: np.ndarray, values: np.ndarray, k: int, block: int = 1024) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest other rows of each row, exactly; rows as near as the k-th belong to them.

    Args:
        x: (n, K) features.
        values: (n, C) to be averaged.
        k: number of neighbours.
        block: rows that are computed at a time; memory is block x n.

    Returns:
        The mean value (n, C) of the neighbours, and the distance (n,) of the k-th.
    """
    x, values, k = x.astype(np.float64), values.astype(np.float64), min(k, len(x) - 1)
    norms = (x * x).sum(1)
    means, reach = np.empty_like(values), np.empty(len(x))
    for start in range(0, len(x), block):
        part = np.arange(start, min(start + block, len(x)))
        squares = (norms[part, None] + norms - 2 * x[part] @ x.T).clip(0)
        squares[part - start, part] = np.inf
        last = np.partition(squares, k - 1, 1)[:, k - 1]
        near = squares <= (last + 1e-12 * norms[part])[:, None]
        means[part], reach[part] = near @ values / near.sum(1, keepdims=True), np.sqrt(last)
    return means, reach
