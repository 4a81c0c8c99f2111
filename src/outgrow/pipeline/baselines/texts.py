"""Baselines of studies of generated answers: floor, ceiling, controls that must come out a known way, contrasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from outgrow.generation import Answer
from outgrow.generation.candidates.forms import FORMS
from outgrow.methods.text import WeakAnswers
from outgrow.methods.text.naive import naive
from outgrow.models import Model
from outgrow.pipeline.baselines import baseline
from outgrow.pipeline.cell import Predictions

if TYPE_CHECKING:
    from outgrow.pipeline.text_cell import TextCell
    from outgrow.students.generator import TextStudent
    from outgrow.supervisors.text import Supervisor
    from outgrow.tasks.task import GenerationTask
    from outgrow.training.causal import Example

PLURALITY = "plurality of the supervisors"
CURVE = (32, 256)
"""Gold answers that students of the gold curve learn from: each is one more training in every replicate."""


@baseline(kind="floor")
def floor(
    task: GenerationTask,
    test_items: np.ndarray,
    supervisors: Sequence[Supervisor],
    skill: np.ndarray,
    fresh: np.ndarray,
    earned: Any,
) -> Predictions:
    """The supervisor that is best on weak-train, or the plurality of three and more where that scores more there.

    Where no gold is left that no supervisor has seen it is the plurality, which agrees with most of their answers.
    """
    best, order, test = int(skill.argmax()), np.argsort(-skill, kind="stable").tolist(), test_items.tolist()
    if len(supervisors) > 2:
        unseen = [supervisors[j].answers(fresh.tolist()) for j in order] if len(fresh) else []
        if not unseen or earned(plurality(unseen, task.form)) > skill[best]:
            answers = plurality([supervisors[j].answers(test) for j in order], task.form)
            return _given(answers, PLURALITY)
    return _given(supervisors[best].answers(test), supervisors[best].name)


def plurality(answers: Sequence[Sequence[str]], form: str) -> list[str]:
    """Of each item the answer whose form is commonest, of equally common ones that of the first in `answers`.

    Answers without a form count only where there is no other.
    """
    chosen = []
    for given in zip(*answers, strict=True):
        forms = [FORMS[form](text) for text in given]
        votes = [0 if form is None else forms.count(form) for form in forms]
        chosen.append(given[votes.index(max(votes))])
    return chosen


@baseline(kind="contrast", name="best member")
def best_member(
    test_items: np.ndarray, supervisors: Sequence[Supervisor], skill: np.ndarray, fresh: np.ndarray
) -> Predictions | None:
    """The supervisor that is best on weak-train, alone; None where there is one, or none is known to be."""
    if len(supervisors) == 1 or not len(fresh):
        return None
    one = supervisors[int(skill.argmax())]
    return _given(one.answers(test_items.tolist()), one.name)


def _every_supervisor(cells: Sequence[TextCell]) -> Mapping[str, Mapping[str, Any]]:
    names = cells[0].names
    return {f"supervisor:{name}": {"j": j} for j, name in enumerate(names) if len(names) > 1}


@baseline(kind="contrast", rows=_every_supervisor)
def supervisor(test_items: np.ndarray, supervisors: Sequence[Supervisor], *, j: int) -> Predictions:
    """The answers of one supervisor."""
    return Predictions(np.array([supervisors[j].answers(test_items.tolist())], object))


@baseline(kind="ceiling")
def ceiling(student: TextStudent, transfer_gold: Sequence[Example]) -> Model:
    """The student tuned on the transfer half's gold."""
    return student.tune(transfer_gold)


@baseline(kind="control")
def shuffled(weak: WeakAnswers, student: TextStudent, as_weak: Any, rngs: Any) -> Any:
    """Naive on answers that are dealt out to the wrong items: nothing about an item can be learned."""
    (rng,) = rngs("shuffled")
    return naive(as_weak([weak.best[i] for i in rng.permutation(len(weak.best))]), student)


@baseline(kind="control")
def gold_naive(student: TextStudent, as_weak: Any, transfer_gold: Sequence[Example]) -> Any:
    """Gold in the place of weak answers, through naive: the ceiling, to the letter."""
    return naive(as_weak([Answer(one.answer, (), (), "stop", 0) for one in transfer_gold]), student)


@baseline(kind="contrast")
def untrained(strong: Model) -> Model:
    """The student before any training."""
    return strong


@baseline(kind="contrast")
def gold_few(untaught_student: TextStudent, known_gold: Sequence[Example]) -> Model:
    """The student tuned on the gold that the supervisors learned from."""
    return untaught_student.tune(known_gold)


def _counts(cells: Sequence[TextCell]) -> Mapping[str, Mapping[str, Any]]:
    fewest = min(len(cell.transfer_items) for cell in cells)
    return {f"gold:{count}": {"count": count} for count in CURVE if count < fewest}


@baseline(kind="curve", rows=_counts)
def gold_curve(student: TextStudent, some_gold: Any, *, count: int) -> Model:
    """The student tuned on `count` gold answers to transfer items."""
    return student.tune(some_gold(count))


def _given(answers: Sequence[str], of: str) -> Predictions:
    return Predictions(np.array([answers], object), (of,))
