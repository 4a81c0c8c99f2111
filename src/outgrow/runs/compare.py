"""One or several run folders as one comparison, out of their plain files: what anyone could recompute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from outgrow.core.errors import UserError
from outgrow.core.records import dump
from outgrow.core.seeding import hashed
from outgrow.metrics.accuracy import Score, accuracy, choice
from outgrow.runs.read import Report, RunPair, join, read

if TYPE_CHECKING:
    from outgrow.metrics.comparison import Comparison

TRAINED = ("heads", "tuning and answers")
"""What the training of students is called among the costs."""
LONGEST = 200
"""Bytes of a file's name, without its suffix."""
FEWEST_PAIRS, FEWEST_METHODS = 3, 2
"""Fewer than these are no comparison."""


def compared(folder: Path) -> Comparison | None:
    """comparison.json of a run; None where it has fewer than three pairs or two methods."""
    return _compare([(Path(folder), read(folder))])


def joined(folders: Sequence[Path]) -> Report:
    """Several run folders as one report with a comparison. Raises UserError where they cannot be compared."""
    runs = [(Path(folder), read(folder)) for folder in folders]
    seen: dict[tuple[str, str, str], Path] = {}
    for folder, run in runs:
        for pair in run.pairs:
            key = (pair.task, pair.weak, pair.strong)
            if key in seen:
                raise UserError(
                    f"{pair.task}, {pair.weak} -> {pair.strong} stands in {seen[key]} and in {folder}: name one of them"
                )
            seen[key] = folder
    comparison = _compare(runs)
    if comparison is None:
        methods = {row.method for _, run in runs for pair in run.pairs for row in pair.main.of("method")}
        raise UserError(
            f"{len(seen)} pairs and {len(methods)} methods in {', '.join(str(folder) for folder, _ in runs)}: "
            f"a comparison needs at least {FEWEST_PAIRS} pairs and {FEWEST_METHODS} methods"
        )
    return join([run for _, run in runs], dump(comparison))


def _compare(runs: Sequence[tuple[Path, Report]]) -> Comparison | None:
    from outgrow.metrics.comparison import compare

    pairs = [(folder, run, pair) for folder, run in runs for pair in run.pairs]
    methods = {row.method for _, _, pair in pairs for row in pair.main.of("method")}
    if len(pairs) < FEWEST_PAIRS or len(methods) < FEWEST_METHODS:
        return None
    gold: dict[str, tuple[Path, Any]] = {}
    for folder, run, pair in pairs:
        frame = gold_of(folder, pair.task)
        first, known = gold.setdefault(pair.task, (folder, frame))
        if not known.equals(frame) or run.study["asked"]["seed"] != dict(runs)[first].study["asked"]["seed"]:
            raise UserError(
                f"{pair.task} in {first} and in {folder} has other items or another split: "
                "run both with the same `items` and `seed`"
            )
    measured = [_measured(folder, run, pair, gold[pair.task][1]) for folder, run, pair in pairs]
    for pair, (folder, _, _) in zip(measured, pairs, strict=True):
        first = next(other for other in measured if other.task == pair.task)
        mine, its = ((len(p.scores["naive"].num), p.kappa) for p in (pair, first))
        if mine != its:
            raise UserError(
                f"{pair.task} in {folder} was run with other `seeds` or `weak_gold` than elsewhere: "
                "run it with the same"
            )
    found = compare(measured)
    places = []
    for place in found.methods:
        # What others had to do without: a place above them that gold has paid for is not the same place.
        bought = [(pair.details.get("bought") or {}).get(place.method, 0.0) for _, _, pair in pairs]
        about = [run.methods.get(place.method) or {} for _, run in runs]
        resources = sorted({resource for its in about for resource in its.get("resources", ())})
        places.append(replace(place, bought=max(bought), resources=tuple(resources)))
    return replace(found, methods=tuple(places))


