"""Weak-train, transfer and test: groups stay whole, test items are fixed for a study, halves differ by replicate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from outgrow.core.errors import UserError
from outgrow.core.seeding import derive
from outgrow.tasks.task import FREE, POOL, TEST, Task

TEST_SHARE = 0.2
FEWEST = 20
"""Fewest items on any side: below that neither a supervisor nor a measure means anything."""


@dataclass(frozen=True)
class Splits:
    """Three bool masks (R, N) that never overlap; `test` is the same for every replicate."""

    weak_train: np.ndarray
    transfer: np.ndarray
    test: np.ndarray


def draw(task: Task, seed: int, replicates: Sequence[int]) -> Splits:
    """Splits of the replicates asked for; a replicate's split depends on its own number only.

    Where the data has a split of its own, its test side is the test split; otherwise a fifth of the groups is.
    Raises UserError where a side would hold fewer than 20 items.
    """
    names = np.unique(task.groups)
    side = np.full(len(names), FREE, np.int8)
    where = np.searchsorted(names, task.groups)
    np.maximum.at(side, where, task.side)
    sizes = np.bincount(where, minlength=len(names))
    if not (side == TEST).any():
        side[_share(derive(seed, task.name, "test"), sizes, side == FREE, TEST_SHARE)] = TEST
    side[side == FREE] = POOL
    test = (side == TEST)[where]
    weak = np.stack([_share(derive(seed, task.name, "halves", r), sizes, side == POOL, 0.5)[where] for r in replicates])
    transfer = ~weak & ~test
    for label, count in (("weak-train", weak.sum(1).min()), ("transfer", transfer.sum(1).min()), ("test", test.sum())):
        if count < FEWEST:
            raise UserError(
                f"task {task.name!r} has {len(task)} items, which leaves {count} for {label}: give at least {FEWEST} "
                "for each split"
            )
    return Splits(weak, transfer, np.broadcast_to(test, weak.shape))


def _share(rng: np.random.Generator, sizes: np.ndarray, among: np.ndarray, share: float) -> np.ndarray:
    """A mask of random groups out of `among` that together hold about `share` of its items."""
    order = rng.permutation(np.flatnonzero(among))
    taken = np.zeros(len(sizes), bool)
    taken[order[np.cumsum(sizes[order]) <= share * sizes[order].sum() + 0.5]] = True
    return taken
