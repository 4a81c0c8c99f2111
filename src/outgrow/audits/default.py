"""Default: is the careful answer reasoned, or a default? Pairs of questions with a constraint and without it.

    delta = acc(removed) - acc(present)      below 0: the careful answer is given where it is not called for

A judge that is always careful is right on 100% with the constraint and on 0% without. One that decides by something
else and ignores the constraint is right on half of the pairs each, and no pair is right both times. Interval: half a
pair added to each of the four cells.
Tests: among pairs with one right answer, on which side (McNemar, exact); among all, whether as few have none or one
(sign test: of two options, a coin changes its answer on half).

    outgrow audit pairs.csv        columns item, present, removed

Source: "The Model Says Walk": 12 of 14 models fall below 0, down to -38.5 points; Agresti & Min 2005 (interval).
"""

from __future__ import annotations

import numpy as np

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._statistics import coin, percent, together

ALARM = 0.05
"""Chance of a false alarm over all judges and both warnings (Bonferroni)."""
FEWEST = 10
"""Pairs that a judge must have answered."""


@audit("DEFAULT", "Is the careful answer reasoned, or a default?")
def default(minimal):
    """Accuracy on questions without a constraint less that with it: below 0 the careful answer is a default."""
    count = np.bincount(minimal.judge, minlength=len(minimal.names))
    judges = sorted((_one(minimal, j) for j in np.flatnonzero(count >= FEWEST)), key=lambda j: j["delta"])
    if not judges:
        return f"no judge has answered {FEWEST} pairs"
    level = ALARM / 2 / len(judges)
    defaulting, deaf, blind = ([j for j in judges if j[what] <= level] for what in ("default", "deaf", "blind"))
    worst = (defaulting or sorted(deaf, key=lambda j: j["both"]) or blind[::-1] or judges)[0]
    name, many = worst["name"], len(judges) > 1
    says = (
        f"{name}: {percent(worst['present'])} right with the constraint, {percent(worst['removed'])} without it, "
        f"both right on {percent(worst['both'])} of {worst['n']:,} pairs."
    )
    severity, do = "warning", f"Score {name} on pairs, both right, and not on careful questions alone; "
    if defaulting:
        says += (
            f" {len(defaulting)} of {len(judges)} take the careful answer by default."
            if many
            else " It takes the careful answer by default."
        )
        do += "keep its votes for the careful answer only where it gives the other without the constraint."
    elif deaf:
        says += (
            f" The constraint does not change the answer of {len(deaf)} of {len(judges)}."
            if many
            else " The constraint does not change its answer."
        )
        do += (
            "its votes on questions like these say nothing of the constraint: take another supervisor for them, or "
            "gold."
        )
    elif blind:
        severity, do = (
            "note",
            f"{name} overlooks constraints: teach or judge such items with another supervisor, or with gold.",
        )
    else:
        severity, do = "ok", ""
    head = (
        "Answers of",
        "Pairs",
        "Right with",
        "Right without",
        "Difference",
        "95% interval",
        "Both right",
        "Only with",
        "Only without",
    )
    rows = tuple(
        (
            j["name"],
            f"{j['n']}",
            percent(j["present"]),
            percent(j["removed"]),
            f"{100 * j['delta']:+.1f}",
            f"{100 * j['ci'][0]:+.0f} to {100 * j['ci'][1]:+.0f}",
            percent(j["both"]),
            f"{j['only_with']}",
            f"{j['only_without']}",
        )
        for j in judges
    )
    return Finding(
        severity,
        says,
        do,
        f"right without the constraint less right with it, {name}",
        worst["delta"],
        worst["ci"],
        "points",
        _items(minimal, worst),
        (Sheet("Pairs with a constraint and without", head, rows),),
    )


def _one(given, number) -> dict:
    """Figures of one judge."""
    mine = given.judge == number
    with_it, without = given.present[mine], given.removed[mine]
    n, b, c = len(with_it), int((without & ~with_it).sum()), int((with_it & ~without).sum())
    group = None if given.group is None else given.group[mine]
    turn, alike = without * 1 - with_it, np.where(without == with_it, 1, -1)
    centre = (b - c) / (n + 2)
    reach = 1.959964 * np.sqrt((b + c + 1 - (b - c) ** 2 / (n + 2)) * together(turn - turn.mean(), group)) / (n + 2)
    return {
        "name": given.names[number],
        "number": number,
        "n": n,
        "present": with_it.mean(),
        "removed": without.mean(),
        "both": (with_it & without).mean(),
        "only_with": c,
        "only_without": b,
        "delta": (b - c) / n,
        "ci": (max(float(centre - reach), -1.0), min(float(centre + reach), 1.0)),
        "default": coin(turn, group),
        "blind": coin(-turn, group),
        "deaf": coin(alike, group),
    }


def _items(given, judge) -> tuple[dict[str, str], ...]:
    """Pairs of a judge with one right answer, on the commoner side."""
    one_sided = given.present & ~given.removed if judge["delta"] < 0 else given.removed & ~given.present
    at = np.flatnonzero(one_sided & (given.judge == judge["number"]))[:5]
    right = "with the constraint" if judge["delta"] < 0 else "without it"
    return tuple(
        {"item": given.ids[given.item[v]], **({"text": given.texts[v]} if given.texts else {}), "only right": right}
        for v in at
    )
