"""Quality: how often is each supervisor right, as far as votes alone tell?

Two who agree may both be right or both be wrong: a third that votes on the same items decides (`_coins`). Without such
a third, or where each supervisor names one class only, nothing can be estimated. Pairs of one block of copiers (audit
COPY) are left out; errors that all share look like right answers, which only gold shows. A second estimate is label
model `blocks`: the probability that it gives to a supervisor's votes, in all and for each class. Where the two
estimates differ, errors are uneven or shared, and neither is reliable. Intervals: jackknife over 20 folds of items.

    outgrow audit votes.csv --votes a,b,c

Source: Dawid & Skene 1979 (one coin a supervisor); Ghosh, Kale & McAfee 2011 (by moments).
"""

from __future__ import annotations

import numpy as np

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._coins import SEEN, coins
from outgrow.audits._pairs import MOST, belief, busiest, named
from outgrow.audits._rules import by_gold
from outgrow.audits._statistics import apart, listed, percent

USELESS = 0.1
"""A supervisor is useless whose s is below it even at the upper end of its simultaneous interval, and below twice as
much by the label model: no vote would give it weight."""
DIFFER = 0.1
"""Two estimates of an accuracy that differ by more do not confirm each other."""


@audit("QUALITY", "How often is each supervisor right, as far as votes alone tell?")
def quality(crowd, votes, *, gold, groups, texts, pool):
    """Estimated accuracy of every supervisor, by class and by slice; which supervisors do harm."""
    from outgrow.label_models.blocks import found

    votes, crowd = busiest(votes, crowd)
    fold, block, several, count = apart(votes.items, groups), found(crowd), named(votes) > 1, len(votes.names)
    if not several.any() and gold is not None and (gold >= 0).any():
        return by_gold(votes, gold, groups)
    if not several.any():
        return (
            "each supervisor names one class only, so that agreement was settled beforehand: give gold on some 100 "
            "items"
        )
    pairs = (block[:, None] != block) & np.outer(several, several)
    all_ = coins(votes, fold, pairs)
    known = np.isfinite(all_.s)
    if not known.any():
        return (
            f"cannot be told from votes alone: no three supervisors, of which none copies another, answer {SEEN} "
            "common items; add a third, or gold on some 100 items"
        )
    cast = np.bincount(votes.annotator, minlength=count)
    value, ci = all_.mean(cast)
    q = np.nan_to_num(belief(crowd, block))
    second = np.bincount(votes.annotator, q[votes.item, votes.label], count) / np.maximum(cast, 1)
    (low, high), (_, top) = all_.interval(), all_.interval(int(known.sum()))
    ends = [((1 + (all_.classes - 1) * end) / all_.classes).clip(0, 1) for end in (low, high)]
    differ = np.flatnonzero(
        known & (np.abs(all_.accuracy - second) > DIFFER) & ((second < ends[0]) | (second > ends[1]))
    )
    bad = np.flatnonzero(known & (top < USELESS) & (all_.classes * second - 1 < (all_.classes - 1) * 2 * USELESS))
    severity, do = "ok", ""
    says = (
        f"Votes are right {percent(value)} of the time, by who agrees with whom, were errors not shared; "
        f"{known.sum()} of {count} supervisors can be told{', those that vote most' if count == MOST else ''}."
    )
    if len(differ):
        severity, do = (
            "note",
            f"Give gold on some 100 items (a column gold): of {listed(votes.names, differ.tolist())} two ways of "
            f"estimating differ by more than {100 * DIFFER:.0f} points, so errors are uneven or shared.",
        )
    if len(bad):
        severity = "warning"
        kept, judged = ~np.isin(votes.annotator, bad), gold is not None and (gold >= 0).any()
        truth = (
            np.eye(all_.classes + 1)[gold][:, :-1] if judged else q
        )  # gold that is not known, -1, is the last column
        now, then = (_majority(votes.of(rows & (truth[votes.item].sum(1) > 0)), truth) for rows in (kept | True, kept))
        says += f" {len(bad)} {'are' if len(bad) > 1 else 'is'} worse than chance or next to useless."
        seen = "by gold" if judged else "as the label model sees it"
        out = listed(votes.names, bad.tolist())
        do = (
            f"Leave out {out}: the majority is then right on {percent(then, 1)} of the items "
            f"instead of {percent(now, 1)}, {seen}."
        )
        if then < now:
            do = (
                "Weigh supervisors by what they are worth (--label-model accuracy): without "
                f"{out} the majority would be right on {percent(then, 1)} of the items instead "
                f"of {percent(now, 1)}, {seen}."
            )
    order = np.argsort(np.where(known, all_.accuracy, 2), kind="stable")[:20]
    golden = gold is not None
    rows = tuple(
        (
            votes.names[j],
            f"{percent(all_.accuracy[j])} [{percent(ends[0][j])}, {percent(ends[1][j])}]"
            if known[j]
            else "cannot be told",
            percent(second[j]),
            *([percent(_right(votes, gold, votes.annotator == j))] if golden else []),
            f"{cast[j]:,}",
        )
        for j in order
    )
    head = (
        "Supervisor",
        "Right, by agreement",
        "Right, by label model",
        *(["Right, by gold"] if golden else []),
        "Votes",
    )
    sheets = [Sheet("Supervisors, the worst first", head, rows), _by_class(votes, q, order)]
    cuts = [
        (name, coins(votes.of(inside[votes.item]), fold, pairs), int(inside.sum()))
        for name, inside in _slices(texts, pool)
        if inside[votes.item].any()
    ]
    if cuts:
        rows = tuple((name, *_share(part, cast), f"{n:,}") for name, part, n in cuts)
        sheets.append(
            Sheet("Slices", ("Items", "Votes that are right, by agreement", "95% interval", "How many"), rows)
        )
    return Finding(severity, says, do, "votes that are right, by agreement", value, ci, "share", (), tuple(sheets))


