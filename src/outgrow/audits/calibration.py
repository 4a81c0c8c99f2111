"""Calibration: is a supervisor right as often as it says?

    ECE = sum_b share_b |mean confidence - mean accuracy in bin b|
          bins of equal width, of equal mass, and the latter less what noise adds (`metrics.calibration`)
    q ~ p^(1/T)    T of least cross-entropy; its error: on either half of the items with the T of the other half

On items with gold; of a study on weak-train alone. Intervals: jackknife over 20 folds of items.

    outgrow audit votes.csv --votes model --gold label        votes with probabilities

Source: Kumar et al. 2019 (debiased ECE); Guo et al. 2017, arXiv 1706.04599 (temperature).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._statistics import apart, jackknife, percent

OFF = 0.05
"""Debiased ECE above which a supervisor is off: selections, weights and means by confidence are then 5 points off."""
FEWEST = 100
"""Items with gold that a supervisor must have: with fewer no bin holds ten."""


@audit("CALIBRATION", "Is a supervisor right as often as it says?")
def calibration(sure, *, votes, groups, show):
    """Expected calibration error of every supervisor, in three forms, and with one temperature."""
    rows, found = [], []
    for one in sure:
        if len(one.item) < FEWEST:
            continue
        p, y, whole = one.probs.astype(np.float64), one.gold, one.item if groups is None else groups[one.item]
        fold = apart(len(p), whole)
        forms = _forms(p, y, whole, fold)
        t, halves = temperature(p, y), [temperature(p[fold % 2 != half], y[fold % 2 != half]) for half in (0, 1)]
        mended = _measured(
            np.where((fold % 2 == 0)[:, None], *(cooled(p, half) for half in halves)), y, whole, slice(None)
        ).ece
        stated, right = p.max(1).mean(), (p.argmax(1) == y).mean()
        found.append((one, *forms[2], stated - right, t, mended))
        rows.append(
            (
                one.name,
                *(f"{percent(v, 1)} [{percent(max(ci[0], 0), 1)}, {percent(ci[1], 1)}]" for v, ci in forms),
                percent(stated),
                percent(right),
                f"{t:.2f}",
                percent(mended, 1),
                f"{len(p):,}",
            )
        )
    if not found:
        return f"needs a supervisor that says how sure it is on {FEWEST} items with gold"
    one, value, ci, over, t, mended = max(found, key=lambda entry: entry[2][0] if entry[2] else 0)
    off = [entry for entry in found if entry[2] and entry[2][0] > OFF]
    says = (
        f"{len(off)} of {len(found)} supervisors are further than {100 * OFF:.0f} points from what they say. "
        f"{one.name}, the furthest, is off by {percent(value, 1)}, {'too' if over > 0 else 'not enough'} sure."
    )
    do = ""
    if off and mended < value / 2:
        do = (
            f"Raise {one.name}'s probabilities to the power {1 / t:.2f} (temperature {t:.2f}, fitted to these "
            f"items: fitted to one half of them it brings the error on the other down from {percent(value, 1)} to "
            f"{percent(mended, 1)})."
        )
    elif off:
        do = (
            f"Do not select or weight by how sure {one.name} is, and harden its labels (--method hardened): one "
            f"temperature does not mend it ({percent(value, 1)} to {percent(mended, 1)} on halves that it was not "
            "fitted to)."
        )
    head = (
        "Supervisor",
        "Error, bins of equal width",
        "Of equal mass",
        "Less noise",
        "Says",
        "Right",
        "Temperature",
        "Less noise, with it",
        "Items",
    )
    shape = _measured(one.probs.astype(np.float64), one.gold, one.item, slice(None)).bins
    diagram = Sheet(
        f"Reliability of {one.name}",
        ("Says", "Right", "Items"),
        tuple((percent(b.confidence), percent(b.accuracy), f"{b.count:,}") for b in shape),
    )
    names = votes.classes if votes is not None else tuple(map(str, range(one.probs.shape[1])))
    return Finding(
        "warning" if off else "ok",
        says,
        do,
        "calibration error of the furthest, less noise",
        value,
        ci,
        "share",
        _surest(one, names, show) if off and over > 0 else (),
        (Sheet("Supervisors", head, tuple(rows)), diagram),
    )


def _forms(p, y, groups, fold) -> list[tuple]:
    """(ECE, interval) by bins of equal width, of equal mass, and debiased."""

    @cache
    def of(kept: tuple[int, ...]) -> tuple[float, float, float]:
        found = _measured(p, y, groups, np.isin(fold, kept))
        return found.equal_width, found.equal_mass, found.ece

    return [jackknife(_form(of, at)) for at in range(3)]


def _form(of: Callable[[tuple[int, ...]], tuple[float, float, float]], at: int) -> Callable[[np.ndarray], float]:
    return lambda kept: of(tuple(kept.tolist()))[at]


def _measured(p, y, groups, kept):
    """Calibration of p (n, C) against y (n,) on the rows `kept`."""
    from outgrow.metrics.calibration import calibration as measured

    return measured(p[kept][None], y[kept], np.ones(len(y[kept])), groups[kept], 0.0)


def cooled(p: np.ndarray, t: float) -> np.ndarray:
    """(n, C): p^(1/t), rows scaled to sum 1."""
    log_p = np.log(np.maximum(p, 1e-12)) / t
    q = np.exp(log_p - log_p.max(1, keepdims=True))
    return q / q.sum(1, keepdims=True)


def temperature(p: np.ndarray, y: np.ndarray) -> float:
    """The T within 1/20 .. 20 of least cross-entropy to y (n,)."""
    from scipy.optimize import minimize_scalar

    def loss(log_t: float) -> float:
        return -np.log(np.maximum(cooled(p, np.exp(log_t))[np.arange(len(y)), y], 1e-12)).mean()

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def _surest(one, names, show):
    """Items on which a supervisor is most certain and wrong."""
    top = one.probs.argmax(1)
    wrong = np.flatnonzero(top != one.gold)
    surest = wrong[np.argsort(-one.probs[wrong].max(1), kind="stable")[:5]]
    return tuple(
        show(one.item[w], says=f"{names[top[w]]}, {percent(one.probs[w].max())} sure", gold=names[one.gold[w]])
        for w in surest
    )
