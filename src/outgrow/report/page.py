"""The page: every chart drawn, every table filled in, in one self-contained HTML file."""

from __future__ import annotations

import base64
import hashlib
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from outgrow.core.progress import track, visible
from outgrow.report import svg, theme, words
from outgrow.report.charts import HALF, PHONE, WIDE, Chart, charts
from outgrow.report.leaderboard import sheets
from outgrow.runs.read import Report, RunPair

HERE = Path(__file__).parent
AT_THE_END = 100
"""Charts of the whole study from this order on stand after the pairs; those below 0 with the leaderboard."""


@dataclass(frozen=True)
class Figure:
    """A chart that has been drawn: once, or once wide and once for phones."""

    name: str
    title: str
    caption: str
    wide: bool
    drawings: tuple[Markup, ...]


@dataclass(frozen=True)
class Section:
    """One pair on the page; `figures` by the kind of thing they show."""

    anchor: str
    pair: RunPair
    headline: words.Headline
    views: tuple[tuple[Any, list[Figure]], ...]
    figures: list[Figure]


@dataclass(frozen=True)
class Check:
    """A control of a pair, as details.json has it."""

    pair: RunPair
    control: dict[str, Any]


def render(report: Report) -> str:
    """The report as one HTML text. A chart that is not applicable is left out."""
    found = charts()
    shown = report.pairs if report.at_length else ()
    total = sum(len(pair.views) + 1 for pair in shown) + 1
    with track("drawing the report", total) as bar:
        sections = [_section(f"pair-{i + 1}", pair, found, bar.advance) for i, pair in enumerate(shown)]
        whole = [(chart, figure) for chart in found if chart.of == "study" if (figure := _figure(chart, report))]
        bar.advance()
    checks = [Check(pair, control) for pair in report.pairs for control in pair.get("controls")]
    script = (HERE / "page.js").read_text(encoding="utf-8").strip()
    page = environment().get_template("page.html.j2")
    return page.render(
        report=report,
        headlines=[words.headline(pair) for pair in report.pairs],
        sections=sections,
        sheets=sheets(report.comparison) if report.comparison else [],
        ranking=[figure for chart, figure in whole if chart.order < 0],
        overview=[figure for chart, figure in whole if 0 <= chart.order < AT_THE_END],
        endings=[figure for chart, figure in whole if chart.order >= AT_THE_END],
        checks=checks,
        findings=[finding for finding in report.findings if finding["severity"] != "not applicable"],
        signs=words.SIGNS,
        failed=[check for check in checks if check.control.get("passed") is False],
        unchecked=[check for check in checks if check.control.get("passed") is None],
        style=Markup(theme.style() + "\n" + (HERE / "page.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        words=words,
    )


def paint_hero(report: Report, out: Path) -> Path:
    """The first pair's ladder under its headline, as a PNG."""
    pair = report.pairs[0]
    ladder = next(chart for chart in charts() if chart.name == "ladder")
    spec = ladder.draw(pair.main, WIDE)
    lines = textwrap.wrap(words.headline(pair).plain, 104)
    left = spec["padding"]["left"]
    title = {
        "text": words.headline(pair).label,
        "subtitle": lines,
        "anchor": "start",
        "frame": "group",
        "align": "left",
        "dx": -left,
        "fontSize": 24,
        "fontWeight": 600,
        "color": theme.colour("ink"),
        "subtitleFontSize": 15,
        "subtitleLineHeight": 21,
        "subtitleColor": theme.colour("muted"),
        "subtitlePadding": 10,
        "offset": 54,
    }
    room = spec["padding"]["top"] + 54 + 21 * len(lines) + 44
    padding = {**spec["padding"], "top": room, "left": left + 40, "right": spec["padding"]["right"] + 40}
    padding["bottom"] += 24
    svg.paint({**spec, "title": title, "padding": padding}, out, scale=2)
    return out


def _section(anchor: str, pair: RunPair, found: list[Chart], advance: Callable[[], None]) -> Section:
    views = []
    for view in pair.views:
        views.append((view, [figure for chart in found if chart.of == "view" if (figure := _figure(chart, view))]))
        advance()
    figures = [figure for chart in found if chart.of == "pair" if (figure := _figure(chart, pair))]
    advance()
    return Section(anchor, pair, words.headline(pair), tuple(views), figures)


def _figure(chart: Chart, subject: Any) -> Figure | None:
    drawings = []
    for width in (WIDE, PHONE) if chart.wide else (HALF,):
        spec = chart.draw(subject, width)
        if spec is None:
            return None
        drawings.append(Markup(svg.draw(spec, spec.get("description", chart.title))))
    return Figure(chart.name, chart.title, chart.caption, chart.wide, tuple(drawings))


def environment() -> jinja2.Environment:
    """Templates of this folder, with the numbers in words as filters."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.ChainableUndefined,
        finalize=lambda value: type(value)(visible(value)) if isinstance(value, str) else value,
    )
    for name in ("percent", "interval", "share", "points", "point_interval", "seconds", "amount"):
        environment.filters[name] = _lenient(getattr(words, name))
    return environment


def _lenient(function: Callable) -> Callable:
    """What a run folder lacks is as good as None."""
    return lambda value, *rest: function(None if isinstance(value, jinja2.Undefined) else value, *rest)
