"""The shell of every page: one template, style sheet and script in one HTML file; and the charts of a page, drawn."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from outgrow.core.progress import visible
from outgrow.report import glossary, svg, theme, words
from outgrow.report.charts import HALF, PHONE, WIDE, Chart, Page, Subject, charts

TEMPLATES = Path(__file__).parent / "templates"
FILTERS = ("percent", "interval", "share", "points", "point_interval", "seconds", "amount", "count", "prompted")


@dataclass(frozen=True)
class Figure:
    """A chart that has been drawn, for wide screens and paper and for phones."""

    name: str
    title: str
    caption: str
    wide: bool
    drawings: tuple[Markup, Markup]
    order: int


def fill(template: str, **context: Any) -> str:
    """The page of that name as one HTML text, which fetches nothing.

    Args:
        template: Name of a file in `templates/`, without its ending; it extends the shell.
        **context: What the template reads. The shell reads `headline`, `aside`, `source`, `command` and `versions`.
    """
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8").strip()
    return environment().get_template(f"{template}.html.j2").render(
        style=Markup(theme.style() + "\n" + (TEMPLATES / "page.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        **context,
    )  # fmt: skip


def figures(page: Page, of: Subject, subject: Any) -> list[Figure]:
    """The charts of a page that apply to `subject`, drawn, in their order."""
    return [drawn for chart in charts(page) if chart.of == of and (drawn := figure(chart, subject))]


def figure(chart: Chart, subject: Any) -> Figure | None:
    """The chart of `subject` for wide screens and for phones; None where it is not applicable."""
    drawings = []
    for width in (WIDE if chart.wide else HALF, PHONE):
        spec = chart.draw(subject, width)
        if spec is None:
            return None
        drawings.append(Markup(svg.draw(spec, spec.get("description", chart.title))))
    return Figure(chart.name, chart.title, chart.caption, chart.wide, (drawings[0], drawings[1]), chart.order)


@cache
def environment() -> jinja2.Environment:
    """The templates, with `words` and with its numbers in words as filters."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.ChainableUndefined,
        finalize=lambda value: type(value)(visible(value)) if isinstance(value, str) else value,
    )
    environment.globals |= {"words": words, "glossary": glossary}
    for name in FILTERS:
        environment.filters[name] = _lenient(getattr(words, name))
    return environment


def _lenient(function: Callable[..., str]) -> Callable[..., str]:
    """The function, with what a run folder lacks as None."""
    return lambda value, *rest: function(None if isinstance(value, jinja2.Undefined) else value, *rest)
