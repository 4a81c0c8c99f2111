"""Supervisor's size against the student's score, after figure 3 of Burns et al. 2023."""

from __future__ import annotations

import math
from typing import Any

from outgrow.report.charts import chart
from outgrow.report.layout import fitting, percents, short
from outgrow.report.theme import colour, domain
from outgrow.report.words import amount, interval, percent
from outgrow.runs.read import Report, RunPair

HEIGHT = 230
LINES = (
    ("ceiling", "ceiling", "diamond"),
    ("best method", "ink", "triangle-up"),
    ("naive", "method", "circle"),
    ("floor", "floor", "square"),
)


@chart(
    order=6,
    of="study",
    wide=True,
    title="Does a bigger teacher help?",
    caption="Each column of marks is one supervisor, placed by its number of parameters (log scale); the lines are "
    "the supervisor itself, the student that it taught, and the same student trained on gold. Where the student is "
    "above the floor it outgrew its teacher.",
)
def sizes(report: Report, width: int) -> dict[str, Any] | None:
    """One panel a (task, student) that was taught by at least two models of different size."""
    by_panel: dict[str, list[dict[str, Any]]] = {}
    students = {pair.strong for pair in report.pairs}
    for pair in report.pairs:
        parameters = (report.models.get(pair.weak) or {}).get("parameters")
        if parameters:
            panel = pair.task if len(students) == 1 else f"{pair.task} · {pair.strong}"
            by_panel.setdefault(panel, []).extend(_points(pair, parameters, panel))
    panels = {name: points for name, points in by_panel.items() if len({p["parameters"] for p in points}) > 1}
    if not panels:
        return None
    columns = 1 if width < 600 or len(panels) == 1 else 2
    inner = (width - 28) / 2 - 56 if columns == 2 else min(width - 70, 560)
    titles = short(list(panels), inner, bold=True)
    points = [
        {**point, "panel": title} for title, found in zip(titles, panels.values(), strict=True) for point in found
    ]
    span = domain(*[p[name] for p in points for name in ("value", "lo", "hi")], among=(0, 1))
    known = sorted({p["parameters"] for p in points})
    ends = [math.log(known[0] / 1.25), math.log(known[-1] * 1.25)]
    places = [inner * (math.log(number) - ends[0]) / (ends[1] - ends[0]) for number in known]
    ticks = [known[i] for i in fitting(places, [amount(number) for number in known])]
    x = {
        "field": "parameters",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [known[0] / 1.25, known[-1] * 1.25], "nice": False},
        "axis": {
            "title": "parameters of the supervisor",
            "values": ticks,
            "labelExpr": " : ".join(f"datum.value == {number} ? '{amount(number)}'" for number in ticks) + " : ''",
            "grid": False,
            "labelOverlap": False,
        },
    }
    scale = {"type": "quantitative", "scale": {"domain": span, "nice": False, "zero": False}}
    y = {**scale, "axis": {**percents(span, HEIGHT, upright=True), "title": None}}
    by = {"field": "line", "type": "nominal"}
    names = [name for name, _, _ in LINES]
    paint = {**by, "scale": {"domain": names, "range": [colour(c) for _, c, _ in LINES]}}
    shape = {**by, "scale": {"domain": names, "range": [s for *_, s in LINES]}}
    return {
        "description": "Scores by the supervisor's size. " + "; ".join(p["says"] for p in points) + ".",
        "data": {"values": points},
        "facet": {"field": "panel", "type": "nominal", "title": None, "header": {"labelAnchor": "start"}},
        "columns": columns,
        "resolve": {"axis": {"x": "independent", "y": "independent"}},
        "spacing": 28,
        "spec": {
            "width": inner,
            "height": HEIGHT,
            "layer": [
                {
                    "mark": {"type": "line", "strokeWidth": 2},
                    "encoding": {"x": x, "y": {**y, "field": "value"}, "color": paint},
                },
                {
                    "transform": [{"filter": "datum.lo != null"}],
                    "mark": {"type": "rule", "strokeWidth": 2},
                    "encoding": {"x": x, "y": {**y, "field": "lo"}, "y2": {"field": "hi"}, "color": paint},
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 85, "opacity": 1},
                    "encoding": {
                        "x": x,
                        "y": {**y, "field": "value"},
                        "color": paint,
                        "shape": shape,
                        "description": {"field": "says", "type": "nominal"},
                    },
                },
            ],
        },
    }


def _points(pair: RunPair, parameters: int, panel: str) -> list[dict[str, Any]]:
    view = pair.main
    rows = {"ceiling": view.ceiling, "best method": view.best, "naive": view.row("naive"), "floor": view.floor}
    points = []
    for line, row in rows.items():
        if row is not None and row.value is not None:
            lo, hi = row.value_ci or (None, None)
            score = f"{percent(row.value)} {interval(row.value_ci)}"
            said = f"{panel}, {pair.weak} ({amount(parameters)}), {row.method}: {score}"
            points.append(
                {
                    "panel": panel,
                    "line": line,
                    "parameters": parameters,
                    "value": row.value,
                    "lo": lo,
                    "hi": hi,
                    "says": said,
                }
            )
    return points
