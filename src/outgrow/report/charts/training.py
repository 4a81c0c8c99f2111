"""Accuracy over training."""

from __future__ import annotations

from typing import Any

from outgrow.report.charts import chart
from outgrow.report.layout import apart, percents, short
from outgrow.report.theme import SERIES, colour, domain
from outgrow.report.words import percent
from outgrow.runs.read import RunPair

LEFT, RIGHT = 52, 112
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 3], [1, 3])


@chart(
    order=60,
    title="Accuracy over training",
    caption="Mean accuracy on the test items while the student trains (the ceiling on gold, all others on weak "
    "labels). A curve that rises and then falls first learned what is right and then its teacher’s errors. For "
    "display only: nothing was stopped or chosen by it.",
)
def training(pair: RunPair, width: int) -> dict[str, Any] | None:
    """A named line for each method and the ceiling; of many methods, naive and the best alone are coloured."""
    shown = [entry for entry in pair.get("training") if len(entry.get("accuracy") or []) > 1]
    if not shown:
        return None
    best = pair.main.best
    taught = [entry for entry in shown if entry["method"] != "ceiling"]
    named = taught
    if len(taught) > len(SERIES):
        named = [entry for entry in taught if entry["method"] in ("naive", best.method if best else "")]
    others = [entry for entry in taught if entry not in named]
    gold = [entry for entry in shown if entry["method"] == "ceiling"]
    floor = pair.by_item.floor.value if pair.by_item.floor else None
    span = domain(floor, *[value for entry in shown for value in entry["accuracy"]], among=(0, 1), around=0.08)
    height, plot = 250, width - LEFT - RIGHT
    x = {
        "field": "progress",
        "type": "quantitative",
        "scale": {"domain": [0, 1], "nice": False},
        "axis": {**percents((0, 1), plot), "title": "of the training", "grid": False},
    }
    scale = {"type": "quantitative", "scale": {"domain": span, "nice": False, "zero": False}}
    y = {**scale, "axis": {**percents(span, height, upright=True), "title": None}}
    styles = [(entry, SERIES[i], DASHES[i]) for i, entry in enumerate(named)]
    styles += [(entry, colour("ceiling"), [1, 0]) for entry in gold]
    layers = [_line(entry, x, y, colour("line"), [1, 0], 1.2) for entry in others]
    layers += [_line(entry, x, y, paint, dash, 2.3) for entry, paint, dash in styles]
    ends = [(entry["method"], entry["accuracy"][-1], paint) for entry, paint, _ in styles]
    if floor is not None:
        mark = {"type": "rule", "color": colour("floor"), "strokeWidth": 1.2, "strokeDash": [3, 3]}
        layers.append(
            {"data": {"values": [{"value": floor}]}, "mark": mark, "encoding": {"y": {**y, "field": "value"}}}
        )
        ends.append(("floor", floor, colour("floor")))
    per = (span[1] - span[0]) / height
    names = short([name for name, _, _ in ends], RIGHT - 12, 12, bold=True)
    places = apart([value for _, value, _ in ends], 16 * per, (span[0], span[1]))
    for name, (_, _, paint), place in zip(names, ends, places, strict=True):
        mark = {"type": "text", "align": "left", "baseline": "middle", "x": plot + 8, "color": paint, "fontWeight": 600}
        data = {"values": [{"value": place, "text": name}]}
        layers.append(
            {"data": data, "mark": mark, "encoding": {"y": {**y, "field": "value"}, "text": {"field": "text"}}}
        )
    said = [f"{e['method']} ends at {percent(e['accuracy'][-1])}, highest {percent(max(e['accuracy']))}" for e in shown]
    return {
        "description": "Score over training: " + "; ".join(said) + ".",
        "width": plot,
        "height": height,
        "autosize": "none",
        "padding": {"left": LEFT, "right": RIGHT, "top": 16, "bottom": 46},
        "layer": layers,
    }


def _line(
    entry: dict[str, Any], x: dict[str, Any], y: dict[str, Any], paint: str, dash: list[int], thick: float
) -> dict[str, Any]:
    points = [{"progress": p, "value": v} for p, v in zip(entry["progress"], entry["accuracy"], strict=True)]
    return {
        "data": {"values": points},
        "mark": {
            "type": "line",
            "color": paint,
            "strokeWidth": thick,
            "strokeDash": dash,
            "description": entry["method"],
        },
        "encoding": {"x": x, "y": {**y, "field": "value"}},
    }
