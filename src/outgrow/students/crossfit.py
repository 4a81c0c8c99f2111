"""Students on part of the weak labels: what a student says of items whose labels it has not seen, and its answers.

f_ik = predict_i(fit(w without fold k))        out of fold: f_ik of the fold k that holds item i and its group
"""

from __future__ import annotations

import numpy as np

from outgrow.core.seeding import derive
from outgrow.students.base import Student

FOLDS = 5


def crossfit(student: Student, targets: np.ndarray, name: str = "crossfit", count: int = FOLDS) -> np.ndarray:
    """Out-of-fold probabilities (R, N, C) float32: of every item, by the student fitted without its group's targets."""
    fold = folds(student, name, count)
    out = np.empty((*fold.shape, targets.shape[-1]), np.float32)
    for k in range(count):
        held = fold == k
        out[held] = student.fit(targets, weights=(~held).astype(np.float32)).predict()[held]
    return out


def folds(student: Student, name: str, count: int) -> np.ndarray:
    """(R, N): the fold of every item; whole groups, drawn by replicate and name.

    The name must not be one that the student draws by: it would choose its settings on the very fold that is missing.
    """
    groups, where = np.unique(student.groups, return_inverse=True)
    draws = [derive(student.seed, name, r).permutation(len(groups)) % count for r in student.replicates]
    return np.stack(draws)[:, where]


def answers(probs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """One-hot (R, N, C) of the likeliest class, with offsets that give the classes the targets' balance; NaN where these are."""
    import torch

    from outgrow.losses.logconf import hardened, prior

    seen = ~np.isnan(targets).any(-1)
    used = torch.from_numpy(seen).float()
    out = hardened(torch.from_numpy(probs).log(), prior(torch.from_numpy(targets).nan_to_num(), used), used).numpy()
    return np.where(seen[..., None], out, np.float32(np.nan))
