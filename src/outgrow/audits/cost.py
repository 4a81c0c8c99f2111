"""Cost: seconds and model FLOPs of every stage, and what a method recovers for its own time.

    own seconds     training of the method's students
    PGR a minute    PGR / (own seconds / 60)        shared stages (reading items, supervisors) are listed separately
    wasted          takes longer than naive, and the upper end of its score less naive's is below WORTH

The end is one-sided at ALARM over all methods: of methods that are worth their time none is called wasted in more than
ALARM of studies. What is neither certainly worth a point nor certainly not is unclear, and no alarm.

    outgrow audit RUN        the folder of a finished study
"""

from __future__ import annotations

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._statistics import percent

ALARM = 0.05
"""Chance of a false alarm over all methods (Bonferroni)."""
WORTH = 0.01
"""Score above naive that is worth a longer training."""
IDLE = 0.5
"""Wasted share of the methods' time above which it is a note."""
TRAINED = ("heads", "tuning and answers")
"""What the training of students is called among the costs, of classes and of generation tasks."""
LONG = 60
"""Seconds of all methods below which saving is pointless."""


@audit("COST", "What did the study cost, and which methods are worth their time?")
def cost(study):
    """Seconds and FLOPs by stage, PGR per minute by method."""
    if not study.costs:
        return "the study's folder names no costs"
    stages: dict[str, list] = {}
    for part in study.costs:
        stages.setdefault(part["stage"], []).append(part)
    seconds = {stage: sum(part["seconds"] or 0.0 for part in parts) for stage, parts in stages.items()}
    flops = {stage: sum(part["flops"] or 0.0 for part in parts) for stage, parts in stages.items()}
    own = {part["what"]: part["seconds"] for stage in TRAINED for part in stages.get(stage, ())}
    rows = {name: row for name, row in study.rows.items() if row["kind"] == "method" and name in own}
    sheets = [
        Sheet(
            "By stage",
            ("Stage", "Seconds", "Model FLOPs"),
            tuple((stage, f"{seconds[stage]:,.1f}", f"{flops[stage]:.2g}") for stage in stages),
        )
    ]
    before = 1 - sum(seconds.get(stage, 0.0) for stage in TRAINED) / max(sum(seconds.values()), 1e-9)
    says = (
        f"{sum(seconds.values()):,.0f} seconds and {sum(flops.values()):.2g} model FLOPs, "
        f"{percent(before)} of the time before any method."
    )
    pgr = {name: row["pgr"] for name, row in rows.items() if row["pgr"] is not None}
    if not pgr:
        return Finding("ok", says + " There is no PGR to set against it.", sheets=tuple(sheets))
    rate = {name: pgr[name] / max(own[name] / 60, 1e-9) for name in pgr}
    order = sorted(pgr, key=lambda name: -pgr[name])
    worth = {name: _worth(rows[name], own[name] > own.get("naive", 0.0), len(pgr) - ("naive" in pgr)) for name in order}
    head = ("Method", "PGR", "95% interval", "Seconds", "PGR a minute", "Above naive", "Worth its time")
    sheets.append(
        Sheet(
            "By method",
            head,
            tuple(
                (
                    n,
                    f"{pgr[n]:.2f}",
                    _ends(rows[n]["pgr_ci"]),
                    f"{own[n]:.1f}",
                    f"{rate[n]:.1f}",
                    _ends(rows[n]["vs_naive_ci"]),
                    worth[n],
                )
                for n in order
            ),
        )
    )
    best, total, wasted = order[0], max(sum(own[n] for n in pgr), 1e-9), [n for n in order if worth[n] == "no"]
    idle = sum(own[n] for n in wasted) / total
    says += (
        f" {best} recovers most ({pgr[best]:.2f}) in {own[best]:.1f} seconds, naive "
        f"{pgr.get('naive', float('nan')):.2f} in {own.get('naive', float('nan')):.1f}."
    )
    do = (
        f"Leave out {', '.join(wasted)}: {percent(idle)} of the methods' time, and surely less than "
        f"{100 * WORTH:.0f} point above naive here."
        if idle > IDLE and total > LONG
        else ""
    )
    ci = rows[best]["pgr_ci"]
    scale = rate[best] / pgr[best] if pgr[best] else 0.0
    return Finding(
        "note" if do else "ok",
        says,
        do,
        f"PGR of {best} a minute of its training",
        rate[best],
        ci and (ci[0] * scale, ci[1] * scale),
        "number",
        (),
        tuple(sheets),
    )


def _worth(row, slower: bool, methods: int) -> str:
    """Whether a method is certainly worth more time than naive ("yes"), certainly not ("no"), or unclear."""
    from scipy.special import ndtri

    if row["method"] == "naive" or not slower:
        return "yes"
    if row["vs_naive_ci"] is None:
        return "unclear"
    low, high = (
        row["vs_naive"] + (end - row["vs_naive"]) * ndtri(1 - ALARM / methods) / ndtri(0.975)
        for end in row["vs_naive_ci"]
    )
    return "no" if high < WORTH else "yes" if low > 0 else "unclear"


def _ends(ci) -> str:
    return "–" if ci is None else f"{ci[0]:.2f} to {ci[1]:.2f}".replace("-", "−")
