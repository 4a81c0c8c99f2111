"""Supervisors with planted errors: gold, except for a share of the items that a structure of errors picks.

    pull(i, c)   how strongly the structure draws item i to class c
    said(i)      argmax_{c != gold(i)} pull(i, c) on the `rate` of the items with the highest such pull, else gold(i)

The rate is exact on weak-train, transfer and test. Ties are broken at random: a structure that prefers no class draws
the wrong class uniformly. Every replicate draws anew. The label has probability .9 and the other classes share the
rest, so that confidence tells nothing about errors.

Structures of errors: Burns et al. 2023 (arXiv 2312.09390, appendix E).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from outgrow.core.errors import UserError
from outgrow.core.seeding import derive
from outgrow.supervisors import SupervisorView, supervisor
from outgrow.tasks.splits import draw

if TYPE_CHECKING:
    from outgrow.students.probe import Probe

SURE = 0.9
AXES = 8
"""Number of principal axes in the rule of `features`."""

Draws = Sequence[np.random.Generator]


def iid(view: SupervisorView, rate: float, draws: Draws) -> np.ndarray:
    """Anywhere."""
    return np.zeros((1, 1, 1))


def length(view: SupervisorView, rate: float, draws: Draws) -> np.ndarray:
    """On the longest texts."""
    return np.array([sum(map(len, texts)) for texts in view.task.read("planted:length")], float)[None, :, None]


def confidence(view: SupervisorView, rate: float, draws: Draws) -> np.ndarray:
    """Where a student that learned from weak-train gold is least confident."""
    return -_student(view).fit(view.targets()).predict().max(-1, keepdims=True)


def domain(view: SupervisorView, rate: float, draws: Draws) -> np.ndarray:
    """In one cluster of the student's features, around a random item."""
    embedded = _student(view).embed(view.targets())
    centres = [x[rng.choice(np.flatnonzero(view.pool))] for x, rng in zip(embedded, draws, strict=True)]
    return -np.stack([((x - centre) ** 2).sum(-1) for x, centre in zip(embedded, centres, strict=True)])[..., None]


def features(view: SupervisorView, rate: float, draws: Draws) -> np.ndarray:
    """Where the student can copy the errors: its own logits and a random linear rule of its first principal axes.

    The logits are those after weak-train gold, weighted 1 - m; the rule is weighted m, so that both err at the rate.
    """
    student, truth = _student(view), _truth(view)
    logits = np.log(student.fit(view.targets()).predict().astype(np.float64) + 1e-9)
    logits -= logits.mean(-1, keepdims=True)
    out = np.empty_like(logits)
    for r, (z, x) in enumerate(zip(logits, student.embed(view.targets()), strict=True)):
        axes, unseen = x[:, -AXES:], view.gold[r] < 0
        rule = (axes / axes.std(0)) @ draws[r].normal(size=(axes.shape[1], z.shape[1]))
        z, rule = z / z.std(), rule / rule.std()
        low, high = 0.0, 1.0
        for _ in range(40):
            m = (low + high) / 2
            out[r] = (1 - m) * z + m * rule
            low, high = (m, high) if (out[r].argmax(-1) != truth)[unseen].mean() < rate else (low, m)
    return out - np.take_along_axis(out, truth[None, :, None], -1)


STRUCTURES: dict[str, Callable[[SupervisorView, float, Draws], np.ndarray]] = {
    f.__name__: f for f in (iid, features, length, confidence, domain)
}
"""Structures by name; each returns pulls that broadcast to (R, N, C)."""


def asked(argument: str) -> tuple[str, float]:
    """Structure and rate of an argument. Raises UserError for anything else.

    Example:
        >>> asked("iid:0.3")
        ('iid', 0.3)
    """
    structure, _, text = argument.partition(":")
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if structure not in STRUCTURES or not 0 < rate < 1:
        raise UserError(
            f"supervisor 'planted:{argument}': write it as planted:STRUCTURE:RATE, as in planted:iid:0.3, with one of "
            f"{', '.join(STRUCTURES)} and a rate between 0 and 1"
        )
    return structure, rate


@supervisor(argument="structure:rate", planted=True, check=asked)
def planted(view: SupervisorView, argument: str) -> np.ndarray:
    """Gold with planted errors on RATE of the items, which iid, features, length, confidence or domain picks."""
    structure, rate = asked(argument)
    gold, items, classes = _truth(view), np.arange(len(view.task)), len(view.task.classes)
    draws = [derive(view.seed, view.task.name, "planted", argument, r) for r in view.replicates]
    pulls = np.array(np.broadcast_to(STRUCTURES[structure](view, rate, draws), (len(draws), len(items), classes)))
    pulls[:, items, gold] = -np.inf
    splits = draw(view.task, view.seed, view.replicates)
    said = np.tile(gold, (len(draws), 1))
    for r, (pull, rng) in enumerate(zip(pulls, draws, strict=True)):
        chance = rng.random(pull.shape)
        wrong = np.lexsort((chance, pull))[:, -1]
        order = np.lexsort((chance[items, wrong], pull[items, wrong]))[::-1]
        for rows in (splits.weak_train[r], splits.transfer[r], splits.test[r]):
            erring = order[rows[order]][: round(rate * rows.sum())]
            said[r, erring] = wrong[erring]
    return np.where(said[..., None] == np.arange(classes), SURE, (1 - SURE) / (classes - 1)).astype(np.float32)


def _truth(view: SupervisorView) -> np.ndarray:
    """(N,) all gold, which the views of planted supervisors have."""
    assert view.truth is not None
    return view.truth


def _student(view: SupervisorView) -> Probe:
    """The student, allowed to train on weak-train rows."""
    from outgrow.students.probe import Probe

    space = view.spaces(view.strong, view.pool)
    return Probe(space, view.gold >= 0, view.task.groups, view.seed, view.replicates, view.head)
