"""Curves with bands and their names: at their right ends, or, on phones, below the plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from outgrow.report.layout import apart, percents, short, width
from outgrow.report.rows import NARROW
from outgrow.report.theme import colour

LEFT, LINE, BELOW = 48, 19, 50
"""Pixels: left of the plot, from one name to the next, and for the axis below."""
BARE, NAMES = 20, 250
"""Pixels right of the plot: without names, and with the longest."""


@dataclass(frozen=True)
class Point:
    """A share at x with its interval."""

    x: float
    at: float
    ci: Sequence[float] | None
    says: str
    """What its tooltip says."""


@dataclass(frozen=True)
class Curve:
    """A line with a name; of a single point, a level across the plot."""

    name: str
    points: tuple[Point, ...]
    paint: str
    """Name of its colour."""
    dash: tuple[int, int] = (1, 0)


def curves(
    found: Sequence[Curve], x: dict[str, Any], *, description: str, span: Sequence[float], room: int, height: int
) -> dict[str, Any]:
    """The curves as a Vega-Lite spec.

    Args:
        found: The curves.
        x: Scale and axis of the horizontal axis, as Vega-Lite has them.
        description: For people who cannot see the chart.
        span: Both ends of the vertical axis.
        room: Pixels for the whole chart.
        height: Pixels of the plot alone.
    """
    narrow = room < NARROW
    right = BARE if narrow else min(NAMES, 18 + max(width(curve.name, 12, bold=True) for curve in found))
    plot = room - LEFT - right
    names = short([curve.name for curve in found], room - 30 if narrow else right - 14, 12, bold=True)
    scale = {"domain": list(span), "nice": False, "zero": False}
    y = {"type": "quantitative", "scale": scale, "axis": {**percents(span, height, upright=True), "title": None}}
    across = {"field": "x", "type": "quantitative", **x}
    layers = [layer for curve in found for layer in _curve(curve, across, y)]
    bottom = BELOW
    if narrow:
        layers += [
            _below(name, curve, height + BELOW + LINE * i)
            for i, (name, curve) in enumerate(zip(names, found, strict=True))
        ]
        bottom += LINE * len(found) + 4
    else:
        ends = [curve.points[-1].at for curve in found]
        places = apart(ends, LINE / height * (span[1] - span[0]), (span[0], span[1]))
        layers += [
            _beside(name, curve, place, y, plot) for name, curve, place in zip(names, found, places, strict=True)
        ]
    return {
        "description": description,
        "width": plot,
        "height": height,
        "autosize": "none",
        "padding": {"left": LEFT, "right": right, "top": 14, "bottom": bottom},
        "layer": layers,
    }


def least(room: int) -> int:
    """Pixels that a plot is wide at least, in a chart of `room` pixels."""
    return room - LEFT - (BARE if room < NARROW else NAMES)


def _curve(curve: Curve, x: dict[str, Any], y: dict[str, Any]) -> list[dict[str, Any]]:
    """A band, a line and its points; a level is a rule."""
    shade = colour(curve.paint)
    data = {
        "values": [
            {"x": p.x, "at": p.at, "low": p.ci[0] if p.ci else p.at, "high": p.ci[-1] if p.ci else p.at, "says": p.says}
            for p in curve.points
        ]
    }
    says = {"field": "says", "type": "nominal"}
    if len(curve.points) == 1:
        mark = {"type": "rule", "strokeWidth": 1.5, "strokeDash": list(curve.dash), "color": shade}
        return [{"data": data, "mark": mark, "encoding": {"y": {**y, "field": "at"}, "description": says}}]
    line = {"type": "line", "color": shade, "strokeWidth": 2.5, "strokeDash": list(curve.dash)}
    return [
        {
            "data": data,
            "mark": {"type": "area", "color": shade, "opacity": 0.13},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {"data": data, "mark": line, "encoding": {"x": x, "y": {**y, "field": "at"}}},
        {
            "data": data,
            "mark": {"type": "point", "filled": True, "size": 42, "opacity": 1, "color": shade},
            "encoding": {"x": x, "y": {**y, "field": "at"}, "description": says},
        },
    ]


def _beside(name: str, curve: Curve, place: float, y: dict[str, Any], plot: float) -> dict[str, Any]:
    shade = colour(curve.paint)
    mark = {"type": "text", "align": "left", "baseline": "middle", "x": plot + 10, "color": shade, "fontWeight": 600}
    data = {"values": [{"at": place, "text": name}]}
    return {"data": data, "mark": mark, "encoding": {"y": {**y, "field": "at"}, "text": {"field": "text"}}}


def _below(name: str, curve: Curve, top: float) -> dict[str, Any]:
    """A piece of the line, and its name."""
    shade = colour(curve.paint)
    key = {"type": "rule", "strokeWidth": 2.5, "strokeDash": list(curve.dash), "color": shade}
    text = {"type": "text", "align": "left", "baseline": "middle", "color": shade, "fontWeight": 600, "text": name}
    start, end, level = ({"value": number} for number in (-LEFT, 20 - LEFT, top))
    return {
        "data": {"values": [{}]},
        "layer": [
            {"mark": key, "encoding": {"x": start, "x2": end, "y": level}},
            {"mark": {**text, "x": 26 - LEFT, "y": top}, "encoding": {}},
        ],
    }
