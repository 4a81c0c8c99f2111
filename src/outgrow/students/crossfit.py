"""Cross-fitting: a student's predictions of items whose labels it has not seen, and its hardened answers.

f_ik = predict_i(fit(w without fold k))        out of fold: f_ik of the fold k that holds item i and its group
"""

from __future__ import annotations

import numpy as np

from outgrow.core.seeding import derive
from outgrow.students.base import Student

FOLDS = 5


def crossfit(student: Student, targets: np.ndarray, name: str = "crossfit", count: int = FOLDS) -> np.ndarray:
    """Out-of-fold probabilities of every item, by the student fitted without the targets of the item's group.

    Args:
        student: the student to be fitted `count` times.
        targets: (R, N, C) or (N, C).
        name: names the random folds.
        count: number of folds.

    Returns:
        (R, N, C) float32.
    """
    fold = folds(student, name, count)
    out = np.empty((*fold.shape, targets.shape[-1]), np.float32)
    for k in range(count):
        held = fold == k
        out[held] = student.fit(targets, weights=(~held).astype(np.float32)).predict()[held]
    return out


def folds(student: Student, name: str, count: int) -> np.ndarray:
    """(R, N): the fold of every item; whole groups, drawn by replicate and name.

    The name must not be one that the student itself uses, or it would choose its settings on the fold that is missing.
    """
    groups, where = np.unique(student.groups, return_inverse=True)
    draws = [derive(student.seed, name, r).permutation(len(groups)) % count for r in student.replicates]
    return np.stack(draws)[:, where]


def answers(probs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Hardened answers: one-hot likeliest classes (R, N, C), offset so that the classes have the targets' balance.

    Args:
        probs: (R, N, C) probabilities.
        targets: (R, N, C); where they are NaN, so is the answer.
    """
    import torch

    from outgrow.losses.logconf import hardened, prior

    seen = ~np.isnan(targets).any(-1)
    used = torch.from_numpy(seen).float()
    out = hardened(torch.from_numpy(probs).log(), prior(torch.from_numpy(targets).nan_to_num(), used), used).numpy()
    return np.where(seen[..., None], out, np.float32(np.nan))
