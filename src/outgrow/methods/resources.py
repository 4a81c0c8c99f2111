"""The resources that methods ask for by name, with their types.

A method's positional arguments are attributes of `Resources` or, for generation tasks, of `TextResources`. What a run
cannot give is None there, and the methods that ask for it are left out and named. N is the whole pool of a task in one
order of items, R the replicates of a block, J the supervisors, C the classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from outgrow.label_models import WeakLabels, WeakTrain
from outgrow.students.base import Adaptable, Continued, Student
from outgrow.verifiers import Verdict

if TYPE_CHECKING:
    from outgrow.methods.text import WeakAnswers
    from outgrow.models import Model
    from outgrow.students.features import Auxiliary
    from outgrow.students.generator import TextStudent

Teach = Callable[[np.ndarray], WeakLabels]
"""Targets (R, N, C), NaN where there are none -> labels of supervisors retrained on their gold plus the targets."""
Likelihood = Callable[[Sequence[int], Sequence[str]], np.ndarray]
"""(numbers of transfer items, an answer to each) -> (J, answers) log-probability by each supervisor."""
Bridge = Callable[[int, Sequence[int], Sequence[str]], list[np.ndarray]]
"""(a supervisor's number, numbers of transfer items, an answer to each) -> of each answer p (T,) of its tokens."""
Verify = Callable[[Sequence[int], Sequence[str]], list[Verdict]]
"""(numbers of transfer items, an answer to each) -> verdicts, without gold."""
Execute = Callable[[Sequence[int], Sequence[str]], np.ndarray]
"""(numbers of transfer items, an answer to each) -> (answers,) bool: which are right, by gold."""


class GoldSale(Protocol):
    """Gold of transfer items at a counted price; an item is paid for once, however often it is asked for."""

    def ask(self, rows: np.ndarray) -> np.ndarray:
        """Gold of the rows (R, N) bool as targets (R, N, C), NaN elsewhere; ValueError for other than transfer rows."""
        ...

    @property
    def spent(self) -> np.ndarray:
        """(R,) gold labels bought so far."""
        ...


class Resources(Protocol):
    """What a method of classes can ask for; None stands for what this run does not have."""

    @property
    def weak(self) -> WeakLabels:
        """Weak labels of the transfer items."""
        ...

    @property
    def student(self) -> Student:
        """The strong model, to be trained on transfer items."""
        ...

    @property
    def features(self) -> Sequence[np.ndarray]:
        """For each replicate (N, K): the student's features, in the layer that the weak labels choose."""
        ...

    @property
    def weak_features(self) -> Sequence[np.ndarray] | None:
        """The same of the first supervisor that is a probe."""
        ...

    @property
    def rivals(self) -> np.ndarray:
        """(N,) items of one number are candidates of one question, or else members of one group."""
        ...

    @property
    def rights(self) -> np.ndarray:
        """(N,) how many of an item's rivals, itself included, are right by the form of the task; -1: unknown."""
        ...

    @property
    def answers(self) -> np.ndarray:
        """(N,) items of one number are the same answer, to whichever question."""
        ...

    @property
    def weak_train(self) -> WeakTrain:
        """The weak-train items: their gold, and weak labels of copies that have not seen it."""
        ...

    @property
    def known_gold(self) -> np.ndarray | None:
        """(R, N, C) gold of the weak-train items as targets, NaN elsewhere; None where gold only judges."""
        ...

    @property
    def tuned(self) -> Continued | None:
        """The student where it is fine-tuned, and can be trained on after a training."""
        ...

    @property
    def generator(self) -> Adaptable | None:
        """The student where it is a causal model that is fine-tuned."""
        ...

    @property
    def ladder(self) -> Sequence[Student] | None:
        """Students of sizes in between, the weakest first."""
        ...

    @property
    def auxiliary(self) -> Sequence[Auxiliary] | None:
        """Other tasks with their gold, in the student's axes."""
        ...

    @property
    def oracle(self) -> GoldSale:
        """Gold of transfer items at a counted price."""
        ...

    @property
    def teach(self) -> Teach | None:
        """Retrains the supervisors; None where none of them learns."""
        ...

    @property
    def rng(self) -> np.random.Generator:
        """The method's own randomness."""
        ...


class TextResources(Protocol):
    """What a method of generation tasks can ask for; n counts the transfer items."""

    @property
    def weak(self) -> WeakAnswers:
        """The supervisors' answers to the transfer items."""
        ...

    @property
    def committee(self) -> WeakAnswers | None:
        """The same where there are several supervisors."""
        ...

    @property
    def likelihood(self) -> Likelihood | None:
        """How likely each supervisor finds answers; None unless all of them are models."""
        ...

    @property
    def sure(self) -> np.ndarray | None:
        """(n,) mean log-probability of the tokens of the best supervisor's likeliest answer."""
        ...

    @property
    def aligned(self) -> tuple[Model, Model] | None:
        """The best supervisor's checkpoint after and before gold, if it shares the student's vocabulary."""
        ...

    @property
    def bridge(self) -> Bridge | None:
        """A supervisor's word scores, on the student's tokens."""
        ...

    @property
    def student(self) -> TextStudent:
        """The strong model, to be trained on answers to transfer items."""
        ...

    @property
    def verify(self) -> Verify | None:
        """The task's own check of answers, which sees no gold."""
        ...

    @property
    def executor(self) -> Execute:
        """Whether answers are right, by gold, at a counted price."""
        ...
