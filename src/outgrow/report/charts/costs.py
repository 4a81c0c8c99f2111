"""Where the time went."""

from __future__ import annotations

from typing import Any

from outgrow.report.charts import chart
from outgrow.report.layout import column, short
from outgrow.report.theme import colour
from outgrow.report.words import amount, seconds
from outgrow.runs.read import Report

ROW = 26


@chart(
    order=110,
    of="study",
    wide=True,
    title="What it cost",
    caption="Wall-clock time by stage, with the arithmetic of the models where it is known. Hollow bars came from the "
    "store, out of an earlier run: their length is the time that they took then.",
)
def costs(report: Report, width: int) -> dict[str, Any] | None:
    """A bar a stage, what was cached apart from what was computed."""
    narrow = width < 600
    rows = []
    for stage in dict.fromkeys(cost["stage"] for cost in report.costs):
        for cached in (False, True):
            found = [c for c in report.costs if c["stage"] == stage and bool(c.get("cached")) is cached]
            took = sum(c.get("seconds") or 0 for c in found)
            flops = sum(c.get("flops") or 0 for c in found)
            if found:
                label = seconds(took) + (f" · {amount(flops, 'FLOP')}" if flops and not narrow else "")
                said = f"{stage}: {seconds(took)}{', from the store' if cached else ''}" + (
                    f", {amount(flops, 'FLOP')}" if flops else ""
                )
                rows.append(
                    {
                        "stage": stage,
                        "seconds": took,
                        "cached": cached,
                        "label": label,
                        "says": said,
                    }
                )
    if not rows:
        return None
    left, right = 112 if narrow else 200, 16 + column([row["label"] for row in rows])
    names = short(list(dict.fromkeys(row["stage"] for row in rows)), left - 12)
    shown = dict(zip(dict.fromkeys(row["stage"] for row in rows), names, strict=True))
    for i, row in enumerate(rows):
        row["y"], row["stage"] = (i + 0.5) * ROW, shown[row["stage"]]
    plot = width - left - right
    top = max(row["seconds"] for row in rows) or 1
    x = {"type": "quantitative", "scale": {"domain": [0, top], "nice": False}, "axis": None}
    y = {"field": "y", "type": "quantitative", "scale": {"domain": [len(rows) * ROW, 0], "nice": False}, "axis": None}
    says = {"field": "says", "type": "nominal"}
    text = {"type": "text", "baseline": "middle", "fontSize": 13}
    computed: dict[str, Any] = {"color": colour("method"), "opacity": 0.85}
    stored: dict[str, Any] = {"filled": False, "stroke": colour("muted"), "strokeWidth": 1.2, "strokeDash": [3, 2]}
    bars: list[dict[str, Any]] = []
    for cached, look in ((False, computed), (True, stored)):
        bars.append(
            {
                "transform": [{"filter": f"datum.cached == {str(cached).lower()}"}],
                "mark": {**look, "type": "bar", "orient": "horizontal", "size": 13},
                "encoding": {"x": {**x, "field": "seconds"}, "y": y, "description": says},
            }
        )
    return {
        "description": "Cost by stage. " + "; ".join(row["says"] for row in rows) + ".",
        "width": plot,
        "height": len(rows) * ROW,
        "autosize": "none",
        "padding": {"left": left, "right": right, "top": 4, "bottom": 4},
        "data": {"values": rows},
        "layer": [
            *bars,
            {"mark": {**text, "align": "left", "x": -left}, "encoding": {"y": y, "text": {"field": "stage"}}},
            {
                "mark": {**text, "align": "left", "dx": 8, "color": colour("muted")},
                "encoding": {"x": {**x, "field": "seconds"}, "y": y, "text": {"field": "label"}},
            },
        ],
    }
