"""Evidence out of a study: supervisors and a student that are only named, and a run folder.

Before training gold is open on weak-train alone, for the supervisors' own half: transfer and test items are texts and features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from outgrow import supervisors, tasks
from outgrow.audits._evidence import Before, Evidence, Finished, Table
from outgrow.errors import UserError
from outgrow.models import scratch
from outgrow.pair import Pair, Spaces
from outgrow.store import Store
from outgrow.study import Study
from outgrow.tasks.reading import Reading
from outgrow.tasks.task import TEST

REPLICATES = 2
"""Halves that are looked at before training: four gave the same figures."""


def named(source: str, reading: Reading, weak: Sequence[str], strong: str | None) -> list[Evidence]:
    """A piece of evidence for each of the supervisors (a+b: together). Raises UserError, one line."""
    study = Study(tasks=[source], weak=weak, strong=strong or Study.strong, reading=reading)
    return [_named(pair) for pair in _pairs(study)]


def finished(folder: Path, cheap: bool = False) -> list[Evidence]:
    """A piece of evidence for each (task, weak, strong) of a run folder; `cheap`: of what lies in the folder alone.

    Texts, features and what is known before training come from the task, where it is still what it was. Raises UserError.
    """
    from outgrow.report import data

    run = data.read(folder)
    found = []
    for pair in run.pairs:
        one = _finished(Path(folder), run, pair)
        again = None if cheap else _again(run.study, pair)
        found.append(one if again is None else _joined(one, again))
    return found


def _pairs(study: Study) -> list[Pair]:
    store, made = Store.default(), []
    for name in study.tasks:
        task, gold = tasks.load(name, study._reading())
        spaces = Spaces(task, store)
        made += [study.pair(task, gold, supervisors.spread(name, task), str(study.strong), spaces) for name in study.weak]
    return made


def _named(pair: Pair) -> Evidence:
    """What is known of a pair before its student learns."""
    task, heard = pair.task, pair.weak_train
    said, gold = heard.said.probs[0], heard.gold[0]
    worker, item = np.nonzero(~np.isnan(said).any(-1) & (gold >= 0))
    probs = said[worker, item]
    votes = Table(item, worker, probs.argmax(-1), len(task), pair.names, task.classes, asked_all=True)
    return Evidence(
        f"{task.name}, {pair.weak_name} and {pair.strong_name}, before training; {task.source}", votes, tuple(task.ids.tolist()), tuple(" ".join(text) for text in task.texts),
        task.groups, gold, probs, (task.side == TEST).astype(np.int8) if (task.side == TEST).any() else None, _features(pair), before=_before(pair),
        about=f"{task.name}.{pair.weak_name}.{pair.strong_name}",
    )  # fmt: skip


def _before(pair: Pair) -> Before | None:
    """None of a student that is trained from scratch: it has no space before."""
    if scratch.named(pair.strong_name):
        return None
    space, heard, few = pair.spaces(pair.strong_name, ~pair.test), pair.weak_train, slice(REPLICATES)
    return Before(tuple(space.basis(i) for i in range(len(space.layers))), pair.task.groups, heard.gold[few], heard.said.beliefs[few])


def _features(pair: Pair) -> np.ndarray | None:
    """(N, D) the items in the last of the student's candidate layers."""
    if scratch.named(pair.strong_name):
        return None
    space = pair.spaces(pair.strong_name, ~pair.test)
    return space.read(space.features[-1]).numpy()


def _finished(folder: Path, run: Any, pair: Any) -> Evidence:
    """Test items, and what supervisors and students say of them."""
    from outgrow.report.runs import gold_of, probs_of, safe

    place, frame = folder / "predictions" / safe(pair.task), gold_of(folder, pair.task)
    gold, n = frame["label"].to_numpy(), len(frame)

    def predicted(row: str) -> np.ndarray:
        return probs_of(place / safe(f"{pair.weak}--{pair.strong}") / f"{safe(row)}.parquet", frame["id"])

    costs = tuple(c for c in run.costs if all(c.get(name) == getattr(pair, name) for name in ("task", "weak", "strong")))
    rows = {row.method: {name: getattr(row, name) for name in row.__dataclass_fields__ if name != "each"} for row in pair.main.rows}
    members = [name for name in rows if name.startswith("supervisor:")] or ["floor"]
    said = np.stack([predicted(name).mean(0) for name in members])
    worker, item = np.nonzero(~np.isnan(said).any(-1))
    names = tuple(name.partition(":")[2] or pair.weak for name in members)
    classes = tuple((run.tasks.get(pair.task) or {}).get("classes") or map(str, range(said.shape[-1])))
    votes = Table(item, worker, said[worker, item].argmax(-1), n, names, classes, asked_all=True)
    study = Finished(np.arange(n), rows, pair.details, costs, gold, frame["weight"].to_numpy(), predicted)
    where, about = f"{folder}: {pair.task}, {pair.weak} and {pair.strong}", f"{pair.task}.{pair.weak}.{pair.strong}"
    return Evidence(where, votes, tuple(frame["id"].to_list()), None, frame["group"].to_numpy(), gold, study=study, about=about)


def _again(asked: dict[str, Any], pair: Any) -> Pair | None:
    """The study's pair from its task and models; None where these are gone, or not what they were."""
    plain = {k: tuple(v) if isinstance(v, list) else v for k, v in asked["asked"].items() if k not in ("out", "reading", "tasks", "weak", "strong")}
    columns = {k: tuple(v) if isinstance(v, list) else v for k, v in asked["asked"]["reading"].items()}
    for name in asked["asked"]["tasks"]:
        study = Study(tasks=[name], weak=[pair.weak], strong=pair.strong, reading=Reading(**columns), **plain)
        try:
            (made,) = _pairs(study)
        except UserError:
            continue
        if made.task.name == pair.task and made.task.digest == asked["resolved"]["tasks"].get(pair.task):
            return made
    return None


def _joined(one: Evidence, pair: Pair) -> Evidence:
    """A finished study's evidence, its items the whole task's: gold stays with the test items."""
    assert one.votes is not None and one.study is not None
    task, more = pair.task, _named(pair)
    at = np.searchsorted(task.ids, np.array(one.ids))
    gold = np.full(len(task), -1)
    gold[at] = one.study.gold
    votes = replace(one.votes, item=at[one.votes.item], items=len(task))
    return replace(more, source=one.source, about=one.about, votes=votes, gold=gold, probs=None, study=replace(one.study, at=at))
