"""A cell: one task, its supervisors and a student, for the replicates of one block. Its attributes are the resources.

Everything is made on first use, and what is expensive comes out of the store. Gold is in a cell, so a cell never goes
to a method: methods get the resources that they name, and nothing that leads back (`seal.py`).

    ClassCell   class probabilities, on halves (`class_cell.py`)
    TextCell    generated answers, on halves (`text_cell.py`)
    VoteCell    the user's own votes, cross-fitted (`vote_cell.py`)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, final

import numpy as np

from outgrow.core.seeding import derive
from outgrow.methods.resources import Resources, TextResources
from outgrow.pipeline.seal import Seal

if TYPE_CHECKING:
    from outgrow.models import Model
    from outgrow.store import Artifact

__all__ = ["Cell", "Predictions", "Resources", "Seller", "StoredCell", "TextResources"]


@final
@dataclass(frozen=True)
class Predictions:
    """Predictions that no student had to be trained for.

    Args:
        values: (R, n, C) probabilities or (R, n) answers for the test items.
        of: (R,) whose they are.
        bare: `values` before abstentions were given an answer, NaN where nobody spoke; None where there are none.
    """

    values: np.ndarray
    of: tuple[str, ...] = ()
    bare: np.ndarray | None = None


class Seller(Protocol):
    """The seller's side of what methods buy."""

    def reopen(self) -> None:
        """Forget all purchases: who asks now pays."""

    @property
    def sold(self) -> list[int]:
        """What each replicate bought."""


class Cell(ABC):
    """What the cells of all designs share. Each has a `task` and its `gold`."""

    if TYPE_CHECKING:

        @property
        def task(self) -> Any: ...

        @property
        def gold(self) -> Any: ...

        @property
        def seed(self) -> int: ...

    GOLD: ClassVar[tuple[str, ...]]
    """The columns of gold that the seal permutes."""

    COMPARED: ClassVar[int] = 0
    """The replicate that the canary compares."""

    @property
    @abstractmethod
    def name(self) -> str:
        """By which the cell's randomness is named, beside the seed."""

    @property
    @abstractmethod
    def replicates(self) -> range:
        """Numbers of the cell's replicates."""

    @property
    @abstractmethod
    def hidden(self) -> np.ndarray:
        """(N,) bool: the items whose gold the compared replicate must not see, which the canary permutes."""

    @property
    @abstractmethod
    def account(self) -> Seller | None:
        """Where gold is sold to methods; None where none is for sale."""

    @abstractmethod
    def predicted(self, fitted: Any) -> np.ndarray:
        """(R, n, C) probabilities or (R, n) answers for the items that judge, by a fitted student."""

    @abstractmethod
    def forget(self) -> None:
        """Begin anew, as if no method had run: nothing is bought, and nothing that was made of gold is left."""

    @cached_property
    def seal(self) -> Seal:
        """By which services see gold, and by which hidden gold is permuted (`canary.py`)."""
        return Seal(self.gold, *self.GOLD)

    def rngs(self, name: str) -> list[np.random.Generator]:
        """A generator a replicate for one baseline."""
        return [derive(self.seed, self.name, name, r) for r in self.replicates]


class StoredCell(Cell):
    """A cell of a study, each row of which is one artifact of the store."""

    STAGE: ClassVar[str]
    """What the training of a student is called among the costs."""

    if TYPE_CHECKING:

        @property
        def block(self) -> int: ...

        @property
        def weak_name(self) -> str: ...

        @property
        def strong_name(self) -> str: ...

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The supervisors."""

    @property
    @abstractmethod
    def sizes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(R,) each: items whose gold the supervisors know, items of weak-train, items of transfer."""

    @property
    @abstractmethod
    def models(self) -> list[Model]:
        """Checkpoints that a process of its own would load; none where the cell is computed in this process."""

    @abstractmethod
    def prepare(self) -> None:
        """Make what all rows share, so that it is no row's own time."""

    @abstractmethod
    def packed(self, fitted: Any, predicted: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Predictions, and what a fitted student tells of its training, as arrays and plain data of an artifact."""

    @abstractmethod
    def unpacked(self, artifact: Artifact) -> np.ndarray:
        """Predictions out of an artifact."""

    @abstractmethod
    def costs(self) -> dict[str, tuple[float, float]]:
        """Seconds and model FLOPs of what was read so far, by "stage model"."""

    @abstractmethod
    def code(self, *found: Any) -> str:
        """Hash of the code that computes a row, and of functions that were found by name."""

    @abstractmethod
    def make(self, row: Mapping[str, Any], build: Callable[[], Any]) -> Artifact:
        """The artifact of a row out of the store, built where it is missing."""

    @abstractmethod
    def has(self, row: Mapping[str, Any]) -> bool:
        """Whether the artifact of a row is in the store."""

    @property
    @abstractmethod
    def finished(self) -> bool:
        """Whether what is kept beside the rows is in the store."""

    @abstractmethod
    def finish(self) -> None:
        """Make what is kept beside the rows, and let go of what nobody asks for again."""
