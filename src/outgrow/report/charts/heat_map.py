"""PGR of every task and pair at once."""

from __future__ import annotations

from typing import Any

from outgrow.report.charts import chart
from outgrow.report.layout import short
from outgrow.report.theme import colour
from outgrow.report.words import interval, percent, share
from outgrow.runs.read import Report, RunPair

ROW, HEADING, HEADS = 30, 30, 18
STEPS = ((-0.25, "a"), (0.0, "b"), (0.1, "c"), (0.4, "d"), (0.7, "e"), (float("inf"), "f"))


@chart(
    order=5,
    of="study",
    wide=True,
    title="Every task and pair at a glance",
    caption="Share of the gap that was recovered: blue where the student outgrew its teacher, orange where it fell "
    "below, pale near zero. A * marks an interval that contains 0; a dash, a gap that is not resolved or too few "
    "replicates.",
)
def heat_map(report: Report, width: int) -> dict[str, Any] | None:
    """A row a task and pair, a column a method; the columns are ordered by their mean PGR."""
    if len(report.pairs) < 2:
        return None
    narrow = width < 600
    scores: dict[str, list[float]] = {}
    for pair in report.pairs:
        for row in pair.main.of("method"):
            scores.setdefault(row.method, []).extend([row.pgr] if row.pgr is not None else [])
    ranked = sorted((m for m in scores if m != "naive"), key=lambda m: -sum(scores[m]) / max(len(scores[m]), 1))
    methods = (["naive"] if "naive" in scores else []) + ranked
    methods = methods[: 4 if narrow else 10]
    left = 128 if narrow else 290
    step = min((width - left - 4) / max(len(methods), 1), 110)
    ordered = sorted(report.pairs, key=lambda pair: pair.task)
    tasks = short([pair.task for pair in ordered], width - 12, bold=True)
    names = short([f"{pair.weak} → {pair.strong}" for pair in ordered], left - 10)
    lines, cells, last, y = [], [], None, HEADS
    for pair, task, name in zip(ordered, tasks, names, strict=True):
        if pair.task != last:
            y += HEADING
            lines.append({"text": task, "y": y - 8, "head": True})
            last = pair.task
        lines.append({"text": name, "y": y + ROW / 2, "head": False})
        cells += [_cell(pair, method, i * step, (i + 1) * step - 2, y) for i, method in enumerate(methods)]
        y += ROW
    shown = short(methods, step - 6, 12, bold=True)
    heads = [{"text": name, "x": (i + 0.5) * step, "y": 12} for i, name in enumerate(shown)]
    place = {"type": "quantitative", "axis": None}
    across = {**place, "scale": {"domain": [0, step * len(methods)], "nice": False}}
    down = {**place, "scale": {"domain": [y, 0], "nice": False}}
    says = {"field": "says", "type": "nominal"}
    text = {"type": "text", "baseline": "middle", "fontSize": 12 if narrow else 13}
    return {
        "description": "Share of the gap recovered. " + "; ".join(cell["says"] for cell in cells) + ".",
        "width": step * len(methods),
        "height": y,
        "autosize": "none",
        "padding": {"left": left, "right": width - left - step * len(methods), "top": 4, "bottom": 4},
        "layer": [
            {
                "data": {"values": cells},
                "mark": {"type": "rect", "cornerRadius": 3},
                "encoding": {
                    "x": {**across, "field": "x"},
                    "x2": {"field": "x2"},
                    "y": {**down, "field": "y"},
                    "y2": {"field": "y2"},
                    "color": {"field": "fill", "scale": None},
                    "description": says,
                },
            },
            {
                "data": {"values": cells},
                "mark": {**text, "align": "center"},
                "encoding": {
                    "x": {**across, "field": "middle"},
                    "y": {**down, "field": "mid"},
                    "text": {"field": "text"},
                    "color": {"field": "ink", "scale": None},
                    "description": says,
                },
            },
            {
                "data": {"values": heads},
                "mark": {**text, "align": "center", "fontWeight": 600, "fontSize": 12},
                "encoding": {"x": {**across, "field": "x"}, "y": {**down, "field": "y"}, "text": {"field": "text"}},
            },
            *[
                {
                    "data": {"values": [line for line in lines if line["head"] is head]},
                    "mark": {
                        **text,
                        "align": "left",
                        "x": -left,
                        "fontWeight": 600 if head else 400,
                        "color": colour(ink_name),
                    },
                    "encoding": {"y": {**down, "field": "y"}, "text": {"field": "text"}},
                }
                for head, ink_name in ((True, "ink"), (False, "muted"))
            ],
        ],
    }


def _cell(pair: RunPair, method: str, start: float, end: float, y: float) -> dict[str, Any]:
    row = pair.main.row(method)
    value = row.pgr if row else None
    where = f"{pair.task}, {pair.weak} to {pair.strong}, {method}"
    at = {"x": start, "x2": end, "middle": (start + end) / 2, "y": y + 1, "y2": y + ROW - 1, "mid": y + ROW / 2}
    if row is None or value is None:
        why = row.status if row else "not run"
        return {
            **at,
            "fill": colour("soft"),
            "ink": colour("muted"),
            "text": "–",
            "says": f"{where}: {why}{f', score {percent(row.value)}' if row else ''}",
        }
    doubt = "*" if row.pgr_ci and row.pgr_ci[0] <= 0 <= row.pgr_ci[1] else ""
    shade = next(letter for end, letter in STEPS if value < end)
    return {
        **at, "fill": colour(f"heat-{shade}"), "ink": colour(f"on-heat-{shade}"), "text": share(value) + doubt,
        "says": f"{where}: {share(value)} {interval(row.pgr_ci, 0)}",
    }  # fmt: skip
