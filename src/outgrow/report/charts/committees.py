"""Committees side by side."""

from __future__ import annotations

from typing import Any

from outgrow.report.charts import chart
from outgrow.report.charts.choices import drawn
from outgrow.report.committee import benches
from outgrow.report.curves import LEFT
from outgrow.report.layout import short
from outgrow.report.rows import NARROW
from outgrow.report.theme import colour

BETWEEN, HEIGHT = 34, 220
EDGES = {"left": 4, "right": 8, "top": 8, "bottom": 4}


@chart(
    page="committee",
    of="several",
    order=30,
    wide=True,
    title="What choosing is worth, task by task",
    caption="Share of items on which the answer chosen from so many samples is right by gold, with 95% bands. "
    "Coverage is what a choice that is never wrong would reach.",
)
def committees(every: Any, width: int) -> dict[str, Any]:
    """The curves of each committee's first bench, two beside one another where there is room."""
    columns = 1 if width < NARROW else 2
    room = (width - EDGES["left"] - EDGES["right"] - BETWEEN * (columns - 1)) // columns
    panels, said = [], []
    for facts in every:
        # Half of a wide page is as narrow as a phone: names of curves stand below.
        panel = drawn(benches(facts)[0], room, HEIGHT)
        title = facts["task"] + ("" if facts["enough"]["holds"] else " (too little to choose from)")
        said.append(f"{title}: {panel.pop('description')}")
        (text,) = short([title], room - LEFT, 13, bold=True)
        panels.append({**panel, "title": {"text": text, "anchor": "start", "color": colour("ink"), "frame": "group"}})
    return {"description": " ".join(said), "concat": panels, "columns": columns, "spacing": BETWEEN, "padding": EDGES}
