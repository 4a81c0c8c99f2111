"""Training losses of a student: pure functions of (logits, targets, weights, progress), one a file.

A loss is a frozen dataclass; its fields are its hyper-parameters. Many losses are a cross-entropy to an aim through
which no gradient passes: these derive from `Aimed` and define the aim alone.

    f   the student's probabilities, softmax of the logits        w   the targets
    CE(f, w) = - sum_c w_c log f_c        1[f]   the hardened f        stop   no gradient
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, final

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


class Aimed(Loss):
    """Cross-entropy to an aim: L = CE(f, stop(aim)), whose gradient in the logits is f - aim."""

    @abstractmethod
    def aim(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        """What the student is pulled towards (..., N, C), rows sum to 1; arguments as of `__call__`."""

    @final
    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        aim = self.aim(logits.detach(), targets, weights, progress)
        return -(aim * logits.log_softmax(-1)).sum(-1)


def registry() -> dict[str, str]:
    """The first docstring line of every loss, by name."""
    found = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        doc = importlib.import_module(f"{__name__}.{module}").__doc__ or ""
        found[module] = doc.splitlines()[0]
    return found
