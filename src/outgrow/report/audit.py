"""The page of findings: from what audits found to audit.json and one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from outgrow.core.records import dump
from outgrow.report import svg, theme
from outgrow.report.page import HERE, environment
from outgrow.report.theme import colour
from outgrow.report.words import SIGNS, Headline, interval, percent, point_interval, points
from outgrow.runs import schema
from outgrow.runs.schema.audit import AuditFile
from outgrow.store import disk

if TYPE_CHECKING:
    from outgrow.audits import Finding

LOOK = {"stop": "no", "warning": "no", "note": "unclear", "ok": "yes", "not applicable": "unclear"}
WIDTH = 640


def write(source: str, findings: Sequence[Finding], folder: Path) -> Path:
    """Write audit.json and audit.html into `folder`, and return the page's path."""
    disk.write(folder / "audit.html", render(keep(source, findings, folder)))
    return folder / "audit.html"


def keep(source: str, findings: Sequence[Finding], folder: Path) -> dict[str, Any]:
    """Write audit.json into `folder`, and return what stands in it: `report.html` of a run shows it."""
    record = AuditFile(source, tuple(findings))
    schema.write(folder / "audit.json", record)
    return dump(record)


def render(facts: dict[str, Any]) -> str:
    """The page as one HTML text, which fetches nothing."""
    findings = facts["findings"]
    asked = [f for f in findings if f["severity"] != "not applicable"]
    return (
        environment()
        .get_template("audited.html.j2")
        .render(
            facts=facts,
            asked=asked,
            silent=[f for f in findings if f["severity"] == "not applicable"],
            headline=headline(asked),
            next=to_do(asked),
            signs=SIGNS,
            look=LOOK,
            figure=figure,
            charts={
                f["code"]: Markup(svg.draw(_chart(f), f["says"])) for f in asked if f["ci"] and f["unit"] != "number"
            },
            style=Markup(theme.style() + "\n" + (HERE / "page.css").read_text(encoding="utf-8")),
        )
    )


def headline(asked: Sequence[dict[str, Any]]) -> Headline:
    """How it stands, in a few words."""
    counts = {s: sum(f["severity"] == s for f in asked) for s in SIGNS}
    if not asked:
        return Headline("unclear", "No audit applies", Markup("Below stands what each of them needs."))
    text = Markup("{} audits looked: {}.").format(len(asked), ", ".join(f"{n} {s}" for s, n in counts.items() if n))
    if counts["stop"]:
        return Headline("no", "Do not go on like this", text)
    if counts["warning"]:
        return Headline("no", f"{counts['warning']} thing{'s' if counts['warning'] > 1 else ''} to mend first", text)
    return Headline("yes", "Nothing that stops you", text)


def to_do(asked: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The two most useful things to do next."""
    return [f for f in asked if f["do"]][:2]


def figure(finding: dict[str, Any]) -> str:
    """Value and interval as they are shown."""
    value, ci = finding["value"], finding["ci"]
    if value is None:
        return ""
    if finding["unit"] == "number":
        ends = f" [{ci[0]:.2f}, {ci[1]:.2f}]" if ci else ""
        return f"{value:.2f}{ends}".replace("-", "−")
    if finding["unit"] == "points":
        return f"{points(value)} points {point_interval(ci)}"
    return f"{percent(value)} {interval(ci)}"


def _chart(finding: dict[str, Any]) -> dict[str, Any]:
    """A line with its interval, from 0."""
    low, high = finding["ci"]
    data = {"values": [{"at": finding["value"], "low": low, "high": high}]}
    span = [min(0.0, low), max(0.0, high)]
    x = {
        "type": "quantitative",
        "scale": {"domain": span, "nice": True},
        "axis": {"format": ".0%", "title": finding["figure"]},
    }
    return {
        "width": WIDTH,
        "height": 36,
        "data": data,
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2, "color": colour("method")},
                "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "opacity": 1, "size": 95, "color": colour("method")},
                "encoding": {"x": {**x, "field": "at"}},
            },
        ],
    }
