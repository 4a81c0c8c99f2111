"""What gold was for in `learn`, what weak labels add to it, and what more of it would add."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from outgrow import methods
from outgrow.core import progress
from outgrow.core.seeding import derive
from outgrow.label_models._floor import FEWEST
from outgrow.methods import Method
from outgrow.metrics.accuracy import accuracy
from outgrow.metrics.annotators import single
from outgrow.metrics.intervals import share_ci
from outgrow.metrics.more_gold import more_gold
from outgrow.pipeline import gold_use
from outgrow.pipeline.vote_cell import VoteCell
from outgrow.students.probe import Probe

MORE = 100
"""Number of further gold labels whose gain is told."""


def gold(cell: VoteCell, method: Method, student: np.ndarray) -> dict[str, Any]:
    """What gold was for; where it taught a head, the student against those of either source, and of more gold.

    Args:
        cell: what taught the student.
        method: by which.
        student: (N, C) its probabilities of every item, by a replicate that the item did not teach.
    """
    known, targets = cell.gold.labels >= 0, cell.known_gold
    count = int(known.sum())
    facts: dict[str, Any] = {
        "use": cell.gold_use,
        "labels": count,
        "taught": targets is not None and method.kind == "gold",
        "says": gold_use.told(count, cell.gold_use, targets is not None, method.kind == "gold"),
    }
    judged = cell.judged
    if targets is None or not facts["taught"] or not isinstance(cell.student, Probe) or judged.sum() < FEWEST:
        return facts
    progress.say("what weak labels add to gold, and what more gold would: students of either, and of half of it")
    truth = cell.gold.labels[judged], np.ones(int(judged.sum())), cell.task.groups[judged]
    own = accuracy(student[None, judged], *truth)
    rows = []
    told: np.ndarray = ~np.isnan(targets).any(-1)
    for name, fitted in (
        ("gold alone", cell.student.on(told).fit(targets)),
        ("weak labels alone", methods.find("naive").fit(replace(cell, gold_use="judges"))),
    ):
        score = accuracy(_crossed(cell, fitted)[None, judged], *truth)
        value, table = single({"it": score}, {"it": 1})
        gain, _ = single({"student": own, "it": score}, {"student": 1, "it": -1})
        rows.append({
            "name": name, "accuracy": value.value, "accuracy_ci": share_ci(value, table),
            "gain": gain.value, "gain_ci": gain.ci,
        })  # fmt: skip
    halves = [thinned(cell, half) for half in _halves(cell, known)]
    more = None
    if all(half.known_gold is not None for half in halves):
        fitted = [method.fit(half, **method.parameters) for half in halves]
        scores = [accuracy(_crossed(cell, one)[None, judged], *truth) for one in fitted]
        more = asdict(more_gold(own, scores, int(told[0].sum()), MORE))
    return facts | {"rows": rows, "more": more}


def thinned(cell: VoteCell, kept: np.ndarray) -> VoteCell:
    """The cell with the gold of the items `kept` (N,) alone."""
    labels = np.where(kept, cell.gold.labels, -1)
    return replace(cell, data=replace(cell.data, gold=replace(cell.gold, labels=labels)))


def _halves(cell: VoteCell, known: np.ndarray) -> list[np.ndarray]:
    """Two halves (N,) of the gold items, whole groups, about as many of every fold in both."""
    rng, first = derive(cell.seed, "learn", "halves"), np.zeros(len(known), bool)
    for fold in np.unique(cell.design.fold[known]):
        groups = rng.permutation(np.unique(cell.task.groups[known & (cell.design.fold == fold)]))
        first |= np.isin(cell.task.groups, groups[: len(groups) // 2 + int(fold) % 2 * (len(groups) % 2)])
    return [known & first, known & ~first]


def _crossed(cell: VoteCell, fitted: Any) -> np.ndarray:
    """(N, C) of a fitted student: of every item, by the replicate that it did not teach."""
    return np.asarray(cell.design.crossed(cell.predicted(fitted)))
