"""What rounds of self-improvement gain."""

from __future__ import annotations

from typing import Any

from outgrow.report import theme
from outgrow.report.charts import chart
from outgrow.report.committee import both
from outgrow.report.curves import Curve, Point, curves
from outgrow.report.words import percent

PAINT = ("control", "contrast", "method")


@chart(
    page="committee",
    of="page",
    order=20,
    wide=True,
    title="Self-improvement",
    caption="In each round the model is tuned anew, from where it began, on its own answers to half of the items, "
    "kept as named. The curves show how often a single answer to the other half is right, with 95% bands.",
)
def rounds(facts: Any, width: int) -> dict[str, Any] | None:
    """A curve for each way to keep answers; None where there were no rounds."""
    rows = facts.get("rounds")
    if not rows:
        return None
    numbers = sorted({row["round"] for row in rows})
    found = []
    for way, paint in zip(dict.fromkeys(row["by"] for row in rows), PAINT, strict=True):
        points = [
            Point(
                row["round"], row["single"]["value"], row["single"]["ci"],
                f"{way}, round {row['round']}: {both(row['single'])}",
            )
            for row in rows
            if row["by"] == way
        ]  # fmt: skip
        found.append(Curve(f"{way} {percent(points[-1].at)}", tuple(points), paint))
    x = {
        "scale": {"domain": [numbers[0], numbers[-1]], "nice": False},
        "axis": {"title": "round", "values": numbers, "format": "d", "grid": False},
    }
    ends = [end for row in rows for end in (row["single"]["ci"] or [row["single"]["value"]])]
    said = "; ".join(curve.points[-1].says for curve in found)
    span = theme.domain(*ends, among=(0, 1))
    return curves(found, x, description=f"Share right of a single answer: {said}.", span=span, room=width, height=240)
