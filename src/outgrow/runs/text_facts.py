"""A study of generated answers in its run folder: what the report shows of it beside its summary, and its answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from outgrow.generation import PLAIN, chats
from outgrow.generation.candidates.forms import FORMS
from outgrow.generation.local import Local
from outgrow.metrics.accuracy import Score
from outgrow.metrics.agreement import Agreement, split_agreement
from outgrow.metrics.controls import ControlVerdict
from outgrow.metrics.gold_worth import worth
from outgrow.metrics.intervals import ScoreTable
from outgrow.metrics.pgr import Silence
from outgrow.models import Model
from outgrow.pipeline.runner import StudyRows
from outgrow.pipeline.scoring import text_scores
from outgrow.pipeline.text_cell import TextCell
from outgrow.runs.compare import safe
from outgrow.store import disk
from outgrow.tasks.prompting import CHAT

COMMON = 20
"""Commonest gold answers that a constant answer is chosen from."""


def scored(rows: StudyRows) -> dict[str, dict[str, Score]]:
    """Scores by metric and row."""
    cell = rows.cell
    by_row = {
        name: text_scores(cell.task, cell.gold, cell.test_items, answers.tolist())
        for name, answers in rows.predictions.items()
    }
    return {metric: {name: found[metric] for name, found in by_row.items()} for metric in by_row["floor"]}


def silence(rows: StudyRows) -> dict[str, Silence]:
    """None: a supervisor that generates answers does not abstain."""
    return {}


def facts(rows: StudyRows, scored: Mapping[str, Score], kappa: float) -> dict[str, Any]:
    """The sections of details.json that are of generated answers alone, by the metric that decides."""
    cell, covered = rows.cell, [cell.coverage for cell in rows.cells]
    main = next(iter(scored.values()))
    students = [name for name, kind in rows.kinds.items() if kind == "method"] + ["ceiling"]
    sizes = {count: _main(cell, answers) for count, answers in sorted(rows.curve.items())}
    curve = sizes | {round(rows.sizes[2]): scored["ceiling"]}
    table = ScoreTable.of({str(n): score for n, score in curve.items()}, kappa)
    form, floor = np.vectorize(FORMS[cell.task.form], otypes=[object]), rows.predictions["floor"]
    right, given = full(scored["floor"]), form(floor)
    answered = np.array([[one is not None for one in row] for row in given])

    def met(name: str) -> Agreement:
        same = form(rows.predictions[name]) == given
        return split_agreement(same, right, answered, np.ones(len(main)), main.groups, kappa)

    return {
        "coverage": {key: float(np.mean([one[key] for one in covered])) for key in ("first", "best", "cut")},
        "constant": _blind(rows),
        "agreement": [{"method": name, **asdict(met(name))} for name in students],
        "gold_curve": [
            {"n": n, "value": score.value, "value_ci": table.estimate(table.weights({str(n): 1})).ci}
            for n, score in curve.items()
        ],
        "worth": asdict(worth(curve, scored["naive"], kappa)) if len(curve) > 1 else None,
    }


def full(score: Score) -> np.ndarray:
    """(R, n) bool: which answers score all that there is to score."""
    return np.asarray(score.num == np.broadcast_to(score.den, score.num.shape))


def _main(cell: TextCell, answers: np.ndarray) -> Score:
    """Scores of answers (R, n) to the test items, by the metric that decides."""
    return next(iter(text_scores(cell.task, cell.gold, cell.test_items, answers.tolist()).values()))


def verdicts(rows: StudyRows, scored: Mapping[str, Score], kappa: float) -> list[ControlVerdict]:
    """What became of the runs that must come out a known way.

    Answers dealt out to the wrong items teach nothing of any item; gold through naive is the ceiling.
    """
    table = ScoreTable.of(scored, kappa)
    value, gold = (table.estimate(table.weights({name: 1})) for name in ("shuffled", "gold-naive"))
    blind = _blind(rows)
    says = f"scores {value.value:.3f}; the best answer that is the same for all items {blind:.3f}"
    says += "" if value.ci else ": no interval to judge by"
    same = bool((rows.predictions["gold-naive"] == rows.predictions["ceiling"]).all())
    return [
        ControlVerdict(
            "shuffled",
            "student of answers dealt out to the wrong items, against the best constant answer",
            value.value,
            value.ci,
            blind,
            value.ci[0] <= blind if value.ci else None,
            says,
        ),
        ControlVerdict(
            "gold-naive",
            "gold answers through naive, against the ceiling, letter by letter",
            gold.value,
            gold.ci,
            "the ceiling",
            same,
            "the same answers as the ceiling" if same else "answers differ from the ceiling's",
        ),
    ]


def _blind(rows: StudyRows) -> float:
    """The score of the best of the commonest gold answers, given to every test item."""
    cell = rows.cell
    known = [cell.gold.answers[i] for i in cell.transfer_items]
    common = sorted(set(known), key=lambda answer: (-known.count(answer), answer))[:COMMON]
    test = cell.test_items
    constant = (text_scores(cell.task, cell.gold, test, [[answer] * len(test)]) for answer in common)
    return max(next(iter(found.values())).value for found in constant)


def about(rows: StudyRows) -> dict[str, Any]:
    """What a task is, with some of its items."""
    task, gold = rows.cell.task, rows.cell.gold
    samples = [{"text": task.prompts[i], "gold": gold.answers[i]} for i in range(min(4, len(task)))]
    return {
        "kind": f"generate ({task.scorer})",
        "classes": [],
        "items": len(task),
        "groups": len(np.unique(task.groups)),
        "counts": dict(task.counts),
        "source": task.source,
        "samples": samples,
        "digest": task.digest,
    }


def used(rows: StudyRows) -> dict[str, Model]:
    """The models of a study by name, the student first."""
    return {model.name: model for model in rows.cell.models}


def forms(rows: StudyRows) -> dict[str, str]:
    """How the models of a study are asked, "chat" or "plain", by name."""
    prompting = rows.cell.task.prompting
    asked = {model.name: Local(model) for model in rows.cell.models}
    return {name: CHAT if chats(model, prompting) else PLAIN.form for name, model in asked.items()}


def predictions(folder: Path, rows: StudyRows) -> None:
    """Answers to every test item in every replicate with their scores (num of den), a file a row, and gold."""
    cell = rows.cell
    task, gold, test = cell.task, cell.gold, cell.test_items
    base = folder / "predictions" / safe(task.name)
    place = base / safe(f"{cell.weak_name}--{cell.strong_name}")
    ids = [task.ids[i] for i in test]
    for name, answers in rows.predictions.items():
        replicate, score = np.repeat(np.arange(len(answers), dtype=np.int32), len(ids)), _main(cell, answers)
        told = {"id": ids * len(answers), "replicate": replicate, "answer": answers.ravel().tolist()}
        possible = np.broadcast_to(score.den, score.num.shape)
        frame = pl.DataFrame({**told, "num": score.num.ravel(), "den": possible.ravel()})
        disk.write(place / f"{safe(name)}.parquet", frame.write_parquet)
    keys = [json.dumps(gold.keys[i]) for i in test]
    frame = pl.DataFrame(
        {"id": ids, "answer": [gold.answers[i] for i in test], "key": keys, "group": task.groups[test]}
    )
    disk.write(base / "gold.parquet", frame.write_parquet)
