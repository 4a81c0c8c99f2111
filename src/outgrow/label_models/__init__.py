"""Label models: from the weak labels of several supervisors to one distribution per item; one model a file.

@label_model
def dawid_skene(weak: WeakLabels) -> Belief: ...
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from outgrow.core.registry import Registry, first_line, mark, marked, name_of


@final
@dataclass(frozen=True)
class Belief:
    """The result of a label model."""

    probs: np.ndarray
    """(R, N, C) float32, rows sum to 1; NaN where all supervisors abstained."""
    confidence: np.ndarray
    """(R, N) float32 in [0, 1]; 0 where all supervisors abstained."""

    @classmethod
    def of(cls, probs: np.ndarray) -> Belief:
        """A belief whose confidence follows from its probabilities: 0 at even odds, 1 at certainty."""
        classes = probs.shape[-1]
        sure = (np.nan_to_num(probs, nan=1 / classes).max(-1) - 1 / classes) / (1 - 1 / classes)
        return cls(probs.astype(np.float32), sure.clip(0, 1).astype(np.float32))


@final
@dataclass(frozen=True)
class WeakLabels:
    """The weak labels of J supervisors.

    Example:
        >>> probs = np.array([[[[0.9, 0.1]], [[0.3, 0.7]]]], np.float32)  # one replicate, two supervisors, one item
        >>> WeakLabels(probs, ("a", "b")).beliefs.round(2)
        array([[[0.6, 0.4]]], dtype=float32)
    """

    probs: np.ndarray
    """(R, J, N, C) float32; NaN for an abstention, or an item that is not for this replicate."""
    names: tuple[str, ...]
    model: str = "mean"
    """The name of the label model."""
    skill: np.ndarray | None = None
    """(R, J): accuracy of each supervisor on weak-train gold that it has not seen; None if unknown."""
    complete: bool = True
    """Whether every supervisor saw every item, so that an abstention may be a vote (`Votes.silence`)."""

    @cached_property
    def belief(self) -> Belief:
        """The belief of the label model; one supervisor, or identical ones, are taken as they are."""
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
    """Weak-train items, whose gold the supervisors learned from."""

    gold: np.ndarray
    """(R, N) int64: class numbers; -1 for every other item."""
    said: WeakLabels
    """Weak labels of copies that have not seen the gold of the item; NaN for every other item."""

    @property
    def right(self) -> np.ndarray:
        """(R, J, N) float32: 1 where a supervisor is right, 0 where wrong; NaN where it abstains or gold is unknown."""
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


def _plain(run: Callable[[Any], Belief]) -> LabelModel:
    return LabelModel(name_of(run), first_line(run), run)


DEFAULT = "bayesian"
"""The label model of votes where none is named; chosen on development crowds (docs/decisions.md)."""
LABEL_MODELS = Registry("label model", __name__, "outgrow.label_models", marked(LabelModel), _plain)
registry = LABEL_MODELS.all


def find(name: str) -> Callable[[Any], Belief]:
    """The label model of that name."""
    return LABEL_MODELS.find(name).run


def fit_predict(
    frame: Any,
    votes: Sequence[str] | None = None,
    *,
    label_model: str | Callable[..., Any] = DEFAULT,
    abstain: Collection[Any] = (),
) -> Any:
    """A data frame of votes as a data frame of beliefs, a row an item.

    Args:
        frame: wide, with a column an annotator and a row an item; or long, with the columns item (or task, id),
            annotator (or worker) and label, a row a vote. An empty cell abstains.
        votes: the columns of votes of a wide frame; all columns where not given.
        label_model: a name (`outgrow list label-models`) or a function of `WeakLabels`.
        abstain: labels that abstain, too, such as -1.

    Returns:
        A frame of the same library: the columns that hold no votes, or the long table's items; `label`, the likeliest
        class, empty where all abstain; `p_CLASS`, a probability a class; and `confidence`, 0 to 1.

    Raises:
        UserError: there is no such column or label model, or the votes are no classes.

    Example:
        >>> import polars as pl
        >>> votes = pl.DataFrame({"id": [7, 8], "a": ["spam", "ham"], "b": ["spam", None], "c": ["ham", "ham"]})
        >>> fit_predict(votes, ["a", "b", "c"], label_model="majority").select("id", "label").rows()
        [(7, 'spam'), (8, 'ham')]
    """
    from outgrow.label_models import _frames

    return _frames.fit_predict(frame, votes, label_model, abstain)
