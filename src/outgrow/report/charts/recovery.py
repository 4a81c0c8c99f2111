"""PGR of every method and contrast, with both of its intervals."""

from __future__ import annotations

from typing import Any

from outgrow.metrics.pgr import SummaryRow
from outgrow.report.charts import chart
from outgrow.report.layout import column, percents, short
from outgrow.report.rows import lettered
from outgrow.report.theme import colour, domain, kinds
from outgrow.report.words import interval, share
from outgrow.runs.read import MetricView

ROW = 28


@chart(
    order=20,
    of="view",
    wide=True,
    title="How much of the gap was recovered (PGR)",
    caption="0% is the floor, what taught; 100% is the ceiling, the same student trained on gold. The thin line is "
    "the 95% interval for new data from the same source, the one to quote; the broad bar is the interval for these "
    "very items. Below 0% the student scored less than its teacher; above 100%, more than with gold.",
)
def recovery(view: MetricView, width: int) -> dict[str, Any] | None:
    """A mark, a line and a bar for each method and contrast that has a PGR."""
    narrow = width < 600
    shown = [row for row in view.of("method", "gold", "contrast") if row.pgr is not None]
    if not shown:
        return None
    left = 118 if narrow else 200
    names = short([row.method for row in shown], left - 12)
    figures, ranges = (10 + column([share(row.pgr) for row in shown]), 14 + column([_range(row) for row in shown], 12))
    right = figures if narrow else figures + ranges
    plot = width - left - right
    rows: list[dict[str, Any]] = [
        {
            "kind": row.kind, "name": name, "pgr": row.pgr, "y": (i + 0.5) * ROW,
            "lo": row.pgr_ci[0] if row.pgr_ci else None, "hi": row.pgr_ci[1] if row.pgr_ci else None,
            "a": row.pgr_ci_this_pool[0] if row.pgr_ci_this_pool else None,
            "b": row.pgr_ci_this_pool[1] if row.pgr_ci_this_pool else None,
            "label": share(row.pgr), "range": _range(row),
            "says": f"{row.method}: {share(row.pgr)}; new data {interval(row.pgr_ci, 0) or 'no interval'}; "
            f"this pool {interval(row.pgr_ci_this_pool, 0) or 'no interval'}",
        }
        for i, (name, row) in enumerate(zip(names, shown, strict=True))
    ]  # fmt: skip
    span = domain(0, 1, *[row[name] for row in rows for name in ("pgr", "lo", "hi", "a", "b")], around=0.04)
    x = {
        "type": "quantitative",
        "scale": {"domain": span, "nice": False},
        "axis": {**percents(span, plot), "title": None},
    }
    y = {"field": "y", "type": "quantitative", "scale": {"domain": [len(rows) * ROW, 0], "nice": False}, "axis": None}
    says = {"field": "says", "type": "nominal"}
    marks: list[dict[str, Any]] = [
        {
            "data": {"values": [{"a": 0, "b": 1}]},
            "mark": {"type": "rect", "color": colour("gap")},
            "encoding": {"x": {**x, "field": "a"}, "x2": {"field": "b"}},
        },
        *[
            {
                "data": {"values": [{"a": at}]},
                "mark": {"type": "rule", "color": colour(kind), "strokeWidth": 1.5},
                "encoding": {"x": {**x, "field": "a"}},
            }
            for at, kind in ((0, "floor"), (1, "ceiling"))
        ],
        {
            "transform": [{"filter": "datum.a != null"}],
            "mark": {"type": "rule", "strokeWidth": 11, "opacity": 0.35},
            "encoding": {
                "x": {**x, "field": "a"},
                "x2": {"field": "b"},
                "y": y,
                "color": kinds("color"),
                "description": says,
            },
        },
        {
            "transform": [{"filter": "datum.lo != null"}],
            "mark": {"type": "rule", "strokeWidth": 2, "strokeCap": "round"},
            "encoding": {
                "x": {**x, "field": "lo"},
                "x2": {"field": "hi"},
                "y": y,
                "color": kinds("color"),
                "description": says,
            },
        },
        {
            "mark": {"type": "point", "filled": True, "opacity": 1},
            "encoding": {
                "x": {**x, "field": "pgr"},
                "y": y,
                "color": kinds("color"),
                "shape": kinds("shape"),
                "size": kinds("size"),
                "description": says,
            },
        },
    ]
    told = "Share of the gap recovered: " + "; ".join(row["says"] for row in rows) + "."
    return lettered(rows, marks, description=told, plot=plot, left=left, right=right, figures=figures, step=ROW)


def _range(row: SummaryRow) -> str:
    return interval(row.pgr_ci, 0)
