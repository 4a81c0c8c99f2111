"""Tasks of kind `generate`: items that are answered in words. Gold lies in an object of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np


@final
@dataclass(frozen=True)
class Writing:
    """N items in the order of their hashed ids; nothing in here depends on gold."""

    name: str
    ids: tuple[str, ...]
    """32 hex digits each, ascending, unique."""
    prompts: tuple[str, ...]
    groups: np.ndarray
    """(N,) int64: items with the same number stay on one side of every split and are resampled together."""
    side: np.ndarray
    """(N,) int8: FREE, or POOL or TEST where the data's own split says so."""
    shown: tuple[Mapping[str, Any], ...]
    """Per item what a verifier may see: visible tests, the puzzle, a schema, ..."""
    verifier: str
    """The name of the check that is the task's own ("" where it has none)."""
    scorer: str
    """What compares an answer with gold (`measures/written.py`)."""
    tokens: int
    """Room for an answer."""
    stop: tuple[str, ...] = ()
    """An answer ends before the first of these."""
    chat: bool = False
    """Prompts are what a user says; else texts to be continued."""
    source: str = ""
    """Where the items came from, in words that let somebody else get the same."""
    digest: str = ""
    """sha256 over everything that influences a study, gold included by its own digest."""

    def __len__(self) -> int:
        return len(self.ids)


@final
@dataclass(frozen=True)
class WritingGold:
    """The sealed part: per item a right answer in words, and what a scorer needs to judge any answer."""

    answers: tuple[str, ...]
    """One right answer each, to be learned from: weak-train, ceiling and measures alone may open it."""
    keys: tuple[Any, ...]
    """What the scorer compares an answer with: hidden tests, the number, the slots."""
