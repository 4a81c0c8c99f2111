"""A chart of rows: name, mark with its interval, and the figure in words; on phones names stand above marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from outgrow.report.layout import percents, short, width
from outgrow.report.theme import colour

NARROW = 600
"""Pixels below which a chart is drawn for phones."""
MOST_NAME, FIGURE = 290, 62
"""Pixels for names and for figures beside the plot."""


@dataclass(frozen=True)
class Row:
    """A share with its interval."""

    name: str
    at: float
    ci: Sequence[float] | None
    paint: str
    """Name of its colour."""
    figure: str
    """The share in words."""
    says: str
    """What its tooltip says."""


def rows(found: Sequence[Row], *, description: str, title: str, span: Sequence[float], room: int) -> dict[str, Any]:
    """The rows as a Vega-Lite spec.

    Args:
        found: The rows, from the top.
        description: For people who cannot see the chart.
        title: What the axis shows.
        span: Both ends of the axis.
        room: Pixels for the whole chart.
    """
    named = any(row.name for row in found)
    above = room < NARROW and named
    left = min(MOST_NAME, 16 + max(width(row.name) for row in found)) if named and not above else 16
    step = 48 if above else 28
    plot = room - left - FIGURE
    names = short([row.name for row in found], room - 12 if above else left - 12)
    values = [
        {
            "name": name, "at": row.at, "low": row.ci[0] if row.ci else row.at, "high": row.ci[1] if row.ci else row.at,
            "paint": colour(row.paint), "figure": row.figure, "says": row.says,
            "y": i * step + (28 if above else step / 2), "name_y": i * step + (13 if above else step / 2),
        }
        for i, (row, name) in enumerate(zip(found, names, strict=True))
    ]  # fmt: skip
    height = len(found) * step
    axis = {**percents(span, plot), "title": title}
    x = {"type": "quantitative", "scale": {"domain": list(span), "zero": False, "nice": False}, "axis": axis}
    y = {"field": "y", "type": "quantitative", "scale": {"domain": [height, 0], "nice": False}, "axis": None}
    paint = {"field": "paint", "type": "nominal", "scale": None, "legend": None}
    says = {"field": "says", "type": "nominal"}
    text = {"type": "text", "baseline": "middle", "fontSize": 13}
    return {
        "description": description,
        "width": plot,
        "height": height,
        "autosize": "none",
        "padding": {"left": left, "right": FIGURE, "top": 6, "bottom": 46},
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2.5, "strokeCap": "round"},
                "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, "color": paint},
            },
            {
                "mark": {"type": "point", "filled": True, "opacity": 1, "size": 95},
                "encoding": {"x": {**x, "field": "at"}, "y": y, "color": paint, "description": says},
            },
            {
                "mark": {**text, "align": "left", "x": -left},
                "encoding": {"y": {**y, "field": "name_y"}, "text": {"field": "name"}, "description": says},
            },
            {
                "mark": {**text, "align": "right", "x": plot + FIGURE - 4},
                "encoding": {"y": y, "text": {"field": "figure"}},
            },
        ],
    }


def lettered(
    values: Sequence[dict[str, Any]],
    marks: Sequence[dict[str, Any]],
    *,
    description: str,
    plot: float,
    left: float,
    right: float,
    figures: float,
    step: int,
) -> dict[str, Any]:
    """Marks between names and figures, as a Vega-Lite spec.

    Args:
        values: A row each, from the top: `name`, `label` (the figure), `range` (its interval), `y` and `says`.
        marks: The layers of the plot.
        description: For people who cannot see the chart.
        plot: Pixels between the margins.
        left: Pixels for names.
        right: Pixels for figures and, where it is more than `figures`, for intervals.
        figures: Pixels for figures.
        step: Pixels a row.
    """
    height = len(values) * step
    y = {"field": "y", "type": "quantitative", "scale": {"domain": [height, 0], "nice": False}, "axis": None}
    text = {"type": "text", "baseline": "middle", "fontSize": 13}
    says = {"field": "says", "type": "nominal"}
    layers = [
        *marks,
        {
            "mark": {**text, "align": "left", "x": -left},
            "encoding": {"y": y, "text": {"field": "name"}, "description": says},
        },
        {"mark": {**text, "align": "right", "x": plot + figures}, "encoding": {"y": y, "text": {"field": "label"}}},
    ]
    if right > figures:
        small = {**text, "align": "right", "x": plot + right, "fontSize": 12, "color": colour("muted")}
        layers.append({"mark": small, "encoding": {"y": y, "text": {"field": "range"}}})
    return {
        "description": description,
        "width": plot,
        "height": height,
        "autosize": "none",
        "padding": {"left": left, "right": right, "top": 8, "bottom": 30},
        "data": {"values": list(values)},
        "layer": layers,
    }
