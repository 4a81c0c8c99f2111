"""One or several run folders as one comparison, out of their plain files: what anyone could recompute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from outgrow.core.errors import UserError
from outgrow.core.records import dump
from outgrow.runs.read import Report, RunPair, join, read

if TYPE_CHECKING:
    from outgrow.metrics.comparison import Comparison

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
                f"{pair.task} in {first} and in {folder} has other items or another split: run both with the same `items` and `seed`"
            )
    measured = [_measured(folder, run, pair, gold[pair.task][1]) for folder, run, pair in pairs]
    for pair, (folder, _, _) in zip(measured, pairs, strict=True):
        first = next(other for other in measured if other.task == pair.task)
        mine, its = ((len(p.scores["naive"].num), p.kappa) for p in (pair, first))
        if mine != its:
            raise UserError(
                f"{pair.task} in {folder} was run with other `seeds` or `weak_gold` than elsewhere: run it with the same"
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
    from outgrow.metrics.accuracy import accuracy, choice
    from outgrow.metrics.comparison import Measured, copied
    from outgrow.metrics.intervals import shared_pool

    if pair.outdated:
        raise UserError(
            f"{folder}: the floor of {pair.task}, {pair.weak} is the best supervisor alone, as an earlier version wrote it: run the same command again"
        )
    place = folder / "predictions" / safe(pair.task) / safe(f"{pair.weak}--{pair.strong}")
    labels, weights, groups = (gold[name].to_numpy() for name in ("label", "weight", "group"))
    rows = [row.method for row in pair.main.rows if row.kind in ("floor", "ceiling", "method")]
    asked = gold["question"].to_numpy() if "question" in gold.columns else None

    def score(row: str) -> Any:
        probs = probs_of(place / f"{safe(row)}.parquet", gold["id"])
        return accuracy(probs, labels, weights, groups) if asked is None else choice(probs, labels, asked, groups)

    scores = {row: score(row) for row in rows}
    wrong = [(pair.entry("agreement", row) or {}).get("when_wrong") for row in ("naive", "ceiling")]
    seconds, flops = _costs(run, pair, [row.method for row in pair.main.of("method")])
    details = pair.details
    return Measured(
        pair.task, pair.weak, pair.strong, scores, shared_pool(details["n_weak_train"], details["n_transfer"]),
        details["n_transfer"], details["majority"], copied(*wrong), seconds, flops,
    )  # fmt: skip


def _costs(run: Report, pair: RunPair, methods: Sequence[str]) -> tuple[dict[str, float], dict[str, float]]:
    """By method: seconds of training, and FLOPs of the models that the pair and the method read."""
    its = [
        cost for cost in run.costs if all(cost.get(name) == getattr(pair, name) for name in ("task", "weak", "strong"))
    ]
    seconds = {cost["what"]: cost["seconds"] for cost in its if cost["stage"] == "heads"}
    read = {(cost["stage"], cost["what"]): cost["flops"] or 0.0 for cost in its if cost["stage"] != "heads"}
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
    """The name as part of a path."""
    return name.replace("/", "_").replace(":", "_")


def gold_of(folder: Path, task: str) -> Any:
    """The true classes of a task's test items. Raises UserError where items are answered in words."""
    frame = frame_of(folder / "predictions" / safe(task) / "gold.parquet")
    if "label" not in frame.columns:
        raise UserError(
            f"{folder}: {task} is answered in words, which is neither compared nor audited: see its report.html"
        )
    return frame


def probs_of(path: Path, ids: Any) -> np.ndarray:
    """(R, n, C) of a predictions file, whose items must be gold's."""
    frame = frame_of(path)
    replicates = frame["replicate"].n_unique()
    if len(frame) != replicates * len(ids) or not all(part["id"].equals(ids) for part in frame.iter_slices(len(ids))):
        raise UserError(f"{path} holds other items than the gold beside it: run the same command again")
    return frame.drop("id", "replicate").to_numpy().reshape(replicates, len(ids), -1)


def frame_of(path: Path) -> Any:
    import polars as pl

    try:
        return pl.read_parquet(path, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UserError(f"{path} cannot be read ({str(error).splitlines()[0]}): run the same command again") from None
