"""Sound: are the verdicts right that judges hold to? Consistent verdicts that a coin would beat prove nothing.

    right   mean over items and both orders: 1 right, 1/2 a tie, 0 wrong or no verdict
    sound   of the verdicts that are the same in both orders, how many are right              sign test against 1/2

Run it by `outgrow audit verdicts.csv`, a table with columns judge, item, forward, swapped, gold.
"""

from __future__ import annotations

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._judges import ALARM, FEWEST, between, judge_of, shown
from outgrow.audits._statistics import percent


@audit("SOUND", "Are the verdicts right that judges hold to?")
def sound(judgements):
    """Accuracy of judges next to their consistency, on items with gold."""
    judges = [j for j in (judge_of(judgements, n) for n in range(len(judgements.names))) if len(j.right) >= FEWEST]
    if not judges:
        return f"no judge has verdicts on {FEWEST} items with gold (a column gold)"
    judges = sorted(judges, key=lambda j: j.right.mean())
    fooled = [j for j in judges if j.fooled <= ALARM / len(judges)]
    worst, best = (fooled or judges)[0], judges[-1]
    says = f"{worst.name} is right on {percent(worst.right.mean(), 1)} of {len(worst.right):,} items with gold"
    severity, do = "ok", ""
    if fooled:
        says += (
            f"; of its {worst.kept} verdicts that hold in both orders {worst.sound} are right: consistent, and "
            "below chance."
        )
        severity, do = (
            "stop",
            f"Do not train on verdicts of {', '.join(j.name for j in fooled[:5])} on items like these",
        )
        clear = best.right_ci[0] > 0.5
        do += (
            f": {best.name} is right on {percent(best.right.mean(), 1)}."
            if clear
            else ": label 50 of them or more, and take a judge that is right on these."
        )
    else:
        says += f", {best.name} on {percent(best.right.mean(), 1)}." if len(judges) > 1 else "."
    verdict, gold = judgements.forward, judgements.gold
    wrong = (verdict == judgements.swapped) & (verdict != gold) & (verdict >= 0) & (gold >= 0)
    head = ("Judge", "Right", "95% interval", "Consistent", "Of these right", "p of so few")
    rows = tuple(
        (
            j.name,
            percent(j.right.mean(), 1),
            between(j.right_ci),
            percent(j.consistent),
            f"{j.sound} of {j.kept}",
            f"{j.fooled:.2g}",
        )
        for j in judges
    )
    sheets = (Sheet("Consistent is not right", head, rows),)
    return Finding(
        severity,
        says,
        do,
        f"right verdicts of {worst.name}",
        float(worst.right.mean()),
        worst.right_ci,
        "share",
        shown(judgements, worst, wrong),
        sheets,
    )
