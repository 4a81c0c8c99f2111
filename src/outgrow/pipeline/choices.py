"""What choices among answers earn, by gold: curves over k, gaps, how sure agreement is, how good verifiers are.

answers, verdicts -> sets of k -> choice (`generation/candidates/choice.py`) -> earned by gold -> means with intervals
(`metrics/coverage.py`)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np

from outgrow.core import progress
from outgrow.core.seeding import derive
from outgrow.generation.candidates import Candidates, choice
from outgrow.generation.candidates.choice import SOUND, UNSOUND, UNTOLD, VerdictTable
from outgrow.metrics import coverage
from outgrow.metrics.coverage import CoverageFigure, Resampled
from outgrow.tasks.task import GenerationTask

SAID = {SOUND: "sound", UNTOLD: "cannot tell", UNSOUND: "unsound"}
TOGETHER = 1 << 21
"""Places in sets of answers that are chosen from at a time."""
TIE = "equally common answers share it"
"""How a majority of several answers is scored: the mean over them."""


@final
@dataclass(frozen=True)
class ChoiceCost:
    """What a part of the work took, whenever it was done."""

    what: str
    answers: int
    tokens: int | None = None
    """Of answers; None where nobody counted."""
    seconds: float | None = None
    flops: float | None = None
    """2 x parameters x tokens of the answers; None where the model is not known."""


@final
@dataclass(frozen=True)
class Bench:
    """Answers to the items, what is true of them, and what verifiers say."""

    who: str
    """"weak" or "strong"."""
    answers: Candidates
    right: np.ndarray
    """(A,) bool: by gold."""
    shown: np.ndarray | None
    """(A,) bool: by the task's own check of what is shown; None where it has none."""
    verdicts: dict[str, VerdictTable]
    cost: tuple[ChoiceCost, ...]
    cut: np.ndarray | None = None
    """(A,) bool: which answers were cut at the token limit; None where nobody knows."""


@final
@dataclass(frozen=True)
class ChoiceCurve:
    """What a choice earns at k, an item at a time."""

    choice: str
    verifier: str | None
    k: int
    right: np.ndarray
    """(N,) expected, by gold."""
    shown: np.ndarray | None
    """(N,) by the task's own check."""


def curves(bench: Bench, seed: int) -> list[ChoiceCurve]:
    """Every choice among k of the answers to an item, k = 1, 2, 4, ...; an item with fewer answers gives all it has."""
    answers = bench.answers
    sizes = np.bincount(answers.item, minlength=answers.items)
    starts = np.searchsorted(answers.item, np.arange(answers.items))
    names = [
        ("single", None),
        ("majority", None),
        *((how, v) for v in bench.verdicts for how in ("verified", "voted")),
        ("coverage", None),
    ]
    truths = np.stack([bench.right] + ([bench.shown] if bench.shown is not None else [])).astype(np.float64)
    ladder = coverage.ladder(int(sizes.max()))
    value = np.zeros((len(ladder), len(names), len(truths), answers.items))
    with progress.track("choosing", answers.items * len(ladder)) as bar:
        for step, k in enumerate(ladder):
            for n in sorted(set(sizes.tolist()) - {0}):
                among = coverage.subsets(n, min(k, n), derive(seed, "sets", k, n))
                items = np.flatnonzero(sizes == n)
                for part in np.array_split(items, math.ceil(len(items) * among.size / TOGETHER)):
                    rows = starts[part][:, None] + np.arange(n)
                    form = answers.form[rows]
                    picks = [choice.majority(among, form)]
                    for verdicts in bench.verdicts.values():
                        mine = verdicts.at(rows)
                        picks += [choice.verified(among, mine, form), choice.voted(among, mine, form)]
                    for c, pick in enumerate(picks, 1):
                        value[step, c][:, part] = np.einsum("mn,tmn->tm", pick.mean(1), truths[:, rows])
                    # These two are exact without sets.
                    value[step, 0][:, part] = truths[:, rows].mean(-1)
                    value[step, -1][:, part] = coverage.pass_at_k(n, truths[:, rows].sum(-1).astype(int), min(k, n))
                    bar.advance(len(part))
    return [
        ChoiceCurve(how, v, k, value[step, c, 0], value[step, c, 1] if len(truths) > 1 else None)
        for step, k in enumerate(ladder)
        for c, (how, v) in enumerate(names)
    ]


