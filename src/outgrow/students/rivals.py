"""Rivals: items of one group that are of the last class the less, the more others are, so that each says something of the others.

    C(p)_i = z_i - log sum_j exp z_j            z: log odds of the last class, j: the rivals of i, of whom exactly one is of it:
                                                P(i | exactly one) = exp z_i / sum of exp z; two rivals: C(p)_a ~ p_a (1 - p_b)
    C(p)_i = z_i - sum_j W_ij z_j + z_0         where nobody knows how many are; z_0: log odds of how many are in all
    W_ij = 1 / their number                     what all of them share falls out
    W_ij ~ exp(cos(x_i, x_j) / T)               what the most alike share falls out; x: features about the group's mean

Whether rivals oppose one another is tested where no form says so: Moran's I of what students say, neighbours: rivals.

    I = mean of u_i u_j over the ordered pairs of rivals      u: z about its mean, by its deviation

What is thought of an answer whatever the question falls out too, where the same answers come back:

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
"""K: as many items of log odds 0 are counted with those of an answer."""
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


def prior(labels: np.ndarray, rivals: np.ndarray, rights: np.ndarray) -> np.ndarray:
    """(R, N) z_0: log odds of `rights` (N,) among an item's rivals and itself; of all that is believed where that is -1."""
    _, where, size = np.unique(rivals, return_inverse=True, return_counts=True)
    mean = np.nanmean(labels[..., 1], -1, keepdims=True, dtype=np.float64)
    p = np.where(rights > 0, rights / size[where], mean).clip(1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))


def exclusive(probs: np.ndarray, rivals: np.ndarray, count: np.ndarray) -> np.ndarray:
    """(R, N) log odds of C(p) less z_0 for the items that count (R, N), where exactly one of all rivals is of the last class.

    Less z_0 it is z_i - log mean_j exp z_j, of log odds less z_0 themselves; rivals that do not count have z_0.
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


def chosen(z: np.ndarray, rivals: np.ndarray) -> np.ndarray:
    """(R, N) whether an item has the largest z (R, N) among its rivals."""
    _, where = np.unique(rivals, return_inverse=True)
    top = np.full((len(z), where.max(initial=-1) + 1), -np.inf)
    for row, its in zip(top, z, strict=True):
        np.maximum.at(row, where, its)
    return z >= top[:, where]


def contrasts(
    student: Student, labels: np.ndarray, rivals: np.ndarray, count: np.ndarray, told: bool
) -> list[Callable[[np.ndarray], np.ndarray]]:
    """The ways there are to contrast probabilities (R, N, 2), less z_0: `exclusive` where one is `told` to be right of all rivals; else
    evenly and, where someone has two rivals and the student fixed features, by likeness."""
    if told:
        return [lambda probs: exclusive(probs, rivals, count)]
    _, where = np.unique(rivals, return_inverse=True)
    several = any(np.bincount(where[rows]).max(initial=0) > 2 for rows in count)
    shares: list[list[csr_array] | None] = [None]
    if several and isinstance(student, Embedding):
        shares.append(alike(rivals, count, student.embed(labels)))
    return [partial(contrasted, rivals=rivals, count=count, shares=way) for way in shares]


def contrasted(
    probs: np.ndarray, rivals: np.ndarray, count: np.ndarray, shares: Sequence[csr_array] | None = None
) -> np.ndarray:
    """(R, N) log odds of C(p) less z_0 for the items that count (R, N), by `shares` or evenly; 0 elsewhere."""
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
        row[rows] = its - np.round(
            (np.bincount(at, its)[at] - its) / (np.bincount(at, minlength=1)[at] - 1 + SHRUNK), 9
        )
    return out


def contrast(student: Student, labels: np.ndarray, rivals: np.ndarray, count: np.ndarray, rounds: int = 1) -> Fitted:
    """f_0 = fit(C(w)), f_k = fit(1[i is likeliest of its rivals by f_{k-1}]) on the items that count, to w elsewhere.

    Exactly one of an item's rivals is of the last class; those that are equally likely share it.
    """
    _, where, size = np.unique(rivals, return_inverse=True, return_counts=True)
    start = -np.log((size - 1).clip(1))[where]
    fitted = student.fit(said(labels, exclusive(labels, rivals, count) + start, count))
    for _ in range(rounds):
        top = chosen(np.where(count, fitted.predict()[..., 1], -np.inf), rivals) & count
        share = top / np.stack([np.bincount(where, row)[where] for row in top]).clip(1)
        fitted = student.fit(np.where(count[..., None], np.stack([1 - share, share], -1), labels).astype(np.float32))
    return fitted


def said(labels: np.ndarray, z: np.ndarray, count: np.ndarray) -> np.ndarray:
    """`labels` (R, N, 2), with the log odds z (R, N) of the last class for the items that count."""
    return np.where(count[..., None], np.stack([expit(-z), expit(z)], -1), labels).astype(np.float32)


def opposed(z: np.ndarray, rivals: np.ndarray, count: np.ndarray, sigmas: float = 3.0) -> np.ndarray:
    """(R,) whether rivals among the items that count (R, N) have so unlike log odds z (R, N) that it is no chance.

    Moran's I lies `sigmas` of its deviations below its mean, both over all ways to deal the values out (Cliff & Ord 1981).
    """
    return np.array(
        [
            (found := moran(row[rows], rivals[rows]))[0] < found[1] - sigmas * found[2]
            for row, rows in zip(z, count, strict=True)
        ]
    )


def moran(z: np.ndarray, rivals: np.ndarray) -> tuple[float, float, float]:
    """Moran's I of values z (n,) between those with the same number in `rivals` (n,); its mean and deviation by permutation.

    All 0 where there is nothing to tell: fewer than four values, no rivals, or values that are all the same.
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
    return found, mean, float(np.sqrt(max(top / ((n - 1) * (n - 2) * (n - 3) * pairs**2) - mean**2, 0)))
