"""Which items to ask gold of: those of which a student is unsure, spread over all sorts of items.

    d_i = 1 - (the largest probability - the second largest)        of the half of items with the largest d
    k-means of their features, weighed by d, with as many clusters as items are asked for: the item next to each centre

The most unsure items of all resemble one another, so that a batch of them teaches less than a random sample does.
"""

from __future__ import annotations

import math
import warnings

import numpy as np

PART = 0.5
"""The part of the items, those of largest doubt, that is clustered."""
AXES = 32
"""Number of leading axes of the features."""


def doubt(probs: np.ndarray) -> np.ndarray:
    """(n,) how unsure probabilities (n, C) are: 0 of a single class, 1 where two are equally likely."""
    ranked = np.sort(probs, -1)
    return np.asarray(1 - (ranked[:, -1] - ranked[:, -2]))


def directions(features: np.ndarray) -> np.ndarray:
    """(n, AXES) the directions of features (n, K) along their axes of largest variance."""
    leading = features[:, np.argsort(-features.var(0), kind="stable")[:AXES]].astype(np.float64)
    return np.asarray(leading / np.maximum(np.linalg.norm(leading, axis=1, keepdims=True), 1e-12))


def asked(
    score: np.ndarray, groups: np.ndarray, count: int, rng: np.random.Generator, places: np.ndarray | None = None
) -> np.ndarray:
    """Indices of the items to ask gold of, the highest score first.

    Args:
        score: (n,) how unsure the student is of an item, in an order of items that gold does not change.
        groups: (n,) of items with the same number one is asked before another.
        count: number of items.
        rng: where clusters begin, or, without places, which items are drawn.
        places: (n, K) where items lie, so that alike ones are near; None: items are drawn at random.

    Example:
        >>> asked(np.array([0.1, 0.9, 0.8, 0.2]), np.array([0, 1, 1, 2]), 3, np.random.default_rng(0))
        array([1, 3, 0])
    """
    order = np.argsort(-score, kind="stable")
    turn, seen = np.empty(len(score), np.int64), dict[int, int]()
    for i in order:
        turn[i] = seen[int(groups[i])] = seen.get(int(groups[i]), -1) + 1
    chosen: list[int] = []
    for level in range(int(turn.max(initial=-1)) + 1):
        if len(chosen) >= count:
            break
        inside = order[turn[order] == level]
        wanted = min(count - len(chosen), len(inside))
        among = inside[: max(wanted, math.ceil(PART * len(inside)))]
        spread = rng.permutation(among) if places is None else _spread(among, score, places, wanted, rng)
        chosen += spread[:wanted].tolist()
    return np.array(sorted(chosen, key=lambda i: (-score[i], i)), np.int64)


def _spread(
    among: np.ndarray, score: np.ndarray, places: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """The items, those next to a centre of `count` clusters first, and the others by score."""
    if not 0 < count < len(among):
        return among
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    seed = int(rng.integers(2**31))
    weights = np.maximum(score[among], 1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # items of one place: fewer clusters than items asked for
        found = KMeans(count, n_init=1, max_iter=30, random_state=seed).fit(places[among], sample_weight=weights)
    far = ((places[among] - found.cluster_centers_[found.labels_]) ** 2).sum(1)
    next_to = [int(np.flatnonzero(found.labels_ == c)[far[found.labels_ == c].argmin()]) for c in set(found.labels_)]
    first = np.zeros(len(among), bool)
    first[next_to] = True
    return np.concatenate([among[first], among[~first]])
