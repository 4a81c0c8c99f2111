"""Students as methods see them: what they can be asked for, and what comes out of a training.

N is the whole pool of a task in one order of items, R the replicates of a block, C the classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self, runtime_checkable

import numpy as np

from outgrow.losses import Loss, Term


class Fitted(Protocol):
    """A trained student, and all that a method has to return."""

    def predict(self, mask: np.ndarray | None = None) -> np.ndarray:
        """Class probabilities.

        Args:
            mask: (N,) bool, the items asked for; all items where it is None.

        Returns:
            (R, n, C) float32, rows sum to 1.
        """
        ...


@runtime_checkable
class Traced(Protocol):
    """A trained student that tells how it came about: shown in reports, never used to choose anything."""

    def path(self, mask: np.ndarray) -> list[tuple[float, np.ndarray]]:
        """(progress in (0, 1], probabilities (R, n, C)) at a few points of the training."""
        ...

    def chosen(self) -> list[dict[str, float | str]]:
        """The settings that held-out targets chose, by name, of each replicate."""
        ...


class Student(Protocol):
    """A strong model that learns from targets.

    `fit` never looks at rows outside `train`, whatever their weights and targets.
    """

    train: np.ndarray
    """(R, N) bool: the rows that it may be trained on."""
    groups: np.ndarray
    """(N,): items of one number belong together and are held out together."""
    seed: int
    replicates: tuple[int, ...]
    """(R,) numbers of the replicates; with `seed` they name every random choice."""

    def fit(
        self,
        targets: np.ndarray,
        *,
        weights: np.ndarray | None = None,
        loss: Loss | Term | None = None,
        steps: int = ...,
    ) -> Fitted:
        """Train it anew.

        Args:
            targets: (R, N, C) or (N, C), rows that sum to 1; a row of NaN is not trained on.
            weights: (R, N) or (N,) >= 0, each row's share in the loss; 1 where not given.
            loss: what is minimised, or a function (logits, targets, progress) -> loss of every item; cross-entropy
                where not given.
            steps: steps of optimisation; the student's own number where not given.
        """
        ...

    def on(self, train: np.ndarray) -> Self:
        """The same student, allowed to train on other rows (R, N)."""
        ...


@runtime_checkable
class Embedding(Protocol):
    """A student with features: frozen ones of a layer that targets choose, or features trained on targets."""

    def embed(self, targets: np.ndarray, weights: np.ndarray | None = None) -> list[np.ndarray]:
        """Standardised features (N, K) of every item, for each replicate."""
        ...


@runtime_checkable
class Viewing(Protocol):
    """A student that reads its items in several views: layers of a model, and poolings of their states."""

    def views(self) -> Sequence[Student]:
        """For each view the student that has no other."""
        ...

    def told(self, targets: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """(V, R) share of the held-out targets' entropy that the student of each view explains; 0: none."""
        ...


class Continued(Student, Protocol):
    """A student that can be trained on where an earlier training ended."""

    def after(self, targets: np.ndarray) -> Self:
        """The same student, which is first trained on these targets, of the rows that it may train on now."""
        ...


class Adaptable(Student, Protocol):
    """A student that can learn the task's texts as a language model before it learns labels."""

    def adapted(self, rows: np.ndarray, epochs: int) -> Student:
        """The same student, which first reads the texts of the rows (R, N) bool so many times."""
        ...
