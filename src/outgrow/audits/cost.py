"""Cost: seconds and model FLOPs of every stage, and what a method recovers for its own.

    own seconds     training of the method's students
    PGR a minute    PGR / (own seconds / 60)        what all methods share (reading items, supervisors) stands apart
A method is not worth its time where another of less takes no more seconds and recovers no less.
"""

from __future__ import annotations

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._statistics import percent

IDLE = 0.5
"""Share of the methods' time spent on methods that are not worth it, from which it is worth knowing."""
LONG = 60
"""Seconds of the methods together below which nobody need save any."""


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
    own = {part["what"]: part["seconds"] for part in stages.get("heads", ())}
    rows = {name: row for name, row in study.rows.items() if row["kind"] == "method" and name in own}
    sheets = [Sheet("By stage", ("Stage", "Seconds", "Model FLOPs"), tuple((stage, f"{seconds[stage]:,.1f}", f"{flops[stage]:.2g}") for stage in stages))]
    says = f"{sum(seconds.values()):,.0f} seconds and {sum(flops.values()):.2g} model FLOPs, {percent(1 - seconds.get('heads', 0.0) / max(sum(seconds.values()), 1e-9))} of the time before any method."
    pgr = {name: row["pgr"] for name, row in rows.items() if row["pgr"] is not None}
    if not pgr:
        return Finding("note", says + " No PGR to set against it.", "Resolve the gap first (CEILING).", sheets=tuple(sheets))
    rate = {name: pgr[name] / max(own[name] / 60, 1e-9) for name in pgr}
    beaten = {name for name in pgr if any(own[o] < own[name] and pgr[o] >= pgr[name] for o in pgr)}
    order = sorted(pgr, key=lambda name: -pgr[name])
    head = ("Method", "PGR", "95% interval", "Seconds", "PGR a minute", "Worth it")
    sheets.append(Sheet("By method", head, tuple(
        (n, f"{pgr[n]:.2f}", _ends(rows[n]["pgr_ci"]), f"{own[n]:.1f}", f"{rate[n]:.1f}", "no" if n in beaten else "yes") for n in order
    )))  # fmt: skip
    best, idle = order[0], sum(own[n] for n in beaten) / max(sum(own[n] for n in pgr), 1e-9)
    says += f" {best} recovers most ({pgr[best]:.2f}) in {own[best]:.1f} seconds, naive {pgr.get('naive', float('nan')):.2f} in {own.get('naive', float('nan')):.1f}."
    worth = [n for n in order if n not in beaten]
    do = f"Run --method {' --method '.join(worth[:4])} alone: {percent(idle)} of the methods' time went into others that recover no more here. Which is better, the intervals say." if idle > IDLE and sum(own[n] for n in pgr) > LONG else ""
    ci = rows[best]["pgr_ci"]
    scale = rate[best] / pgr[best] if pgr[best] else 0.0
    return Finding(
        "note" if do else "ok", says, do, f"PGR of {best} a minute of its training", rate[best], ci and (ci[0] * scale, ci[1] * scale), "number", (), tuple(sheets)
    )


def _ends(ci) -> str:
    return "–" if ci is None else f"{ci[0]:.2f} to {ci[1]:.2f}".replace("-", "−")
