"""Training losses of a student: pure functions of (logits, targets, weights, progress), one file each, found by walking the folder.

A loss is a frozen dataclass whose fields are its hyper-parameters. `Aimed` covers the large family in which
the loss is a cross-entropy to some aim that passes no gradient: the file then holds the aim alone.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, final

if TYPE_CHECKING:
    from torch import Tensor


class Loss(ABC):
    """logits, targets (..., N, C) with targets' rows summing to 1; weights (..., N) >= 0; progress in [0, 1]."""

    paper: ClassVar[str] = ""

    @abstractmethod
    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        """Loss per item, (..., N). `weights` says which items are trained on; the student applies them to the loss."""

    def read(self, logits: Tensor) -> Tensor:
        """The class probabilities (..., C) that a student trained on this loss means by its logits."""
        return logits.softmax(-1)


class Aimed(Loss):
    """L = CE(f, stop(aim)): the gradient in the logits is f - aim."""

    @abstractmethod
    def aim(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        """What the student is pulled towards now, (..., N, C), rows sum to 1."""

    @final
    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        aim = self.aim(logits.detach(), targets, weights, progress)
        return -(aim * logits.log_softmax(-1)).sum(-1)


def registry() -> dict[str, str]:
    """Name of every loss and its first line, found by walking the folder."""
    found = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        doc = importlib.import_module(f"{__name__}.{module}").__doc__ or ""
        found[module] = doc.splitlines()[0]
    return found
