"""From the rows of a study to its run folder, whatever the kind of its tasks: cells, summary, details, predictions.

Files are written to temporary names and renamed, study.json after all that was computed, so that a reader never sees
half a run; what is made of these files alone, the comparison and the report, comes after it.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from outgrow.core.records import load
from outgrow.core.seeding import hashed
from outgrow.metrics import controls
from outgrow.metrics.accuracy import Score
from outgrow.metrics.intervals import ScoreTable, shared_pool
from outgrow.metrics.pgr import Kind, summarise
from outgrow.metrics.power import power
from outgrow.pipeline.runner import StudyRows
from outgrow.pipeline.text_cell import TextCell
from outgrow.runs import class_facts, schema, text_facts
from outgrow.runs import folder as claims
from outgrow.runs.compare import compared, safe
from outgrow.runs.schema.study import DetailsFile, StageCost, StudyFile
from outgrow.store import disk

if TYPE_CHECKING:
    from outgrow.methods import Method
    from outgrow.workflows.request import Request

MEAN = "mean member"
"""The row of what several supervisors score on average, each alone."""
MODEL = ("kind", "parameters", "width", "depth", "licence", "revision", "size_bytes", "digest")
"""What details.json says of a model."""
PACKAGES = (
    "outgrow",
    "torch",
    "transformers",
    "numpy",
    "scipy",
    "scikit-learn",
    "polars",
    "tokenizers",
)
Chosen = Sequence[tuple["Method", Mapping[str, Any]]]
"""Methods with all their hyper-parameters."""


def named(words: Sequence[str], asked: Mapping[str, Any], usual: Mapping[str, Any]) -> Path:
    """The run folder of a study that names none: the same study finds its folder again.

    Args:
        words: what the study is about.
        asked: its arguments.
        usual: those of a study that leaves everything else to the defaults; others are told apart by a tag.
    """
    ours, plain = ({key: value for key, value in one.items() if key != "out"} for one in (asked, usual))
    tag = [] if ours == plain else [hashed(json.dumps(ours, sort_keys=True, default=str))[:6]]
    return Path("runs") / "-".join([*map(safe, words), *tag])


def kept_in(task: str, weak: str, strong: str, of: int) -> str:
    """The place in a run folder of the student of one of `of` (task, supervisors, model)."""
    return "student" if of == 1 else f"students/{safe(f'{task}--{weak}--{strong}')}"


def claim(folder: Path, study: Request, tasks: Sequence[Any], overwrite: bool) -> None:
    """Make the run folder, or say why it cannot be one. tasks: as they were loaded."""
    asked = {key: value for key, value in study.asked().items() if key not in ("out", "tasks")}
    claims.claim(folder, "run", {**asked, "tasks": [[task.name, task.digest] for task in tasks]}, overwrite)


def write(folder: Path, study: Request, chosen: Chosen, done: Sequence[StudyRows], began: float) -> None:
    """Everything a run folder holds."""
    cells, summary, pairs = [], [], []
    for rows in done:
        kind, kappa = _kind(rows), shared_pool(*rows.sizes[1:])
        scored = kind.scored(rows)
        for n, (metric, by_row) in enumerate(scored.items()):
            by_row |= _mean_member(by_row)
            kinds: dict[str, Kind] = {name: rows.kinds.get(name, "contrast") for name in by_row}  # type: ignore[misc]
            silence = kind.silence(rows) if n == 0 else {}
            cells += _cells(rows, metric, by_row, kinds)
            found = summarise(by_row, kinds, kappa, **_named(rows), metric=metric, of=rows.of, silence=silence)
            summary += [replace(row, not_kept=rows.not_kept.get(row.method)) for row in found]
        pairs.append(_pair(rows, kind, next(iter(scored.values())), kappa))
        kind.predictions(folder, rows)
    costs = [{**_named(rows), **cost} for rows in done for cost in rows.costs]
    used = {name: model for rows in done for name, model in _kind(rows).used(rows).items()}
    forms = {name: form for rows in done for name, form in _kind(rows).forms(rows).items()}
    details = {
        "pairs": pairs,
        "tasks": {rows.cell.task.name: _kind(rows).about(rows) for rows in done},
        "models": {
            name: {key: getattr(model, key) for key in MODEL} | ({"prompting": forms[name]} if name in forms else {})
            for name, model in used.items()
        },
        "methods": {method.name: _method(method, parameters) for method, parameters in chosen},
        "costs": costs,
    }
    resolved = {
        "tasks": {rows.cell.task.name: rows.cell.task.digest for rows in done},
        "methods": {method.name: dict(parameters) for method, parameters in chosen},
        "seeds": study.seeds,
        "seed": study.seed,
        "models": {name: model.digest for name, model in used.items()},
        "code": done[0].cell.code(),
    }
    disk.write(folder / "cells.parquet", pl.concat(cells).write_parquet)
    schema.write_rows(folder / "summary.json", summary)
    schema.write(folder / "details.json", load(DetailsFile, details, "details.json"))
    schema.write(folder / "study.json", record(study.asked(), resolved, began, costs))
    comparison = compared(folder)
    if comparison is None:
        (folder / "comparison.json").unlink(missing_ok=True)
    else:
        schema.write(folder / "comparison.json", comparison)


def _kind(rows: StudyRows) -> ModuleType:
    return text_facts if isinstance(rows.cell, TextCell) else class_facts


def _named(rows: StudyRows) -> dict[str, str]:
    return {"task": rows.cell.task.name, "weak": rows.cell.weak_name, "strong": rows.cell.strong_name}


def _mean_member(by_row: Mapping[str, Score]) -> dict[str, Score]:
    """The mean score of several supervisors, where all of them are scored on as much."""
    members = [score for name, score in by_row.items() if name.startswith("supervisor:")]
    if len(members) < 2 or not all(np.array_equal(score.den, members[0].den) for score in members):
        return {}
    return {MEAN: replace(members[0], num=np.mean([score.num for score in members], 0))}


def _cells(rows: StudyRows, metric: str, by_row: Mapping[str, Score], kinds: Mapping[str, str]) -> list[pl.DataFrame]:
    """A row a replicate, method and metric."""
    spread = {name: np.broadcast_to(score.values, (rows.seeds,)) for name, score in by_row.items()}
    return [
        pl.DataFrame(
            {
                **_named(rows),
                "method": name,
                "kind": kinds[name],
                "replicate": np.arange(rows.seeds),
                "n_test": len(by_row[name]),
                "metric": metric,
                "value": values,
                "floor": spread["floor"],
                "ceiling": spread["ceiling"],
            }
        )
        for name, values in spread.items()
    ]


def _pair(rows: StudyRows, kind: ModuleType, scored: Mapping[str, Score], kappa: float) -> dict[str, Any]:
    """What the report shows of one (task, supervisors, student) beside its summary."""
    known, _, transfer = rows.sizes
    needed = power(ScoreTable.of({name: scored[name] for name in ("floor", "ceiling")}, kappa))
    canary = controls.canary(rows.canary)
    verdicts = [*kind.verdicts(rows, scored, kappa), *([canary] if canary else [])]
    return {
        **_named(rows),
        "replicates": rows.seeds,
        "n_weak_train": known,
        "n_transfer": transfer,
        "n_test": rows.predictions["floor"].shape[1],
        **kind.facts(rows, scored, kappa),
        "controls": [asdict(verdict) for verdict in verdicts],
        "power": needed and asdict(needed),
        "left_out": [{"method": name, "lacks": lacks} for name, lacks in rows.left_out.items()],
        "bought": rows.bought,
    }


def _method(method: Method, parameters: Mapping[str, Any]) -> dict[str, Any]:
    about = {"line": method.line, "paper": method.paper, "differs": method.differs, "parameters": dict(parameters)}
    return {**about, "resources": list(method.resources)}


def record(
    asked: Mapping[str, Any], resolved: Mapping[str, Any], began: float, costs: Sequence[Mapping[str, Any]]
) -> StudyFile:
    """study.json: what was asked, what it resolved to, versions, cost by stage."""
    called = Path(sys.argv[0]).stem in ("outgrow", "__main__")
    return StudyFile(
        asked=dict(asked),
        resolved=dict(resolved),
        command=shlex.join(["outgrow", *sys.argv[1:]]) if called else None,
        versions={name: _version(name) for name in PACKAGES} | {"python": platform.python_version()},
        machine={"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
        seconds=time.time() - began,
        costs=tuple(StageCost(**cost) for cost in costs),
    )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
