"""Contrasted pairs: two items of which exactly one is of the last class, so that each says something of the other.

    C(p)_a ~ p_a (1 - p_b)        each of a pair (a, b): the beliefs of two sides that must exclude one another
"""

from __future__ import annotations

from typing import Any

import numpy as np


def sides(groups: np.ndarray) -> np.ndarray:
    """(P, 2): the items of every group that holds just two."""
    _, where, size = np.unique(groups, return_inverse=True, return_counts=True)
    found = np.flatnonzero(size[where] == 2)
    return found[np.argsort(where[found], kind="stable")].reshape(-1, 2)


def margin(probs: np.ndarray) -> np.ndarray:
    """(..., 2) -> (...): log odds of the last class."""
    safe = probs.astype(np.float64).clip(1e-6, 1 - 1e-6)
    return np.log(safe[..., 1] / safe[..., 0])


def opposed(margins: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(R, P): the known pairs (R, P), in replicates where margins (R, P, 2) of these are opposed on the whole."""
    product = np.where(known, margins.prod(-1), 0)
    # Were sides independent, the sum would have this deviation: three of it below 0 is no chance.
    return known & (product.sum(-1) < -3 * np.sqrt(np.square(product).sum(-1)))[:, None]


def consistent(labels: np.ndarray, probs: np.ndarray, pairs: np.ndarray, count: np.ndarray) -> np.ndarray:
    """`labels` (R, N, 2), with C(probs) for the pairs (P, 2) that count (R, P)."""
    first, second = np.moveaxis(margin(probs[:, pairs]), -1, 0)
    true = 1 / (1 + np.exp(np.stack([second - first, first - second], -1)))
    out = labels.copy()
    out[:, pairs] = np.where(count[..., None, None], np.stack([1 - true, true], -1), labels[:, pairs])
    return out


def contrast(student: Any, labels: np.ndarray, pairs: np.ndarray, count: np.ndarray, rounds: int = 1) -> Any:
    """f_0 = fit(C(w)), f_k = fit(1[C(f_{k-1}) > 1/2]) on the pairs that count, to w elsewhere: consistent and confident."""
    fitted = student.fit(consistent(labels, labels, pairs, count))
    for _ in range(rounds):
        answers = consistent(labels, fitted.predict(), pairs, count)
        sure = np.sign(margin(answers[:, pairs]))[..., None] * [-0.5, 0.5] + 0.5
        answers[:, pairs] = np.where(count[..., None, None], sure, labels[:, pairs])
        fitted = student.fit(answers)
    return fitted
