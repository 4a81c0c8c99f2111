"""Do judges choose by what is written, or by where it stands? Verdicts between two options, asked in both orders.

    consistent   share of items with the same verdict both times; where there is none, there is none to hold to
    first        of verdicts that turn round with the order, the share that take the option shown first     sign test
    right        mean over items and both orders: 1 right, 1/2 a tie, 0 wrong or no verdict
    sound        of consistent verdicts, the share that are right                                           sign test
A judge can be consistent and wrong: where sound lies below 1/2, consistency is proof of nothing.
Zeng et al. 2024, Evaluating Large Language Models at Evaluating Instruction Following, arXiv 2310.07641.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._evidence import TIE
from outgrow.audits._statistics import percent, wilson

ALARM = 0.05
"""Chance of a false alarm, each question over all judges (Bonferroni)."""
STEADY = 0.9
"""Below this a judge is asked both ways round whatever turns it: one verdict in ten would hang on the order."""
FEWEST = 10
"""Fewest items that say something about a judge."""


@audit("ORDER", "Do judges choose by content or by position, and is consistency proof?")
def order(judgements):
    """Consistency of judges when the options trade places, what position has to do with it, and whether the consistent are right."""
    judges = [_one(judgements, j) for j in range(len(judgements.names))]
    judges = sorted((j for j in judges if j["n"] >= FEWEST), key=lambda j: j["consistent"])
    if not judges:
        return f"no judge has verdicts on {FEWEST} items"
    found = [_position(judges, judgements)]
    if known := [j for j in judges if j["known"] >= FEWEST]:
        found.append(_sound(known, judgements))
    return found


def _one(given, number: int) -> dict:
    """The figures of one judge."""
    mine = given.judge == number
    a, b = given.forward[mine], given.swapped[mine]
    same = (a == b) & (a >= 0)
    gold = np.full(len(a), -1) if given.gold is None else given.gold[mine]
    known = gold >= 0
    right = ((a == gold).astype(float) + (b == gold) + 0.5 * (a == TIE) + 0.5 * (b == TIE))[known] / 2
    kept = known & same & (a != TIE)
    first, second = int(((a == 0) & (b == 1)).sum()), int(((a == 1) & (b == 0)).sum())
    return {
        "name": given.names[number], "number": number, "n": len(a), "consistent": float(same.mean()),
        "ci": wilson(same), "first": first, "second": second, "position": _sign(min(first, second), first + second, 2),
        "coin": _sign(int(same.sum()), len(a)), "none": int(((a < 0) | (b < 0)).sum()), "ties": int(((a == TIE) + (b == TIE)).sum()),
        "known": int(known.sum()), "right": float(right.mean()) if known.any() else np.nan, "right_ci": wilson(right),
        "kept": int(kept.sum()), "sound": int((a == gold)[kept].sum()), "below": _sign(int((a == gold)[kept].sum()), int(kept.sum())),
    }  # fmt: skip


def _sign(successes: int, of: int, sides: int = 1) -> float:
    """p of so few successes or fewer of an even coin."""
    return float(min(1.0, sides * binom.cdf(successes, of, 0.5)))


def _position(judges, given) -> Finding:
    """Whether the order decides."""
    level = ALARM / len(judges)
    lean, worse = [j for j in judges if j["position"] <= level], [j for j in judges if j["coin"] <= level]
    loose = [j for j in judges if j["ci"][1] < STEADY]
    worst = (worse or lean or judges)[0]
    turned = worst["first"] + worst["second"]
    says = f"{worst['name']} holds to {percent(worst['consistent'])} of its verdicts on {worst['n']:,} items when the two options trade places"
    says += f"; of the {turned} that turn, {worst['first']} take the option shown first." if turned else "."
    if lean or worse:
        several = len({j["name"] for j in lean + worse})
        says = f"The order shown decides for {several} of {len(judges)} judges. {says}" if len(judges) > 1 else says
        severity, do = "warning", f"Ask every judge both ways round, keep a verdict of {worst['name']} only where both agree, and leave it out where another judge holds better."
    elif loose:
        severity, do = "note", "Ask both ways round and keep the verdicts that agree: one order alone would have been chance on the others."
    else:
        severity, do = "ok", ""
    head = ("Judge", "Consistent", "95% interval", "Turned: to the first shown", "to the second", "p", "Ties", "No verdict", *(("Right",) if given.gold is not None else ()))
    rows = tuple(
        (j["name"], percent(j["consistent"]), f"{percent(j['ci'][0])} to {percent(j['ci'][1])}", f"{j['first']}", f"{j['second']}", f"{j['position']:.2g}",
         f"{j['ties']}", f"{j['none']}", *((percent(j["right"], 1),) if given.gold is not None else ()))
        for j in judges
    )  # fmt: skip
    items = _items(given, worst, given.forward != given.swapped)
    return Finding(severity, says, do, f"consistent verdicts of {worst['name']}", worst["consistent"], worst["ci"], "share", items, (Sheet("Judges asked both ways round", head, rows),))


def _sound(judges, given) -> Finding:
    """Whether consistent verdicts are right."""
    fooled = [j for j in judges if j["below"] <= ALARM / len(judges)]
    worst = min(fooled or judges, key=lambda j: j["right"])
    says = f"{worst['name']} is right on {percent(worst['right'], 1)} of {worst['known']:,} items with gold, and consistent on {percent(worst['consistent'])} of them."
    do = ""
    if fooled:
        says += f" Of its {worst['kept']} verdicts that hold in both orders {worst['sound']} are right: consistent, and below chance."
        do = f"Do not train on verdicts of {', '.join(j['name'] for j in fooled[:5])} on items like these: take a judge whose right answers you have counted, on 50 gold items or more."
    wrong = np.zeros(len(given.item), bool) if given.gold is None else (given.forward == given.swapped) & (given.forward != given.gold) & (given.gold >= 0)
    head = ("Judge", "Right", "95% interval", "Consistent", "Of these right", "p of so few")
    rows = tuple(
        (j["name"], percent(j["right"], 1), f"{percent(j['right_ci'][0])} to {percent(j['right_ci'][1])}", f"{j['kept']}", f"{j['sound']}", f"{j['below']:.2g}") for j in sorted(judges, key=lambda j: j["right"])
    )
    return Finding("stop" if fooled else "ok", says, do, f"right verdicts of {worst['name']}", worst["right"], worst["right_ci"], "share", _items(given, worst, wrong), (Sheet("Consistent is not right", head, rows),), "GOLD")


def _items(given, judge, rows) -> tuple[dict[str, str], ...]:
    """A judge's first such items."""
    word = {0: "first", 1: "second", TIE: "tie", -1: "none"}
    at = np.flatnonzero(rows & (given.judge == judge["number"]))[:5]
    return tuple({"item": given.ids[given.item[v]], "judge": judge["name"], "as given": word[int(given.forward[v])], "swapped": word[int(given.swapped[v])], **({"gold": word[int(given.gold[v])]} if given.gold is not None else {})} for v in at)
