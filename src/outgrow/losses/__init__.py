"""Training losses of a student: pure functions of (logits, targets, weights, progress), one a file.

A loss is a frozen dataclass; its fields are its hyper-parameters. Many losses are a cross-entropy to an aim through
which no gradient passes: these derive from `Aimed` and define the aim alone.

    f   the student's probabilities, softmax of the logits        w   the targets
    CE(f, w) = - sum_c w_c log f_c        1[f]   the hardened f        stop   no gradient
"""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from outgrow.core.registry import Registry, first_line

if TYPE_CHECKING:
    from torch import Tensor


class Loss(ABC):
    """A training loss.

    Example:
        >>> import torch
        >>> from outgrow.losses.xent import Xent
        >>> logits, targets = torch.zeros(1, 2), torch.tensor([[0.3, 0.7]])
        >>> Xent()(logits, targets, torch.ones(1), 0.5)        # log 2 at even odds
        tensor([0.6931])
    """

    @abstractmethod
    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        """The loss of every item.

        Args:
            logits: (..., N, C).
            targets: (..., N, C), rows sum to 1.
            weights: (..., N) >= 0; they tell which items are trained on. The student multiplies the loss by them.
            progress: share of the training that is done, in [0, 1].

        Returns:
            (..., N).
        """

    def read(self, logits: Tensor) -> Tensor:
        """Class probabilities (..., C) that logits (..., C) stand for in a student trained on this loss."""
        return logits.softmax(-1)

    @property
    def code(self) -> tuple[Any, ...]:
        """What computes it, for the keys of artifacts (`core/fingerprint.py`)."""
        return (self,)


class Aimed(Loss):
    """Cross-entropy to an aim: L = CE(f, stop(aim)), whose gradient in the logits is f - aim."""

    @abstractmethod
    def aim(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        """What the student is pulled towards (..., N, C), rows sum to 1; arguments as of `__call__`."""

    @final
    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        aim = self.aim(logits.detach(), targets, weights, progress)
        return -(aim * logits.log_softmax(-1)).sum(-1)


Term = Callable[["Tensor", "Tensor", float], "Tensor"]
"""(logits (..., N, C), targets (..., N, C), progress) -> loss of every item (..., N)."""


@final
@dataclass(frozen=True)
class FunctionLoss(Loss):
    """A function of logits, targets and progress as a loss."""

    function: Term

    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        return self.function(logits, targets, progress)

    def __repr__(self) -> str:
        return f"FunctionLoss({self.function.__module__}:{self.function.__qualname__})"

    @property
    def code(self) -> tuple[Any, ...]:
        return (self, self.function)


def as_loss(loss: Loss | Term | None) -> Loss:
    """A loss, or a function as one; cross-entropy where none is given.

    Example:
        >>> as_loss(None)
        Xent()
    """
    from outgrow.losses.xent import Xent

    if loss is None:
        return Xent()
    return loss if isinstance(loss, Loss) else FunctionLoss(loss)


@final
@dataclass(frozen=True)
class LossKind:
    """A registered loss."""

    name: str
    """The name of the class in small letters: reverse_ce for ReverseCE."""
    line: str
    kind: type[Loss]


def _read(value: object) -> LossKind | None:
    if not (isinstance(value, type) and issubclass(value, Loss)) or inspect.isabstract(value):
        return None
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", value.__name__).lower()
    return LossKind(name, first_line(value), value)


LOSSES = Registry("loss", __name__, "outgrow.losses", _read)
find, registry = LOSSES.find, LOSSES.all
