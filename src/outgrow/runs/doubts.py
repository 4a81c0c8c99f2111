"""Items and votes that a person should look at: where student and label model disagree, and votes that seem wrong.

Whatever the student says of an item is of a replicate that the item's group did not teach.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from outgrow.audits.errors import confident
from outgrow.pipeline.vote_cell import VoteCell
from outgrow.tasks.tables.roles import id_column

SHOWN = 20
"""Items, and votes, that are shown."""
EXCERPT = 300
"""Characters of an item's text that are shown."""
SAID = 12
"""Votes that are shown of an item."""
LIKELY = 3
"""Classes that are shown of a belief."""


def disagreements(cell: VoteCell, student: np.ndarray, belief: np.ndarray) -> list[dict[str, Any]]:
    """The items on which student and label model disagree most, by the Jensen-Shannon divergence of their beliefs.

    Args:
        cell: the votes.
        student: (N, C) the student's probabilities.
        belief: (N, C) the label model's; NaN where it abstains.
    """
    heard = ~np.isnan(belief).any(-1)
    q = np.where(heard[:, None], belief, student)
    apart = _entropy((student + q) / 2) - (_entropy(student) + _entropy(q)) / 2
    apart[~heard | (student.argmax(-1) == q.argmax(-1))] = -1
    order = np.argsort(-apart, kind="stable")[:SHOWN]
    return [
        _item(cell, i)
        | {
            "student": _likely(cell, student[i]),
            "label_model": _likely(cell, belief[i]),
            "votes": _votes(cell, i),
            "gold": _gold(cell, i),
        }
        for i in order[apart[order] > 0].tolist()
    ]


def suspects(cell: VoteCell, student: np.ndarray) -> dict[str, Any]:
    """Votes that are probably wrong, by confident learning with the student as the judge.

    Args:
        cell: the votes.
        student: (N, C) the student's probabilities.

    Returns:
        Fields of `SuspectFacts`.

    Source:
        Northcutt, Jiang & Chuang 2021, Confident Learning; each vote stands for a given label.
    """
    votes = cell.votes
    given = votes.said.argmax(1)
    share, opinion, margin = confident(given, student[votes.item].astype(np.float64))
    wrong = (opinion >= 0) & (opinion != given)
    order = np.flatnonzero(wrong)[np.argsort(margin[wrong], kind="stable")]
    gold = cell.gold.labels[votes.item]
    told = gold[order] >= 0
    found: dict[str, Any] = {
        "share": max(share, 0.0),
        "count": int(wrong.sum()),
        "checked": int(told.sum()),
        "confirmed": int((gold[order] != given[order])[told].sum()),
        "votes_with_gold": int((gold >= 0).sum()),
        "wrong_by_gold": int(((gold >= 0) & (gold != given)).sum()),
        "rows": [],
    }
    for v in order[:SHOWN].tolist():
        i, name = int(votes.item[v]), cell.task.classes[int(given[v])]
        found["rows"].append(
            _item(cell, i)
            | {
                "annotator": cell.names[int(votes.annotator[v])],
                "given": name,
                "probably": cell.task.classes[int(opinion[v])],
                "student": _likely(cell, student[i]),
                "votes": _votes(cell, i),
                "gold": _gold(cell, i),
            }
        )
    return found


def suspected(cell: VoteCell, student: np.ndarray) -> np.ndarray:
    """(annotators,) share of each one's votes that are probably wrong."""
    votes = cell.votes
    given = votes.said.argmax(1)
    _, opinion, _ = confident(given, student[votes.item].astype(np.float64))
    wrong = (opinion >= 0) & (opinion != given)
    told = np.bincount(votes.annotator, minlength=votes.annotators)
    return np.asarray(np.bincount(votes.annotator, wrong, votes.annotators) / np.maximum(told, 1))


def _entropy(p: np.ndarray) -> np.ndarray:
    return np.asarray(-(p * np.log(np.maximum(p, 1e-12))).sum(-1))


def _item(cell: VoteCell, i: int) -> dict[str, Any]:
    """An item by its id, its row and the beginning of its text."""
    key = id_column(cell.data.table, cell.data.reading)
    row, text = int(cell.data.row[i]), " / ".join(cell.task.texts[i])
    return {
        "id": cell.data.table.column(key)[row] if key else None,
        "row": row + 1,
        "text": text if len(text) <= EXCERPT else f"{text[:EXCERPT].rstrip()} …",
    }


def _likely(cell: VoteCell, probs: np.ndarray) -> dict[str, float]:
    """The likeliest classes with their probabilities."""
    order = np.argsort(-probs, kind="stable")[:LIKELY]
    return {cell.task.classes[c]: round(float(probs[c]), 4) for c in order.tolist()}


def _votes(cell: VoteCell, i: int) -> dict[str, str]:
    """The votes on an item, by annotator."""
    rows = np.flatnonzero(cell.votes.item == i)[:SAID].tolist()
    said = cell.votes.said.argmax(1) if len(rows) else None
    return {cell.names[int(cell.votes.annotator[v])]: cell.task.classes[int(said[v])] for v in rows}  # type: ignore[index]


def _gold(cell: VoteCell, i: int) -> str | None:
    label = int(cell.gold.labels[i])
    return cell.task.classes[label] if label >= 0 else None
