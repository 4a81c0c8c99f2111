"""Votes as a long table, a row a vote, so that a million votes of hundreds of annotators need no dense array.

Iterative label models work on it. The dense array of a study becomes one table a replicate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike

from outgrow import label_models
from outgrow.label_models import Belief, WeakLabels


@final
@dataclass(frozen=True)
class Votes:
    """The votes of annotators (workers) on items, without abstentions.

    Example:
        >>> votes = Votes.table([0, 0, 0, 1, 1], [0, 1, 2, 0, 1], [1, 1, 0, 0, 0])
        >>> votes.mean.round(2)
        array([[0.33, 0.67],
               [1.  , 0.  ]])
    """

    item: np.ndarray
    """(V,) int64: 0 .. items - 1"""
    worker: np.ndarray
    """(V,) int64: 0 .. workers - 1"""
    said: np.ndarray
    """(V, C) float64, rows sum to 1."""
    items: int
    workers: int
    skill: np.ndarray | None = None
    """(workers,): known accuracies, NaN where unknown; None if none is known."""
    asked_all: bool = False
    """Whether everyone saw every item, as rules do; an abstention of a rule for one class is then a vote, too."""

    @classmethod
    def table(cls, item: ArrayLike, worker: ArrayLike, label: ArrayLike, classes: int | None = None) -> Votes:
        """From columns (V,) of integers from 0 on: the item, the annotator, and the label given."""
        i, j, y = (np.asarray(column, np.int64) for column in (item, worker, label))
        said = np.eye(classes or int(y.max()) + 1)[y]
        return cls(i, j, said, int(i.max()) + 1, int(j.max()) + 1)

    @cached_property
    def matrix(self) -> Any:
        """(items, workers x C) sparse: the votes, with a column for each annotator and class; no zeros are kept."""
        from scipy.sparse import csr_array

        classes = self.said.shape[1]
        vote, label = np.nonzero(self.said)
        column = self.worker[vote] * classes + label
        return csr_array((self.said[vote, label], (self.item[vote], column)), (self.items, self.workers * classes))

    @cached_property
    def one_sided(self) -> np.ndarray:
        """(workers,) bool: saw every item and names only one class, like a rule."""
        named = np.zeros((self.workers, self.said.shape[1]), bool)
        named[self.worker, self.said.argmax(1)] = self.asked_all
        return named.sum(1) == 1

    @cached_property
    def silence(self) -> Any:
        """(items, workers) sparse: 1 where an abstention is a vote."""
        from scipy.sparse import csr_array

        if not self.one_sided.any():
            return csr_array((self.items, self.workers))
        quiet = np.zeros((self.items, self.workers))
        quiet[:, self.one_sided] = 1
        quiet[self.item, self.worker] = 0
        return csr_array(quiet)

    @property
    def hard(self) -> Votes:
        """The votes hardened to their likeliest classes, ties shared."""
        top = self.said == self.said.max(1, keepdims=True)
        return replace(self, said=top / top.sum(1, keepdims=True))

    @property
    def mean(self) -> np.ndarray:
        """(items, C): the mean vote; NaN where there is none."""
        with np.errstate(invalid="ignore"):
            return self.sum(self.said) / np.bincount(self.item, minlength=self.items)[:, None]

    def sum(self, values: np.ndarray) -> np.ndarray:
        """(items, C): sums over each item's votes of values (V, C)."""
        return np.stack([np.bincount(self.item, column, self.items) for column in values.T], 1)

    def joined(self, block: np.ndarray) -> Votes:
        """The votes with each block (workers,) as one annotator, with its mean vote."""
        pair, place, size = np.unique(
            self.item * (block.max() + 1) + block[self.worker], return_inverse=True, return_counts=True
        )
        item, worker = np.divmod(pair, block.max() + 1)
        said = np.stack([np.bincount(place, column, len(pair)) for column in self.said.T], 1) / size[:, None]
        return Votes(item, worker, said, self.items, int(block.max()) + 1, asked_all=self.asked_all)


@final
@dataclass(frozen=True)
class WeakVotes:
    """Weak labels of J supervisors as `WeakLabels`, in long tables: for many annotators with few items each."""

    votes: tuple[Votes, ...]
    """One table a replicate."""
    names: tuple[str, ...]
    model: str = "mean"
    skill: np.ndarray | None = None
    """(R, J), as of `WeakLabels`."""
    asked_all: bool = True

    @cached_property
    def tables(self) -> list[Votes]:
        """One table a replicate, with its known skill."""
        skills = [None] * len(self.votes) if self.skill is None else list(self.skill)
        return [replace(v, skill=s, asked_all=self.asked_all) for v, s in zip(self.votes, skills, strict=True)]

    @cached_property
    def probs(self) -> np.ndarray:
        """(R, J, N, C) float32: the dense array, made only on request."""
        first = self.votes[0]
        out = np.full((len(self.votes), first.workers, first.items, first.said.shape[1]), np.nan, np.float32)
        for r, votes in enumerate(self.votes):
            out[r, votes.worker, votes.item] = votes.said
        return out

    @cached_property
    def belief(self) -> Belief:
        """As of `WeakLabels`: one supervisor, or identical ones, are taken as they are, whatever the label model."""
        if all(_alike(votes) for votes in self.votes):
            return each(self, lambda votes: votes.mean)
        return label_models.find(self.model)(self)

    @property
    def beliefs(self) -> np.ndarray:
        """(R, N, C) float32: `belief.probs`."""
        return self.belief.probs


def _alike(votes: Votes) -> bool:
    """Whether all annotators have the same votes on every item."""
    if len(votes.item) != votes.workers * len(np.unique(votes.item)):
        return False
    order = np.argsort(votes.item, kind="stable")
    said = votes.said[order].reshape(-1, votes.workers, votes.said.shape[1])
    return bool((said == said[:, :1]).all())


def each(weak: WeakLabels | WeakVotes | Votes, model: Callable[[Votes], np.ndarray]) -> Belief:
    """The belief of `model(votes) -> (N, C)` about every replicate; a single table is one replicate."""
    return Belief.of(np.stack([_silent(votes, model(votes)) for votes in replicates(weak)]))


def replicates(weak: WeakLabels | WeakVotes | Votes) -> list[Votes]:
    """One table a replicate."""
    if isinstance(weak, Votes):
        return [weak]
    if isinstance(weak, WeakVotes):
        return weak.tables
    spoke, found = ~np.isnan(weak.probs).any(-1), []
    for r, (workers, items) in enumerate(spoke.shape[1:] for _ in spoke):
        item, worker = np.nonzero(spoke[r].T)
        said = weak.probs[r, worker, item].astype(np.float64)
        skill = None if weak.skill is None else weak.skill[r]
        found.append(Votes(item, worker, said, items, workers, skill, weak.asked_all))
    return found


def _silent(votes: Votes, probs: np.ndarray) -> np.ndarray:
    return np.where(np.bincount(votes.item, minlength=votes.items)[:, None] > 0, probs, np.nan)
