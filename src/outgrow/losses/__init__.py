"""Training losses of a student: pure functions of (logits, targets, weights, progress), one file each, found by walking the folder.

An objective is a frozen dataclass whose fields are its hyper-parameters. `Aimed` covers the large family in which
the loss is a cross-entropy to some aim that passes no gradient: the file then holds the aim alone.
"""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

from outgrow.core.registry import Registry, first_line

if TYPE_CHECKING:
    from torch import Tensor


class Objective(ABC):
    """logits, targets (..., N, C) with targets' rows summing to 1; weights (..., N) >= 0; progress in [0, 1]."""

    paper: ClassVar[str] = ""

    @abstractmethod
    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        """Loss per item, (..., N). `weights` says which items are trained on; the student applies them to the loss."""

    def read(self, logits: Tensor) -> Tensor:
        """The class probabilities (..., C) that a student trained on this loss means by its logits."""
        return logits.softmax(-1)


class Aimed(Objective):
    """L = CE(f, stop(aim)): the gradient in the logits is f - aim."""

    @abstractmethod
    def aim(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        """What the student is pulled towards now, (..., N, C), rows sum to 1."""

    @final
    def __call__(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        aim = self.aim(logits.detach(), targets, weights, progress)
        return -(aim * logits.log_softmax(-1)).sum(-1)


@final
@dataclass(frozen=True)
class LossKind:
    """A registered loss."""

    name: str
    """The name of the class in small letters: reverse_ce of ReverseCE."""
    line: str
    kind: type[Objective]


def _read(value: object) -> LossKind | None:
    if not (isinstance(value, type) and issubclass(value, Objective)) or inspect.isabstract(value):
        return None
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", value.__name__).lower()
    return LossKind(name, first_line(value), value)


LOSSES = Registry("loss", __name__, "outgrow.losses", _read)
find, registry = LOSSES.find, LOSSES.all
