"""The ladder: every score between what taught and the same student with gold."""

from __future__ import annotations

from typing import Any

from outgrow.metrics.pgr import SummaryRow
from outgrow.report.charts import chart
from outgrow.report.glossary import KINDS
from outgrow.report.layout import column, percents, short, width
from outgrow.report.theme import colour, domain, kinds
from outgrow.report.words import interval, percent, share
from outgrow.runs.read import MetricView

ROW, HEADING = 25, 34
LEFT, NARROW_LEFT, RIGHT = 200, 118, 140
"""Pixels beside the plot: for names, for names on phones, and for the ceiling's name at least."""
MOST_TICKS = 800
ORDER = ("ceiling", "method", "gold", "floor", "contrast", "control")
ENDS = ("floor", "ceiling")
WHO = {"floor": "what taught", "ceiling": "the student with gold"}
QUARTERS = 190
"""Pixels of the gap from which its quarters are marked."""


@chart(
    order=10,
    of="view",
    wide=True,
    title="The ladder from floor to ceiling",
    caption="Each mark is a mean score on test items that nobody was trained on, with its 95% interval; small ticks "
    "are single replicates. The shaded band is the gap between what taught and the same student trained on gold: the "
    "further to the right a method stands in it, the more of the gap it recovered.",
)
def ladder(view: MetricView, room: int) -> dict[str, Any] | None:
    """Rows of marks on one score axis; floor and ceiling as lines, the gap between them shaded."""
    narrow = room < 600
    left = NARROW_LEFT if narrow else LEFT
    rows, heads, height = _places(view, left, narrow)
    if not rows:
        return None
    scores = 12 + column([row["score"] for row in rows])
    recovered = not narrow and any(row["share"] for row in rows)
    shares = max(14 + column([row["share"] for row in rows]), 76.0) if recovered else 0.0
    right = scores + shares + 2 if narrow else max(scores + shares + 2, RIGHT)
    ends = [end for row in rows for end in (row["value"], *((row["lo"], row["hi"]) if row["lo"] is not None else ()))]
    span = domain(*ends, *[x for row in rows for x in row["each"]], among=(0, 1))
    plot = room - left - right
    x = {
        "type": "quantitative",
        "scale": {"domain": span, "nice": False, "zero": False},
        "axis": {**percents(span, plot), "title": None},
    }
    y = {"field": "y", "type": "quantitative", "scale": {"domain": [height, 0], "nice": False}, "axis": None}
    says = {"field": "says", "type": "nominal"}
    heading = {"type": "text", "align": "left", "baseline": "middle", "fontSize": 11.5, "fontWeight": 600, "x": -left}
    return {
        "description": _alt(view),
        "width": plot,
        "height": height,
        "autosize": "none",
        "padding": {"left": left, "right": right, "top": 42 if narrow else 54, "bottom": 30},
        "data": {"values": rows},
        "layer": [
            *_gap(view, x, span, plot, (-left, plot + right), narrow),
            {
                "data": {"values": heads},
                "mark": heading,
                "encoding": {"y": y, "text": {"field": "text"}, "color": kinds("color")},
            },
            {
                "transform": [{"flatten": ["each"]}],
                "mark": {"type": "tick", "size": 10, "thickness": 1, "opacity": 0.4},
                "encoding": {"x": {**x, "field": "each"}, "y": y, "color": kinds("color")},
            },
            {
                "transform": [{"filter": "datum.lo != null"}],
                "mark": {"type": "rule", "strokeWidth": 3, "strokeCap": "round"},
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
                    "x": {**x, "field": "value"},
                    "y": y,
                    "color": kinds("color"),
                    "shape": kinds("shape"),
                    "size": kinds("size"),
                    "description": says,
                },
            },
            *_columns(y, left, plot + scores, plot + right, recovered),
        ],
    }


