"""One chart = one file in this folder, found by walking it.

    @chart(order=35, title="Who is sure", caption="One or two sentences for somebody who has not read the paper.")
    def certainty(pair, width):
        return {"data": ..., "mark": ..., "encoding": ...}         # Vega-Lite, or None where it is not applicable

`of` says what the function is given first: "pair" (a `data.Pair`), "view" (a `data.View`: a pair by one metric) or "study" (the
`data.Report`). Colours are names (`theme.colour`), so that the chart works in light, dark and print. `"description"` at the
top of the spec is read to people who cannot see it; a `description` channel on a mark becomes its tooltip. A `wide`
chart is drawn twice, `width` 912 for screens and paper and 350 for phones; others once, `width` 430, two beside one another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from outgrow.core.registry import Registry, mark, marked

WIDE, PHONE, HALF = 912, 350, 430
Of = Literal["study", "pair", "view"]


@dataclass(frozen=True)
class Chart:
    """A figure of the report. `order` places it among those of its kind; of the study, those from 100 on stand at the end."""

    name: str
    order: int
    title: str
    caption: str
    of: Of
    wide: bool
    draw: Callable[[Any, int], dict | None]


def chart(*, order: int, title: str, caption: str, of: Of = "pair", wide: bool = False) -> Callable:
    """Mark a function as a chart of the report."""

    def marker(function: Callable[[Any, int], dict | None]) -> Callable[[Any, int], dict | None]:
        return mark(function, Chart(function.__name__, order, title, caption, of, wide, function))

    return marker


CHARTS = Registry("chart", __name__, "outgrow.charts", marked(Chart))


def charts() -> list[Chart]:
    """All charts, in the order of the report."""
    return sorted(CHARTS.all().values(), key=lambda found: (found.order, found.name))
