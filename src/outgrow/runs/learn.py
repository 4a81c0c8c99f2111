"""What `learn` leaves beside the student: learn.json, and suggest.csv where items are to be suggested."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from outgrow.audits import examine
from outgrow.audits.vote_tables import of_annotations
from outgrow.core.records import load
from outgrow.methods import Method
from outgrow.pipeline.vote_cell import VoteCell
from outgrow.runs import doubts, gold_facts, schema, vote_facts
from outgrow.runs.schema.learn import LearnFile
from outgrow.store import disk
from outgrow.students.probe import Space
from outgrow.students.saved import SavedStudent

LEARNED, SUGGESTED = "learn.json", "suggest.csv"


def settings(student: SavedStudent, method: Method, named: bool, seconds: float) -> dict[str, Any]:
    """How a student was taught: fields of `LearnSettings`.

    Args:
        student: as it is saved.
        method: what taught it.
        named: whether the user named the method.
        seconds: what it took.
    """
    return {
        "strong": student.model,
        "revision": student.revision,
        "layers": sorted({head["layer"] for head in student.heads}),
        "heads": len(student.heads),
        "head": student.head,
        "method": method.name,
        "named": named,
        "about": method.line,
        "paper": method.paper,
        "label_model": student.taught["label_model"],
        "taught": student.taught["items"],
        "seconds": seconds,
    }


def write(
    folder: Path,
    cell: VoteCell,
    method: Method,
    space: Any,
    probs: np.ndarray,
    belief: np.ndarray,
    suggest: int,
    canary: Mapping[str, Any],
    how: Mapping[str, Any],
) -> None:
    """Write learn.json and suggest.csv.

    Args:
        folder: the student's.
        cell: what taught it.
        method: by which.
        space: what the student reads; where it is a `Space`, audits look at its features.
        probs: (N, C) the student's probabilities of every item, by a replicate that the item did not teach.
        belief: (N, C) the label model's.
        suggest: number of items to suggest.
        canary: what the canary came to.
        how: as `settings` gives it.
    """
    wanted, task = vote_facts.suggested(cell, probs, belief, suggest), cell.task
    if suggest:
        _write_csv(folder / SUGGESTED, wanted)
    facts = {
        "task": {"name": task.name, "classes": list(task.classes), "counts": task.counts, "source": task.source},
        "annotators": vote_facts.annotators(cell, probs),
        "trust": vote_facts.trust(cell, probs, belief),
        "verdict": vote_facts.verdict(cell, probs, belief),
        "suggest": wanted[:10],
        "findings": _findings(cell, space),
        "canary": canary,
        "gold": gold_facts.gold(cell, method, probs) if (cell.gold.labels >= 0).any() else None,
        "how": how,
        "disagreements": doubts.disagreements(cell, probs, belief),
        "suspects": doubts.suspects(cell, probs),
        "cost": _cost(cell, space, canary, how),
    }
    schema.write(folder / LEARNED, load(LearnFile, facts, LEARNED))


def _cost(cell: VoteCell, space: Any, canary: Mapping[str, Any], how: Mapping[str, Any]) -> dict[str, Any]:
    """Labels, seconds and tokens: fields of `LearnCost`."""
    seconds, tokens = {"teaching, with reading that was not done before": float(how["seconds"])}, dict[str, int]()
    if isinstance(space, Space) and space.tokens:
        seconds["reading, whenever it was done"], tokens["reading"] = space.seconds, space.tokens
    if "seconds" in canary:
        seconds["canary"] = float(canary["seconds"])
    if cell.asked:
        seconds["zero-shot"], tokens["zero-shot"] = cell.asked["seconds"], int(cell.asked["tokens"])
    return {
        "votes": len(cell.votes.item),
        "gold": int((cell.gold.labels >= 0).sum()),
        "seconds": seconds,
        "tokens": tokens,
    }


def _findings(cell: VoteCell, space: Any) -> list[dict[str, Any]]:
    """What audits find in the votes that a person should act on, the gravest first."""
    features = space.read(space.features[-1]).numpy() if isinstance(space, Space) else None
    return [asdict(found) for found in examine(of_annotations(cell.data, features)) if found.do]


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ["id", "row", "score", "student", "label_model", "text"])
    writer.writeheader()
    writer.writerows(rows)
    disk.write(path, text.getvalue())
