"""Rivals: items of one group that compete for the last class, so that a belief about one informs the others.

    C(p)_i = z_i - log sum_j exp z_j        exactly one of i and its rivals j is of the last class; z: its log odds
                                            P(i | exactly one) = exp z_i / sum exp z; of a pair C(p)_a ~ p_a (1 - p_b)
    C(p)_i = z_i - sum_j W_ij z_j + z_0     how many are is not known; z_0: log odds of the share that are
    W_ij   = 1 / number of rivals           removes what all rivals share
    W_ij   ~ exp(cos(x_i, x_j) / T)         removes what the most similar share; x: features about the group's mean

Where the form of the task does not say so, it is tested whether rivals oppose one another, by Moran's I of a student's
log odds with rivals as neighbours:

    I = mean of u_i u_j over the ordered pairs of rivals        u: standardised z

Where the same answers come back, a preference for an answer whatever the question can be removed too (`debiased`):

    z_i - sum of z_j over the other items with i's answer / (their number + K)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from outgrow.students.base import Embedding, Fitted, Student

SHRUNK = 4
"""K: number of items of log odds 0 that are added to those of every answer."""
NARROW = 0.2
"""T."""
NEAREST = 32
"""Number of most similar rivals that an item is contrasted with, so that large groups stay cheap."""


def with_rivals(rivals: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """The labelled items that have a labelled rival.

    Args:
        rivals: (N,) items of one number are rivals.
        labelled: (R, N) bool.

    Returns:
        (R, N) bool.
    """
    _, where = np.unique(rivals, return_inverse=True)
    return np.stack([row & (np.bincount(where, row)[where] > 1) for row in labelled])


def margin(probs: np.ndarray) -> np.ndarray:
    """Log odds (...) of the last class, from probabilities (..., 2)."""
    safe = probs.astype(np.float64).clip(1e-6, 1 - 1e-6)
    return np.log(safe[..., 1] / safe[..., 0])


def likeness(
    rivals: np.ndarray, count: np.ndarray, features: Sequence[np.ndarray], block: int = 1024
) -> list[csr_array]:
    """W by likeness of features, for each replicate (N, N) sparse, rows that sum to 1.

    Args:
        rivals: (N,) items of one number are rivals.
        count: (R, N) bool, the items that count.
        features: for each replicate (N, K).
        block: rows that are computed at a time.
    """
    _, where = np.unique(rivals, return_inverse=True)
    out = []
    for rows, x in zip(count, features, strict=True):
        found = np.flatnonzero(rows)
        found = found[np.argsort(where[found], kind="stable")]
        cells: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for its in np.split(found, np.flatnonzero(np.diff(where[found])) + 1) if len(found) else ():
            about = x[its].astype(np.float64)
            about -= about.mean(0)
            about /= np.sqrt((about**2).sum(1, keepdims=True)).clip(1e-9)
            for start in range(0, len(its), block):
                own = np.arange(start, min(start + block, len(its)))
                w = np.exp((about[own] @ about.T - 1) / NARROW)
                w[own - start, own] = 0
                if len(its) > NEAREST + 1:
                    # Items as near as the last one are kept with it, so that no tie is broken by order.
                    w[w < np.partition(w, -NEAREST, 1)[:, [-NEAREST]] * (1 - 1e-9)] = 0
                a, b = np.nonzero(w)
                cells.append((its[own[a]], its[b], (w / w.sum(1, keepdims=True))[a, b]))
        shape = (len(rows), len(rows))
        if not cells:
            out.append(csr_array(shape))
            continue
        i, j, weights = (np.concatenate(part) for part in zip(*cells, strict=True))
        out.append(csr_array((weights, (i, j)), shape=shape))
    return out


def prior(labels: np.ndarray, rivals: np.ndarray, rights: np.ndarray) -> np.ndarray:
    """(R, N) z_0: log odds of `rights` (N,) in an item's group; of the mean label where `rights` is -1."""
    _, where, size = np.unique(rivals, return_inverse=True, return_counts=True)
    mean = np.nanmean(labels[..., 1], -1, keepdims=True, dtype=np.float64)
    p = np.where(rights > 0, rights / size[where], mean).clip(1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


def exclusive(probs: np.ndarray, rivals: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Log odds (R, N) of C(p), less z_0, where exactly one of a group is of the last class; 0 where items do not count.

    This is z_i - log mean_j exp z_j, of log odds less z_0; rivals that do not count have z_0.
    """
    _, where, size = np.unique(rivals, return_inverse=True, return_counts=True)
    out, start = np.zeros(count.shape), -np.log((size - 1).clip(1))[where]
    for r, rows in enumerate(count):
        at = where[rows]
        z = margin(probs[r, rows]) - start[rows]
        top = np.zeros(len(size))
        np.maximum.at(top, at, z)
        mass = np.exp(z - top[at])
        rest = (np.bincount(at, mass, len(size)) + (size - np.bincount(at, minlength=len(size))) * np.exp(-top))[
            at
        ] - mass
        # Rounded, so that equal beliefs cancel out in whatever order they are summed.
        out[r, rows] = np.round(z - top[at] - np.log(rest / (size[at] - 1)), 9)
    return out


def likeliest(z: np.ndarray, rivals: np.ndarray) -> np.ndarray:
    """(R, N) bool: whether an item has the largest z (R, N) among its rivals."""
    _, where = np.unique(rivals, return_inverse=True)
    top = np.full((len(z), where.max(initial=-1) + 1), -np.inf)
    for row, its in zip(top, z, strict=True):
        np.maximum.at(row, where, its)
    return z >= top[:, where]


def contrasts(
    student: Student, labels: np.ndarray, rivals: np.ndarray, count: np.ndarray, told: bool
) -> list[Callable[[np.ndarray], np.ndarray]]:
    """The functions that contrast probabilities (R, N, 2) -> log odds (R, N), less z_0.

    With `told`, exactly one of a group is right: `exclusive`. Otherwise the even contrast and, where some group has
    more than two members and the student has features, the contrast by likeness.
    """
    if told:
        return [lambda probs: exclusive(probs, rivals, count)]
    _, where = np.unique(rivals, return_inverse=True)
    several = any(np.bincount(where[rows]).max(initial=0) > 2 for rows in count)
    shares: list[list[csr_array] | None] = [None]
    if several and isinstance(student, Embedding):
        shares.append(likeness(rivals, count, student.embed(labels)))
    return [partial(contrasted, rivals=rivals, count=count, shares=way) for way in shares]


def contrasted(
    probs: np.ndarray, rivals: np.ndarray, count: np.ndarray, shares: Sequence[csr_array] | None = None
) -> np.ndarray:
    """Log odds (R, N) of C(p), less z_0, by the `shares` W or evenly; 0 where items do not count."""
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


def debiased(z: np.ndarray, answers: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Log odds (R, N) less the shrunken mean of other items with the same answer (N,), for the items that count."""
    _, where = np.unique(answers, return_inverse=True)
    out = z.copy()
    for row, rows in zip(out, count, strict=True):
        at, its = where[rows], row[rows]
        row[rows] = its - np.round(
            (np.bincount(at, its)[at] - its) / (np.bincount(at, minlength=1)[at] - 1 + SHRUNK), 9
        )
    return out


def contrast(student: Student, labels: np.ndarray, rivals: np.ndarray, count: np.ndarray, rounds: int = 1) -> Fitted:
    """f_0 = fit(C(w)), f_k = fit(1[i is the likeliest of its rivals by f_{k-1}]) on the items that count, w elsewhere.

    Exactly one item of a group is of the last class; equally likely ones share it.
    """
    _, where, size = np.unique(rivals, return_inverse=True, return_counts=True)
    start = -np.log((size - 1).clip(1))[where]
    fitted = student.fit(with_log_odds(labels, exclusive(labels, rivals, count) + start, count))
    for _ in range(rounds):
        top = likeliest(np.where(count, fitted.predict()[..., 1], -np.inf), rivals) & count
        share = top / np.stack([np.bincount(where, row)[where] for row in top]).clip(1)
        fitted = student.fit(np.where(count[..., None], np.stack([1 - share, share], -1), labels).astype(np.float32))
    return fitted


def with_log_odds(labels: np.ndarray, z: np.ndarray, count: np.ndarray) -> np.ndarray:
    """The labels (R, N, 2), with log odds z (R, N) of the last class in their place for the items that count."""
    return np.where(count[..., None], np.stack([expit(-z), expit(z)], -1), labels).astype(np.float32)


def opposed(z: np.ndarray, rivals: np.ndarray, count: np.ndarray, sigmas: float = 3.0) -> np.ndarray:
    """Whether rivals have more opposite log odds than chance: Moran's I lies `sigmas` deviations below its mean.

    Args:
        z: (R, N) log odds.
        rivals: (N,) items of one number are rivals.
        count: (R, N) bool, the items that count.
        sigmas: deviations of I, over all permutations of the values.

    Returns:
        (R,) bool.

    Source:
        Cliff & Ord 1981.
    """
    return np.array(
        [
            (found := moran(row[rows], rivals[rows]))[0] < found[1] - sigmas * found[2]
            for row, rows in zip(z, count, strict=True)
        ]
    )


def moran(z: np.ndarray, rivals: np.ndarray) -> tuple[float, float, float]:
    """Moran's I of values z (n,) between items of one number in `rivals` (n,); its mean and deviation by permutation.

    All three are 0 where I is undefined: fewer than four values, no rivals, or constant values.

    Example:
        >>> i, mean, deviation = moran(np.array([1.0, -1.0, 2.0, -2.0, 1.0, -1.0]), np.array([0, 0, 1, 1, 2, 2]))
        >>> round(i, 6), round(mean, 6)
        (-1.0, -0.2)
    """
    n, (_, where, size) = len(z), np.unique(rivals, return_inverse=True, return_counts=True)
    others = size[where] - 1.0
    u = np.asarray(z, np.float64) - np.mean(z) if n else np.empty(0)
    square, pairs = (u**2).sum(), others.sum()
    if n < 4 or pairs == 0 or square <= 1e-12 * n:
        return 0.0, 0.0, 0.0
    found = n / pairs * ((np.bincount(where, u) ** 2).sum() - square) / square
    s1, s2, peaked = 2 * pairs, 4 * (others**2).sum(), n * (u**4).sum() / square**2
    top = n * ((n * n - 3 * n + 3) * s1 - n * s2 + 3 * pairs**2) - peaked * (
        (n * n - n) * s1 - 2 * n * s2 + 6 * pairs**2
    )
    mean = -1 / (n - 1)
    return float(found), mean, float(np.sqrt(max(top / ((n - 1) * (n - 2) * (n - 3) * pairs**2) - mean**2, 0)))
