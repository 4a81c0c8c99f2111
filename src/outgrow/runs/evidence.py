"""A run folder as evidence for audits: test items, and what supervisors and students say of them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from outgrow.audits.evidence import Evidence, Finished, VoteTable
from outgrow.runs.compare import gold_of, probs_of, safe
from outgrow.runs.read import read


def of_folder(folder: Path) -> list[Evidence]:
    """A piece of evidence for each (task, weak, strong) of a run folder, out of what lies in it alone."""
    run = read(folder)
    return [of_pair(Path(folder), run, pair) for pair in run.pairs]


def of_pair(folder: Path, run: Any, pair: Any) -> Evidence:
    """Test items, and what supervisors and students say of them."""
    place, frame = folder / "predictions" / safe(pair.task), gold_of(folder, pair.task)
    gold, n = frame["label"].to_numpy(), len(frame)

    def predicted(row: str) -> np.ndarray:
        return probs_of(place / safe(f"{pair.weak}--{pair.strong}") / f"{safe(row)}.parquet", frame["id"])

    costs = tuple(
        c for c in run.costs if all(c.get(name) == getattr(pair, name) for name in ("task", "weak", "strong"))
    )
    rows = {row.method: asdict(row) for row in pair.main.rows}
    members = [name for name in rows if name.startswith("supervisor:")] or ["floor"]
    said = np.stack([predicted(name).mean(0) for name in members])
    worker, item = np.nonzero(~np.isnan(said).any(-1))
    names = tuple(name.partition(":")[2] or pair.weak for name in members)
    classes = tuple((run.tasks.get(pair.task) or {}).get("classes") or map(str, range(said.shape[-1])))
    votes = VoteTable(item, worker, said[worker, item].argmax(-1), n, names, classes, asked_all=True)
    study = Finished(np.arange(n), rows, pair.details, costs, gold, frame["weight"].to_numpy(), predicted)
    where, about = f"{folder}: {pair.task}, {pair.weak} and {pair.strong}", f"{pair.task}.{pair.weak}.{pair.strong}"
    return Evidence(
        where, votes, tuple(frame["id"].to_list()), None, frame["group"].to_numpy(), gold, study=study, about=about
    )
