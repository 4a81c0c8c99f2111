"""Committee: what can several supervisors gain over the best of them?

    coverage      share of items on which some supervisor is right                 a perfect verifier would reach it
    independent   mean_i (1 - prod_j (1 - a_j)), j: who answered item i            coverage if errors were independent
    majority      the commonest answer; equally common ones share it
    at m          share of right majority answers that m supervisors gave

Best: highest accuracy a_j on its answers, among those who answer at least half of the items. Items with gold. A vote is
a warning where the majority is certainly worse than the best, whichever of these rivals came out best by chance: if the
majority is as good as each of them, in ALARM of cases at most.

    outgrow audit votes.csv --votes a,b,c --gold label
"""

from __future__ import annotations

import numpy as np

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._statistics import apart, at_most, jackknife, percent

ALARM = 0.05
"""Chance of a false alarm over all rivals (Bonferroni)."""
BROAD = 0.5
"""Share of items that a supervisor must answer to be a rival of the majority."""


@audit("GAIN", "What can several supervisors gain over the best of them?")
def committee(votes, gold, *, groups):
    """Coverage, majority and the best supervisor, and accuracy by agreement."""
    known = votes.of(gold[votes.item] >= 0)
    count = len(votes.names)
    answered, item = np.unique(known.item, return_inverse=True)
    if count < 2 or not len(answered):
        return "needs two supervisors or more on items with gold"
    right = (known.label == gold[known.item]).astype(float)
    given = np.bincount(known.annotator, minlength=count)
    accuracy = np.bincount(known.annotator, right, count) / np.maximum(given, 1)
    broad = given >= BROAD * len(answered)
    best = int(np.where(broad, accuracy, -1).argmax()) if broad.any() else int(given.argmax())
    which, answer, share, agree = majority(item, known.label, len(answered))
    any_right = np.bincount(item, right, len(answered)) > 0
    alone = 1 - np.exp(np.bincount(item, np.log1p(-accuracy[known.annotator].clip(0, 1 - 1e-9)), len(answered)))
    mine = np.full(len(answered), np.nan)
    mine[item[known.annotator == best]] = right[known.annotator == best]
    both = ~np.isnan(mine)
    voted = np.bincount(which, share * (answer == gold[answered][which]), len(answered))
    fold = apart(votes.items, groups)[answered]

    def gain(kept: np.ndarray) -> float:
        rows = both & np.isin(fold, kept)
        return float(voted[rows].mean() - mine[rows].mean()) if rows.any() else float("nan")

    value, ci = jackknife(gain)
    name = votes.names[best]
    says = (
        f"On {len(answered):,} items somebody is right on {percent(any_right.mean())}, where independent errors "
        f"would give {percent(alone.mean())}. "
        f"The majority is right on {percent(voted[both].mean(), 1)} of the items that {name} answers, {name} "
        f"itself on {percent(np.nanmean(mine), 1)}."
    )
    levels = [(m, agree == m) for m in sorted(set(agree.tolist()), reverse=True)]
    alone_right = [
        (votes.names[j], percent(accuracy[j], 1), f"{given[j]:,}")
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
            f"A vote is worth no more than {name} alone: a check that picks among the answers could gain up to "
            f"{100 * (any_right[both].mean() - np.nanmean(mine)):.0f} points.",
        )
    return Finding(severity, says, do, "majority less the best supervisor", value, ci, "points", (), sheets)


def majority(item: np.ndarray, label: np.ndarray, items: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The commonest answers of items that all have votes.

    Args:
        item: (V,) index of each vote's item.
        label: (V,) its answer.
        items: N.

    Returns:
        (items (K,), their commonest answers (K,), the share of each among equals (K,), number of votes for each (N,)).
    """
    number = int(label.max()) + 1
    pair, times = np.unique(item * number + label, return_counts=True)
    which, answer = np.divmod(pair, number)
    most = np.maximum.reduceat(times, np.searchsorted(which, np.arange(items)))
    tied = times == most[which]
    which, answer = which[tied], answer[tied]
    return which, answer, 1 / np.bincount(which)[which], most