def _places(view: MetricView, left: float, narrow: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    """Rows and headings with their heights in pixels from the top, and the height of all."""
    known = [row for row in view.of(*ORDER) if row.value is not None]
    names = dict(zip((row.method for row in known), short([row.method for row in known], left - 12), strict=True))
    ticks = sum(len(view.each[row.method]) for row in view.rows) <= MOST_TICKS
    rows, heads, y = [], [], 6
    for kind in ORDER:
        found = [row for row in known if row.kind == kind]
        if found and kind not in ENDS:
            text = KINDS[kind].split(":")[0] if narrow else KINDS[kind]
            heads.append({"kind": kind, "text": text, "y": y + HEADING / 2 + 3})
            y += HEADING
        elif found and kind == "floor":
            y += 8
        for row in found:
            rows.append(_row(row, names[row.method], y + ROW / 2, view.each[row.method] if ticks else ()))
            y += ROW
    return rows, heads, y + 6


def _row(row: SummaryRow, name: str, y: float, ticks: tuple[float, ...]) -> dict[str, Any]:
    low, high = row.value_ci or (None, None)
    said = f"{row.method}: {percent(row.value)} {interval(row.value_ci)}"
    recovered = row.pgr is not None and row.kind not in ENDS
    if recovered:
        said += f", recovers {share(row.pgr)} of the gap {interval(row.pgr_ci, 0)}"
    return {
        "kind": row.kind,
        "name": name,
        "value": row.value,
        "lo": low,
        "hi": high,
        "score": percent(row.value),
        "ink": colour(row.kind if row.kind in ENDS else "ink"),
        "says": said.strip(),
        "each": list(ticks),
        "y": y,
        "share": share(row.pgr) if recovered else "",
    }


def _columns(y: dict[str, Any], left: float, scores: float, shares: float, recovered: bool) -> list[dict[str, Any]]:
    """Names left of the plot; right of it scores and, where there is room, shares of the gap."""
    text = {"type": "text", "baseline": "middle", "fontSize": 13}
    says = {"field": "says", "type": "nominal"}
    ink = {"field": "ink", "scale": None}
    columns = [
        {
            "mark": {**text, "align": "left", "x": -left},
            "encoding": {"y": y, "text": {"field": "name"}, "color": ink, "description": says},
        },
        {
            "mark": {**text, "align": "right", "x": scores},
            "encoding": {"y": y, "text": {"field": "score"}, "description": says},
        },
    ]
    if not recovered:
        return columns
    small = {"type": "text", "align": "right", "fontSize": 11, "color": colour("muted")}
    return [
        *columns,
        {
            "mark": {**text, "align": "right", "x": shares, "color": colour("muted")},
            "encoding": {"y": y, "text": {"field": "share"}},
        },
        {"data": {"values": [{}]}, "mark": {**small, "x": shares, "y": -7, "text": "recovered"}},
    ]


def _gap(
    view: MetricView, x: dict[str, Any], span: list[float], plot: float, edges: tuple[float, float], narrow: bool
) -> list[dict[str, Any]]:
    """The shaded gap, its quarters, and a line with a name for the floor and for the ceiling."""
    floor, ceiling = view.floor, view.ceiling
    if floor is None or ceiling is None or floor.value is None or ceiling.value is None:
        return []
    low, high = floor.value, ceiling.value
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": [{"a": low, "b": high}]},
            "mark": {"type": "rect", "color": colour("gap")},
            "encoding": {"x": {**x, "field": "a"}, "x2": {"field": "b"}},
        }
    ]
    for kind, value, before in (("floor", low, low <= high), ("ceiling", high, high < low)):
        rule = {"type": "rule", "color": colour(kind), "strokeWidth": 1.5}
        layers.append({"data": {"values": [{"a": value}]}, "mark": rule, "encoding": {"x": {**x, "field": "a"}}})
        at = (value - span[0]) / (span[1] - span[0]) * plot
        name = f"{kind} {percent(value)}"
        if narrow:  # each on a line of its own, so that they never meet
            lines: list[tuple[str, float, float, bool]] = [(name, -26 if kind == "floor" else -11, 13, True)]
        else:
            lines = [(name, -40, 13, True), (WHO[kind], -25, 11.5, False)]
        layers += [_label(text, at, up, size, bold, before, edges, kind) for text, up, size, bold in lines]
    pixels = abs(high - low) / (span[1] - span[0]) * plot
    if narrow or high < low or pixels < QUARTERS or not any(row.pgr is not None for row in view.of("method")):
        return layers
    return [*layers, *_quarters(low, high, x)]


def _label(
    text: str, at: float, up: float, size: float, bold: bool, before: bool, edges: tuple[float, float], kind: str
) -> dict[str, Any]:
    """A name left or right of its line, moved inwards where it would leave the chart."""
    room = width(text, size, bold)
    start = min(max(at - 5 - room if before else at + 5, edges[0]), edges[1] - room)
    mark = {
        "type": "text",
        "align": "right" if before else "left",
        "x": start + room if before else start,
        "y": up,
        "fontSize": size,
        "fontWeight": 600 if bold else 400,
        "color": colour(kind),
        "text": text,
    }
    return {"data": {"values": [{}]}, "mark": mark}


def _quarters(low: float, high: float, x: dict[str, Any]) -> list[dict[str, Any]]:
    """A mark for each quarter of the gap, and what they count."""
    quarters = [{"a": low + q * (high - low), "text": f"{100 * q:.0f}%"} for q in (0, 0.25, 0.5, 0.75, 1)]
    middle = {"values": [{"a": (low + high) / 2, "text": "share of the gap recovered"}]}
    small = {"type": "text", "fontSize": 11, "color": colour("muted")}
    at = {"x": {**x, "field": "a"}, "text": {"field": "text"}}
    inner = {"type": "rule", "color": colour("page"), "strokeWidth": 1.5}
    return [
        {"data": {"values": quarters[1:4]}, "mark": inner, "encoding": {"x": {**x, "field": "a"}}},
        {"data": {"values": quarters}, "mark": {**small, "y": -7}, "encoding": at},
        {"data": middle, "mark": {**small, "y": -25}, "encoding": at},
    ]


def _alt(view: MetricView) -> str:
    """The picture in words."""
    said = [f"{row.method} {percent(row.value)}" for row in view.of(*ORDER) if row.value is not None]
    return f"Scores ({view.label}) from best to worst within each kind: {', '.join(said)}."
