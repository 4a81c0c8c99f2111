"""The page of findings: from what audits found to audit.json and one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from outgrow.core.records import dump
from outgrow.report.glossary import SIGNS
from outgrow.report.page import figures, fill
from outgrow.report.words import Headline, interval, percent, point_interval, points
from outgrow.runs import schema
from outgrow.runs.schema.audit import AuditFile
from outgrow.store import disk

if TYPE_CHECKING:
    from outgrow.audits import Finding

PLURAL = ("stop", "warning", "note")
LOOK = {"stop": "no", "warning": "no", "note": "unclear", "ok": "yes", "not applicable": "unclear"}
"""The verdict that each severity is coloured as."""


def write(source: str, findings: Sequence[Finding], folder: Path) -> Path:
    """Write audit.json and audit.html into `folder`, and return the page's path."""
    disk.write(folder / "audit.html", render(keep(source, findings, folder)))
    return folder / "audit.html"


def keep(source: str, findings: Sequence[Finding], folder: Path) -> dict[str, Any]:
    """Write audit.json into `folder`, and return what stands in it: `report.html` of a run shows it."""
    record = AuditFile(source, tuple(findings))
    schema.write(folder / "audit.json", record)
    return dump(record)


def page(folder: Path, out: Path | None = None) -> Path:
    """Write the page of the findings in a folder, by default into it, and return its path."""
    out = out or folder / "audit.html"
    disk.write(out, render(dump(schema.read(folder / "audit.json", AuditFile))))
    return out


def told(findings: Sequence[Finding]) -> str:
    """The findings that apply, a line each."""
    return "\n".join(
        f"{one.severity:8}{one.code:14} {one.says}" + (f" {one.do}" if one.do else "")
        for one in findings
        if one.severity != "not applicable"
    )


def render(facts: dict[str, Any]) -> str:
    """The page as one HTML text, which fetches nothing."""
    asked = [finding for finding in facts["findings"] if finding["severity"] != "not applicable"]
    return fill(
        "audit",
        headline=headline(asked),
        asked=[(finding, figures("audit", "finding", finding)) for finding in asked],
        silent=[finding for finding in facts["findings"] if finding["severity"] == "not applicable"],
        next=to_do(asked),
        look=LOOK,
        figure=figure,
        source=f"{facts['source']}. Figures in brackets are 95% intervals.",
    )


def headline(asked: Sequence[dict[str, Any]]) -> Headline:
    """How it stands, in a few words."""
    if not asked:
        return Headline("unclear", "No audit applies", Markup("Below stands what each of them needs."))
    counts = {severity: sum(finding["severity"] == severity for finding in asked) for severity in SIGNS}
    found = ", ".join(
        f"{count} {severity}{'s' if count > 1 and severity in PLURAL else ''}"
        for severity, count in counts.items()
        if count
    )
    text = Markup("{} audits applied: {}.").format(len(asked), found)
    if counts["stop"]:
        return Headline("no", "Do not go on like this", text)
    if warnings := counts["warning"]:
        return Headline("no", f"{warnings} thing{'s' if warnings > 1 else ''} to mend first", text)
    return Headline("yes", "Nothing that stops you", text)


def to_do(asked: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The two most useful things to do next."""
    return [finding for finding in asked if finding["do"]][:2]


def figure(finding: dict[str, Any]) -> str:
    """Value and interval as they are shown."""
    value, ci = finding["value"], finding["ci"]
    if value is None:
        return ""
    if finding["unit"] == "number":
        ends = f" [{ci[0]:.2f}, {ci[1]:.2f}]" if ci else ""
        return f"{value:.2f}{ends}".replace("-", "−")
    if finding["unit"] == "points":
        return f"{points(value)} points {point_interval(ci)}".strip()
    return f"{percent(value)} {interval(ci)}".strip()
