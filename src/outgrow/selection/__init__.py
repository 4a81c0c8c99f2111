"""Selections: which items to trust, and how much; one a file.

@selection
def margin(belief: Belief) -> np.ndarray: ...         weights (R, N) float32 >= 0 for `student.fit(..., weights=...)`
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.core.registry import Registry, first_line, mark, marked
from outgrow.label_models import Belief


def top(score: np.ndarray, belief: Belief, share: float) -> np.ndarray:
    """Keep the best-scored share of the items of each class; items tied with the last one are kept, too.

    Args:
        score: (R, N), the higher the better.
        belief: whose likeliest classes divide the items.
        share: the share of each class that is kept.

    Returns:
        Weights (R, N), 1 for kept items; 0 for others and for items without a weak label.
    """
    answer = np.where(np.isnan(belief.probs).any(-1), -1, belief.probs.argmax(-1))
    out = np.zeros(answer.shape, np.float32)
    for r, row in enumerate(answer):
        for c in range(belief.probs.shape[-1]):
            named = row == c
            if named.any():
                out[r] += named & (score[r] >= np.quantile(score[r, named], 1 - share))
    return out


@final
@dataclass(frozen=True)
class Selection:
    """A registered selection."""

    name: str
    line: str
    run: Callable[..., np.ndarray]


def selection(run: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Mark a function as a selection."""
    return mark(run, Selection(run.__name__, first_line(run), run))


SELECTIONS = Registry("selection", __name__, "outgrow.selection", marked(Selection))
registry = SELECTIONS.all
