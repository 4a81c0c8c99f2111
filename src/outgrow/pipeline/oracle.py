"""Gold at a counted price, for methods that buy some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import final

import numpy as np

from outgrow.pipeline.seal import Service, call


@final
class Account:
    """The seller's side of an oracle: which transfer items were paid for. No method gets it.

    Args:
        allowed: (R, N) bool, the items for sale.
        answer: from rows (R, N) to their gold as targets (R, N, C), NaN elsewhere.
    """

    def __init__(self, allowed: np.ndarray, answer: Callable[[np.ndarray], np.ndarray]):
        self._allowed, self._answer, self._lock = allowed, answer, Lock()
        self.reopen()

    def reopen(self) -> None:
        """Forget all purchases and close the oracles of before: whoever asks now pays."""
        self._asked = np.zeros_like(self._allowed, bool)
        self._service = Service(self._sell)

    @property
    def oracle(self) -> Oracle:
        """The buyer's side, as a method is handed it."""
        return Oracle(self._service.token)

    @property
    def asked(self) -> np.ndarray:
        """(R, N) bool: the items paid for."""
        return self._asked.copy()

    @property
    def sold(self) -> list[int]:
        """(R,) how many items each replicate paid for."""
        return [int(count) for count in self._asked.sum(1)]

    def _sell(self, rows: np.ndarray | None = None) -> np.ndarray:
        if rows is None:
            return self.asked
        # An array of our own: what is paid for is what is answered, whatever becomes of the buyer's meanwhile.
        rows = np.array(np.broadcast_to(np.array(rows, bool), self._allowed.shape))
        if (rows & ~self._allowed).any():
            raise ValueError("an oracle answers for transfer items only")
        with self._lock:
            self._asked |= rows
        return self._answer(rows)


@final
@dataclass(frozen=True, slots=True)
class Oracle:
    """Answers for transfer items, and counts every item once."""

    _token: str

    def ask(self, rows: np.ndarray) -> np.ndarray:
        """Gold of the rows (R, N) as targets (R, N, C), NaN elsewhere; ValueError for rows that are not transfer."""
        targets: np.ndarray = call(self._token, rows)
        return targets

    @property
    def asked(self) -> np.ndarray:
        """(R, N) bool: the items paid for; a copy."""
        asked: np.ndarray = call(self._token)
        return asked

    @property
    def spent(self) -> np.ndarray:
        """(R,) gold labels bought so far."""
        return np.asarray(self.asked.sum(1))
