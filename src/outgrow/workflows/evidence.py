"""Evidence out of a study: supervisors and a student that are only named, and a run folder.

Before training gold is open on weak-train alone: transfer and test items are texts and features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from outgrow import supervisors, tasks
from outgrow.audits.evidence import Before, Evidence, VoteTable
from outgrow.core.errors import UserError
from outgrow.models import scratch
from outgrow.pipeline.class_cell import ClassCell
from outgrow.pipeline.spaces import Spaces
from outgrow.runs.evidence import of_pair
from outgrow.store import Store
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.task import TEST
from outgrow.workflows.study import ClassStudy

REPLICATES = 2
"""Halves that are looked at before training: four gave the same figures."""


def named(source: str, reading: Reading, weak: Sequence[str], strong: str | None) -> list[Evidence]:
    """A piece of evidence for each of the supervisors (a+b: together). Raises UserError, one line."""
    study = ClassStudy(tasks=[source], weak=weak, strong=strong or ClassStudy.strong, reading=reading)
    study.check()
    return [_named(pair) for pair in _cells(study)]


def finished(folder: Path) -> list[Evidence]:
    """A piece of evidence for each (task, weak, strong) of a run folder.

    Texts, features and what is known before training come from the task, where it has not changed. Raises UserError.
    """
    from outgrow.runs import read

    run = read.read(folder)
    found = []
    for pair in run.pairs:
        one = of_pair(Path(folder), run, pair)
        again = _again(run.study, pair)
        found.append(one if again is None else _joined(one, again))
    return found


def _cells(study: ClassStudy) -> list[ClassCell]:
    store, made = Store.default(), []
    for name in study.tasks:
        task, gold = tasks.load(name, study._reading())
        spaces = Spaces(task, store)
        made += [
            study.cell(task, gold, supervisors.spread(name, task), str(study.strong), spaces) for name in study.weak
        ]
    return made


def _named(cell: ClassCell) -> Evidence:
    """What is known of a cell before its student learns."""
    task, heard = cell.task, cell.weak_train
    said, gold = heard.said.probs[0], heard.gold[0]
    annotator, item = np.nonzero(~np.isnan(said).any(-1) & (gold >= 0))
    probs = said[annotator, item]
    votes = VoteTable(item, annotator, probs.argmax(-1), len(task), cell.names, task.classes, complete=True)
    return Evidence(
        f"{task.name}, {cell.weak_name} and {cell.strong_name}, before training; {task.source}",
        votes,
        tuple(task.ids.tolist()),
        tuple(" ".join(text) for text in task.texts),
        task.groups,
        gold,
        probs,
        (task.side == TEST).astype(np.int8) if (task.side == TEST).any() else None,
        _features(cell),
        before=_before(cell),
        about=f"{task.name}.{cell.weak_name}.{cell.strong_name}",
    )


def _before(cell: ClassCell) -> Before | None:
    """None of a student that is trained from scratch: it has no space before."""
    if scratch.named(cell.strong_name):
        return None
    space, heard, few = cell.spaces(cell.strong_name, ~cell.test), cell.weak_train, slice(REPLICATES)
    return Before(
        tuple(space.basis(i) for i in range(len(space.layers))),
        cell.task.groups,
        heard.gold[few],
        heard.said.beliefs[few],
    )


def _features(cell: ClassCell) -> np.ndarray | None:
    """(N, D) the items in the last of the student's candidate layers."""
    if scratch.named(cell.strong_name):
        return None
    space = cell.spaces(cell.strong_name, ~cell.test)
    return space.read(space.features[-1]).numpy()


def _again(asked: dict[str, Any], pair: Any) -> ClassCell | None:
    """The study's cell from its task and models; None where these are gone or have changed."""
    if "label_model" not in asked["asked"]:
        return None  # generated answers, and one's own votes: nothing is known before training
    plain: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v
        for k, v in asked["asked"].items()
        if k not in ("out", "reading", "tasks", "weak", "strong")
    }
    columns: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in asked["asked"]["reading"].items()}
    for name in asked["asked"]["tasks"]:
        study = ClassStudy(tasks=[name], weak=[pair.weak], strong=pair.strong, reading=Reading(**columns), **plain)
        try:
            (made,) = _cells(study)
        except UserError:
            continue
        if made.task.name == pair.task and made.task.digest == asked["resolved"]["tasks"].get(pair.task):
            return made
    return None


def _joined(one: Evidence, cell: ClassCell) -> Evidence:
    """Evidence of a finished study on all items of its task; gold stays with the test items."""
    assert one.votes is not None and one.study is not None
    task, more = cell.task, _named(cell)
    at = np.searchsorted(task.ids, np.array(one.ids))
    gold = np.full(len(task), -1)
    gold[at] = one.study.gold
    votes = replace(one.votes, item=at[one.votes.item], items=len(task))
    return replace(
        more, source=one.source, about=one.about, votes=votes, gold=gold, probs=None, study=replace(one.study, at=at)
    )
