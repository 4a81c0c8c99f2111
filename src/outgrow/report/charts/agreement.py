"""How often the student agrees with its supervisor, where that one is right and where it is wrong."""

from __future__ import annotations

from outgrow.report.charts import chart
from outgrow.report.theme import colour, cut, domain
from outgrow.report.words import interval, percent
from outgrow.runs.read import RunPair

ROW = 30
SIDES = ("where the supervisor is right", "where it is wrong")


@chart(
    order=40,
    title="Does the student copy its teacher’s errors?",
    caption="How often the student gives the same answer as its supervisor, split by whether that answer is right. A student that "
    "outgrows its teacher agrees with it where it is right, and parts from it where it is wrong: a wide span is good.",
)
def agreement(pair: RunPair, width: int) -> dict | None:
    """Two marks a method, joined by a line."""
    shown = [e for e in pair.get("agreement") if e.get("when_right") is not None and e.get("when_wrong") is not None]
    if not shown:
        return None
    left, plot = 118, width - 118 - 22
    ends, spans = [], []
    for i, entry in enumerate(shown):
        y = (i + 0.5) * ROW
        spans.append({"name": cut(entry["method"], 16), "a": entry["when_wrong"], "b": entry["when_right"], "y": y})
        for side, name in zip(SIDES, ("when_right", "when_wrong"), strict=True):
            lo, hi = entry.get(f"{name}_ci") or (None, None)
            said = f"{entry['method']}, {side}: agrees in {percent(entry[name])} {interval((lo, hi) if lo is not None else None)}"
            ends.append({"side": side, "value": entry[name], "lo": lo, "hi": hi, "y": y, "says": said.strip()})
    span = domain(*[end[name] for end in ends for name in ("value", "lo", "hi")], among=(0, 1))
    x = {
        "type": "quantitative",
        "scale": {"domain": span, "nice": False, "zero": False},
        "axis": {"format": ".0%", "tickCount": 5, "title": "same answer as the supervisor"},
    }
    y = {"field": "y", "type": "quantitative", "scale": {"domain": [len(shown) * ROW, 0], "nice": False}, "axis": None}
    paint = {
        "field": "side",
        "type": "nominal",
        "scale": {"domain": SIDES, "range": [colour("ceiling"), colour("floor")]},
    }
    shape = {"field": "side", "type": "nominal", "scale": {"domain": SIDES, "range": ["circle", "diamond"]}}
    legend = {"legend": {"columns": 2, "offset": 10}}
    says = {"field": "says", "type": "nominal"}
    return {
        "description": "Agreement with the supervisor: " + "; ".join(end["says"] for end in ends) + ".",
        "width": plot,
        "height": len(shown) * ROW,
        "autosize": "none",
        "padding": {"left": left, "right": 22, "top": 36, "bottom": 46},
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
                "encoding": {"x": {**x, "field": "lo"}, "x2": {"field": "hi"}, "y": y, "color": {**paint, **legend}},
            },
            {
                "data": {"values": ends},
                "mark": {"type": "point", "filled": True, "size": 95, "opacity": 1},
                "encoding": {
                    "x": {**x, "field": "value"}, "y": y, "color": {**paint, **legend}, "shape": {**shape, **legend},
                    "description": says,
                },
            },
        ],
    }  # fmt: skip
