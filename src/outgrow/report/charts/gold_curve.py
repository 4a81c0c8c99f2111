"""What the weak labels are worth: the student's learning curve on gold, with the level that it reached on weak labels."""

from __future__ import annotations

from outgrow.report.charts import chart
from outgrow.report.theme import colour, domain
from outgrow.report.words import interval, percent
from outgrow.runs.read import RunPair


@chart(
    order=50,
    title="What these weak labels are worth",
    caption="The curve shows the student taught by more and more gold labels. The horizontal line is the naive student, taught by weak "
    "labels only; where the two meet, you read how many gold labels would have done as well.",
)
def gold_curve(pair: RunPair, width: int) -> dict | None:
    """The curve with its band, the naive student's level and the mark where they cross."""
    curve = [point for point in pair.get("gold_curve") if point.get("value") is not None and point.get("n")]
    if len(curve) < 2:
        return None
    naive, worth = pair.main.row("naive"), pair.details.get("worth") or {}
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
    low, high = points[0]["n"], points[-1]["n"]
    x = {
        "field": "n",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [low, high], "nice": False},
        "axis": {
            "title": "gold labels",
            "format": ",d",
            "values": _ticks([point["n"] for point in points]),
            "grid": False,
        },
    }
    scale = {"type": "quantitative", "scale": {"domain": span, "nice": False, "zero": False}}
    y = {**scale, "axis": {"format": ".0%", "tickCount": 5, "title": None}}
    curved, blue = colour("ceiling"), colour("method")
    layers = [
        {
            "data": {"values": points},
            "mark": {"type": "area", "color": curved, "opacity": 0.16},
            "encoding": {"x": x, "y": {**y, "field": "lo"}, "y2": {"field": "hi"}},
        },
        {
            "data": {"values": points},
            "mark": {"type": "line", "color": curved, "strokeWidth": 2.5},
            "encoding": {"x": x, "y": {**y, "field": "value"}},
        },
        {
            "data": {"values": points},
            "mark": {"type": "point", "filled": True, "shape": "diamond", "size": 75, "color": curved, "opacity": 1},
            "encoding": {"x": x, "y": {**y, "field": "value"}, "description": {"field": "says", "type": "nominal"}},
        },
    ]
    if level is not None:
        layers += _level(level, x, y, blue, width - 74)
    if level is not None and n and low <= n <= high:
        layers += _mark(n, level, span, x, y, blue)
    said = f"; the naive student scores {percent(level)}" if level is not None else ""
    return {
        "description": "; ".join(point["says"] for point in points)
        + said
        + (f", worth {n:,.0f} gold labels" if n else "")
        + ".",
        "width": width - 74,
        "height": 250,
        "autosize": "none",
        "padding": {"left": 52, "right": 22, "top": 16, "bottom": 46},
        "layer": layers,
    }


def _level(level: float, x: dict, y: dict, blue: str, plot: int) -> list[dict]:
    data = {"values": [{"value": level, "text": f"naive, weak labels only: {percent(level)}"}]}
    words = {
        "type": "text",
        "align": "right",
        "baseline": "top",
        "x": plot - 4,
        "dy": 6,
        "color": blue,
        "fontWeight": 600,
    }
    return [
        {
            "data": data,
            "mark": {"type": "rule", "color": blue, "strokeWidth": 2},
            "encoding": {"y": {**y, "field": "value"}},
        },
        {"data": data, "mark": words, "encoding": {"y": {**y, "field": "value"}, "text": {"field": "text"}}},
    ]


def _mark(n: float, level: float, span: list[float], x: dict, y: dict, blue: str) -> list[dict]:
    """A line from the crossing down to the axis, and the number beside it."""
    data = {"values": [{"n": n, "value": level, "bottom": span[0], "text": f"{n:,.0f} gold labels"}]}
    words = {"type": "text", "align": "left", "baseline": "bottom", "dx": 7, "dy": -6, "color": blue, "fontWeight": 600}
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


def _ticks(numbers: list[int]) -> list[int]:
    """At most five of the numbers, ends included."""
    step = max(1, -(-(len(numbers) - 1) // 4))
    return [*numbers[:-1:step][: (len(numbers) - 1 + step - 1) // step], numbers[-1]]
