"""A cell: one task, its supervisors and a student, for the replicates of one block. It has every resource that a method may ask for.

Everything is made on first use, and what is expensive comes out of the store. Gold is in a cell, so a cell never goes to a method:
methods get the resources that they name, and nothing that leads back (`seal.py`).

    ClassCell   class probabilities, on halves (`class_cell.py`)
    TextCell    generated answers, on halves (`text_cell.py`)
    VoteCell    the user's own votes, cross-fitted (`vote_cell.py`)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, final

import numpy as np

from outgrow.core.seeding import derive
from outgrow.pipeline.oracle import Oracle
from outgrow.pipeline.seal import Seal, Sealed

if TYPE_CHECKING:
    from outgrow.label_models import WeakLabels, WeakTrain
    from outgrow.label_models._votes import WeakVotes
    from outgrow.models import Model
    from outgrow.store import Artifact
    from outgrow.students.features import Auxiliary


class Resources(Protocol):
    """The resources of methods for classes, by parameter name; `methods.RESOURCES` says what each needs.

    A resource that a study cannot give is None, and a method that names it is left out, with the reason.
    """

    @property
    def weak(self) -> WeakLabels | WeakVotes:
        """Weak labels of the items that teach."""

    @property
    def student(self) -> Any:
        """The strong model, to be trained on these items."""

    @property
    def features(self) -> list[np.ndarray] | None:
        """Per replicate (N, K): the student's features."""

    @property
    def weak_features(self) -> list[np.ndarray] | None:
        """Per replicate (N, K): features of the first supervisor that is a probe."""

    @property
    def rivals(self) -> np.ndarray:
        """(N,) int64: candidates of one question, or items of one group, have the same number."""

    @property
    def rights(self) -> np.ndarray:
        """(N,) int64: how many of an item's rivals are right by the form of the task; -1: not known."""

    @property
    def answers(self) -> np.ndarray:
        """(N,) int64: items with the same number are the same answer."""

    @property
    def weak_train(self) -> WeakTrain | None:
        """The items whose gold is known, and out-of-sample weak labels of them."""

    @property
    def generator(self) -> Any | None:
        """The student as a language model of its texts."""

    @property
    def ladder(self) -> Sequence[Any] | None:
        """Students of sizes in between, the weakest first."""

    @property
    def auxiliary(self) -> Sequence[Auxiliary] | None:
        """Other tasks with their gold."""

    @property
    def oracle(self) -> Oracle | None:
        """Gold of transfer items at a counted price."""

    @property
    def teach(self) -> Sealed | None:
        """Weak labels of supervisors that are retrained on their gold plus given targets."""

    @property
    def rng(self) -> np.random.Generator:
        """The method's own randomness."""


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
    """What the cells of all designs share."""

    GOLD: ClassVar[tuple[str, ...]]
    """The columns of gold that the seal permutes."""

    task: Any
    gold: Any
    seed: int

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

    @cached_property
    def seal(self) -> Seal:
        """By which services see gold, and by which hidden gold is permuted (`canary.py`)."""
        return Seal(self.gold, *self.GOLD)

    def rngs(self, name: str) -> list[np.random.Generator]:
        """A generator a replicate for one baseline."""
        return [derive(self.seed, self.task.name, name, r) for r in self.replicates]


class StoredCell(Cell):
    """A cell of a study, each row of which is one artifact of the store."""

    STAGE: ClassVar[str]
    """What the training of a student is called among the costs."""

    block: int
    weak_name: str
    strong_name: str

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
        """Make what all rows share, so that it is no row's own time, and reopen the account."""

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
