"""Label models: from what several supervisors say to one belief per item. One file each, found by walking the folder.

@label_model
def dawid_skene(weak: WeakLabels) -> Belief: ...
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from outgrow.core.registry import Registry, first_line, mark, marked


@final
@dataclass(frozen=True)
class Belief:
    """What a label model makes of several voices."""

    probs: np.ndarray
    """(R, N, C) float32, rows sum to 1; NaN where no supervisor spoke."""
    confidence: np.ndarray
    """(R, N) float32 in [0, 1]: how far the belief is to be trusted; 0 where no supervisor spoke."""

    @classmethod
    def of(cls, probs: np.ndarray) -> Belief:
        """The belief itself says how sure it is: confidence is 0 at even odds, 1 at certainty."""
        classes = probs.shape[-1]
        sure = (np.nan_to_num(probs, nan=1 / classes).max(-1) - 1 / classes) / (1 - 1 / classes)
        return cls(probs.astype(np.float32), sure.clip(0, 1).astype(np.float32))


@final
@dataclass(frozen=True)
class WeakLabels:
    """What J supervisors say: probs (R, J, N, C) float32; NaN over C = abstained, or not this replicate's to see."""

    probs: np.ndarray
    names: tuple[str, ...]
    model: str = "mean"
    """The label model that makes one belief of them."""
    skill: np.ndarray | None = None
    """(R, J): share of weak-train gold that copies of each supervisor get right which have not seen it; None: not known."""
    asked_all: bool = True
    """Whether every supervisor saw every item, so that its silence may be an answer (`Votes.silence`)."""

    @cached_property
    def belief(self) -> Belief:
        """All voices as one. Supervisors that all say the same are one, and one is taken at its word, whatever the label model."""
        first = self.probs[:, :1]
        same = np.array_equal(self.probs, np.broadcast_to(first, self.probs.shape), equal_nan=True)
        return Belief.of(first[:, 0]) if same else find(self.model)(self)

    @property
    def beliefs(self) -> np.ndarray:
        """(R, N, C) float32: `belief.probs`."""
        return self.belief.probs


@final
@dataclass(frozen=True)
class WeakTrain:
    """The weak-train items whose gold the supervisors learned from."""

    gold: np.ndarray
    """(R, N) int64: their classes; -1 for every other item."""
    said: WeakLabels
    """What the supervisors say of them: of each item, copies that learned from the others. NaN for every other item."""

    @property
    def right(self) -> np.ndarray:
        """(R, J, N) float32: 1 where a supervisor's answer is gold, 0 where not; NaN where it is silent or gold unknown."""
        silent = np.isnan(self.said.probs).any(-1) | (self.gold < 0)[:, None]
        return np.where(
            silent, np.float32(np.nan), (self.said.probs.argmax(-1) == self.gold[:, None]).astype(np.float32)
        )


@final
@dataclass(frozen=True)
class LabelModel:
    """A registered label model."""

    name: str
    line: str
    run: Callable[[Any], Belief]


def label_model(run: Callable[[Any], Belief]) -> Callable[[Any], Belief]:
    """Mark a function as a label model."""
    return mark(run, LabelModel(run.__name__, first_line(run), run))


LABEL_MODELS = Registry("label model", __name__, "outgrow.label_models", marked(LabelModel))
registry = LABEL_MODELS.all


def find(name: str) -> Callable[[Any], Belief]:
    """The label model of that name."""
    return LABEL_MODELS.find(name).run
