"""Learning from votes as a run folder, where gold judges it: cells, summary, details and predictions as of a study.

Judged are students that the items' own groups did not teach: there is one replicate, and intervals are over items
alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from outgrow.core.records import load
from outgrow.label_models._floor import FEWEST
from outgrow.methods import Method
from outgrow.metrics.accuracy import Score, accuracy
from outgrow.metrics.agreement import agreement
from outgrow.metrics.baselines import majority_rate
from outgrow.metrics.calibration import calibration
from outgrow.metrics.controls import ControlVerdict
from outgrow.metrics.intervals import ScoreTable
from outgrow.metrics.pgr import Kind, counted, summarise
from outgrow.metrics.power import power
from outgrow.pipeline.baselines import registry
from outgrow.pipeline.cell import Predictions
from outgrow.pipeline.vote_cell import VoteCell
from outgrow.runs import schema
from outgrow.runs.compare import safe
from outgrow.runs.schema.study import DetailsFile
from outgrow.runs.vote_facts import filled_by
from outgrow.runs.write import record
from outgrow.store import disk

NAMED = 5
"""Annotators that a run names one by one."""


def write(
    folder: Path,
    cell: VoteCell,
    strong: str,
    method: Method,
    predicted: np.ndarray,
    canary: Mapping[str, Any],
    asked: Mapping[str, Any],
    began: float,
) -> bool:
    """Write the run, where there is gold enough to judge by.

    Args:
        folder: the student's.
        cell: what taught it.
        strong: the student's model.
        method: what taught it.
        predicted: (N, C) its probabilities of every item, by a replicate that the item did not teach.
        canary: what learn.json says of the canary.
        asked: the arguments.
        began: when the work began.

    Returns:
        Whether anything was written.
    """
    judged = cell.judged
    if judged.sum() < FEWEST:
        return False
    task, labels = cell.task, cell.gold.labels[judged]
    gold = labels, np.ones(len(labels)), task.groups[judged]
    probs, kinds, floor = _rows(cell, method.name, predicted)
    probs = {name: _better(cell, p, judged, gold)[None] for name, p in probs.items()}
    scores = {name: accuracy(p, *gold) for name, p in probs.items()}
    weak = "+".join(cell.names) if len(cell.names) <= NAMED else f"{len(cell.names)} annotators"
    named = {"task": task.name, "weak": weak, "strong": strong}
    of = {"floor": counted(floor, "items with gold") if floor[0] else weak}
    summary = summarise(scores, kinds, 0.0, task=task.name, weak=weak, strong=strong, metric="accuracy", of=of)
    students = [name for name in (method.name, "ceiling") if name in probs]
    bounds = {name: score for name, score in scores.items() if name in ("floor", "ceiling")}
    needed = power(ScoreTable.of(bounds, 0.0)) if len(bounds) == 2 else None
    what = "the method run again with hidden gold permuted, against its predictions before"
    changed = float(canary.get("changed", 0.0))
    control = ControlVerdict("canary", what, changed, None, 0.0, canary["passed"], canary["says"])
    pair = {
        **named,
        "replicates": 1,
        "n_weak_train": int((cell.known[0] >= 0).sum()),
        "n_transfer": int(cell.design.teach[0].sum()),
        "n_test": len(labels),
        "majority": majority_rate(*gold[:2], len(task.classes)),
        "agreement": [{"method": n, **asdict(agreement(probs[n], probs["floor"], *gold, 0.0))} for n in students],
        "calibration": [{"method": n, **asdict(calibration(probs[n], *gold, 0.0))} for n in ("floor", *students)],
        "controls": [asdict(control)],
        "power": needed and asdict(needed),
        "left_out": [],
        "lacks": [] if "ceiling" in scores else ["ceiling: needs gold in every fold, and a student of heads"],
        "bought": {},
    }
    about: dict[str, Any] = {"line": method.line, "paper": method.paper, "differs": method.differs}
    about |= {"parameters": method.parameters, "resources": list(method.resources)}
    item: dict[str, Any] = {"kind": task.kind, "classes": list(task.classes), "items": len(task), "counts": task.counts}
    item |= {"template": task.ask, "samples": []}
    item |= {"groups": len(np.unique(task.groups)), "source": task.source, "digest": task.digest}
    details = {"pairs": [pair], "tasks": {task.name: item}, "models": {}, "methods": {method.name: about}, "costs": []}
    disk.write(folder / "cells.parquet", _cells(named, scores, kinds).write_parquet)
    schema.write_rows(folder / "summary.json", summary)
    schema.write(folder / "details.json", load(DetailsFile, details, "details.json"))
    _predictions(folder, named, cell, judged, probs)
    resolved = {"tasks": {task.name: task.digest}, "methods": {method.name: method.parameters}}
    schema.write(folder / "study.json", record(dict(asked), {**resolved, "seeds": 1, "seed": cell.seed}, began, []))
    return True


def _rows(
    cell: VoteCell, method: str, predicted: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, Kind], tuple[str, ...]]:
    """(N, C) by row, the kinds of rows, and what the floor is; the method's row after the ceiling."""
    probs, kinds, floor = dict[str, np.ndarray](), dict[str, Kind](), tuple[str, ...]()
    for one in registry("votes").values():
        for name, parameters in one.named([cell]).items():
            fitted = one.fit(cell, **parameters)
            if isinstance(fitted, Predictions):
                probs[name], floor = fitted.values, fitted.of if one.kind == "floor" else floor
            elif fitted is not None:
                probs[name] = cell.design.crossed(cell.predicted(fitted))
            if name in probs:
                kinds[name] = one.kind  # type: ignore[assignment]
    return {**probs, method: predicted}, {**kinds, method: "method"}, floor


