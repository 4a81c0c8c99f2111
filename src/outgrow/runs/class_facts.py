"""A study of classes in its run folder: what the report shows of it beside its summary, and its predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from outgrow import models, supervisors
from outgrow.label_models._floor import filled
from outgrow.metrics import controls
from outgrow.metrics.accuracy import Score, accuracy
from outgrow.metrics.agreement import agreement
from outgrow.metrics.baselines import majority_rate
from outgrow.metrics.calibration import calibration
from outgrow.metrics.gold_worth import worth
from outgrow.metrics.intervals import ScoreTable
from outgrow.metrics.pgr import Silence
from outgrow.models import Model
from outgrow.pipeline.runner import StudyRows
from outgrow.pipeline.scoring import class_scores
from outgrow.runs.compare import safe
from outgrow.store import disk
from outgrow.tasks.task import Task


def scored(rows: StudyRows) -> dict[str, dict[str, Score]]:
    """Scores by metric and row."""
    cell = rows.cell
    return class_scores(cell.task, cell.gold, cell.test, rows.predictions)


def silence(rows: StudyRows) -> dict[str, Silence]:
    """Scores of the rows that abstain on some test items, abstentions as guesses and as the commonest class."""
    task, gold, test = rows.cell.task, rows.cell.gold, rows.cell.test
    judged, found = (gold.labels[test], gold.weights[test], task.groups[test]), {}
    common = rows.joined(lambda cell: cell.common)
    bare = rows.array("floor", "bare")
    assert bare is not None
    for name, probs in {**rows.predictions, "floor": bare}.items():
        silent = np.isnan(probs).any(-1)
        if silent.any():
            scores_ = [accuracy(p, *judged).value for p in (probs, filled(probs, common))]
            found[name] = Silence(float((~silent).mean()), *scores_)
    return found


def facts(rows: StudyRows, scored: Mapping[str, Score], kappa: float) -> dict[str, Any]:
    """The sections of details.json that are of classes alone; all by the metric "accuracy"."""
    task, test, probs = rows.cell.task, rows.cell.test, rows.predictions
    gold = rows.cell.gold.labels[test], rows.cell.gold.weights[test], task.groups[test]
    students = [name for name, kind in rows.kinds.items() if kind == "method"] + ["ceiling"]
    curve = {n: accuracy(p, *gold) for n, p in sorted(rows.curve.items())} | {round(rows.sizes[2]): scored["ceiling"]}
    table = ScoreTable.of({str(n): score for n, score in curve.items()}, kappa)
    return {
        "majority": majority_rate(*gold[:2], len(task.classes)),
        "agreement": [{"method": n, **asdict(agreement(probs[n], probs["floor"], *gold, kappa))} for n in students],
        "training": [
            _training(n, rows.made[n][0].meta["progress"], path, gold, len(task.classes))
            for n in students
            if (path := rows.array(n, "path", 1)) is not None
        ],
        "calibration": [{"method": n, **asdict(calibration(probs[n], *gold, kappa))} for n in ("floor", *students)],
        "gold_curve": [
            {"n": n, "value": score.value, "value_ci": table.estimate(table.weights({str(n): 1})).ci}
            for n, score in curve.items()
        ],
        "worth": asdict(worth(curve, scored["naive"], kappa)),
        "settings": [
            {"method": n, "layers": _count(s["layer"] for s in chosen), "ridge": _count(s["ridge"] for s in chosen)}
            | (
                {"poolings": dict(sorted(Counter(s["pooling"] for s in chosen).items()))}
                if "pooling" in chosen[0]
                else {}
            )
            for n in rows.kinds
            if (chosen := [s for made in rows.made[n] for s in made.meta["settings"]][: rows.seeds])
        ],
        "examples": _examples(rows),
    }


def verdicts(rows: StudyRows, scored: Mapping[str, Score], kappa: float) -> list[controls.ControlVerdict]:
    """What became of the runs that must come out a known way."""
    task, test, probs = rows.cell.task, rows.cell.test, rows.predictions
    gold = rows.cell.gold.labels[test], rows.cell.gold.weights[test], task.groups[test]
    found = [
        controls.shuffled(probs["shuffled"], *gold, kappa),
        controls.gold_naive(probs["gold-naive"], probs["ceiling"], scored["gold-naive"], kappa),
    ]
    if "own-features" in scored:
        found.append(controls.own_features(scored["own-features"], scored["floor"], kappa))
    return found


def _training(
    name: str, progress: list[float], path: np.ndarray, gold: tuple[np.ndarray, ...], classes: int
) -> dict[str, Any]:
    """Mean test accuracy at points of training; shown, nothing is chosen by it."""
    answers = np.eye(classes, dtype=np.float32)
    return {"method": name, "progress": progress, "accuracy": [accuracy(answers[step], *gold).value for step in path]}


def _count(values: Iterable[float]) -> dict[str, int]:
    return {f"{v:g}": n for v, n in sorted(Counter(values).items())}


def _examples(rows: StudyRows, most: int = 8) -> list[dict[str, Any]]:
    """Test items on which naive is right against its supervisor, the clearest first, with P of the gold class."""
    task, test = rows.cell.task, np.flatnonzero(rows.cell.test)
    gold = rows.cell.gold.labels[test]
    pick = np.arange(len(test)), gold
    weak, student = (rows.predictions[name].mean(0)[pick] for name in ("floor", "naive"))
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


def about(rows: StudyRows) -> dict[str, Any]:
    """What a task is, with some of its items."""
    task, gold = rows.cell.task, rows.cell.gold
    samples = [{"text": _text(task, i), "gold": task.classes[gold.labels[i]]} for i in range(min(4, len(task)))]
    return {
        "kind": task.kind, "classes": list(task.classes), "items": len(task), "groups": len(np.unique(task.groups)),
        "counts": task.counts, "source": task.source, "template": task.ask, "samples": samples, "digest": task.digest,
    }  # fmt: skip


def used(rows: StudyRows) -> dict[str, Model]:
    """The models of a study by name, the student first."""
    cell = rows.cell
    named = [(cell.strong_name, cell.strong_name)]
    members = zip(cell.names, supervisors.parse(cell.weak_name), strict=True)
    named += [(member, argument) for member, (kind, argument) in members if kind.argument == "model"]
    return {name: models.resolve(argument, cell.spaces.store) for name, argument in named}


def forms(rows: StudyRows) -> dict[str, str]:
    """Nothing: what is read for classes is no prompt."""
    return {}


def predictions(folder: Path, rows: StudyRows) -> None:
    """Probabilities of every item and replicate, a file a row, with gold: anyone can recompute every figure."""
    task, gold, test = rows.cell.task, rows.cell.gold, rows.cell.test
    base = folder / "predictions" / safe(task.name)
    place = base / safe(f"{rows.cell.weak_name}--{rows.cell.strong_name}")
    ids = task.ids[test]
    for name, probs in rows.predictions.items():
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
