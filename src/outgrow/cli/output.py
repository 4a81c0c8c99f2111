"""What a verb prints: its result in words or as JSON, with or without progress."""

from __future__ import annotations

import csv
import io
import json as encoder
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter

from outgrow.core import progress
from outgrow.core.progress import emit

if TYPE_CHECKING:
    from outgrow.audits import Sheet

FORMATS = ("table", "csv", "tex", "md", "json")


@dataclass(frozen=True)
class Output:
    """How a verb speaks."""

    json: bool = False
    """Print the result as JSON on standard output, and nothing else there."""
    quiet: bool = False
    """No progress and no notices on standard error."""

    def begin(self) -> None:
        """To be called before the work starts."""
        progress.heard_by(_nobody if self.quiet else None)

    def show(self, facts: Any) -> None:
        """Print the facts as JSON; its escapes keep what is hostile in a text away from the terminal."""
        print(encoder.dumps(facts, indent=1))


Spoken = Annotated[Output, Parameter(name="*", group=Group("Output"), show_default=False)]
SPOKEN = Output()


def _nobody(label: str, share: float | None, left: str) -> None:
    """Hears of progress and tells nobody."""


def printed(folder: Path, form: str) -> str:
    """The main figures of a folder in one of FORMATS but "table"."""
    from outgrow.report.sheets import content, sheets

    if form == "json":
        return encoder.dumps(content(folder), indent=1)
    write = {"csv": _csv, "md": _markdown, "tex": _tex}[form]
    return "\n\n".join(write(sheet).replace("\xa0", " ") for sheet in sheets(folder))


def listed(sheet: Sheet) -> None:
    """Print the table in columns."""
    rows = [sheet.head, *sheet.rows]
    widths = [max(len(row[c]) for row in rows) for c in range(len(sheet.head))]
    emit(sheet.title)
    for row in rows:
        line = "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True))
        emit(line.replace("\xa0", " ").rstrip())


def _csv(sheet: Sheet) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(
        [("table", *sheet.head), *((sheet.title, *row) for row in sheet.rows)]
    )
    return text.getvalue().rstrip("\n")


def _markdown(sheet: Sheet) -> str:
    def plain(text: str) -> str:
        return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(map(plain, cells)) + " |"

    rule = "|" + "---|" * len(sheet.head)
    return "\n".join([f"**{plain(sheet.title)}**", "", line(sheet.head), rule, *map(line, sheet.rows)])


def _tex(sheet: Sheet) -> str:
    from outgrow.report.tex import escaped

    def line(cells: Sequence[str]) -> str:
        text = " & ".join(escaped(" ".join(cell.split())) for cell in cells)
        # The \\ of the row before would take a star or a bracket for its own.
        return ("{}" if text.startswith(("[", "*")) else "") + text + r" \\"

    begin = rf"\begin{{tabular}}{{{'l' * len(sheet.head)}}}"
    rows = [line(row) for row in sheet.rows]
    comment = f"% {' '.join(sheet.title.split())} (needs \\usepackage{{booktabs}})"
    return "\n".join(
        [comment, begin, r"\toprule", line(sheet.head), r"\midrule", *rows, r"\bottomrule", r"\end{tabular}"]
    )
