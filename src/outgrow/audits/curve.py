"""Learning curve: would more weak labels make the student better?

    score(n)   share of held-out items on which a linear head on the student's features, trained on n weak labels, is
               right
    more       score(all) - score(half)        the gain of the last doubling

Five folds as in `_heads`; the labels of a quarter, of either half and of all training groups. Right is gold on items of
the supervisors' own half or, where none is known, the supervisors' labels of held-out items. Interval: jackknife over
20 folds of groups.

    outgrow audit TASK --weak NAME --strong NAME
"""

from __future__ import annotations

from functools import partial

import numpy as np

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._heads import basis, unseen
from outgrow.audits._pairs import belief
from outgrow.audits._statistics import apart, jackknife, percent

MORE = 0.01
"""Gain of the last doubling above which more labels are worthwhile. If it is less, one in 40 intervals lies above."""
FEWEST = 100
"""Items that must be judged."""


@audit("CURVE", "Would more weak labels make the student better?")
def curve(*, before, votes, crowd, probs, features, gold, groups):
    """The gain of a linear head as weak labels double, on items that it has not seen."""
    if before is not None:
        bases, targets, truth, groups = before.bases, before.probs, before.gold, before.groups
    elif votes is not None and features is not None:
        bases, targets, truth = (
            (basis(features),),
            _targets(votes, crowd, probs)[None],
            None if gold is None else gold[None],
        )
        groups = np.arange(votes.items) if groups is None else groups
    else:
        return (
            "needs supervisors and a student (outgrow audit TASK --weak NAME --strong NAME), or votes on items in "
            "the student's space (--strong)"
        )
    if targets.shape[-1] < 2:
        return "needs two classes or more"
    known = ~np.isnan(targets).any(-1)
    judged = truth is not None and (known & (truth >= 0)).any(0).sum() >= FEWEST
    truth = np.where(known, truth if judged else np.nan_to_num(targets).argmax(-1), -1)
    if (truth >= 0).any(0).sum() < FEWEST:
        return f"needs weak labels on {FEWEST} items"
    part = apart(len(groups), groups)
    quarter, half = ((np.random.default_rng(1).permutation(groups.max() + 1) % 4)[groups] < cut for cut in (1, 2))
    full = before.rehearsed[0] if before is not None else unseen(bases, targets, groups)[0]
    taught = {
        0.25: [unseen(bases, targets, groups, quarter)[0]],
        0.5: [unseen(bases, targets, groups, rows)[0] for rows in (half, ~half)],
        1.0: [full],
    }
    right = {
        share: np.mean([np.where(truth >= 0, probs.argmax(-1) == truth, np.nan) for probs in heads], 0)
        for share, heads in taught.items()
    }
    count = {share: int(share * 0.8 * known.sum(1).mean()) for share in right}

    def score(share: float, kept: np.ndarray) -> float:
        rows = right[share][:, np.isin(part, kept)]
        return float(np.nanmean(rows)) if np.isfinite(rows).any() else float("nan")

    value, ci = jackknife(lambda kept: score(1.0, kept) - score(0.5, kept))
    what = "right on" if judged else "in agreement with held-out weak labels on"
    rows = []
    for share in right:
        mean, ends = jackknife(partial(score, share))
        rows.append(
            (f"{count[share]:,}", percent(mean, 1), f"{percent(ends[0], 1)} to {percent(ends[1], 1)}" if ends else "–")
        )
    says = (
        f"Taught by {count[0.5]:,} weak labels a linear head on the student's features is {what} "
        f"{percent(score(0.5, part), 1)} of other items, by {count[1.0]:,} on {percent(score(1.0, part), 1)}"
    )
    more, flat = bool(ci and ci[0] > MORE), bool(ci and ci[1] < MORE)
    says += (
        ": more would still help."
        if more
        else ": more of them would hardly help."
        if flat
        else "; whether more would help cannot be told from these."
    )
    do = (
        f"Let the supervisors label more items: doubling their labels to {count[1.0]:,} was worth "
        f"{100 * value:.1f} points, and the curve is not flat yet."
        if more
        else ""
    )
    sheet = Sheet("Learning curve", ("Weak labels", "Right" if judged else "In agreement", "95% interval"), tuple(rows))
    return Finding(
        "note" if more else "ok",
        says,
        do,
        "worth of the last doubling of weak labels",
        value,
        ci,
        "points",
        (),
        (sheet,),
    )


def _targets(votes, crowd, probs) -> np.ndarray:
    """(N, C): labels of one supervisor, or of several by label model `blocks`; NaN without votes."""
    if crowd is not None:
        return belief(crowd)
    out = np.full((votes.items, len(votes.classes)), np.nan)
    out[votes.item] = np.eye(len(votes.classes))[votes.label] if probs is None else probs
    return out
