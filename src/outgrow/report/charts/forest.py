"""Every method against naive, task by task and over all of them."""

from __future__ import annotations

from typing import Any

from outgrow.report.charts import chart
from outgrow.report.layout import column, short
from outgrow.report.rows import lettered
from outgrow.report.theme import colour, domain
from outgrow.report.words import point_interval, points
from outgrow.runs.read import Report

ROW = 26
BARS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("a", "b", {"strokeWidth": 11, "opacity": 0.3}),
    ("lo", "hi", {"strokeWidth": 2, "strokeCap": "round"}),
)
"""Ends of the intervals for these tasks and for new tasks, and how they look."""
BEYOND = 2.0
"""Circles further out than this many times what the bars need stand at the edge."""


@chart(
    order=-10,
    of="study",
    wide=True,
    title="What each method gains over naive",
    caption="In points of the score, over all pairs, whether their gap is resolved or not. A small circle is a task, "
    "the mean of its pairs; the filled mark is the mean over all pairs. The thin line is its 95% interval for new "
    "tasks, the broad bar that for new data of these tasks. A circle at the very edge lies beyond it.",
)
def forest(report: Report, width: int) -> dict[str, Any] | None:
    """A row a method, in the order of the leaderboard."""
    found = [
        (m, m["against"]["naive"]["points"])
        for m in (report.comparison or {}).get("methods", [])
        if "naive" in m["against"]
    ]
    found = [(method, total) for method, total in found if total]
    if not found:
        return None
    narrow = width < 600
    left = 118 if narrow else 180
    names = short([method["method"] for method, _ in found], left - 12)
    figures = 10 + column([points(total["value"]) for _, total in found])
    ranges = 14 + column([_range(total) for _, total in found], 12)
    right = figures if narrow else figures + ranges
    plot = width - left - right
    rows, dots = [], []
    for i, (name, (method, total)) in enumerate(zip(names, found, strict=True)):
        at, new, these = (i + 0.5) * ROW, total["ci"], total["ci_these_tasks"]
        told = (
            f"{method['method']}: {points(total['value'])} points; new tasks {point_interval(new) or 'no interval'}; "
            f"these tasks {point_interval(these) or 'no interval'}"
        )
        rows.append({
            "name": name, "y": at, "x": 100 * total["value"], "says": told,
            "label": points(total["value"]), "range": _range(total),
            **_ends("lo", "hi", new), **_ends("a", "b", these),
        })  # fmt: skip
        for task, its in method["by_task"].items():
            said = (
                f"{method['method']} on {task}: {points(its['value'])} points {point_interval(its['ci_these_tasks'])}"
            )
            dots.append({"y": at, "x": 100 * its["value"], "says": said})
    needed = [value for row in rows for name in ("x", "lo", "hi", "a", "b") if (value := row[name]) is not None]
    reach = BEYOND * max(abs(value) for value in needed)
    span = domain(0, *needed, *(min(max(dot["x"], -reach), reach) for dot in dots))
    x = {
        "type": "quantitative",
        "scale": {"domain": span, "nice": False, "clamp": True},
        "axis": {"tickCount": 4 if narrow else 8, "title": None, "format": "+~r"},
    }
    y = {"field": "y", "type": "quantitative", "scale": {"domain": [len(rows) * ROW, 0], "nice": False}, "axis": None}
    says = {"field": "says", "type": "nominal"}
    bars: list[dict[str, Any]] = [
        {
            "transform": [{"filter": f"datum.{low} != null"}],
            "mark": {**look, "type": "rule", "color": colour("method")},
            "encoding": {"x": {**x, "field": low}, "x2": {"field": high}, "y": y, "description": says},
        }
        for low, high, look in BARS
    ]
    marks: list[dict[str, Any]] = [
        {
            "data": {"values": [{"x": 0}]},
            "mark": {"type": "rule", "color": colour("muted"), "strokeWidth": 1.2},
            "encoding": {"x": {**x, "field": "x"}},
        },
        *bars,
        {
            "data": {"values": dots},
            "mark": {
                "type": "point",
                "filled": False,
                "size": 34,
                "strokeWidth": 1.2,
                "color": colour("muted"),
                "opacity": 0.9,
            },
            "encoding": {"x": {**x, "field": "x"}, "y": y, "description": says},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 95, "opacity": 1, "color": colour("method")},
            "encoding": {"x": {**x, "field": "x"}, "y": y, "description": says},
        },
    ]
    told = "Points gained over naive: " + "; ".join(row["says"] for row in rows) + "."
    return lettered(rows, marks, description=told, plot=plot, left=left, right=right, figures=figures, step=ROW)


def _ends(low: str, high: str, ends: list[float] | None) -> dict[str, float | None]:
    return {low: 100 * ends[0] if ends else None, high: 100 * ends[1] if ends else None}


def _range(total: dict[str, Any]) -> str:
    """The interval for new tasks; where there is none, that for these."""
    return point_interval(total["ci"] or total["ci_these_tasks"])
