"""The ladder: every score between what taught and the same student with gold."""

from __future__ import annotations

from outgrow.report.charts import chart
from outgrow.report.theme import colour, cut, domain, kinds
from outgrow.report.words import KINDS, interval, percent, share
from outgrow.runs.read import MetricView

ROW, HEADING = 25, 34
MOST_TICKS = 800
ORDER = ("ceiling", "method", "floor", "contrast", "control")
ENDS = ("floor", "ceiling")


@chart(
    order=10,
    of="view",
    wide=True,
    title="The ladder from floor to ceiling",
    caption="Each mark is a mean score on test items that nobody was trained on, with its 95% interval; small ticks are single "
    "replicates. The shaded band is the gap between what taught and the same student taught by gold: the further to "
    "the right a method stands in it, the more of the gap it recovered.",
)
def ladder(view: MetricView, width: int) -> dict | None:
    """Rows of marks on one score axis; floor and ceiling as lines, the gap between them shaded."""
    narrow = width < 600
    rows, heads, height = _places(view, narrow)
    if not rows:
        return None
    left, right = (112, 52) if narrow else (200, 130)
    ends = [end for row in rows for end in (row["value"], *((row["lo"], row["hi"]) if row["lo"] is not None else ()))]
    span = domain(*ends, *[x for row in rows for x in row["each"]], among=(0, 1))
    plot = width - left - right
    x = {
        "type": "quantitative",
        "scale": {"domain": span, "nice": False, "zero": False},
        "axis": {"format": ".0%", "tickCount": 4 if narrow else 7, "title": None},
    }
    y = {"field": "y", "type": "quantitative", "scale": {"domain": [height, 0], "nice": False}, "axis": None}
    says = {"field": "says", "type": "nominal"}
    return {
        "description": _alt(view),
        "width": plot,
        "height": height,
        "autosize": "none",
        "padding": {"left": left, "right": right, "top": 28 if narrow else 54, "bottom": 30},
        "data": {"values": rows},
        "layer": [
            *_gap(view, x, span, plot, narrow),
            {
                "data": {"values": heads},
                "mark": {
                    "type": "text",
                    "align": "left",
                    "baseline": "middle",
                    "fontSize": 11.5,
                    "fontWeight": 600,
                    "x": -left,
                },
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
            *_columns(y, left, plot, narrow),
        ],
    }


def _places(view: MetricView, narrow: bool) -> tuple[list[dict], list[dict], int]:
    """Rows and headings with their heights in pixels from the top, and the height of all."""
    rows, heads, y = [], [], 6
    ticks = sum(len(view.each[row.method]) for row in view.rows) <= MOST_TICKS
    for kind in ORDER:
        found = [row for row in view.of(kind) if row.value is not None]
        if found and kind not in ENDS:
            heads.append(
                {"kind": kind, "text": KINDS[kind].split(":")[0] if narrow else KINDS[kind], "y": y + HEADING / 2 + 3}
            )
            y += HEADING
        elif found and kind == "floor":
            y += 8
        for row in found:
            ends = row.value_ci or (None, None)
            said = f"{row.method}: {percent(row.value)} {interval(row.value_ci)}"
            if row.pgr is not None and kind not in ENDS:
                said += f", recovers {share(row.pgr)} of the gap {interval(row.pgr_ci, 0)}"
            rows.append(
                {
                    "kind": kind,
                    "name": cut(row.method, 16 if narrow else 28),
                    "value": row.value,
                    "lo": ends[0],
                    "hi": ends[1],
                    "score": percent(row.value),
                    "ink": colour(kind if kind in ENDS else "ink"),
                    "says": said.strip(),
                    "each": list(view.each[row.method]) if ticks else [],
                    "y": y + ROW / 2,
                    "share": "" if kind in ENDS else share(row.pgr) if row.pgr is not None else "",
                }
            )
            y += ROW
    return rows, heads, y + 6


def _columns(y: dict, left: int, plot: int, narrow: bool) -> list[dict]:
    """Names to the left of the plot; scores, and where there is room shares of the gap, to its right, under their headings."""
    text = {"type": "text", "baseline": "middle", "fontSize": 13}
    says = {"field": "says", "type": "nominal"}
    columns = [
        {
            "mark": {**text, "align": "left", "x": -left},
            "encoding": {
                "y": y,
                "text": {"field": "name"},
                "color": {"field": "ink", "scale": None},
                "description": says,
            },
        },
        {
            "mark": {**text, "align": "right", "x": plot + 50},
            "encoding": {"y": y, "text": {"field": "score"}, "description": says},
        },
    ]
    if narrow:
        return columns
    small = {"type": "text", "align": "right", "fontSize": 11, "color": colour("muted")}
    return [
        *columns,
        {
            "mark": {**text, "align": "right", "x": plot + 126, "color": colour("muted")},
            "encoding": {"y": y, "text": {"field": "share"}},
        },
        {"data": {"values": [{}]}, "mark": {**small, "x": plot + 126, "y": -7, "text": "recovered"}},
    ]


def _gap(view: MetricView, x: dict, span: list[float], plot: int, narrow: bool) -> list[dict]:
    """The shaded gap, a line for the floor and one for the ceiling with their names, and for each quarter of the gap a mark."""
    floor, ceiling = view.floor, view.ceiling
    if floor is None or ceiling is None or floor.value is None or ceiling.value is None:
        return []
    low, high = floor.value, ceiling.value
    swapped = high < low
    pixels = abs(high - low) / (span[1] - span[0]) * plot
    layers = [
        {
            "data": {"values": [{"a": low, "b": high}]},
            "mark": {"type": "rect", "color": colour("gap")},
            "encoding": {"x": {**x, "field": "a"}, "x2": {"field": "b"}},
        }
    ]
    sides = (("floor", floor, not swapped, "what taught"), ("ceiling", ceiling, swapped, "the student with gold"))
    for kind, row, before, who in sides:
        data = {"values": [{"a": row.value, "name": f"{kind} {percent(row.value)}", "who": who}]}
        rule = {"type": "rule", "color": colour(kind), "strokeWidth": 1.5}
        near = {"align": "right" if before else "left", "dx": -5 if before else 5, "color": colour(kind)}
        if narrow and not before and plot * (row.value - span[0]) / (span[1] - span[0]) > plot - 42:
            near |= {"align": "right", "dx": 46}
        layers.append({"data": data, "mark": rule, "encoding": {"x": {**x, "field": "a"}}})
        lines = (("name", -11 if narrow else -40, 13, 600), ("who", -25, 11.5, 400))
        for text, up, size, weight in lines[: 1 if narrow else 2]:
            words = {"type": "text", "y": up, "fontSize": size, "fontWeight": weight, **near}
            layers.append(
                {"data": data, "mark": words, "encoding": {"x": {**x, "field": "a"}, "text": {"field": text}}}
            )
    if narrow or swapped or pixels < 190 or not any(row.pgr is not None for row in view.of("method")):
        return layers
    quarters = [{"a": low + q * (high - low), "text": f"{100 * q:.0f}%"} for q in (0, 0.25, 0.5, 0.75, 1)]
    middle = {"values": [{"a": (low + high) / 2, "text": "share of the gap recovered"}]}
    small = {"type": "text", "fontSize": 11, "color": colour("muted")}
    at = {"x": {**x, "field": "a"}, "text": {"field": "text"}}
    inner = {"type": "rule", "color": colour("page"), "strokeWidth": 1.5}
    return [
        *layers,
        {"data": {"values": quarters[1:4]}, "mark": inner, "encoding": {"x": {**x, "field": "a"}}},
        {"data": {"values": quarters}, "mark": {**small, "y": -7}, "encoding": at},
        {"data": middle, "mark": {**small, "y": -25}, "encoding": at},
    ]


def _alt(view: MetricView) -> str:
    """The picture in words."""
    said = [f"{row.method} {percent(row.value)}" for row in view.of(*ORDER) if row.value is not None]
    return f"Scores ({view.label}) from best to worst within each kind: {', '.join(said)}."
