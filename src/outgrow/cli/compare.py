"""outgrow compare"""

from __future__ import annotations

import sys
from pathlib import Path

from outgrow.cli.output import SPOKEN, Spoken
from outgrow.core.progress import emit, visible


def compare_(*folders: Path, out: Path | None = None, overwrite: bool = False, output: Spoken = SPOKEN) -> None:
    """Join run folders into one comparison of methods and print its leaderboard.

    Parameters
    ----------
    folders
        Folders that `outgrow run` wrote: at least three pairs and two methods between them.
    out
        A file for the comparison: .html for a report, .md for Markdown.
    overwrite
        Another file of that name may go.
    """
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from outgrow import report
    from outgrow.core.records import dump

    output.begin()
    found = report.compare(folders, out, overwrite=overwrite)
    if output.json:
        output.show({"out": out and str(out), "tables": dump(found)})
        return
    terminal = sys.stdout.isatty()
    # Without a terminal a row is one line: a program reads it.
    console = Console(highlight=False, width=None if terminal else 400)
    for sheet in found:
        table = Table(
            title=escape(visible(sheet.title)),
            title_justify="left",
            box=box.SIMPLE if terminal else None,
            pad_edge=terminal,
        )
        for name, *small in sheet.head:
            table.add_column(escape(visible("\n".join([name, *small]) if terminal else name)), overflow="fold")
        for row in sheet.rows:
            cells = [visible(" ".join(part for part in cell if part).replace("\xa0", " ")) for cell in row]
            table.add_row(*map(escape, cells))
        console.print(table)
        console.print(visible(sheet.about) + "\n", soft_wrap=not terminal, markup=False)
    if out is not None:
        emit(f"comparison: {out}")
