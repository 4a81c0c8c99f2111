"""Verdicts by gold at a counted price, for methods that buy some."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from outgrow.pipeline.seal import Service, call


@final
class VerdictAccount:
    """The seller's side of an executor: the verdicts that were paid for. No method gets it."""

    def __init__(self, right: Callable[[Sequence[int], Sequence[str]], np.ndarray]) -> None:
        self._right = right
        self.reopen()

    def reopen(self) -> None:
        """Forget all purchases and close the executors of before: whoever asks now pays."""
        self._asked: set[tuple[int, str]] = set()
        self._service = Service(self._sell)

    @property
    def executor(self) -> Executor:
        """The buyer's side, as a method is handed it."""
        return Executor(self._service.token)

    @property
    def spent(self) -> int:
        """Verdicts asked for."""
        return len(self._asked)

    @property
    def sold(self) -> list[int]:
        """The same, of the one replicate."""
        return [self.spent]

    def _sell(self, items: Sequence[int] | None = None, texts: Sequence[str] = ()) -> Any:
        if items is None:
            return self.spent
        items, texts = [int(i) for i in items], [str(text) for text in texts]
        self._asked.update(zip(items, texts, strict=True))
        return self._right(items, texts)


@final
@dataclass(frozen=True, slots=True)
class Executor:
    """Verdicts by gold on answers to transfer items, each counted once."""

    _token: str

    def __call__(self, items: Sequence[int], texts: Sequence[str]) -> np.ndarray:
        """(answers,) bool for answers to transfer items by their numbers."""
        right: np.ndarray = call(self._token, items, texts)
        return right

    @property
    def spent(self) -> int:
        """Verdicts asked for."""
        return int(call(self._token))