def _better(cell: VoteCell, probs: np.ndarray, judged: np.ndarray, gold: tuple[np.ndarray, ...]) -> np.ndarray:
    """(n, C) of the judged items, abstentions as guesses or as the commonest class, whichever scores more."""
    bare: np.ndarray = probs[judged]
    filled: np.ndarray = filled_by(cell)(probs)[judged]
    return filled if accuracy(filled[None], *gold).value > accuracy(bare[None], *gold).value else bare


def _cells(named: Mapping[str, str], scores: Mapping[str, Score], kinds: Mapping[str, str]) -> pl.DataFrame:
    """A row a method, as a study's cells have them."""
    ceiling = scores["ceiling"].value if "ceiling" in scores else None
    return pl.DataFrame(
        [
            {
                **named,
                "method": name,
                "kind": kinds[name],
                "replicate": 0,
                "n_test": len(score),
                "metric": "accuracy",
                "value": score.value,
                "floor": scores["floor"].value,
                "ceiling": ceiling,
            }
            for name, score in scores.items()
        ],
        schema_overrides={"ceiling": pl.Float64},
    )


def _predictions(
    folder: Path, named: Mapping[str, str], cell: VoteCell, judged: np.ndarray, probs: Mapping[str, np.ndarray]
) -> None:
    """Probabilities of every judged item, a file a row, and gold beside them."""
    base = folder / "predictions" / safe(named["task"])
    place = base / safe(f"{named['weak']}--{named['strong']}")
    ids, zero = cell.task.ids[judged], np.zeros(int(judged.sum()), np.int32)
    for name, (values,) in probs.items():
        frame = pl.DataFrame({"id": ids, "replicate": zero})
        frame = frame.with_columns(pl.Series(f"p{c}", values[:, c]) for c in range(values.shape[1]))
        disk.write(place / f"{safe(name)}.parquet", frame.write_parquet)
    columns = {"id": ids, "label": cell.gold.labels[judged], "weight": np.ones(len(ids))}
    disk.write(base / "gold.parquet", pl.DataFrame({**columns, "group": cell.task.groups[judged]}).write_parquet)