def _share(part, cast) -> tuple[str, str]:
    if not np.isfinite(part.s).any():
        return "cannot be told", "–"
    value, ci = part.mean(cast)
    return percent(value), f"{percent(ci[0])} to {percent(ci[1])}"


def _by_class(votes, q, order) -> Sheet:
    """Share of right votes on each class, with the class as the label model believes it."""
    classes, count = q.shape[1], len(votes.names)
    total = np.stack([np.bincount(votes.annotator, share, count) for share in q[votes.item].T], 1)
    at = votes.annotator * classes + votes.label
    right = np.bincount(at, q[votes.item, votes.label], count * classes).reshape(count, classes)
    cell = [
        [
            f"{percent(right[j, c] / total[j, c])} of {total[j, c]:,.0f}" if total[j, c] >= SEEN else "too few"
            for c in range(classes)
        ]
        for j in order
    ]
    return Sheet(
        "Right by class, by label model",
        ("Supervisor", *votes.classes),
        tuple((votes.names[j], *row) for j, row in zip(order, cell, strict=True)),
    )


def _slices(texts, pool):
    """(name, items (N,) bool) of slices by length of text and by pool."""
    if texts and any(texts):
        length = np.array([len(text.split()) for text in texts])
        edges = np.quantile(length, [1 / 3, 2 / 3])
        third = np.searchsorted(edges, length)
        yield from (
            (name, third == t) for t, name in enumerate(("short texts", "texts of middle length", "long texts"))
        )
    if pool is not None:
        yield from (("the supervisors' own pool", pool == 0), ("the student's pool", pool == 1))


def _right(votes, gold, rows) -> float:
    rows = rows & (gold[votes.item] >= 0)
    return float((votes.label == gold[votes.item])[rows].mean()) if rows.any() else np.nan


def _majority(votes, q) -> float:
    """Mean of q (N, C) at the majority's answers, over items with votes."""
    from outgrow.audits.committee import majority

    items, item = np.unique(votes.item, return_inverse=True)
    if not len(items):
        return 0.0
    which, answer, share, _ = majority(item, votes.label, len(items))
    return float((share * q[items[which], answer]).sum() / len(items))
