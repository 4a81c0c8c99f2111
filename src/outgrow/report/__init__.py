"""From a run folder to plain data, to charts, to one HTML file; and to one picture."""

from __future__ import annotations

from pathlib import Path


def write(folder: Path, out: Path | None = None) -> Path:
    """Write the report of the run in `folder` to `out` (default: report.html in that folder) and return its path.

    One file that fetches nothing. Raises UserError where `folder` is no run folder.
    """
    from outgrow.report.data import read
    from outgrow.report.page import render

    out = Path(out) if out else Path(folder) / "report.html"
    out.write_text(render(read(folder)), encoding="utf-8")
    return out


def write_learned(folder: Path) -> Path:
    """Write report.html of the student that `outgrow learn` put into `folder`, and return its path."""
    from outgrow.report.learned import read, render

    out = Path(folder) / "report.html"
    out.write_text(render(read(folder)), encoding="utf-8")
    return out


def picture(folder: Path, out: Path) -> Path:
    """Write the answer and the ladder of the run's first pair as a PNG on white, 1,984 pixels wide, and return its path."""
    from outgrow.report.data import read
    from outgrow.report.page import paint_hero

    return paint_hero(read(folder), Path(out))
