"""Shift: can the student's items be told from the supervisors' own?

    AUC         of a linear head on the student's features that separates the two pools, out of fold: .5 where they are
                alike
    outside     share of the student's items that look less like the supervisors' own than 95% of these do (5% if alike)

After a study: PGR on test items outside and inside. Intervals: jackknife over 20 folds of groups.

    outgrow audit TASK --weak NAME --strong NAME
"""

from __future__ import annotations

import numpy as np

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._heads import basis, separated
from outgrow.audits._statistics import apart, jackknife, percent

FAR = 0.75
"""AUC above which the supervisors' gold says little about the student's items: a warning; below, a note."""
INSIDE = 0.95
"""Share of the supervisors' own items that counts as inside."""
FEWEST = 30
"""Items of either pool, and test items for a PGR of their own."""


@audit("SHIFT", "Do supervisors know the kind of items that the student learns from?")
def shift(pool, features, *, groups, show, study):
    """How well the two pools can be separated, and which items are outside the supervisors' domain."""
    groups = np.arange(len(pool)) if groups is None else groups
    if min(len(np.unique(groups[pool == side])) for side in (0, 1)) < FEWEST:
        return f"needs {FEWEST} items or more in either pool"
    value, ci, score = separated([basis(features)], pool[None].astype(float), groups)
    score = score[0]
    out = score > np.quantile(score[pool == 0], INSIDE)
    share = float(out[pool == 1].mean())
    says = (
        f"A linear head tells the student's items from the supervisors' own with an AUC of {value:.2f} (.5: not at "
        f"all); {percent(share)} of them are outside the supervisors' domain, where {percent(1 - INSIDE)} would be "
        "by chance."
    )
    found = ci is not None and ci[0] > 0.5
    sheets: tuple[Sheet, ...] = ()
    if found and study is not None:
        sheets, more = _recovered(study, out, apart(len(pool), groups))
        says += more
    severity = "ok" if not found else "warning" if value >= FAR else "note"
    do = (
        ""
        if not found
        else "Label some of the items below and let the supervisors learn them, too (--weak-gold, method improve); "
        "judge PGR outside their domain on its own."
    )
    far = [i for i in np.argsort(-score, kind="stable") if pool[i] == 1 and out[i]][:5] if found else []
    items = tuple(show(i, **{"looks like the student's pool": percent(score[i])}) for i in far)
    return Finding(severity, says, do, "AUC of telling the pools apart", value, ci, "share", items, sheets)


def _recovered(study, out, fold) -> tuple[tuple[Sheet, ...], str]:
    """PGR of naive and of the best method, in and out of domain, and a sentence."""
    right = {row: 1 - study.errors(row) for row in ("floor", "ceiling", "naive", study.best)}
    rows: list[tuple[str, ...]] = []
    naive = []
    for name, where in (("outside", out[study.at]), ("inside", ~out[study.at])):
        for method in dict.fromkeys(("naive", study.best)):

            def pgr(kept, where=where, method=method):
                at = where & np.isin(fold[study.at], kept)
                floor, top, student = (
                    float(np.average(right[row][at], weights=study.weights[at])) if at.any() else np.nan
                    for row in ("floor", "ceiling", method)
                )
                return (student - floor) / (top - floor) if top != floor else np.nan

            if where.sum() < FEWEST:
                rows.append((f"{method}, {name}", f"{where.sum()}", "too few items"))
                continue
            value, ci = jackknife(pgr)
            rows.append(
                (
                    f"{method}, {name}",
                    f"{where.sum()}",
                    f"{value:.2f}" + (f" ({ci[0]:.2f} to {ci[1]:.2f})" if ci else ""),
                )
            )
            if method == "naive":
                naive.append(f"{value:.2f} {name}")
    more = f" PGR of naive: {', '.join(naive)}." if naive else ""
    return (
        Sheet("PGR in and out of the supervisors' domain", ("Method", "Test items", "PGR (95% interval)"), tuple(rows)),
    ), more
