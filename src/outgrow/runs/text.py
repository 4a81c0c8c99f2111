"""What a study of answers in words leaves behind: scores, intervals, controls, answers and the report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from outgrow.core.fingerprint import fingerprint
from outgrow.core.records import load
from outgrow.methods import text
from outgrow.metrics.accuracy import Score
from outgrow.metrics.controls import CanaryResult, ControlVerdict, canary
from outgrow.metrics.intervals import ScoreTable, shared_pool
from outgrow.metrics.pgr import summarise
from outgrow.metrics.power import power
from outgrow.pipeline.text_replicate import CONTROLS, Replicate, scores
from outgrow.runs import schema
from outgrow.runs import write as results
from outgrow.runs.compare import safe
from outgrow.runs.schema.study import DetailsFile
from outgrow.store import disk
from outgrow.tasks.task import GenerationGold, GenerationTask

if TYPE_CHECKING:
    from outgrow.workflows.text_study import TextStudy

COMMON = 20
"""Commonest gold answers that a constant answer is chosen from."""
FACTS = ("kind", "parameters", "width", "depth", "licence", "revision", "size_bytes", "digest")
"""What is said of a model."""


@final
@dataclass(frozen=True)
class TextRows:
    """Everything one (task, supervisors, student) produced."""

    first: Replicate
    kinds: dict[str, str]
    answers: dict[str, list[list[str]]]
    """[replicate][test item] by row name."""
    costs: list[dict[str, Any]]
    bought: dict[str, float]
    """Verdicts of the executor that a method asked for, mean over replicates."""
    left_out: dict[str, list[str]]
    sizes: tuple[float, float]
    """Mean items that the supervisors learn from, and of transfer."""
    halves: tuple[float, float]
    coverage: dict[str, float]
    """What the `first` answers of the best supervisor to the transfer items earn, what the `best` of all supervisors' would, and the share of
    the first that was `cut` at the token limit."""
    sung: dict[str, CanaryResult]
    """What the canary says of each method."""
    of: dict[str, str]
    """What the floor is, and who the best member."""


def write(
    folder: Path, study: TextStudy, chosen: dict[str, dict[str, Any]], done: Sequence[TextRows], began: float
) -> None:
    """Everything a run folder holds."""
    import polars as pl

    cells, summary, pairs = [], [], []
    for rows in done:
        by_row = {
            name: scores(rows.first.task, rows.first.gold, rows.first.halves[2], answers)
            for name, answers in rows.answers.items()
        }
        named = {"task": rows.first.task.name, "weak": rows.first.weak_name, "strong": rows.first.strong.name}
        kappa = shared_pool(*rows.halves)
        for metric in by_row["floor"]:
            scored_ = {name: of[metric] for name, of in by_row.items()}
            members = [scored_[name] for name in scored_ if name.startswith("supervisor:")]
            kinds = dict(rows.kinds)
            if len(members) > 1 and all(np.array_equal(score.den, members[0].den) for score in members):
                scored_[results.MEAN] = replace(members[0], num=np.mean([score.num for score in members], 0))
                kinds[results.MEAN] = "contrast"
            for name, score in scored_.items():
                cells.append(
                    pl.DataFrame(
                        {
                            **named,
                            "method": name,
                            "kind": kinds[name],
                            "replicate": np.arange(len(score.values)),
                            "n_test": len(score),
                            "metric": metric,
                            "value": score.values,
                            "floor": scored_["floor"].values,
                            "ceiling": scored_["ceiling"].values,
                        }
                    )
                )
            summary += summarise(scored_, kinds, kappa, metric=metric, of=rows.of, **named)  # type: ignore[arg-type]
        main = {name: next(iter(of.values())) for name, of in by_row.items()}
        needed = power(ScoreTable.of({name: main[name] for name in ("floor", "ceiling")}, kappa))
        pairs.append(
            {
                **named,
                "replicates": study.seeds,
                "n_weak_train": rows.sizes[0],
                "n_transfer": rows.sizes[1],
                "n_test": len(rows.first.halves[2]),
                "controls": [asdict(verdict) for verdict in _verdicts(rows, main, kappa)],
                "power": needed and asdict(needed),
                "bought": rows.bought,
                "coverage": rows.coverage,
                "left_out": [{"method": name, "lacks": lacks} for name, lacks in rows.left_out.items()],
            }
        )
        _answers(folder, rows)
    costs = [
        {"task": r.first.task.name, "weak": r.first.weak_name, "strong": r.first.strong.name, **cost}
        for r in done
        for cost in r.costs
    ]
    used = {
        model.name: model
        for r in done
        for model in (r.first.strong, *(base for _, base in r.first.bases if base is not None))
    }
    facts = {name: {key: getattr(model, key) for key in FACTS} for name, model in used.items()}
    about = {r.first.task.name: _about(r.first.task, r.first.gold) for r in done}
    details = {
        "pairs": pairs,
        "tasks": about,
        "models": facts,
        "methods": {name: _method(name, p) for name, p in chosen.items()},
        "costs": costs,
    }
    resolved = {
        "tasks": {r.first.task.name: r.first.task.digest for r in done},
        "methods": chosen,
        "seeds": study.seeds,
        "seed": study.seed,
        "models": {name: model.digest for name, model in used.items()},
        "code": fingerprint("written"),
    }
    disk.write(folder / "cells.parquet", pl.concat(cells).write_parquet)
    schema.write_rows(folder / "summary.json", summary)
    schema.write(folder / "details.json", load(DetailsFile, details, "details.json"))
    schema.write(folder / "study.json", results.record(study.asked(), resolved, began, costs))


def _verdicts(rows: TextRows, main: Mapping[str, Score], kappa: float) -> list[ControlVerdict]:
    """Answers dealt out to the wrong items teach nothing of any item; gold through naive is the ceiling."""
    table = ScoreTable.of(main, kappa)
    value, gold = (table.estimate(table.weights({name: 1})) for name in CONTROLS)
    blind = _blind(rows)
    known = value.ci is not None
    says = f"scores {value.value:.3f}; the best answer that is the same for all items {blind:.3f}"
    says += "" if known else ": no interval to judge by"
    same = rows.answers["gold-naive"] == rows.answers["ceiling"]
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
        *([said] if (said := canary(rows.sung)) else []),
    ]


def _blind(rows: TextRows) -> float:
    """What the best of the commonest gold answers scores when it is given to every test item."""
    first = rows.first
    test = first.halves[2]
    told = [first.gold.answers[i] for i in first.halves[1]]
    common = sorted(set(told), key=lambda answer: (-told.count(answer), answer))[:COMMON]
    return max(
        next(iter(scores(first.task, first.gold, test, [[answer] * len(test)]).values())).value for answer in common
    )


def _answers(folder: Path, rows: TextRows) -> None:
    """Per test item and replicate what each row answers, and gold beside it, so that anyone can recompute every figure."""
    import polars as pl

    task, gold, test = rows.first.task, rows.first.gold, rows.first.halves[2]
    base = folder / "predictions" / safe(task.name)
    place = base / safe(f"{rows.first.weak_name}--{rows.first.strong.name}")
    ids = [task.ids[i] for i in test]
    for name, answers in rows.answers.items():
        frame = pl.DataFrame(
            {
                "id": ids * len(answers),
                "replicate": np.repeat(np.arange(len(answers), dtype=np.int32), len(ids)),
                "answer": [a for row in answers for a in row],
            }
        )
        disk.write(place / f"{safe(name)}.parquet", frame.write_parquet)
    keys = [json.dumps(gold.keys[i]) for i in test]
    frame = pl.DataFrame(
        {"id": ids, "answer": [gold.answers[i] for i in test], "key": keys, "group": task.groups[test]}
    )
    disk.write(base / "gold.parquet", frame.write_parquet)


def _about(task: GenerationTask, gold: GenerationGold) -> dict[str, Any]:
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


def _method(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    found = text.find(name)
    return {
        "line": found.line,
        "paper": found.paper,
        "differs": found.differs,
        "parameters": dict(parameters),
        "resources": list(found.resources),
    }
