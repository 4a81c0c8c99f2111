"""The sections of learn.json: annotators, trust, verdict, items worth a gold label."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from outgrow import label_models
from outgrow.core.seeding import derive
from outgrow.label_models._floor import FEWEST
from outgrow.metrics.accuracy import Score, accuracy, rightness
from outgrow.metrics.agreement import agreement
from outgrow.metrics.annotators import agreement_of, needed, single
from outgrow.metrics.calibration import calibration
from outgrow.metrics.intervals import share_ci
from outgrow.metrics.pgr import counted
from outgrow.metrics.suggestion import asked, directions, doubt
from outgrow.pipeline.baselines import registry
from outgrow.pipeline.vote_cell import VoteCell
from outgrow.runs.class_measures import ClassMeasures
from outgrow.runs.doubts import suspected
from outgrow.tasks.tables.roles import id_column
from outgrow.tasks.task import TEST

LOST = 0.1
"""A class is lost where the student gives it less than this part of the share that it has of the votes."""
GAIN = 0.02
"""The gain in accuracy for which the report says how much gold would show it."""
SHOWN = 50
"""Annotators in the report, those with the most votes."""
PAIRED = 12
"""Annotators in its table of agreement."""


def _answers(probs: np.ndarray) -> np.ndarray:
    """Class numbers of probabilities (..., C), -1 where there are none."""
    return np.where(np.isnan(probs).any(-1), -1, np.nan_to_num(probs, nan=-1.0).argmax(-1))


def annotators(cell: VoteCell, student: np.ndarray) -> dict[str, Any]:
    """Each annotator, and each pair of the first dozen, by what needs no gold."""
    task, votes = cell.data.task, cell.votes
    count, covered = (
        np.bincount(votes.annotator, minlength=votes.annotators),
        np.bincount(votes.item, minlength=len(task)),
    )
    order = np.sort(np.argsort(-count, kind="stable")[:SHOWN])
    answers = np.stack([_answers(cell.annotator(j)) for j in order])
    found = agreement_of(answers, len(task.classes), task.groups, derive(cell.seed, "learn", "voters"))
    rows, doubted = [], suspected(cell, student)
    for at, j in enumerate(order):
        spoke, said = answers[at] >= 0, int(count[j])
        known = not np.isnan(found.accuracy[at])
        rows.append({
            "name": cell.names[j], "votes": said, "coverage": said / len(task),
            "says": {name: int((answers[at] == c).sum()) / max(said, 1) for c, name in enumerate(task.classes)},
            "estimated": float(found.accuracy[at]) if known else None,
            "estimated_ci": [float(found.low[at]), float(found.high[at])] if known else None,
            "student": float((_answers(student) == answers[at])[spoke].mean()) if said else None,
            "suspected": float(doubted[j]) if said else None,
        })  # fmt: skip
    same = [[None if np.isnan(share) else float(share) for share in line[:PAIRED]] for line in found.same[:PAIRED]]
    return {
        "count": votes.annotators,
        "rows": rows,
        "same": same,
        "together": found.together[:PAIRED, :PAIRED].astype(int).tolist(),
        "covered": float((covered > 0).mean()),
        "twice": float((covered > 1).mean()),
    }


def trust(cell: VoteCell, student: np.ndarray, belief: np.ndarray) -> dict[str, Any]:
    """Agreement of student and label model on items that did not teach it, and how sure the student is there."""
    task, said = cell.data.task, _answers(belief)
    heard = said >= 0
    same = ((_answers(student) == said) & heard).astype(np.float64)
    estimate, table = single({"same": Score(same[None], heard.astype(np.float64), task.groups)}, {"same": 1})
    sure, bins = student.max(-1), []
    edges = np.quantile(sure[heard], np.linspace(0, 1, 6))
    for low, high in itertools.pairwise(edges):
        inside = heard & (sure >= low) & ((sure < high) | (high == edges[-1]))
        if inside.any():
            bins.append(
                {"sure": float(sure[inside].mean()), "same": float(same[inside].mean()), "count": int(inside.sum())}
            )
    shares = np.bincount(said[heard], minlength=len(task.classes)) / heard.sum()
    voted_for = np.bincount(cell.votes.said.argmax(1), minlength=len(task.classes)) / len(cell.votes.item)
    given = np.bincount(_answers(student), minlength=len(task.classes)) / len(task)
    return {
        "same": estimate.value,
        "same_ci": share_ci(estimate, table),
        "items": int(heard.sum()),
        "silent": int((~heard).sum()),
        "bins": bins,
        "commonest": float(shares.max()),
        "labels": {name: float(share) for name, share in zip(task.classes, given, strict=True)},
        "heard": {name: float(share) for name, share in zip(task.classes, shares, strict=True)},
        "votes": {name: float(share) for name, share in zip(task.classes, voted_for, strict=True)},
        "lost": [
            name for name, share, votes in zip(task.classes, given, voted_for, strict=True) if share < LOST * votes
        ],
    }


def filled_by(cell: VoteCell) -> Callable[[np.ndarray], np.ndarray]:
    """Abstentions as the commonest class that was known where an item is judged: (N, C) to (N, C)."""
    answer = np.eye(len(cell.task.classes), dtype=np.float32)[cell.commonest[cell.design.fold]]
    return lambda probs: np.where(np.isnan(probs).any(-1, keepdims=True), answer, probs)


def verdict(cell: VoteCell, student: np.ndarray, belief: np.ndarray) -> dict[str, Any]:
    """Scores by gold of every annotator, of majority and label models, and of the student, on the same items."""
    task, gold = cell.data.task, cell.data.gold.labels
    judged = cell.judged
    by_split = bool((cell.design.fold[judged] == 0).any())
    differ = float((_answers(student) != _answers(belief)).mean())
    facts: dict[str, Any] = {
        "gold": int((gold >= 0).sum()),
        "judged": int(judged.sum()),
        "own_split": by_split,
        "differ": differ,
        "gain": GAIN,
    }
    if judged.sum() < FEWEST:
        return facts | {"needed": needed(differ, GAIN)}
    truth, groups, ones = gold[judged], task.groups[judged], np.ones(int(judged.sum()))
    common, floor = filled_by(cell), registry("votes")["floor"].fit(cell)
    own_score = accuracy(student[None, judged], truth, ones, groups)
    measures = ClassMeasures(student[judged], truth, groups, task.classes, cell.seed)

    def row(kind: str, name: str, probs: np.ndarray) -> dict[str, Any]:
        both = [p[judged] for p in (probs, common(probs))]
        bare, other = (accuracy(p[None], truth, ones, groups) for p in both)
        ranks = None if kind == "annotator" else both[0]
        found = _row((kind, name), bare, other, own_score, ~np.isnan(both[0]).any(-1))
        return found | measures.against(both[int(other.value > bare.value)], ranks)

    joint = {}
    if len(cell.names) > 1:
        majority = cell.believed("majority")
        joint["majority", "majority"] = majority
        joint["label model", f"label model: {cell.label_model}"] = belief
        for name in label_models.registry():
            if name not in ("majority", cell.label_model):
                joint["other label model", f"label model: {name}"] = cell.believed(name)
        joint = _different(joint)
    rows = [row(*key, probs) for key, probs in joint.items()]
    others, lacks = rivals(cell)
    rows += [row(kind, name, probs) for kind, name, probs in others]
    ranked = np.argsort(-_accuracies(cell), kind="stable")[:SHOWN]
    kept = [row("annotator", cell.names[j], cell.annotator(j)) for j in ranked.tolist()]
    base = row(
        "floor",
        cell.names[0] if len(cell.names) == 1 else f"label model: {counted(floor.of, 'items with gold')}",
        floor.values,
    )
    estimate, table = single({"it": own_score}, {"it": 1})
    shown = {"kind": "student", "name": "student", "accuracy": estimate.value, "accuracy_ci": share_ci(estimate, table)}
    shown |= measures.own()
    met = agreement(student[None, judged], belief[None, judged], truth, ones, groups, 0.0)
    calibrated = calibration(student[None, judged], truth, ones, groups, 0.0)
    commonest = float(np.bincount(truth).max() / len(truth))
    return facts | {
        "rows": [shown, base, *rows, *kept], "best": kept[0]["name"], "commonest": commonest,
        "repeats": {"right": met.when_right, "wrong": met.when_wrong},
        "rare": measures.rare, "confused": measures.confused(), "lacks": lacks,
        "calibration": {"ece": calibrated.ece, "bins": [asdict(b) for b in calibrated.bins]},
    }  # fmt: skip


def _accuracies(cell: VoteCell) -> np.ndarray:
    """(annotators,) scores on the judged items, abstentions as guesses or as the commonest class, as is better."""
    votes, gold = cell.votes, cell.gold.labels
    heard = cell.judged[votes.item]
    item, who = votes.item[heard], votes.annotator[heard]
    right = rightness(votes.said[None, heard], gold[item])[0]
    common = (cell.commonest[cell.design.fold] == gold).astype(np.float64)
    sums = [np.bincount(who, right - base, votes.annotators) for base in (1 / len(cell.task.classes), common[item])]
    return np.asarray(
        np.maximum(
            sums[0] / cell.judged.sum() + 1 / len(cell.task.classes),
            sums[1] / cell.judged.sum() + common[cell.judged].mean(),
        )
    )


def rivals(cell: VoteCell) -> tuple[list[tuple[str, str, np.ndarray]], dict[str, str]]:
    """What a sensible person would have done instead, by kind and name, (N, C) each; and why others are not to be had.

    A student of gold alone is a ceiling where at least half of the items that teach have gold, and else a rival.
    """
    found, lacks = list[tuple[str, str, np.ndarray]](), dict[str, str]()
    made = {name: registry("votes")[name].fit(cell) for name in ("best-annotator", "tfidf", "zero-shot", "ceiling")}
    if (best := made["best-annotator"]) is not None:
        chosen = counted(tuple(cell.names[int(j)] for j in best.of), "items")
        found.append(("best annotator", f"best annotator: {chosen}", best.values))
    if made["tfidf"] is not None:
        found.append(("tfidf", "TF-IDF, same labels", made["tfidf"].values))
    else:
        lacks["TF-IDF"] = "items have no texts, or no word stands in two of them"
    if made["zero-shot"] is not None:
        found.append(("zero-shot", f"zero-shot: {cell.strong}", made["zero-shot"].values))
    else:
        lacks["zero-shot"] = "the student is no language model, or the classes have no names that it tells apart"
    if made["ceiling"] is not None:
        count, few = int((cell.known[0] >= 0).sum()), (cell.known[0] >= 0).sum() < cell.design.teach[0].sum() / 2
        probs = cell.design.crossed(cell.predicted(made["ceiling"]))
        kind, called = ("gold", "gold alone") if few else ("ceiling", "ceiling")
        found.append((kind, f"{called}: {count:,} gold labels", probs))
    else:
        lacks["gold alone"] = f"needs {FEWEST} gold labels of two classes in every fold, and a student of heads"
    return found, lacks


def _ties(probs: np.ndarray) -> np.ndarray:
    """(N, C) bool: the likeliest classes."""
    return np.asarray(np.nan_to_num(probs) >= np.nan_to_num(probs).max(-1, keepdims=True) - 1e-6)


def _different(joint: dict[tuple[str, str], np.ndarray]) -> dict[tuple[str, str], np.ndarray]:
    """Each label model once: one with the answers of an earlier one is left out, and named with that one."""
    kept: dict[tuple[str, str], np.ndarray] = {}
    for (kind, name), probs in joint.items():
        same = next((key for key, other in kept.items() if np.array_equal(_ties(other), _ties(probs))), None)
        if same is None:
            kept[kind, name] = probs
        elif same[0] == "majority" and kind == "label model":
            kept = {
                (k, f"{n} (and {name.partition(': ')[2]})" if (k, n) == same else n): p for (k, n), p in kept.items()
            }
    return kept


def _row(key: tuple[str, str], score: Score, common: Score, student: Score, spoke: np.ndarray) -> dict[str, Any]:
    """One labeller against the student: on all items, abstentions a guess or the commonest class, and where it votes.

    `gain` is over the better of the two ways to count abstentions.
    """
    guess, other = score, common
    if other.value > guess.value:
        score = other
    estimate, table = single({"it": score}, {"it": 1})
    gain, _ = single({"student": student, "it": score}, {"student": 1, "it": -1})
    row: dict[str, Any] = {
        "kind": key[0], "name": key[1], "accuracy": estimate.value, "accuracy_ci": share_ci(estimate, table),
        "gain": gain.value, "gain_ci": gain.ci, "spoke": float(spoke.mean()),
    }  # fmt: skip
    if gain.value and gain.ci and gain.ci[0] <= 0 <= gain.ci[1]:
        row["needed"] = needed(float(np.abs(student.num - score.num).mean()), abs(gain.value))
    if not spoke.all():
        row |= {"as_guess": guess.value, "as_commonest": other.value}
    if spoke.any() and not spoke.all():
        there = {
            name: replace(s, num=s.num * spoke, den=s.den * spoke) for name, s in (("it", guess), ("student", student))
        }
        gain, table = single(there, {"student": 1, "it": -1})
        row["where"] = {
            "accuracy": float(table.mean[0]),
            "student": float(table.mean[1]),
            "gain": gain.value,
            "gain_ci": gain.ci,
        }
    return row


def suggested(cell: VoteCell, student: np.ndarray, belief: np.ndarray, count: int) -> list[dict[str, Any]]:
    """The items whose gold would help most, by `metrics/suggestion.py`. Items with gold are not asked for."""
    task, table = cell.data.task, cell.data.table
    open_items, rng = np.flatnonzero((cell.data.gold.labels < 0) & (task.side != TEST)), derive(cell.seed, "suggest")
    score, places = doubt(student), None if cell.features is None else directions(cell.features[0])[open_items]
    picked = open_items[asked(score[open_items], task.groups[open_items], count, rng, places)]
    key = id_column(table, cell.data.reading)
    ids = table.column(key) if key else [None] * len(table.lines)
    return [
        {
            "id": ids[cell.data.row[i]],
            "row": int(cell.data.row[i]) + 1,
            "text": "\n--- or ---\n".join(task.texts[i]),
            "score": round(float(score[i]), 4),
            "student": task.classes[int(student[i].argmax())],
            "label_model": task.classes[int(belief[i].argmax())] if not np.isnan(belief[i]).any() else "",
        }
        for i in picked
    ]
