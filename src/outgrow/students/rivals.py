"""Rivals: items of one group of which about half are of the last class, so that each says something of the others.

    C(p)_i = sigma(z_i - sum_j W_ij z_j)        z: log odds of the last class, j: the rivals of i; two rivals: C(p)_a ~ p_a (1 - p_b)
    W_ij = 1 / their number                     what all of them share falls out
    W_ij ~ exp(cos(x_i, x_j) / T)               what the most alike share falls out; x: features about the group's mean

What is thought of an answer whatever the question falls out too, where the same answers come back:

    z_i - sum of z_j over the other items with i's answer / (their number + K)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

SHRUNK = 4
"""K: as many items of log odds 0 are counted with those of an answer."""
CERTAIN = 1e3
"""Log odds of what is beyond doubt: probabilities of 0 and 1 to the last bit."""
NARROW = 0.2
"""T."""
NEAREST = 32
"""An item is weighed against this many of its rivals, those most alike, so that large groups stay cheap."""


def among(rivals: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """(R, N): those of the heard items (R, N) that have a rival among them; rivals (N,): of whom one and the same number."""
    _, where = np.unique(rivals, return_inverse=True)
    return np.stack([row & (np.bincount(where, row)[where] > 1) for row in heard])


def margin(probs: np.ndarray) -> np.ndarray:
    """(..., 2) -> (...): log odds of the last class."""
    safe = probs.astype(np.float64).clip(1e-6, 1 - 1e-6)
    return np.log(safe[..., 1] / safe[..., 0])


def alike(rivals: np.ndarray, count: np.ndarray, features: Sequence[np.ndarray], block: int = 1024) -> list[csr_array]:
    """R times (N, N): W by likeness, for the items that count (R, N), from each replicate's features (N, K); rows sum to 1."""
    _, where = np.unique(rivals, return_inverse=True)
    out = []
    for rows, x in zip(count, features, strict=True):
        found = np.flatnonzero(rows)
        found = found[np.argsort(where[found], kind="stable")]
        cells = []
        for its in np.split(found, np.flatnonzero(np.diff(where[found])) + 1) if len(found) else ():
            about = x[its].astype(np.float64)
            about -= about.mean(0)
            about /= np.sqrt((about**2).sum(1, keepdims=True)).clip(1e-9)
            for start in range(0, len(its), block):
                own = np.arange(start, min(start + block, len(its)))
                w = np.exp((about[own] @ about.T - 1) / NARROW)
                w[own - start, own] = 0
                if len(its) > NEAREST + 1:
                    # Those as near as the last are kept with it, so that no tie is broken by order.
                    w[w < np.partition(w, -NEAREST, 1)[:, [-NEAREST]] * (1 - 1e-9)] = 0
                a, b = np.nonzero(w)
                cells.append((its[own[a]], its[b], (w / w.sum(1, keepdims=True))[a, b]))
        i, j, w = (np.concatenate(part) for part in zip(*cells, strict=True)) if cells else ((), (), ())
        out.append(csr_array((w, (i, j)), shape=(len(rows), len(rows))))
    return out


def ways(student: Any, labels: np.ndarray, rivals: np.ndarray, count: np.ndarray) -> list[list[csr_array] | None]:
    """The weightings there are: None (evenly) and, where someone has two rivals and the student fixed features, by likeness."""
    _, where = np.unique(rivals, return_inverse=True)
    several = any(np.bincount(where[rows]).max(initial=0) > 2 for rows in count)
    return [None, alike(rivals, count, student.embed(labels))] if several and hasattr(student, "embed") else [None]


def contrasted(probs: np.ndarray, rivals: np.ndarray, count: np.ndarray, shares: Sequence[csr_array] | None = None) -> np.ndarray:
    """(R, N) log odds of C(p) for the items that count (R, N), by `shares` or evenly; 0 elsewhere."""
    _, where = np.unique(rivals, return_inverse=True)
    out = np.zeros(count.shape)
    for r, rows in enumerate(count):
        at, z = where[rows], margin(probs[r, rows])
        if shares is None:
            others = (np.bincount(at, z)[at] - z) / (np.bincount(at, minlength=1)[at] - 1)
        else:
            out[r, rows] = z
            others = (shares[r] @ out[r])[rows]
        # Rounded, so that equal beliefs cancel out in whatever order they are summed.
        out[r, rows] = np.round(z - others, 9)
    return out


def unliked(z: np.ndarray, answers: np.ndarray, count: np.ndarray) -> np.ndarray:
    """(R, N) log odds of the items that count less what the others with the same answer have; answers (N,)."""
    _, where = np.unique(answers, return_inverse=True)
    out = z.copy()
    for row, rows in zip(out, count, strict=True):
        at, its = where[rows], row[rows]
        row[rows] = its - np.round((np.bincount(at, its)[at] - its) / (np.bincount(at, minlength=1)[at] - 1 + SHRUNK), 9)
    return out


def contrast(student: Any, labels: np.ndarray, rivals: np.ndarray, count: np.ndarray, rounds: int = 1) -> Any:
    """f_0 = fit(C(w)), f_k = fit(1[C(f_{k-1}) > 1/2]) on the items that count, to w elsewhere: consistent and confident."""
    fitted = student.fit(said(labels, contrasted(labels, rivals, count), count))
    for _ in range(rounds):
        fitted = student.fit(said(labels, CERTAIN * np.sign(contrasted(fitted.predict(), rivals, count)), count))
    return fitted


def said(labels: np.ndarray, z: np.ndarray, count: np.ndarray) -> np.ndarray:
    """`labels` (R, N, 2), with the log odds z (R, N) of the last class for the items that count."""
    return np.where(count[..., None], np.stack([expit(-z), expit(z)], -1), labels).astype(np.float32)
