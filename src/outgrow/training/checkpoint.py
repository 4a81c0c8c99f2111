"""Checkpoints of long trainings: a killed training resumes from the last one and ends with the same bytes.

Two artifacts take turns, so that one is whole while the other is being written.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, final

import numpy as np

from outgrow.store import Store

EVERY = 60.0
"""Fewest seconds between two checkpoints."""
SHARE = 0.05
"""Largest share of the time that is spent on writing them."""


@final
class Checkpoint:
    """The latest state of one training; `made_of` is everything that identifies it."""

    def __init__(self, store: Store, made_of: Mapping[str, Any]):
        self._store, self._slots = store, [{**made_of, "slot": slot} for slot in (0, 1)]
        self._turn, self._cost, self._last = 0, 0.0, time.monotonic()

    def read(self) -> tuple[int, Mapping[str, np.ndarray]]:
        """The steps done and the arrays at that point; 0 and none where there is no checkpoint."""
        found = [self._store.get("training", slot) for slot in self._slots]
        steps = [kept.meta["step"] if kept else 0 for kept in found]
        newest = int(np.argmax(steps))
        self._turn = 1 - newest
        kept = found[newest]
        return steps[newest], kept.arrays if kept else {}

    @property
    def due(self) -> bool:
        """Whether it is time to write one."""
        return time.monotonic() - self._last >= max(EVERY, self._cost / SHARE)

    def keep(self, step: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Write a state over the older of the two."""
        began = time.monotonic()
        self._store.drop("training", self._slots[self._turn])
        self._store.put("training", self._slots[self._turn], arrays, {"step": step})
        self._turn, self._last = 1 - self._turn, time.monotonic()
        self._cost = self._last - began

    def drop(self) -> None:
        """Delete both."""
        for slot in self._slots:
            self._store.drop("training", slot)
