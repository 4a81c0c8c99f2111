"""Selections: which items to trust, and how much. One file each, found by walking the folder.

A selection is a function named like its file that returns weights (R, N) float32 >= 0 for `student.fit(..., weights=...)`.
"""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np

from outgrow.label_models import Belief


def top(score: np.ndarray, belief: Belief, share: float) -> np.ndarray:
    """Weights (R, N): 1 for the share with the highest score (R, N) of the items that each class is named for, else 0.

    Items that score as the last one kept are kept with it; items without a weak label are not.
    """
    answer = np.where(np.isnan(belief.probs).any(-1), -1, belief.probs.argmax(-1))
    out = np.zeros(answer.shape, np.float32)
    for r, row in enumerate(answer):
        for c in range(belief.probs.shape[-1]):
            named = row == c
            if named.any():
                out[r] += named & (score[r] >= np.quantile(score[r, named], 1 - share))
    return out


def registry() -> dict[str, str]:
    """Name of every selection and its first line, found by walking the folder."""
    modules = sorted(m.name for m in pkgutil.iter_modules(__path__))
    return {name: (importlib.import_module(f"{__name__}.{name}").__doc__ or "").splitlines()[0] for name in modules}
