"""A run folder as evidence for audits: test items, and what supervisors and students say of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from outgrow.audits.evidence import Evidence, Finished, VoteTable
from outgrow.runs.compare import earned_of, frame_of, gold_of, probs_of, safe
from outgrow.runs.read import Report, RunPair, read


def of_folder(folder: Path) -> list[Evidence]:
    """A piece of evidence for each (task, weak, strong) of a run folder, out of what lies in it alone."""
    run = read(folder)
    return [of_pair(Path(folder), run, pair) for pair in run.pairs]


def of_pair(folder: Path, run: Report, pair: RunPair) -> Evidence:
    """Test items, and what supervisors and students say of them."""
    gold = gold_of(folder, pair.task)
    return _classes(folder, run, pair, gold) if "label" in gold.columns else _texts(folder, run, pair, gold)


def _classes(folder: Path, run: Report, pair: RunPair, frame: Any) -> Evidence:
    place, gold, n = _place(folder, pair), frame["label"].to_numpy(), len(frame)

    def predicted(row: str) -> np.ndarray:
        return probs_of(place / f"{safe(row)}.parquet", frame["id"])

    members = _members(pair)
    said = np.stack([predicted(name).mean(0) for name in members])
    annotator, item = np.nonzero(~np.isnan(said).any(-1))
    classes = tuple((run.tasks.get(pair.task) or {}).get("classes") or map(str, range(said.shape[-1])))
    label = said[annotator, item].argmax(-1)
    votes = VoteTable(item, annotator, label, n, _names(pair, members), classes, complete=True)
    weights = frame["weight"].to_numpy()
    return _evidence(folder, run, pair, frame, votes, gold, _finished(run, pair, n, gold, weights, predicted))


def _texts(folder: Path, run: Report, pair: RunPair, frame: Any) -> Evidence:
    """Answers as votes: an answer is its text, every answer that scores all there is to score is gold's.

    Of the study students are right or not: class 1 is a right answer.
    """
    place, n = _place(folder, pair), len(frame)

    def right(row: str) -> np.ndarray:
        score = earned_of(place / f"{safe(row)}.parquet", frame)
        return np.asarray(score.num == score.den)

    def predicted(row: str) -> np.ndarray:
        return np.asarray(np.eye(2, dtype=np.float32)[right(row).astype(int)])

    members, answers = _members(pair), frame["answer"].to_list()
    said = [frame_of(place / f"{safe(name)}.parquet")["answer"].to_list()[:n] for name in members]
    said = [
        [gold if full else text for text, gold, full in zip(row, answers, right(name)[0], strict=True)]
        for name, row in zip(members, said, strict=True)
    ]
    number = {text: i for i, text in enumerate(sorted({*answers, *(text for row in said for text in row)}))}
    label = np.array([number[text] for row in said for text in row])
    annotator, item = np.repeat(np.arange(len(members)), n), np.tile(np.arange(n), len(members))
    votes = VoteTable(item, annotator, label, n, _names(pair, members), tuple(number), complete=True)
    gold = np.array([number[text] for text in answers])
    study = _finished(run, pair, n, np.ones(n, np.int64), np.ones(n), predicted)
    return _evidence(folder, run, pair, frame, votes, gold, study)


def _place(folder: Path, pair: RunPair) -> Path:
    return folder / "predictions" / safe(pair.task) / safe(f"{pair.weak}--{pair.strong}")


def _members(pair: RunPair) -> list[str]:
    """The rows of the supervisors."""
    return [row.method for row in pair.main.rows if row.method.startswith("supervisor:")] or ["floor"]


def _names(pair: RunPair, members: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.partition(":")[2] or pair.weak for name in members)


def _finished(
    run: Report,
    pair: RunPair,
    n: int,
    gold: np.ndarray,
    weights: np.ndarray,
    predicted: Callable[[str], np.ndarray],
) -> Finished:
    costs = tuple(
        c for c in run.costs if all(c.get(name) == getattr(pair, name) for name in ("task", "weak", "strong"))
    )
    rows = {row.method: asdict(row) for row in pair.main.rows}
    return Finished(np.arange(n), rows, pair.details, costs, gold, weights, predicted)


def _evidence(
    folder: Path, run: Report, pair: RunPair, frame: Any, votes: VoteTable, gold: np.ndarray, study: Finished
) -> Evidence:
    where, about = f"{folder}: {pair.task}, {pair.weak} and {pair.strong}", f"{pair.task}.{pair.weak}.{pair.strong}"
    ids, groups = tuple(frame["id"].to_list()), frame["group"].to_numpy()
    return Evidence(where, votes, ids, None, groups, gold, study=study, about=about)
