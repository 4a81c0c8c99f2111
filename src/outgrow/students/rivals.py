"""Rivals: items of one group of which about half are of the last class, so that each says something of the others.

    C(p)_i = sigma(z_i - mean of z_j over the rivals j of i)        z: log odds of the last class; two rivals: C(p)_a ~ p_a (1 - p_b)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from outgrow.students.crossfit import crossfit

CERTAIN = 1e3
"""Log odds of what is beyond doubt: probabilities of 0 and 1 to the last bit."""


def among(rivals: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """(R, N): those of the heard items (R, N) that have a rival among them; rivals (N,): of whom one and the same number."""
    _, where = np.unique(rivals, return_inverse=True)
    return np.stack([row & (np.bincount(where, row)[where] > 1) for row in heard])


def margin(probs: np.ndarray) -> np.ndarray:
    """(..., 2) -> (...): log odds of the last class."""
    safe = probs.astype(np.float64).clip(1e-6, 1 - 1e-6)
    return np.log(safe[..., 1] / safe[..., 0])


def contrasted(probs: np.ndarray, rivals: np.ndarray, count: np.ndarray) -> np.ndarray:
    """(R, N) log odds of C(p) for the items that count (R, N); 0 elsewhere."""
    _, where = np.unique(rivals, return_inverse=True)
    out = np.zeros(count.shape)
    for r, rows in enumerate(count):
        at, z = where[rows], margin(probs[r, rows])
        others = np.bincount(at, minlength=1)[at] - 1
        # Rounded, so that equal beliefs cancel out in whatever order they are summed.
        out[r, rows] = np.round(z - (np.bincount(at, z)[at] - z) / others, 9)
    return out


def contrast(student: Any, labels: np.ndarray, rivals: np.ndarray, count: np.ndarray, rounds: int = 1) -> Any:
    """f_0 = fit(C(w)), f_k = fit(1[C(f_{k-1}) > 1/2]) on the items that count, to w elsewhere: consistent and confident."""
    fitted = student.fit(said(labels, contrasted(labels, rivals, count), count))
    for _ in range(rounds):
        sure = CERTAIN * np.sign(contrasted(fitted.predict(), rivals, count))
        fitted = student.fit(said(labels, sure, count))
    return fitted


def seconded(student: Any, labels: np.ndarray, rivals: np.ndarray, count: np.ndarray) -> Any:
    """f_0 = fit(C(w)) out of fold, f = fit(C(w) C(f_0)) on the items that count, to w elsewhere: a belief times what is made of others'."""
    heard = contrasted(labels, rivals, count)
    second = crossfit(student, said(labels, heard, count), "seconded")
    return student.fit(said(labels, heard + contrasted(second, rivals, count), count))


def said(labels: np.ndarray, z: np.ndarray, count: np.ndarray) -> np.ndarray:
    """`labels` (R, N, 2), with the log odds z (R, N) of the last class for the items that count."""
    return np.where(count[..., None], np.stack([expit(-z), expit(z)], -1), labels).astype(np.float32)
