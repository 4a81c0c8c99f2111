"""Reliability: how often a label is right, given its confidence."""

from __future__ import annotations

from typing import Any

from outgrow.report.charts import chart
from outgrow.report.layout import legend, percents
from outgrow.report.theme import colour
from outgrow.report.words import percent
from outgrow.runs.read import RunPair

LEFT, RIGHT, HEIGHT = 52, 22, 250
STYLES = (("floor", "floor", "square"), ("naive", "method", "circle"), ("ceiling", "ceiling", "diamond"))


@chart(
    order=70,
    title="Does it know when it is right?",
    caption="Test items grouped by the model’s confidence, against how often it was right; larger marks hold more "
    "items. On the diagonal, confidence can be believed; below it, the model is overconfident. ECE (expected "
    "calibration error) is the mean distance from the diagonal.",
)
def calibration(pair: RunPair, width: int) -> dict[str, Any] | None:
    """A line each for the supervisor, the naive student, the best method and the student with gold."""
    best = pair.main.best
    styles = [*STYLES]
    if best and best.method != "naive":
        styles.insert(2, (best.method, "ink", "triangle-up"))
    entries = {name: pair.entry("calibration", name) or {} for name, _, _ in styles}
    series = [(entries[name], name, paint, shape) for name, paint, shape in styles if entries[name].get("bins")]
    if not series:
        return None
    names = [f"{name} (ECE {percent(entry.get('ece'))})" for entry, name, _, _ in series]
    shown, keys, top = legend(names, width - LEFT)
    bins = [
        {
            "name": said,
            "confidence": b["confidence"],
            "accuracy": b["accuracy"],
            "count": b["count"],
            "says": f"{name}: of {b['count']:,} labels given with {percent(b['confidence'], 0)} confidence, "
            f"{percent(b['accuracy'], 0)} were right",
        }
        for said, (entry, name, _, _) in zip(shown, series, strict=True)
        for b in entry["bins"]
        if b.get("count") and b.get("accuracy") is not None
    ]
    low = max(0.0, min(min(b["confidence"], b["accuracy"]) for b in bins) - 0.03)
    span, plot = [low, 1.0], width - LEFT - RIGHT
    scale = {"type": "quantitative", "scale": {"domain": span, "nice": False, "zero": False}}
    x = {**scale, "field": "confidence", "axis": {**percents(span, plot), "title": "confidence"}}
    y = {**scale, "field": "accuracy", "axis": {**percents(span, HEIGHT, upright=True), "title": None}}
    by = {"field": "name", "type": "nominal"}
    paint = {**by, "scale": {"domain": shown, "range": [colour(paint) for _, _, paint, _ in series]}}
    shape = {**by, "scale": {"domain": shown, "range": [shape for *_, shape in series]}, "legend": keys}
    size = {"field": "count", "type": "quantitative", "scale": {"type": "sqrt", "range": [25, 170]}, "legend": None}
    return {
        "description": "Reliability. " + "; ".join(names) + ".",
        "width": plot,
        "height": HEIGHT,
        "autosize": "none",
        "padding": {"left": LEFT, "right": RIGHT, "top": top, "bottom": 46},
        "layer": [
            {
                "data": {"values": [{"confidence": low, "accuracy": low}, {"confidence": 1, "accuracy": 1}]},
                "mark": {"type": "line", "color": colour("muted"), "strokeWidth": 1.2, "strokeDash": [4, 4]},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": bins},
                "mark": {"type": "line", "strokeWidth": 1.6, "opacity": 0.75},
                "encoding": {"x": x, "y": y, "color": {**paint, "legend": keys}},
            },
            {
                "data": {"values": bins},
                "mark": {"type": "point", "filled": True, "opacity": 1},
                "encoding": {
                    "x": x, "y": y, "color": {**paint, "legend": keys}, "shape": shape, "size": size,
                    "description": {"field": "says", "type": "nominal"},
                },
            },
        ],
    }  # fmt: skip
