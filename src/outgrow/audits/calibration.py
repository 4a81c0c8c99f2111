"""Calibration: is a supervisor right as often as it says it is?

    ECE = sum_b share_b |mean confidence - mean accuracy in bin b|     bins of equal width, of equal mass, and the latter less what
                                                                       noise adds (`measures.calibration`; Kumar et al. 2019)
    q ~ p^(1/T)    T fitted to one half of the items by cross-entropy, judged on the other (Guo et al. 2017, arXiv 1706.04599)
On items with gold. Intervals: jackknife over 20 folds of items.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._statistics import apart, jackknife, percent

OFF = 0.05
"""Debiased ECE whose interval lies above: what confidence selects or weights, and a mean of supervisors, is then 5 points off."""
FEWEST = 100
"""Fewest items with gold: with fewer no bin holds ten."""


@audit("CALIBRATION", "Is a supervisor right as often as it says?")
def calibration(votes, probs, gold, *, groups, ids, texts):
    """Expected calibration error of every supervisor, in three forms, and what one temperature mends."""
    fold = apart(votes.items, groups)
    rows, found = [], []
    for j, name in enumerate(votes.names):
        mine = np.flatnonzero((votes.worker == j) & (gold[votes.item] >= 0))
        if len(mine) < FEWEST or not (probs[mine].max(1) < 1).any():
            continue
        item = votes.item[mine]
        p, y, part = probs[mine].astype(np.float64), gold[item], fold[item]
        names = item if groups is None else groups[item]
        forms = _forms(p, y, names, part)
        t = temperature(p[part % 2 == 0], y[part % 2 == 0])
        rest = part % 2 == 1
        before, after = (_measured(q, y, names, rest).ece for q in (p, cooled(p, t)))
        said, right = p.max(1).mean(), (p.argmax(1) == y).mean()
        found.append((j, *forms[2], said - right, t, before, after, mine))
        rows.append((name, *(f"{percent(v, 1)} [{percent(max(ci[0], 0), 1)}, {percent(ci[1], 1)}]" for v, ci in forms), percent(said), percent(right), f"{t:.2f}", f"{percent(before, 1)} → {percent(after, 1)}", f"{len(mine):,}"))
    if not found:
        return f"needs a supervisor that says how sure it is on {FEWEST} items with gold"
    j, value, ci, over, t, before, after, mine = max(found, key=lambda one: one[2][0] if one[2] else 0)
    off = [one for one in found if one[2] and one[2][0] > OFF]
    name = votes.names[j]
    says = f"{len(off)} of {len(found)} supervisors are further than {100 * OFF:.0f} points from what they say. {name}, the furthest, is off by {percent(value, 1)}, {'too' if over > 0 else 'not enough'} sure."
    do = ""
    if off and after < before / 2:
        do = f"Raise {name}'s probabilities to the power {1 / t:.2f} (temperature {t:.2f}, fitted on half of the gold: on the other half the error falls from {percent(before, 1)} to {percent(after, 1)})."
    elif off:
        do = f"Do not select or weight by how sure {name} is, and harden its labels (--method hardened): one temperature does not mend it ({percent(before, 1)} to {percent(after, 1)} on the half that was not fitted)."
    head = ("Supervisor", "Error, bins of equal width", "Of equal mass", "Less noise", "Says", "Right", "Temperature", "On the other half", "Items")
    shape = _measured(probs[mine].astype(np.float64), gold[votes.item[mine]], votes.item[mine], slice(None)).bins
    diagram = Sheet(f"Reliability of {name}", ("Says", "Right", "Items"), tuple((percent(b.confidence), percent(b.accuracy), f"{b.count:,}") for b in shape))
    return Finding("warning" if off else "ok", says, do, "calibration error of the furthest, less noise", value, ci, "share",
                   _surest(votes, probs, gold, mine, ids, texts) if off and over > 0 else (), (Sheet("Supervisors", head, tuple(rows)), diagram))  # fmt: skip


def _forms(p, y, groups, fold) -> list[tuple]:
    """Equal width, equal mass, debiased: each with its interval."""

    @cache
    def of(kept: tuple):
        return _measured(p, y, groups, np.isin(fold, kept))

    return [jackknife(lambda kept, form=form: getattr(of(tuple(kept)), form)) for form in ("equal_width", "equal_mass", "ece")]


def _measured(p, y, groups, kept):
    """Of one supervisor, p (n, C), y and groups (n,), on the rows kept."""
    from outgrow.measures.calibration import calibration as measured

    return measured(p[kept][None], y[kept], np.ones(len(y[kept])), groups[kept], 0.0)


def cooled(p: np.ndarray, t: float) -> np.ndarray:
    """(n, C) ~ p^(1/t)"""
    log_p = np.log(np.maximum(p, 1e-12)) / t
    q = np.exp(log_p - log_p.max(1, keepdims=True))
    return q / q.sum(1, keepdims=True)


def temperature(p: np.ndarray, y: np.ndarray) -> float:
    """T within 1/20 .. 20 of least cross-entropy."""
    from scipy.optimize import minimize_scalar

    def loss(log_t: float) -> float:
        return -np.log(np.maximum(cooled(p, np.exp(log_t))[np.arange(len(y)), y], 1e-12)).mean()

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def _surest(votes, probs, gold, mine, ids, texts):
    """Items on which it is surest and wrong."""
    item = votes.item[mine]
    wrong = np.flatnonzero(probs[mine].argmax(1) != gold[item])
    top = wrong[np.argsort(-probs[mine[wrong]].max(1), kind="stable")[:5]]
    shown = [{"item": ids[i] if ids else str(i)} | ({"text": texts[i]} if texts else {}) for i in item[top]]
    return tuple(name | {"says": f"{votes.classes[votes.label[mine[w]]]}, {percent(probs[mine[w]].max())} sure", "gold": votes.classes[gold[item[w]]]} for name, w in zip(shown, top, strict=True))
