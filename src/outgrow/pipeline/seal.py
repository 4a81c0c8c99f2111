"""The seal: nothing that a method is handed leads to gold.

What has to look at gold in order to answer (an oracle, supervisors that are retrained) is a service, held by the stage
that made it. A method is handed a token of it: a text, by which the service is called. No attribute, closure or
referent of a token leads to the service; a copy or a pickle of it is the same token, and in another process it opens
nothing.

This is against mistakes. Code in the same process that looks for gold in the frames of its callers, in modules, in all
objects of the interpreter or in files finds it: that is intent, and no seal in one process keeps it out.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final
from weakref import WeakValueDictionary

import numpy as np

_services: WeakValueDictionary[str, Service] = WeakValueDictionary()


@final
class Service:
    """A function behind a seal, for as long as somebody holds the service."""

    def __init__(self, answer: Callable[..., Any]):
        self.answer, self.token = answer, secrets.token_hex(16)
        _services[self.token] = self

    @property
    def sealed(self) -> Sealed:
        """The function as a method is handed it."""
        return Sealed(self.token)


@final
@dataclass(frozen=True, slots=True)
class Sealed:
    """A function of which a method holds nothing but a token."""

    token: str

    def __call__(self, *given: Any) -> Any:
        """What the function answers. Raises RuntimeError once the run that it was part of is over."""
        return call(self.token, *given)


def call(token: str, *given: Any) -> Any:
    """What the service of a token answers. Raises RuntimeError where there is none."""
    service = _services.get(token)
    if service is None:
        raise RuntimeError(
            "this resource belongs to a run that is over, or to another process: use it while the method runs"
        )
    return service.answer(*given)


@final
class Seal:
    """The gold of a task, which can be permuted where it lies: `columns` of it, arrays or tuples of N."""

    def __init__(self, gold: Any, *columns: str):
        self._gold, self._columns = gold, columns
        self._back: np.ndarray | None = None

    def true(self, column: str) -> Any:
        """The column as it is, while it is permuted too."""
        values = getattr(self._gold, column)
        return values if self._back is None else _dealt(values, self._back)

    @contextmanager
    def permuted(self, rows: np.ndarray, rng: np.random.Generator) -> Iterator[None]:
        """Meanwhile gold of the rows (N,) bool is dealt out among them, for whoever holds the gold, wherever."""
        among, forth = np.flatnonzero(rows), np.arange(len(rows))
        forth[among] = rng.permutation(among)
        self._back = np.argsort(forth)
        self._deal(forth)
        try:
            yield
        finally:
            self._deal(self._back)
            self._back = None

    def _deal(self, order: np.ndarray) -> None:
        for name in self._columns:
            values = getattr(self._gold, name)
            if isinstance(values, np.ndarray) and values.flags.owndata:
                # In place, so that another name for the same array is no way around.
                fixed = not values.flags.writeable
                values.flags.writeable = True
                values[:] = values[order]
                values.flags.writeable = not fixed
            else:
                object.__setattr__(self._gold, name, _dealt(values, order))


def _dealt(values: Any, order: np.ndarray) -> Any:
    return values[order] if isinstance(values, np.ndarray) else tuple(values[i] for i in order)
