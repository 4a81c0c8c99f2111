"""Slices: is a supervisor wrong systematically, on items of some kind?

Slices: `_kinds`. Of n items with gold, K of them wrong, a slice of m items holds k wrong ones with probability

    p = P(H >= k),  H hypergeometric (n, K, m)        (Fisher's exact test, one-sided)

corrected for all slices of all supervisors (Holm). Items of one group are not independent: counts are divided by

    deff = sum_g (sum_{i in g} (e_i - e))^2 / sum_i (e_i - e)^2        at least 1

After training: the share of a slice's excess (error inside less error outside) that the student keeps. Intervals:
jackknife over 20 folds of groups.

    outgrow audit votes.csv --votes a,b,c --gold label [--text text]

Source: Holm 1979; Kish 1965 (design effect).
"""

from __future__ import annotations

import numpy as np

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._kinds import FEWEST, GOLD, kinds
from outgrow.audits._statistics import apart, jackknife, percent

LEVEL = 0.05
"""Chance of any finding, if errors fall anywhere."""
GRAVE = 0.1
"""Excess above which a slice is a warning."""


@audit("SLICES", "Are supervisors wrong systematically, on items of some kind?")
def slices(votes, gold, *, texts, features, groups, show, study):
    """Slices with more errors than chance explains, and which of them a student inherits."""
    from outgrow.metrics.pgr import holm

    known = votes.of(gold[votes.item] >= 0)
    if len(np.unique(known.item)) < 2 * FEWEST:
        return f"needs {2 * FEWEST} items with gold"
    names, masks = kinds(gold, votes.classes, texts, features)
    if not names:
        return f"no class, word or other slice holds {FEWEST} items with gold"
    looks = [
        look
        for look in _tested(known, gold, groups, masks)
        if not (names[look["slice"]].startswith(GOLD) and look["one_sided"])
    ]
    for look, p in zip(looks, holm([look["p"] for look in looks]), strict=True):
        look["p"] = p
    found = sorted((look for look in looks if look["p"] <= LEVEL), key=lambda look: look["p"])
    tested = (
        f"{len(looks):,} slices of {len(np.unique(known.annotator))} supervisor{'s' if len(votes.names) > 1 else ''}"
    )
    if not found:
        return Finding("ok", f"No slice has more errors than chance explains, of {tested}.")
    worst = found[0]
    rows = known.of(known.annotator == worst["annotator"])
    wrong = (rows.label != gold[rows.item]).astype(float)
    value, ci = _excess(wrong, masks[worst["slice"], rows.item], apart(votes.items, groups)[rows.item])
    fate = _fate(study, masks, found, groups) if study else {}
    head = (
        "Slice",
        "Supervisor",
        "Items",
        "Wrong in it",
        "Elsewhere",
        "Chance (Holm)",
        *(f"Excess that {m} keeps" for m in fate),
    )
    sheet = Sheet(
        "Slices with more errors than chance explains",
        head,
        tuple(
            (
                names[f["slice"]],
                votes.names[f["annotator"]],
                f"{f['items']:,}",
                percent(f["inside"]),
                percent(f["outside"]),
                f"{f['p']:.1g}",
                *(kept[at] for kept in fate.values()),
            )
            for at, f in enumerate(found[:12])
        ),
    )
    name, who = names[worst["slice"]], votes.names[worst["annotator"]]
    says = (
        f"Of {tested}, {len(found)} {'has' if len(found) == 1 else 'have'} more errors than chance explains; {name}: "
        f"{who} is wrong on {percent(worst['inside'])}, elsewhere on {percent(worst['outside'])}."
    )
    grave = bool(ci and ci[1] >= GRAVE and value >= GRAVE)
    do = (
        f"Label {FEWEST} to 100 items {'of the slice ' * name.startswith('cluster')}{name} and give them to {who} "
        "(--weak-gold, --method improve), or add a supervisor that is right there."
    )
    if name.startswith(GOLD):
        do = (
            f"{who} says so too seldom: weigh its votes class by class (--label-model dawid_skene), or, where it "
            f"learns, give it as many items of {name} as of the others. Methods that keep the balance of its "
            "answers keep this error."
        )
    if fate:
        method, kept = list(fate.items())[-1]
        says += f" {method}: {kept[0]} of that excess."
    seen = [i for i in rows.item[(wrong > 0) & masks[worst["slice"], rows.item]]][:5]
    given = dict(zip(rows.item.tolist(), rows.label.tolist(), strict=True))
    items = tuple(show(i, **{"gold": votes.classes[gold[i]], who: votes.classes[given[i]]}) for i in seen)
    return Finding(
        "warning" if grave else "note",
        says,
        do,
        f"errors in the slice {name} less elsewhere",
        value,
        ci,
        "points",
        items,
        (sheet,),
    )


