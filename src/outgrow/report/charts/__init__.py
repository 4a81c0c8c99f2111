"""One chart = one file in this folder, found by walking it.

    @chart(order=35, title="Who is sure", caption="One or two sentences for somebody who has not read the paper.")
    def certainty(pair, width):
        return {"data": ..., "mark": ..., "encoding": ...}         # Vega-Lite, or None where it is not applicable

`page` names the page that shows the chart, and `of` what the function is given first:

| page | of |
|---|---|
| study | "pair" (a `RunPair`), "view" (a `MetricView`: a pair by one metric), "study" (the whole `Report`) |
| learn | "page" (what learn.json holds) |
| committee | "bench" (a `report.committee.Bench`), "page" (what committee.json holds), "several" (a list of these) |
| audit | "finding" (an entry of audit.json) |
| proxy_tuning | "page" (what steer.json holds) |

Colours are names (`theme.colour`), so that the chart works in light, dark and print. `"description"` at the top of the
spec is read to people who cannot see it; a `description` channel on a mark becomes its tooltip. Every chart is drawn
twice: for screens and paper with `width` 912 where it is `wide`, else 430 (two beside one another), and for phones with
350.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from outgrow.core.registry import Registry, mark, marked

WIDE, PHONE, HALF = 912, 350, 430
Page = Literal["study", "learn", "committee", "audit", "proxy_tuning"]
Subject = Literal["page", "study", "pair", "view", "bench", "several", "finding"]
Draw = Callable[[Any, int], dict[str, Any] | None]


@dataclass(frozen=True)
class Chart:
    """A figure of a page, placed by `order`; of the study, those from 100 on stand at the end."""

    name: str
    page: Page
    of: Subject
    order: int
    title: str
    caption: str
    wide: bool
    draw: Draw


def chart(
    *, order: int, title: str, caption: str, page: Page = "study", of: Subject = "pair", wide: bool = False
) -> Callable[[Draw], Draw]:
    """Mark a function as a chart of a page."""

    def marker(function: Draw) -> Draw:
        return mark(function, Chart(function.__name__, page, of, order, title, caption, wide, function))

    return marker


CHARTS = Registry("chart", __name__, "outgrow.charts", marked(Chart))


def charts(page: Page | None = None) -> list[Chart]:
    """All charts of a page in its order; without `page`, all there are."""
    found = [chart for chart in CHARTS.all().values() if page in (None, chart.page)]
    return sorted(found, key=lambda chart: (chart.page, chart.order, chart.name))
