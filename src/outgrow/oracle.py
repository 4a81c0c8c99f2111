"""Gold at a counted price, for the methods that may buy some."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import numpy as np


@final
class Oracle:
    """Answers for transfer items, and counts every item once."""

    def __init__(self, allowed: np.ndarray, answer: Callable[[np.ndarray], np.ndarray]):
        self._allowed, self._answer = allowed, answer
        self.forget()

    def forget(self) -> None:
        """Begin to count anew."""
        self.asked = np.zeros_like(self._allowed)
        """(R, N) bool: the items paid for."""

    def ask(self, rows: np.ndarray) -> np.ndarray:
        """Gold of the rows (R, N) as targets (R, N, C), NaN elsewhere. ValueError for rows that are not transfer items."""
        if (rows & ~self._allowed).any():
            raise ValueError("an oracle answers for transfer items only")
        self.asked |= rows
        return self._answer(rows)

    @property
    def spent(self) -> np.ndarray:
        """(R,) gold labels bought so far."""
        return self.asked.sum(1)
