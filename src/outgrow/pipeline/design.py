"""Designs: which items teach each replicate of a student, and which judge it.

    Halves      supervisors learn from one half of the training items, the student from the other; a test split judges
    CrossFit    replicate 0 learns from all items, every other one leaves out a fold of the groups, and is judged on it

A design holds no gold. Masks are (R, N): replicates first, items in the order of the task's ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from outgrow.core.seeding import derive
from outgrow.tasks.splits import Splits, draw
from outgrow.tasks.task import TEST

if TYPE_CHECKING:
    from outgrow.tasks.task import GenerationTask, Task

BLOCK = 8
"""Replicates that heads on features are trained for at once."""
FOLDS = 5


@final
@dataclass(frozen=True)
class Halves:
    """Fresh halves of the training items in every replicate, one test split for all.

    Args:
        task: the task whose items are split.
        seed: names the study.
        block: number of the block.
        size: replicates in a block, which are computed and cached together.
    """

    task: Task | GenerationTask
    seed: int
    block: int
    size: int = BLOCK

    @property
    def replicates(self) -> range:
        """Numbers of the block's replicates."""
        return range(self.size * self.block, self.size * (self.block + 1))

    @cached_property
    def splits(self) -> Splits:
        """The masks of weak-train, transfer and test."""
        return draw(self.task, self.seed, self.replicates)

    @property
    def teach(self) -> np.ndarray:
        """(R, N) bool: the items that teach the student."""
        return self.splits.transfer

    @property
    def judge(self) -> np.ndarray:
        """(R, N) bool: the items that judge it, the same in every replicate."""
        return self.splits.test

    def few(self, among: np.ndarray, count: int) -> np.ndarray:
        """(R, N) bool: about `count` of the items `among` a replicate: whole groups, nested sets."""
        names, where = np.unique(self.task.groups, return_inverse=True)
        out = np.zeros_like(among)
        for r, rows in enumerate(among):
            sizes = np.bincount(where, weights=rows, minlength=len(names))
            order = derive(self.seed, self.task.name, "few", self.replicates[r]).permutation(len(names))
            order = order[sizes[order] > 0]
            taken = order[: int(np.searchsorted(np.cumsum(sizes[order]), count)) + 1]
            out[r] = rows & np.isin(where, taken)
        return out


@final
@dataclass(frozen=True)
class CrossFit:
    """One replicate by all items, and one for each fold of the groups, by the other folds.

    Args:
        groups: (N,) items with the same number stay in one fold.
        side: (N,) int8: items on the data's own test side teach nobody.
        seed: names the folds.
        folds: how many there are.
    """

    groups: np.ndarray
    side: np.ndarray
    seed: int
    folds: int = FOLDS

    @property
    def replicates(self) -> range:
        """Replicate 0 learns from all items, replicate k from all but fold k."""
        return range(self.folds + 1)

    @cached_property
    def fold(self) -> np.ndarray:
        """(N,) the replicate that an item does not teach; 0 for items of the data's own test split."""
        names, where = np.unique(self.groups, return_inverse=True)
        fold = 1 + derive(self.seed, "learn", "folds").permutation(len(names)) % self.folds
        return np.where(self.side == TEST, 0, fold[where])

    @cached_property
    def teach(self) -> np.ndarray:
        """(R, N) bool: the items that teach the student."""
        return np.asarray((self.fold > 0) & (self.fold != np.array(self.replicates)[:, None]))

    @property
    def judge(self) -> np.ndarray:
        """(R, N) bool: the items that judge it; each is judged in one replicate."""
        return np.asarray(self.fold == np.array(self.replicates)[:, None])

    def crossed(self, probs: np.ndarray) -> np.ndarray:
        """(N, C) out of (R, N, C): of every item, the replicate that it did not teach."""
        return np.asarray(probs[self.fold, np.arange(probs.shape[1])])
