"""Which classes the student takes for which."""

from __future__ import annotations

from typing import Any

from outgrow.report.charts import chart
from outgrow.report.layout import short
from outgrow.report.rows import NARROW
from outgrow.report.theme import colour
from outgrow.report.words import percent

ROW, HEADS, MOST, MOST_NARROW, STEP = 34, 44, 12, 5, 110
OTHERS = "all others"
RIGHT = ((0.5, "c"), (0.75, "d"), (0.9, "e"), (float("inf"), "f"))
WRONG = ((0.05, "c"), (0.2, "b"), (float("inf"), "a"))


@chart(
    page="learn",
    of="page",
    order=20,
    wide=True,
    title="Which classes are taken for which",
    caption="A row for the items of each class by gold: the share of them to which the student gives each class, and "
    "how many they are. Blue is right, orange is wrong.",
)
def confusion(facts: Any, width: int) -> dict[str, Any] | None:
    """A row a class of gold, a column a class given; the commonest classes, the rest as one. None without gold."""
    pairs = facts["verdict"].get("confused")
    if not pairs:
        return None
    narrow = width < NARROW
    names = _names(pairs, MOST_NARROW if narrow else MOST)
    table = {(gold, given): 0.0 for gold in names for given in names}
    for pair in pairs:
        row, column = (name if name in names else OTHERS for name in (pair["gold"], pair["given"]))
        table[row, column] += pair["items"]
    total = {gold: sum(table[gold, given] for given in names) for gold in names}
    left = 110 if narrow else 230
    step = min((width - left - 4) / len(names), STEP)
    cells, said = [], []
    for y, gold in enumerate(names):
        for x, given in enumerate(names):
            share = table[gold, given] / total[gold] if total[gold] else 0.0
            shade = next(s for end, s in (RIGHT if gold == given else WRONG) if share < end)
            shade = "c" if gold == given == OTHERS else shade
            says = f"{gold} called {given}: {percent(share, 0)}, {table[gold, given]:,.0f} items"
            said += [says] * (share > 0)
            cells.append({
                "x": x * step, "x2": (x + 1) * step - 2, "middle": (x + 0.5) * step, "y": HEADS + y * ROW,
                "y2": HEADS + (y + 1) * ROW - 2, "mid": HEADS + (y + 0.5) * ROW - 1,
                "fill": colour(f"heat-{shade}" if share else "soft"),
                "ink": colour(f"on-heat-{shade}" if share else "muted"),
                "text": percent(share, 0) if share else "–", "says": says,
            })  # fmt: skip
    rows = short([f"{name} ({total[name]:,.0f})" for name in names], left - 12)
    heads = short(names, step - 6, 12, bold=True)
    texts = [{"text": name, "y": HEADS + (y + 0.5) * ROW} for y, name in enumerate(rows)]
    tops = [{"text": name, "x": (x + 0.5) * step, "y": HEADS - 14} for x, name in enumerate(heads)]
    height = HEADS + len(names) * ROW
    across = {"type": "quantitative", "axis": None, "scale": {"domain": [0, step * len(names)], "nice": False}}
    down = {"type": "quantitative", "axis": None, "scale": {"domain": [height, 0], "nice": False}}
    text = {"type": "text", "baseline": "middle", "fontSize": 12 if narrow else 13}
    says_ = {"field": "says", "type": "nominal"}
    spot = {"y": {**down, "field": "y"}, "text": {"field": "text"}}
    at = {"x": {**across, "field": "middle"}, "y": {**down, "field": "mid"}, "text": {"field": "text"}}
    box = {"x": {**across, "field": "x"}, "x2": {"field": "x2"}, "y": {**down, "field": "y"}, "y2": {"field": "y2"}}
    title = [{"text": "given by the student", "y": 8}]
    return {
        "description": f"Which classes are taken for which. {'; '.join(said)}.",
        "width": step * len(names),
        "height": height,
        "autosize": "none",
        "padding": {"left": left, "right": width - left - step * len(names), "top": 4, "bottom": 4},
        "layer": [
            {
                "data": {"values": cells},
                "mark": {"type": "rect", "cornerRadius": 3},
                "encoding": {**box, "color": {"field": "fill", "scale": None}, "description": says_},
            },
            {
                "data": {"values": cells},
                "mark": {**text, "align": "center"},
                "encoding": {**at, "color": {"field": "ink", "scale": None}, "description": says_},
            },
            {
                "data": {"values": tops},
                "mark": {**text, "align": "center", "fontWeight": 600, "fontSize": 12},
                "encoding": {"x": {**across, "field": "x"}, **spot},
            },
            {"data": {"values": texts}, "mark": {**text, "align": "left", "x": -left}, "encoding": spot},
            {
                "data": {"values": title},
                "mark": {**text, "align": "left", "x": 0, "fontSize": 12, "color": colour("muted")},
                "encoding": spot,
            },
        ],
    }


def _names(pairs: list[dict[str, Any]], most: int) -> list[str]:
    """The classes shown, the commonest by gold first in the order of their names, and OTHERS for the rest."""
    count: dict[str, float] = {}
    for pair in pairs:
        count[pair["gold"]] = count.get(pair["gold"], 0.0) + pair["items"]
        count.setdefault(pair["given"], 0.0)
    if len(count) <= most:
        return sorted(count)
    kept = sorted(count, key=lambda name: -count[name])[: most - 1]
    return [*sorted(kept), OTHERS]