def _measured(folder: Path, run: Report, pair: RunPair, gold: Any) -> Any:
    from outgrow.metrics.comparison import Measured, copied
    from outgrow.metrics.intervals import shared_pool

    if pair.outdated:
        raise UserError(
            f"{folder}: the floor of {pair.task}, {pair.weak} is the best supervisor alone, as an earlier version "
            "wrote it: run the same command again"
        )
    place = folder / "predictions" / safe(pair.task) / safe(f"{pair.weak}--{pair.strong}")
    rows = [row.method for row in pair.main.rows if row.kind in ("floor", "ceiling", "method")]
    scores = {row: _score(place / f"{safe(row)}.parquet", gold) for row in rows}
    wrong = [(pair.entry("agreement", row) or {}).get("when_wrong") for row in ("naive", "ceiling")]
    seconds, flops = _costs(run, pair, [row.method for row in pair.main.of("method")])
    details = pair.details
    return Measured(
        pair.task,
        pair.weak,
        pair.strong,
        scores,
        shared_pool(details["n_weak_train"], details["n_transfer"]),
        details["n_transfer"],
        details["majority" if "majority" in details else "constant"],
        copied(*wrong),
        seconds,
        flops,
    )


def _score(path: Path, gold: Any) -> Score:
    """Scores of one row: of generated answers, of answers to questions, or of classes."""
    if "label" not in gold.columns:
        return earned_of(path, gold)
    labels, weights, groups = (gold[name].to_numpy() for name in ("label", "weight", "group"))
    probs = probs_of(path, gold["id"])
    if "question" in gold.columns:
        return choice(probs, labels, gold["question"].to_numpy(), groups)
    return accuracy(probs, labels, weights, groups)


def _costs(run: Report, pair: RunPair, methods: Sequence[str]) -> tuple[dict[str, float], dict[str, float]]:
    """By method: seconds of training, and FLOPs of the models that the pair and the method read."""
    its = [
        cost for cost in run.costs if all(cost.get(name) == getattr(pair, name) for name in ("task", "weak", "strong"))
    ]
    seconds = {cost["what"]: cost["seconds"] for cost in its if cost["stage"] in TRAINED}
    read = {(cost["stage"], cost["what"]): cost["flops"] or 0.0 for cost in its if cost["stage"] not in TRAINED}
    flops = {}
    for method in methods:
        named = [("features", model) for model in (pair.strong, *pair.weak.split("+"))]
        named += [
            ("zero-shot", member.partition(":")[2]) for member in pair.weak.split("+") if member.startswith("prompt:")
        ]
        if "ladder" in (run.methods.get(method) or {}).get("resources", ()):
            named += [("features", model) for model in run.study["asked"]["ladder"]]
        flops[method] = sum(read.get(name, 0.0) for name in dict.fromkeys(named))
    return {method: seconds[method] for method in methods if method in seconds}, flops if read else {}


def safe(name: str) -> str:
    """The name as part of a path; of a long one the beginning and a hash."""
    plain = name.replace("/", "_").replace(":", "_")
    return plain if len(plain.encode()) <= LONGEST else f"{plain[:60]}-{hashed(name)[:12]}"


def gold_of(folder: Path, task: str) -> Any:
    """Gold of a task's test items: classes and weights, or answers and keys."""
    return frame_of(folder / "predictions" / safe(task) / "gold.parquet")


def earned_of(path: Path, gold: Any) -> Score:
    """Scores of generated answers in a predictions file, by the metric that decides; its items must be gold's."""
    frame = frame_of(path)
    if "num" not in frame.columns:
        raise UserError(
            f"{path} does not say what answers score, as earlier versions did not: run the same command again"
        )
    replicates = _replicates(path, frame, gold["id"])
    num, den = (frame[name].to_numpy().reshape(replicates, -1) for name in ("num", "den"))
    return Score(num, den, gold["group"].to_numpy())


def probs_of(path: Path, ids: Any) -> np.ndarray:
    """(R, n, C) of a predictions file, whose items must be gold's."""
    frame = frame_of(path)
    return np.asarray(frame.drop("id", "replicate").to_numpy()).reshape(_replicates(path, frame, ids), len(ids), -1)


def _replicates(path: Path, frame: Any, ids: Any) -> int:
    """How many replicates a predictions file holds. Raises UserError where its items are not gold's."""
    replicates = int(frame["replicate"].n_unique())
    if len(frame) != replicates * len(ids) or not all(part["id"].equals(ids) for part in frame.iter_slices(len(ids))):
        raise UserError(f"{path} holds other items than the gold beside it: run the same command again")
    return replicates


def frame_of(path: Path) -> Any:
    import polars as pl

    try:
        return pl.read_parquet(path, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UserError(f"{path} cannot be read ({str(error).splitlines()[0]}): run the same command again") from None
