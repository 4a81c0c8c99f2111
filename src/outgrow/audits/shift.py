"""Shift: can the student's items be told from the supervisors' own?

    AUC         of a linear head on the student's features that tells the two pools apart, out of fold: .5 where they are alike
    outside     share of the student's items that look less like the supervisors' own than 95% of these do (5% where alike)
After a study: PGR on test items outside and inside. Intervals: jackknife over 20 folds of groups.
"""

from __future__ import annotations

import numpy as np

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._heads import basis, told
from outgrow.audits._statistics import apart, jackknife, percent

FAR = 0.75
"""AUC from which the supervisors' gold says little about the student's items; below it, where it is resolved at all, it is a note."""
INSIDE = 0.95
FEWEST = 30
"""Test items on either side for a PGR of their own."""


@audit("SHIFT", "Do supervisors know the kind of items that the student learns from?")
def shift(pool, features, *, groups, show, study):
    """How well the two pools can be told apart, and which items are outside the supervisors' domain."""
    groups = np.arange(len(pool)) if groups is None else groups
    if min(len(np.unique(groups[pool == side])) for side in (0, 1)) < FEWEST:
        return f"needs {FEWEST} items or more in either pool"
    value, ci, score = told([basis(features)], pool[None].astype(float), groups)
    score = score[0]
    out = score > np.quantile(score[pool == 0], INSIDE)
    share = float(out[pool == 1].mean())
    says = f"A linear head tells the student's items from the supervisors' own with an AUC of {value:.2f} (.5: not at all); {percent(share)} of them are outside the supervisors' domain, where {percent(1 - INSIDE)} would be by chance."
    found = ci is not None and ci[0] > 0.5
    sheets: tuple[Sheet, ...] = ()
    if found and study is not None:
        sheets, more = _recovered(study, out, apart(len(pool), groups))
        says += more
    severity = "ok" if not found else "warning" if value >= FAR else "note"
    do = (
        ""
        if not found
        else "Label some of the items below and let the supervisors learn them, too (--weak-gold, method improve); judge PGR outside their domain on its own."
    )
    far = [i for i in np.argsort(-score, kind="stable") if pool[i] == 1 and out[i]][:5] if found else []
    items = tuple(show(i, **{"looks like the student's pool": percent(score[i])}) for i in far)
    return Finding(severity, says, do, "AUC of telling the pools apart", value, ci, "share", items, sheets)


def _recovered(study, out, fold) -> tuple[tuple[Sheet, ...], str]:
    """PGR of naive and of the best method, in and out of domain, and a sentence."""
    right = {row: 1 - study.errors(row) for row in ("floor", "ceiling", "naive", study.best)}
    rows, said = [], []
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
                said.append(f"{value:.2f} {name}")
    more = f" PGR of naive: {', '.join(said)}." if said else ""
    return (
        Sheet("PGR in and out of the supervisors' domain", ("Method", "Test items", "PGR (95% interval)"), tuple(rows)),
    ), more
