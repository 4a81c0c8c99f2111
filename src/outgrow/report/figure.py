"""One chart of a folder as a file of its own, PDF, SVG or PNG, in light colours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from outgrow.core.errors import UserError, unknown
from outgrow.report import svg
from outgrow.report.charts import HALF, WIDE, Chart, Page, charts
from outgrow.report.sheets import content
from outgrow.runs.folder import verb_of

PAGES: dict[str, Page] = {
    "run": "study",
    "learn": "learn",
    "committee": "committee",
    "steer": "proxy_tuning",
    "audit": "audit",
}
"""The page of each verb."""


def figure(folder: Path, out: Path, overwrite: bool = False) -> list[Path]:
    """Write the chart that the file is named after: `forest.pdf` is the chart `forest`.

    Args:
        folder: what a verb wrote.
        out: the file. A chart that the page shows several times, as of several pairs, is `ladder-1.pdf`, ...
        overwrite: whether files of these names may go.

    Returns:
        The files.

    Raises:
        UserError: there is no such chart, it does not apply to this folder, or a file of the name is there.
    """
    if out.suffix not in svg.SUFFIXES:
        raise UserError(f"`figure` = {out}: give a {', '.join(svg.SUFFIXES)} file")
    verb = verb_of(folder)
    subjects, known = _subjects(folder, verb), {chart.name: chart for chart in charts(PAGES[verb])}
    if out.stem not in known:
        raise unknown(f"chart of what `outgrow {verb}` writes", out.stem, known)
    specs = _drawn(known[out.stem], subjects)
    if not specs:
        has = ", ".join(name for name, chart in known.items() if _drawn(chart, subjects))
        raise UserError(f"`figure` = {out}: the chart {out.stem} does not apply to {folder}; these do: {has or 'none'}")
    files = [out] if len(specs) == 1 else [out.with_stem(f"{out.stem}-{n}") for n in range(1, len(specs) + 1)]
    if not overwrite and (there := [file for file in files if file.exists()]):
        raise UserError(f"`figure` = {there[0]}: the file is there; give another name, or `overwrite=True`")
    for spec, file in zip(specs, files, strict=True):
        svg.save(spec, file)
    return files


def _drawn(chart: Chart, subjects: dict[str, Sequence[Any]]) -> list[dict[str, Any]]:
    drawn = (chart.draw(subject, WIDE if chart.wide else HALF) for subject in subjects[chart.of])
    return [spec for spec in drawn if spec is not None]


def _subjects(folder: Path, verb: str) -> dict[str, Sequence[Any]]:
    """By `of` of a chart what the folder has of it."""
    if verb == "run":
        from outgrow.runs.read import read

        report = read(folder)
        pairs = report.pairs
        return {"study": [report], "pair": pairs, "view": [view for pair in pairs for view in pair.views]}
    facts = content(folder)
    if verb == "committee":
        from outgrow.report.committee import benches

        return {"page": [facts], "bench": benches(facts), "several": []}
    return {"page": [facts], "finding": facts.get("findings", ())}