def facts_of(task: GenerationTask, benches: Sequence[Bench], seed: int) -> dict[str, Any]:
    """Everything committee.json says, from answers, verdicts and what gold says of them."""
    values: dict[str, np.ndarray] = {}
    found: list[tuple[str, ChoiceCurve]] = []
    for bench in benches:
        for curve in curves(bench, seed):
            found.append((bench.who, curve))
            values[_key(bench.who, curve)] = curve.right
            if curve.shown is not None:
                values[_key(bench.who, curve) + "/shown"] = curve.shown
        for j, name in enumerate(bench.answers.supervisors):
            values[f"{bench.who}/member/{name}"] = _member(bench, j)
    resampled = coverage.resample(values, task.groups, derive(seed, "intervals"))
    main = benches[0]
    most = max(curve.k for who, curve in found if who == main.who)
    at = {
        c.choice: resampled.value[_key(main.who, c)]
        for who, c in found
        if who == main.who and c.k == most and c.verifier is None
    }
    strong = {"against": [_against(who, c, resampled) for who, c in found if who == main.who]} if benches[1:] else {}
    return {
        "task": task.name,
        "of": task.source,
        "items": len(task),
        "groups": len(np.unique(task.groups)),
        "counts": dict(task.counts),
        "scorer": task.scorer,
        "own_check": task.verifier,
        "tie": TIE,
        "digest": task.digest,
        "most": most,
        "enough": {
            "coverage": at["coverage"],
            "single": at["single"],
            "least": coverage.COVERED,
            "times": coverage.TIMES,
            "holds": coverage.counts(at["single"], at["coverage"]),
        },
        "figures": [
            {
                "who": who,
                "choice": c.choice,
                "verifier": c.verifier,
                "k": c.k,
                "right": _plain(resampled.figure(_key(who, c))),
                "shown": _plain(resampled.figure(_key(who, c) + "/shown")) if c.shown is not None else None,
            }
            for who, c in found
        ],
        "gaps": [_gap(who, c, resampled) for who, c in found if c.choice != "single"],
        "members": [
            {
                "who": b.who,
                "name": name,
                "right": _plain(resampled.figure(f"{b.who}/member/{name}")),
                "answers": int((b.answers.supervisor == j).sum()),
                "cut": None if b.cut is None else int(b.cut[b.answers.supervisor == j].sum()),
            }
            for b in benches
            for j, name in enumerate(b.answers.supervisors)
        ],
        **strong,
        "independent": _independent(main),
        "agreement": _agreement(main),
        "quality": [row for bench in benches for row in _quality(bench)],
        "cost": [
            {"who": b.who, **asdict(c), "seconds": round(c.seconds, 3) if c.seconds is not None else None}
            for b in benches
            for c in b.cost
        ],
    }


def _key(who: str, curve: ChoiceCurve) -> str:
    return f"{who}/{curve.choice}/{curve.verifier}/{curve.k}"


def _member(bench: Bench, supervisor: int) -> np.ndarray:
    """(N,) the mean score of one model's answers; its own mean where it gave none."""
    mine = bench.answers.supervisor == supervisor
    said = np.bincount(bench.answers.item[mine], minlength=bench.answers.items)
    right = np.bincount(bench.answers.item[mine], bench.right[mine], bench.answers.items)
    return np.asarray(np.divide(right, said, out=np.full(len(said), bench.right[mine].mean()), where=said > 0))


def _gap(who: str, curve: ChoiceCurve, resampled: Resampled) -> dict[str, Any]:
    single, majority, covered = (f"{who}/{choice}/None/{curve.k}" for choice in ("single", "majority", "coverage"))
    return {
        "who": who, "choice": curve.choice, "verifier": curve.verifier, "k": curve.k,
        "gap": _plain(resampled.difference(_key(who, curve), single)),
        "relative": _plain(resampled.relative_gap(_key(who, curve), single)),
        "over_majority": _plain(resampled.difference(_key(who, curve), majority)),
        "left": _plain(resampled.difference(covered, _key(who, curve))),
    }  # fmt: skip


def _against(who: str, curve: ChoiceCurve, resampled: Resampled) -> dict[str, Any]:
    ahead = resampled.difference(_key(who, curve), "strong/single/None/1")
    return {"choice": curve.choice, "verifier": curve.verifier, "k": curve.k, "ahead": _plain(ahead)}


def _plain(figure: CoverageFigure) -> dict[str, Any]:
    return {"value": figure.value if np.isfinite(figure.value) else None, "ci": figure.ci}


def _independent(bench: Bench) -> float | None:
    """Coverage, were the errors of the members independent: 1 - prod (1 - a)^draws; None for one member."""
    counts = np.bincount(bench.answers.supervisor) / bench.answers.items
    if len(counts) < 2:
        return None
    accuracy = np.array([bench.right[bench.answers.supervisor == j].mean() for j in range(len(counts))])
    return float(1 - np.prod((1 - accuracy) ** counts))


def _agreement(bench: Bench) -> list[dict[str, Any]]:
    """How often the majority of all answers is right, by how many gave it."""
    answers, counts, scored = bench.answers, list[int](), list[float]()
    for i in range(answers.items):
        rows = answers.rows(i)
        form = answers.form[rows]
        if not len(form):
            continue
        pick = choice.majority(np.ones((1, len(form)), bool), form[None])[0, 0]
        counts.append(int((form == form[pick.argmax()]).sum()) if form[pick.argmax()] >= 0 else 0)
        scored.append(float(pick @ bench.right[rows]))
    votes, right = np.array(counts), np.array(scored)
    return [
        {"votes": int(m), "items": int((votes == m).sum()), "right": float(right[votes == m].mean())}
        for m in sorted(set(counts), reverse=True)
    ]


def _quality(bench: Bench) -> list[dict[str, Any]]:
    """Of what a verifier says of answers: how many it says it of, and how often these are right."""
    return [
        {
            "who": bench.who,
            "verifier": name,
            "says": said,
            "answers": int(at.sum()),
            "share": float(at.mean()),
            "right": float(bench.right[at].mean()) if at.any() else None,
            "shown": float(bench.shown[at].mean()) if bench.shown is not None and at.any() else None,
        }
        for name, verdicts in bench.verdicts.items()
        for standing, said in SAID.items()
        for at in [verdicts.standing == standing]
    ]
