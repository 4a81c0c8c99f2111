"""What the weak labels are worth: the student's learning curve on gold, and its score with weak labels."""

from __future__ import annotations

import math
from typing import Any

from outgrow.report.charts import chart
from outgrow.report.layout import fitting, percents, width
from outgrow.report.theme import colour, domain
from outgrow.report.words import interval, percent
from outgrow.runs.read import RunPair

LEFT, RIGHT, HEIGHT = 52, 26, 250


@chart(
    order=50,
    title="What these weak labels are worth",
    caption="The curve shows the student trained on more and more gold labels. The horizontal line is the naive "
    "student, trained on weak labels only; where the two meet, you read how many gold labels would have done as "
    "well.",
)
def gold_curve(pair: RunPair, room: int) -> dict[str, Any] | None:
    """The curve with its band, the naive student's level and the mark where they cross."""
    curve = [point for point in pair.get("gold_curve") if point.get("value") is not None and point.get("n")]
    if len(curve) < 2:
        return None
    naive, worth = pair.by_item.row("naive"), pair.details.get("worth") or {}
    level, n = naive.value if naive else None, worth.get("n")
    points = [
        {
            "n": point["n"], "value": point["value"],
            "lo": (point.get("value_ci") or [point["value"]])[0], "hi": (point.get("value_ci") or [point["value"]])[-1],
            "says": f"{point['n']:,} gold labels: {percent(point['value'])} {interval(point.get('value_ci'))}".strip(),
        }
        for point in curve
    ]  # fmt: skip
    span = domain(level, *[point[name] for point in points for name in ("lo", "hi")], among=(0, 1), around=0.1)
    plot = room - LEFT - RIGHT
    numbers = [point["n"] for point in points]
    places = [_along(number, numbers) * plot for number in numbers]
    ticks = [numbers[i] for i in fitting(places, [f"{number:,}" for number in numbers])]
    x = {
        "field": "n",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [numbers[0], numbers[-1]], "nice": False},
        "axis": {"title": "gold labels", "format": ",d", "values": ticks, "grid": False, "labelOverlap": False},
    }
    scale = {"type": "quantitative", "scale": {"domain": span, "nice": False, "zero": False}}
    y = {**scale, "axis": {**percents(span, HEIGHT, upright=True), "title": None}}
    layers = _curve(points, x, y)
    if level is not None:
        layers += _level(level, y)
    if level is not None and n and numbers[0] <= n <= numbers[-1]:
        layers += _crossing(n, level, span, x, y, _along(n, numbers) * plot, plot)
    said = f"; the naive student scores {percent(level)}" if level is not None else ""
    worth_said = f", worth {n:,.0f} gold labels" if n else ""
    return {
        "description": f"{'; '.join(point['says'] for point in points)}{said}{worth_said}.",
        "width": plot,
        "height": HEIGHT,
        "autosize": "none",
        "padding": {"left": LEFT, "right": RIGHT, "top": 16, "bottom": 46},
        "layer": layers,
    }


def _along(n: float, numbers: list[int]) -> float:
    """Where n stands on the logarithmic axis, 0 .. 1."""
    return (math.log(n) - math.log(numbers[0])) / (math.log(numbers[-1]) - math.log(numbers[0]))


def _curve(points: list[dict[str, Any]], x: dict[str, Any], y: dict[str, Any]) -> list[dict[str, Any]]:
    curved, data = colour("ceiling"), {"values": points}
    return [
        {
            "data": data,
            "mark": {"type": "area", "color": curved, "opacity": 0.16},
            "encoding": {"x": x, "y": {**y, "field": "lo"}, "y2": {"field": "hi"}},
        },
        {
            "data": data,
            "mark": {"type": "line", "color": curved, "strokeWidth": 2.5},
            "encoding": {"x": x, "y": {**y, "field": "value"}},
        },
        {
            "data": data,
            "mark": {"type": "point", "filled": True, "shape": "diamond", "size": 75, "color": curved, "opacity": 1},
            "encoding": {"x": x, "y": {**y, "field": "value"}, "description": {"field": "says", "type": "nominal"}},
        },
    ]


def _level(level: float, y: dict[str, Any]) -> list[dict[str, Any]]:
    """The naive student's score across the plot, with words above it at the left, where the curve is still below."""
    data = {"values": [{"value": level, "text": f"naive, weak labels only: {percent(level)}"}]}
    blue = colour("method")
    words = {
        "type": "text", "align": "left", "baseline": "bottom", "x": 4, "dy": -6, "color": blue, "fontWeight": 600,
    }  # fmt: skip
    return [
        {
            "data": data,
            "mark": {"type": "rule", "color": blue, "strokeWidth": 2},
            "encoding": {"y": {**y, "field": "value"}},
        },
        {"data": data, "mark": words, "encoding": {"y": {**y, "field": "value"}, "text": {"field": "text"}}},
    ]


def _crossing(
    n: float, level: float, span: list[float], x: dict[str, Any], y: dict[str, Any], at: float, plot: float
) -> list[dict[str, Any]]:
    """A line from the crossing down to the axis, and the number beside it, on the side where there is room."""
    text = f"{n:,.0f} gold labels"
    data = {"values": [{"n": n, "value": level, "bottom": span[0], "text": text}]}
    fits = at + 7 + width(text, 12, bold=True) <= plot
    place = {"align": "left", "dx": 7} if fits else {"align": "right", "dx": -7}
    blue = colour("method")
    words = {"type": "text", "baseline": "bottom", "dy": -6, "color": blue, "fontWeight": 600, **place}
    return [
        {
            "data": data,
            "mark": {"type": "rule", "color": blue, "strokeWidth": 1.5, "strokeDash": [4, 3]},
            "encoding": {"x": x, "y": {**y, "field": "bottom"}, "y2": {"field": "value"}},
        },
        {
            "data": data,
            "mark": {"type": "point", "filled": True, "size": 110, "color": blue, "opacity": 1},
            "encoding": {"x": x, "y": {**y, "field": "value"}},
        },
        {"data": data, "mark": words, "encoding": {"x": x, "y": {**y, "field": "bottom"}, "text": {"field": "text"}}},
    ]
