"""The page of a study or of a comparison of studies, and the picture of a study's first pair."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outgrow.core.errors import UserError
from outgrow.core.progress import track
from outgrow.report import svg, theme, words
from outgrow.report.charts import WIDE
from outgrow.report.charts.ladder import ladder
from outgrow.report.leaderboard import sheets
from outgrow.report.page import Figure, figures, fill
from outgrow.runs.read import MetricView, Report, RunPair

AT_THE_END = 100
"""Charts of the whole study from this order on stand after the pairs; those below 0 with the leaderboard."""
TITLE_SIZE, LINE, OFFSET = 24, 21, 54
"""Of the picture, in pixels: its title, a line of the text below it, and the room below both."""


@dataclass(frozen=True)
class Section:
    """One pair on the page, with its charts by metric and those that have none."""

    anchor: str
    pair: RunPair
    headline: words.Headline
    views: tuple[tuple[MetricView, list[Figure]], ...]
    figures: list[Figure]


@dataclass(frozen=True)
class Check:
    """A control of a pair, as details.json has it."""

    pair: RunPair
    control: dict[str, Any]


def render(report: Report) -> str:
    """The report as one HTML text. A chart that is not applicable is left out."""
    shown = report.pairs if report.at_length else ()
    with track("drawing the report", sum(len(pair.views) + 1 for pair in shown) + 1) as bar:
        sections = []
        for number, pair in enumerate(shown, 1):
            views = []
            for view in pair.views:
                views.append((view, figures("study", "view", view)))
                bar.advance()
            own = figures("study", "pair", pair)
            sections.append(Section(f"pair-{number}", pair, words.headline(pair), tuple(views), own))
            bar.advance()
        whole = figures("study", "study", report)
        bar.advance()
    checks = [Check(pair, control) for pair in report.pairs for control in pair.get("controls")]
    return fill(
        "study",
        report=report,
        headlines=[words.headline(pair) for pair in report.pairs],
        sections=sections,
        sheets=sheets(report.comparison) if report.comparison else [],
        ranking=[figure for figure in whole if figure.order < 0],
        overview=[figure for figure in whole if 0 <= figure.order < AT_THE_END],
        endings=[figure for figure in whole if figure.order >= AT_THE_END],
        checks=checks,
        findings=[finding for finding in report.findings if finding["severity"] != "not applicable"],
        failed=[check for check in checks if check.control.get("passed") is False],
        unchecked=[check for check in checks if check.control.get("passed") is None],
    )


def paint_hero(report: Report, out: Path) -> Path:
    """Write the first pair's ladder under its headline as a PNG, and return its path."""
    pair = report.pairs[0]
    spec = ladder(pair.main, WIDE)
    if spec is None:
        raise UserError(f"{pair.task}, {pair.weak} → {pair.strong}: no row has a score, so there is nothing to draw")
    answer = words.headline(pair)
    lines = textwrap.wrap(answer.plain, 104)
    around = spec["padding"]
    title = {
        "text": answer.label,
        "subtitle": lines,
        "anchor": "start",
        "frame": "group",
        "align": "left",
        "dx": -around["left"],
        "fontSize": TITLE_SIZE,
        "fontWeight": 600,
        "color": theme.colour("ink"),
        "subtitleFontSize": 15,
        "subtitleLineHeight": LINE,
        "subtitleColor": theme.colour("muted"),
        "subtitlePadding": 10,
        "offset": OFFSET,
    }
    padding = {
        "top": around["top"] + OFFSET + LINE * len(lines) + 44,
        "bottom": around["bottom"] + 24,
        "left": around["left"] + 40,
        "right": around["right"] + 40,
    }
    svg.paint({**spec, "title": title, "padding": padding}, out, scale=2)
    return out
