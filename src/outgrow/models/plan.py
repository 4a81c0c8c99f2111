"""Which texts go through a model together: a pure function of their lengths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Plan:
    """N texts in reading order, divided into batches, and these into shards."""

    order: np.ndarray
    """(N,) indices of texts, shortest first, equal lengths in their own order."""
    batches: tuple[tuple[slice, ...], ...]
    """For each shard its batches, slices of `order`; together they cover it once, in order."""

    def rows(self, shard: int) -> slice:
        """The slice of `order` of one shard."""
        return slice(self.batches[shard][0].start, self.batches[shard][-1].stop)


def plan(lengths: np.ndarray, batch_tokens: int, shard_tokens: int) -> Plan:
    """Fills batches up to `batch_tokens`, padding counted, and shards up to `shard_tokens`.

    A batch ends early where the length changes and it is at least half full: equal lengths need no padding.
    """
    order = np.argsort(lengths, kind="stable")
    ordered = lengths[order].tolist()
    shards: list[tuple[slice, ...]] = []
    batches: list[slice] = []
    held = start = 0
    for at in range(1, len(ordered) + 1):
        if at < len(ordered):
            size, longer = (at - start) * ordered[at - 1], ordered[at] > ordered[at - 1]
            fits = (at - start + 1) * ordered[at] <= batch_tokens
            if fits and not (longer and 2 * size >= batch_tokens):
                continue
        batches.append(slice(start, at))
        held += sum(ordered[start:at])
        start = at
        if held >= shard_tokens or at == len(ordered):
            shards.append(tuple(batches))
            batches, held = [], 0
    return Plan(order, tuple(shards))
