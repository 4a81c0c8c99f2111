"""From a run folder to plain data, to charts, to one HTML file; and to one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from outgrow.core.errors import UserError
from outgrow.store import disk

if TYPE_CHECKING:
    from outgrow.report.leaderboard import LeaderboardSheet


def write(folder: Path, out: Path | None = None) -> Path:
    """Write the report of a run, or of a learned student, as one file that fetches nothing.

    Args:
        folder: what `outgrow run` or `outgrow learn` wrote.
        out: the file; report.html in the folder where it is not given.

    Returns:
        The file.

    Raises:
        UserError: `folder` is no such folder.
    """
    from outgrow.report import learn, study
    from outgrow.runs.read import read

    out = Path(out) if out else Path(folder) / "report.html"
    learned = (Path(folder) / "learn.json").exists()
    disk.write(out, learn.render(learn.read(folder)) if learned else study.render(read(folder)))
    return out


def compare(folders: Sequence[Path], out: Path | None = None, *, overwrite: bool = False) -> list[LeaderboardSheet]:
    """The tables of several runs' comparison, written to `out` (.html or .md) too.

    Raises UserError where a folder holds no run, the runs cannot be compared, or another file of that name may not go.
    """
    from outgrow.report.leaderboard import markdown, sheets
    from outgrow.report.study import render
    from outgrow.runs.compare import joined

    if not folders:
        raise UserError("compare needs run folders: give those that `outgrow run` wrote")
    if out is not None and out.suffix not in (".html", ".md"):
        raise UserError(f"`out` = {out}: give a name that ends in .html or .md")
    report = joined(folders)
    found = sheets(report.comparison) if report.comparison else []
    if out is not None:
        text = markdown(found) if out.suffix == ".md" else render(report)
        if not overwrite and out.exists() and (not out.is_file() or out.read_bytes() != text.encode()):
            raise UserError(
                f"`out` = {out}: there is something else of that name; "
                "give another file, or `overwrite=True` if it may go"
            )
        disk.write(out, text)
    return found


def picture(folder: Path, out: Path) -> Path:
    """Write the headline and the ladder of the run's first pair as a PNG on white, and return its path."""
    from outgrow.report.study import paint_hero
    from outgrow.runs.read import read

    return paint_hero(read(folder), Path(out))
