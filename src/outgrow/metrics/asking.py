"""Which items to ask gold of: those of which a student is unsure, and not all of the same sort.

    h_i = entropy of the student's probabilities        asked: a random sample of the quarter of items with the most h

The most unsure items of all resemble one another, so that a batch of them teaches less than a random sample; within the
quarter chance spreads them over what there is. Items of one group come after those of others.
"""

from __future__ import annotations

import math

import numpy as np

PART = 0.25
"""The part of the items that is drawn from."""


def entropy(probs: np.ndarray) -> np.ndarray:
    """(n,) the entropy of probabilities (n, C), 1 where all classes are equally likely."""
    return np.asarray(-(probs * np.log(np.maximum(probs, 1e-12))).sum(-1) / np.log(probs.shape[-1]))


def asked(score: np.ndarray, groups: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Indices of the items to ask gold of, the highest score first.

    Args:
        score: (n,) how much an item is worth, in an order of items that gold does not change.
        groups: (n,) of items with the same number one is asked before another.
        count: number of items.
        rng: draws them.

    Example:
        >>> asked(np.array([0.1, 0.9, 0.8, 0.2]), np.array([0, 1, 1, 2]), 3, np.random.default_rng(0))
        array([1, 3, 0])
    """
    order = np.argsort(-score, kind="stable")
    turn, seen = np.empty(len(score), np.int64), dict[int, int]()
    for i in order:
        turn[i] = seen[groups[i]] = seen.get(int(groups[i]), -1) + 1
    chosen: list[int] = []
    for level in range(int(turn.max(initial=-1)) + 1):
        inside = order[turn[order] == level]
        wanted = min(count - len(chosen), len(inside))
        among = inside[: max(wanted, math.ceil(PART * len(inside)))]
        chosen += rng.permutation(among)[:wanted].tolist()
    return np.array(sorted(chosen, key=lambda i: -score[i]), np.int64)
