"""How often the student agrees with its supervisor, where that one is right and where it is wrong."""

from __future__ import annotations

from typing import Any

from outgrow.report.charts import chart
from outgrow.report.layout import legend, percents, short
from outgrow.report.theme import colour, domain
from outgrow.report.words import interval, percent
from outgrow.runs.read import RunPair

ROW, LEFT, RIGHT = 30, 118, 22
SIDES = ("where the supervisor is right", "where it is wrong")


@chart(
    order=40,
    title="Does the student copy its teacher’s errors?",
    caption="How often the student gives the same label as its supervisor, split by whether that label is right. A "
    "student that outgrows its teacher agrees with it where it is right, and parts from it where it is wrong: a wide "
    "span is good.",
)
def agreement(pair: RunPair, width: int) -> dict[str, Any] | None:
    """Two marks a method, joined by a line."""
    shown = [e for e in pair.get("agreement") if e.get("when_right") is not None and e.get("when_wrong") is not None]
    if not shown:
        return None
    left, plot = LEFT, width - LEFT - RIGHT
    names = short([entry["method"] for entry in shown], LEFT - 12)
    sides, keys, top = legend(SIDES, width - LEFT)
    ends, spans = [], []
    for i, (name, entry) in enumerate(zip(names, shown, strict=True)):
        at = (i + 0.5) * ROW
        spans.append({"name": name, "a": entry["when_wrong"], "b": entry["when_right"], "y": at})
        for side, key in zip(sides, ("when_right", "when_wrong"), strict=True):
            ci = entry.get(f"{key}_ci")
            lo, hi = ci or (None, None)
            said = f"{entry['method']}, {side}: agrees in {percent(entry[key])} {interval(ci)}"
            ends.append({"side": side, "value": entry[key], "lo": lo, "hi": hi, "y": at, "says": said.strip()})
    span = domain(*[end[name] for end in ends for name in ("value", "lo", "hi")], among=(0, 1))
    x = {
        "type": "quantitative",
        "scale": {"domain": span, "nice": False, "zero": False},
        "axis": {**percents(span, plot), "title": "same label as the supervisor"},
    }
    y = {"field": "y", "type": "quantitative", "scale": {"domain": [len(shown) * ROW, 0], "nice": False}, "axis": None}
    paint = {
        "field": "side",
        "type": "nominal",
        "scale": {"domain": sides, "range": [colour("ceiling"), colour("floor")]},
    }
    shape = {"field": "side", "type": "nominal", "scale": {"domain": sides, "range": ["circle", "diamond"]}}
    says = {"field": "says", "type": "nominal"}
    return {
        "description": "Agreement with the supervisor: " + "; ".join(end["says"] for end in ends) + ".",
        "width": plot,
        "height": len(shown) * ROW,
        "autosize": "none",
        "padding": {"left": left, "right": RIGHT, "top": top, "bottom": 46},
        "layer": [
            {
                "data": {"values": spans},
                "mark": {"type": "rule", "strokeWidth": 2, "color": colour("line")},
                "encoding": {"x": {**x, "field": "a"}, "x2": {"field": "b"}, "y": y},
            },
            {
                "data": {"values": spans},
                "mark": {"type": "text", "align": "left", "baseline": "middle", "x": -left, "fontSize": 13},
                "encoding": {"y": y, "text": {"field": "name"}},
            },
            {
                "data": {"values": [end for end in ends if end["lo"] is not None]},
                "mark": {"type": "rule", "strokeWidth": 2.5, "strokeCap": "round"},
                "encoding": {
                    "x": {**x, "field": "lo"},
                    "x2": {"field": "hi"},
                    "y": y,
                    "color": {**paint, "legend": keys},
                },
            },
            {
                "data": {"values": ends},
                "mark": {"type": "point", "filled": True, "size": 95, "opacity": 1},
                "encoding": {
                    "x": {**x, "field": "value"},
                    "y": y,
                    "color": {**paint, "legend": keys},
                    "shape": {**shape, "legend": keys},
                    "description": says,
                },
            },
        ],
    }
