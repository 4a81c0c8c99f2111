"""Order: do judges choose by content, or by the order shown? Verdicts between two options, asked in both orders.

    consistent   share of items with the same verdict both times      sign test: fewer than by a coin
    first        of verdicts that change with the order, how many take the option shown first      sign test

Run it by `outgrow audit verdicts.csv`, a table with columns judge, item, forward, swapped.
"""

from __future__ import annotations

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._judges import ALARM, FEWEST, between, judge_of, shown
from outgrow.audits._statistics import percent

STEADY = 0.9
"""A judge certainly below this should be asked both ways round: one verdict in ten depends on the order."""


@audit("ORDER", "Do judges choose by content, or by the order shown?")
def order(judgements):
    """Consistency of judges when the two options trade places, and the influence of position."""
    judges = [j for j in (judge_of(judgements, n) for n in range(len(judgements.names))) if len(j.same) >= FEWEST]
    if not judges:
        return f"no judge has verdicts on {FEWEST} items"
    judges = sorted(judges, key=lambda j: j.consistent)
    level, many = ALARM / len(judges), len(judges) > 1
    bound = [j for j in judges if min(j.leans, j.wavers) <= level]
    worst, steady = (bound or judges)[0], judges[-1]
    turned = worst.first + worst.second
    says = f"The order shown decides for {len(bound)} of {len(judges)} judges. " if bound and many else ""
    says += (
        f"{worst.name} holds to {percent(worst.consistent)} of its verdicts on {len(worst.same):,} items when the "
        "two options trade places"
    )
    says += f"; of {turned} that turn, {worst.first} take the option shown first." if turned else "."
    severity, do = "ok", ""
    if bound:
        severity, do = (
            "warning",
            f"Ask every judge both ways round, and keep a verdict of {', '.join(j.name for j in bound[:5])} "
            "only where both agree.",
        )
        do += f" {steady.name} holds best, to {percent(steady.consistent)}." if steady not in bound else ""
    elif judges[0].same_ci[1] < STEADY:
        severity, do = (
            "note",
            "Ask both ways round and keep the verdicts that agree: in one order alone the others are chance.",
        )
    head = (
        "Judge",
        "Consistent",
        "95% interval",
        "Turned, to the first shown",
        "to the second",
        "p",
        "Ties",
        "No verdict",
    )
    rows = tuple(
        (
            j.name,
            percent(j.consistent),
            between(j.same_ci),
            f"{j.first}",
            f"{j.second}",
            f"{j.leans:.2g}",
            f"{j.ties}",
            f"{j.none}",
        )
        for j in judges
    )
    items = shown(judgements, worst, judgements.forward != judgements.swapped)
    return Finding(
        severity,
        says,
        do,
        f"consistent verdicts of {worst.name}",
        worst.consistent,
        worst.same_ci,
        "share",
        items,
        (Sheet("Judges asked both ways round", head, rows),),
    )
