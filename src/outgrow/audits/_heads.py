"""Linear heads on features, judged on items that they have not seen.

Of five folds (whole groups) three train, the fourth chooses layer and ridge by cross-entropy, and the fifth is judged;
each is judged once. What is judged was not used before, so that noise comes out as chance, not above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from outgrow.audits._statistics import apart, jackknife

FOLDS = 5
RIDGES = (1e-2, 1e-1, 1.0)
STEPS = 20


def basis(features: np.ndarray) -> Any:
    """The `Basis` of features (N, D)."""
    import torch

    from outgrow.students.linear import Basis

    return Basis.of(torch.from_numpy(np.asarray(features, np.float32)), torch.ones(len(features), dtype=torch.bool))


def unseen(
    bases: Sequence[Any], targets: np.ndarray, groups: np.ndarray, taught: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of heads that have not seen the item's fold.

    Args:
        bases: a `Basis` for each candidate layer.
        targets: (R, N, C); rows of NaN are neither used nor judged.
        groups: (N,) group of each item.
        taught: (N,) bool: rows that may train and choose; all where not given.

    Returns:
        (probabilities (R, N, C), fold (N,)).
    """
    import torch

    from outgrow.students.linear import train

    names, where = np.unique(groups, return_inverse=True)
    fold = (np.random.default_rng(0).permutation(len(names)) % FOLDS)[where]
    rows = np.flatnonzero(~np.isnan(targets).any(-1).all(0))
    known = ~np.isnan(targets[:, rows]).any(-1)
    t, f = torch.from_numpy(np.nan_to_num(targets[:, rows], nan=1 / targets.shape[-1]).astype(np.float32)), fold[rows]
    count, at = len(targets), torch.from_numpy(rows)
    may = known if taught is None else known & taught[rows]
    weights = torch.from_numpy(
        np.concatenate([may * ((f != k) & (f != (k + 1) % FOLDS)) for k in range(FOLDS)]).astype(np.float32)
    )
    ridge = torch.tensor(RIDGES).repeat_interleave(len(weights))
    wide = t.repeat(FOLDS, 1, 1)
    logp = []
    for basis in bases:
        heads = train(
            basis,
            at,
            wide,
            weights,
            ridge,
            steps=STEPS,
        )
        logp += list(heads.logits(basis.x[at]).log_softmax(-1).view(len(RIDGES), FOLDS, count, len(rows), -1).numpy())
    out = np.full((count, len(fold), targets.shape[-1]), np.nan, np.float32)
    for k in range(FOLDS):
        choose, judge = may & (f == (k + 1) % FOLDS), known & (f == k)
        loss = np.stack([-((log_p[k] * t.numpy()).sum(-1) * choose).sum(-1) for log_p in logp])
        for r, best in enumerate(loss.argmin(0)):
            out[r, rows[judge[r]]] = np.exp(logp[best][k, r, judge[r]])
    return out, fold


def separated(
    bases: Sequence[Any], truth: np.ndarray, groups: np.ndarray
) -> tuple[float, tuple[float, float] | None, np.ndarray]:
    """How well heads separate 1 from 0 in truth (R, N), NaN: left out; (AUC, its interval, scores (R, N))."""
    probs, fold = unseen(bases, np.stack([1 - truth, truth], -1), groups)
    part = apart(len(fold), groups)
    value, ci = jackknife(lambda kept: area(probs[..., 1], truth, np.where(np.isin(part, kept), fold, -1)))
    return value, ci and (max(ci[0], 0.0), min(ci[1], 1.0)), probs[..., 1]


def area(score: np.ndarray, truth: np.ndarray, cell: np.ndarray) -> float:
    """AUC: share of pairs of a 1 and a 0 in one cell in which the 1 has the higher score, ties half.

    Args:
        score: (R, N).
        truth: (R, N): 1, 0, or NaN for left out.
        cell: (N,) or (R, N): index of the cell, below 0 for left out.

    Source: Mann & Whitney 1947.
    """
    won = pairs = 0.0
    for s, y, place in zip(score, truth, np.broadcast_to(cell, score.shape), strict=True):
        for number in np.unique(place[place >= 0]):
            rows = place == number
            ones, zeros = s[rows & (y == 1)], np.sort(s[rows & (y == 0)])
            won += sum(np.searchsorted(zeros, ones, side).sum() for side in ("left", "right")) / 2
            pairs += len(ones) * len(zeros)
    return won / pairs if pairs else float("nan")
