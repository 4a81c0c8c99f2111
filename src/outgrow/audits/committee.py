"""What an ensemble can gain at most: how often anybody is right, against the best alone and against independence.

    coverage      share of items that somebody answers rightly                 a sound check that picks could reach it
    independent   mean_i (1 - prod_j (1 - a_j)), j: who answered item i        what it would be, did errors not meet
    majority      the commonest answer; equally common ones share it
    at m          share right of majority answers that m supervisors gave
Best: highest accuracy a_j on its answers, among those who answer at least half of the items. Items with gold.
A vote is said to drag the best down where it surely does, whoever of these rivals came out best by chance: where the majority is
as good as each of them, in ALARM of cases at most.
"""

from __future__ import annotations

import numpy as np

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._statistics import apart, at_most, jackknife, percent

ALARM = 0.05
"""Chance of a false alarm over all rivals (Bonferroni)."""
BROAD = 0.5
"""Share of items that a supervisor must answer to be a rival of the ensemble."""


@audit("GAIN", "What can several supervisors gain over the best of them?")
def committee(votes, gold, *, groups):
    """Coverage, majority and the best supervisor, and how sure agreement is."""
    known = votes.of(gold[votes.item] >= 0)
    count = len(votes.names)
    answered, item = np.unique(known.item, return_inverse=True)
    if count < 2 or not len(answered):
        return "needs two supervisors or more on items with gold"
    right = (known.label == gold[known.item]).astype(float)
    said = np.bincount(known.worker, minlength=count)
    accuracy = np.bincount(known.worker, right, count) / np.maximum(said, 1)
    broad = said >= BROAD * len(answered)
    best = int(np.where(broad, accuracy, -1).argmax()) if broad.any() else int(said.argmax())
    which, answer, share, agree = majority(item, known.label, len(answered))
    any_right = np.bincount(item, right, len(answered)) > 0
    alone = 1 - np.exp(np.bincount(item, np.log1p(-accuracy[known.worker].clip(0, 1 - 1e-9)), len(answered)))
    mine = np.full(len(answered), np.nan)
    mine[item[known.worker == best]] = right[known.worker == best]
    both = ~np.isnan(mine)
    voted = np.bincount(which, share * (answer == gold[answered][which]), len(answered))
    fold = apart(votes.items, groups)[answered]

    def gain(kept: np.ndarray) -> float:
        rows = both & np.isin(fold, kept)
        return float(voted[rows].mean() - mine[rows].mean()) if rows.any() else float("nan")

    value, ci = jackknife(gain)
    name = votes.names[best]
    says = (
        f"On {len(answered):,} items somebody is right on {percent(any_right.mean())}, where independent errors would give {percent(alone.mean())}. "
        f"The majority is right on {percent(voted[both].mean(), 1)} of the items that {name} answers, {name} itself on {percent(np.nanmean(mine), 1)}."
    )
    levels = [(m, agree == m) for m in sorted(set(agree.tolist()), reverse=True)]
    alone_right = [
        (votes.names[j], percent(accuracy[j], 1), f"{said[j]:,}")
        for j in np.argsort(-accuracy, kind="stable")
        if broad[j]
    ]
    reach = [
        ("somebody", percent(any_right.mean(), 1)),
        ("somebody, were errors independent", percent(alone.mean(), 1)),
        ("the majority", percent(voted.mean(), 1)),
    ]
    sheets = (
        Sheet(
            "How sure agreement is",
            ("Supervisors with the majority's answer", "Right", "Items"),
            tuple((str(m), percent(voted[at].mean(), 1), f"{at.sum():,}") for m, at in levels[:12]),
        ),
        Sheet(
            "Who is right how often",
            ("Who", "Right", "Items"),
            (*((*row, f"{len(answered):,}") for row in reach), *alone_right[:10]),
        ),
    )
    if ci and at_most(value, ci, ALARM / max(broad.sum(), 1))[1] < 0:
        severity, do = "warning", f"Take {name} alone, or a label model that weighs supervisors; a vote drags it down."
    elif ci and ci[0] > 0:
        severity, do = "ok", ""
    else:
        severity, do = (
            "note",
            f"A vote is worth no more than {name} alone: a check that picks among the answers could gain up to {100 * (any_right[both].mean() - np.nanmean(mine)):.0f} points.",
        )
    return Finding(severity, says, do, "majority less the best supervisor", value, ci, "points", (), sheets)


def majority(item: np.ndarray, label: np.ndarray, items: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(K,) items with their commonest answers, those answers and the share of each among equals; (N,) how many gave each of them. Every item has votes."""
    number = int(label.max()) + 1
    pair, times = np.unique(item * number + label, return_counts=True)
    which, answer = np.divmod(pair, number)
    most = np.maximum.reduceat(times, np.searchsorted(which, np.arange(items)))
    tied = times == most[which]
    which, answer = which[tied], answer[tied]
    return which, answer, 1 / np.bincount(which)[which], most
