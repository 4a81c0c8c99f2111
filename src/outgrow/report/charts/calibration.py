"""Reliability: how often an answer is right, given how sure it was."""

from __future__ import annotations

from outgrow.report.charts import chart
from outgrow.report.theme import colour
from outgrow.report.words import percent
from outgrow.runs.read import RunPair

STYLES = (("floor", "floor", "square"), ("naive", "method", "circle"), ("ceiling", "ceiling", "diamond"))


@chart(
    order=70,
    title="Does it know when it is right?",
    caption="Answers grouped by how sure the model was, against how often they were right; larger marks hold more answers. On the diagonal, "
    "sureness can be believed; below it, the model is too sure of itself. ECE is the mean distance from the diagonal.",
)
def calibration(pair: RunPair, width: int) -> dict | None:
    """A line each for the supervisor, the naive student, the best method and the student with gold."""
    best = pair.main.best
    styles = [*STYLES]
    if best and best.method != "naive":
        styles.insert(2, (best.method, "ink", "triangle-up"))
    series = [(pair.entry("calibration", name), name, paint, shape) for name, paint, shape in styles]
    series = [found for found in series if found[0] and found[0].get("bins")]
    if not series:
        return None
    bins = [
        {
            "name": f"{name} (ECE {percent(entry.get('ece'))})",
            "confidence": b["confidence"],
            "accuracy": b["accuracy"],
            "count": b["count"],
            "says": f"{name}: of {b['count']:,} answers that were {percent(b['confidence'], 0)} sure, "
            f"{percent(b['accuracy'], 0)} were right",
        }
        for entry, name, _, _ in series
        for b in entry["bins"]
        if b.get("count") and b.get("accuracy") is not None
    ]
    low = max(0.0, min(min(b["confidence"], b["accuracy"]) for b in bins) - 0.03)
    scale = {"type": "quantitative", "scale": {"domain": [low, 1], "nice": False, "zero": False}}
    x = {**scale, "field": "confidence", "axis": {"format": ".0%", "title": "how sure the answer was", "tickCount": 5}}
    y = {**scale, "field": "accuracy", "axis": {"format": ".0%", "title": None, "tickCount": 5}}
    names = [f"{name} (ECE {percent(entry.get('ece'))})" for entry, name, _, _ in series]
    legend = {"legend": {"columns": 2, "offset": 10}}
    by = {"field": "name", "type": "nominal"}
    paint = {**by, "scale": {"domain": names, "range": [colour(paint) for _, _, paint, _ in series]}}
    shape = {**by, "scale": {"domain": names, "range": [shape for *_, shape in series]}, **legend}
    size = {"field": "count", "type": "quantitative", "scale": {"type": "sqrt", "range": [25, 170]}, "legend": None}
    return {
        "description": "Reliability. " + "; ".join(names) + ".",
        "width": width - 74,
        "height": 250,
        "autosize": "none",
        "padding": {"left": 52, "right": 22, "top": 62, "bottom": 46},
        "layer": [
            {
                "data": {"values": [{"confidence": low, "accuracy": low}, {"confidence": 1, "accuracy": 1}]},
                "mark": {"type": "line", "color": colour("muted"), "strokeWidth": 1.2, "strokeDash": [4, 4]},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": bins},
                "mark": {"type": "line", "strokeWidth": 1.6, "opacity": 0.75},
                "encoding": {"x": x, "y": y, "color": {**paint, **legend}},
            },
            {
                "data": {"values": bins},
                "mark": {"type": "point", "filled": True, "opacity": 1},
                "encoding": {
                    "x": x, "y": y, "color": {**paint, **legend}, "shape": shape, "size": size,
                    "description": {"field": "says", "type": "nominal"},
                },
            },
        ],
    }  # fmt: skip
