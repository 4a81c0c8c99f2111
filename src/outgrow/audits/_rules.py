"""Rules that each name one class only, judged by gold: votes alone cannot tell their quality."""

from __future__ import annotations

import numpy as np

from outgrow.audits import Finding, Sheet
from outgrow.audits._coins import SEEN
from outgrow.audits._statistics import listed, percent, wilson


def by_gold(votes, gold, groups) -> Finding:
    """The finding of QUALITY for such rules; worse than chance: less often right than the class is common."""
    names, rows, bad = votes.names, [], []
    classes = np.unique(votes.label)
    right = votes.label == gold[votes.item]
    for j in range(len(names)):
        at = (votes.annotator == j) & (gold[votes.item] >= 0)
        mine = right[at]
        if len(mine) >= SEEN:
            low, high = wilson(mine, None if groups is None else groups[votes.item[at]])
            share = (gold[gold >= 0] == votes.label[votes.annotator == j][0]).mean()
            rows.append(
                (
                    mine.mean(),
                    names[j],
                    f"{percent(mine.mean())} [{percent(low)}, {percent(high)}]",
                    percent(share),
                    f"{len(mine):,}",
                )
            )
            bad += [j] if high < share else []
    if not rows:
        return Finding("not applicable", f"no rule speaks on {SEEN} items that have gold")
    says = (
        f"{len(rows)} of {len(names)} rules speak on {SEEN} items with gold or more, of {len(classes)} classes; the "
        f"worst is right on {percent(min(rows)[0])} of its own. Without gold nothing could be told: each names one "
        "class only."
    )
    do = f"Leave out {listed(names, bad)}: less often right than naming that class anywhere." if bad else ""
    sheet = Sheet(
        "Rules, the worst first",
        ("Rule", "Right, by gold", "Share of its class", "Items"),
        tuple(row[1:] for row in sorted(rows)[:20]),
    )
    known = gold[votes.item] >= 0
    return Finding(
        "warning" if bad else "ok",
        says,
        do,
        "votes that are right, by gold",
        float(right[known].mean()),
        wilson(right[known], None if groups is None else groups[votes.item[known]]),
        "share",
        (),
        (sheet,),
    )