def _tested(votes, gold, groups, masks) -> list[dict]:
    """Every slice of every supervisor: items, errors inside and outside, p, and whether it names one class only."""
    count = len(votes.names)
    # A supervisor that names one class only is wrong on all others by design: no finding.
    named = np.zeros((count, max(votes.label.max(), gold.max()) + 1), bool)
    named[votes.annotator, votes.label] = True
    wrong = (votes.label != gold[votes.item]).astype(float)
    n, bad = np.bincount(votes.annotator, minlength=count), np.bincount(votes.annotator, wrong, count)
    rate = bad / np.maximum(n, 1)
    deff = np.ones(count)
    if groups is not None:
        _, cell = np.unique(votes.annotator * (groups.max() + 1) + groups[votes.item], return_inverse=True)
        off = wrong - rate[votes.annotator]
        whose = np.zeros(cell.max() + 1, int)
        whose[cell] = votes.annotator
        within = np.bincount(whose, np.bincount(cell, off) ** 2, count)
        deff = np.maximum(within / np.maximum(np.bincount(votes.annotator, off**2, count), 1e-9), 1)
    looks = []
    for s, mask in enumerate(masks):
        inside = mask[votes.item]
        m = np.bincount(votes.annotator[inside], minlength=count)
        k = np.bincount(votes.annotator[inside], wrong[inside], count)
        for j in np.flatnonzero((m >= FEWEST) & (n - m >= FEWEST) & (bad > 0)):
            size, errors, part = (round(v[j] / deff[j]) for v in (n, bad, m))
            p = _chance(int(k[j] / deff[j]), size, errors, part)
            looks.append(
                {
                    "slice": s,
                    "annotator": int(j),
                    "items": int(m[j]),
                    "inside": k[j] / m[j],
                    "outside": (bad[j] - k[j]) / (n[j] - m[j]),
                    "p": p,
                    "one_sided": named[j].sum() < 2,
                }
            )
    return looks


def _chance(k: int, n: int, errors: int, m: int) -> float:
    """P(H >= k) of a hypergeometric H: errors among m of n items with `errors` errors."""
    from scipy.special import gammaln

    def log_ways(a, b):
        return gammaln(a + 1) - gammaln(b + 1) - gammaln(a - b + 1)

    h = np.arange(max(k, errors + m - n, 0), min(errors, m) + 1)
    return min(float(np.exp(log_ways(errors, h) + log_ways(n - errors, m - h) - log_ways(n, m)).sum()), 1.0)


def _excess(wrong, inside, fold):
    """(error inside a slice less error outside, interval)."""

    def of(kept):
        rows = np.isin(fold, kept)
        a, b = wrong[rows & inside], wrong[rows & ~inside]
        return float(a.mean() - b.mean()) if len(a) and len(b) else float("nan")

    return jackknife(of)


def _fate(study, masks, found, groups) -> dict[str, list[str]]:
    """By naive and the best method: the share of each slice's excess that the student keeps, as text."""
    fold, out = apart(masks.shape[1], groups)[study.at], {}
    for method in dict.fromkeys(("naive", study.best)):
        wrong, kept = study.errors(method), []
        for look in found[:12]:
            value, ci = _excess(wrong, masks[look["slice"], study.at], fold)
            was = look["inside"] - look["outside"]
            verdict = "inherited" if ci and ci[0] > 0 else "corrected" if ci and ci[1] < was else "unclear"
            kept.append(f"{percent(value / was)}, {verdict}")
        out[method] = kept
    return out
