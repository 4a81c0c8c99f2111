"""outgrow show"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from outgrow.core.progress import emit, visible

if TYPE_CHECKING:
    from rich.table import Table

    from outgrow.metrics.pgr import SummaryRow
    from outgrow.runs.read import MetricView, RunPair

ORDER = ("floor", "ceiling", "method", "gold", "contrast", "control")


def show_(
    folder: Path,
    /,
    *,
    format: Literal["table", "csv", "tex", "md", "json"] = "table",
    figure: Path | None = None,
    overwrite: bool = False,
) -> None:
    """Print the results in a folder that outgrow wrote; of a study, controls that failed come first.

    Parameters
    ----------
    folder
        The folder of a study, a learned student, an audit, a committee or a steered model.
    format
        table, csv, tex (for booktabs), md, or json with every figure.
    figure
        Draw a chart instead, into a .pdf, .svg or .png file that is named after it, as in forest.pdf
        (`outgrow list charts`).
    overwrite
        A figure of that name may go.
    """
    from outgrow.cli.output import listed, printed
    from outgrow.report.sheets import sheets
    from outgrow.runs.folder import MAIN

    if figure is not None:
        from outgrow.report.figure import figure as drawn

        for file in drawn(folder, figure, overwrite):
            emit(str(file))
    elif format != "table":
        emit(printed(folder, format))
    elif (folder / MAIN["run"]).is_file():
        _study(folder)
    else:
        for sheet in sheets(folder):
            listed(sheet)


def _study(folder: Path) -> None:
    """The tables, alarms and answers of a study."""
    from rich.console import Console

    from outgrow.report.words import alarms, asides, headline
    from outgrow.runs.read import read

    terminal = sys.stdout.isatty()
    # Without a terminal a line is as long as it needs to be: a program reads it.
    console = Console(highlight=False, width=None if terminal else 400)
    run = read(folder)
    for pair in run.pairs:
        failed = {str(entry.get("name")): entry for entry in pair.get("controls") if entry.get("passed") is False}
        for view in pair.views:
            console.print(_table(pair, view, failed, terminal))
        for name, entry in failed.items():
            console.print(
                visible(f"CONTROL FAILED: {name}: {entry.get('says', '')}"),
                style="bold red",
                soft_wrap=True,
                markup=False,
            )
        for text in alarms(pair):
            console.print(visible(text), style="bold yellow", soft_wrap=True, markup=False)
        for entry in pair.get("controls"):
            if entry.get("name") == "canary" and entry.get("passed") is not False:
                console.print(visible(f"canary: {entry.get('says', '')}"), soft_wrap=True, markup=False)
        for text in asides(pair, run.methods):
            console.print(visible(text), soft_wrap=True, markup=False)
        answer = headline(pair)
        console.print(
            visible(f"{answer.label}. {answer.plain}\n".replace("\xa0", " ")), soft_wrap=not terminal, markup=False
        )


def _table(pair: RunPair, view: MetricView, failed: dict, terminal: bool) -> Table:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from outgrow.report.words import abstentions, interval, percent, point_interval, points, share

    floor = view.floor
    facts = f"{floor.replicates} replicates, {floor.n_test} test items" if floor else ""
    table = Table(
        title=escape(visible(f"{pair.task}: {pair.weak} → {pair.strong}; {view.label}; {facts}")),
        title_justify="left",
        box=box.SIMPLE if terminal else None,
        pad_edge=terminal,
    )
    table.add_column("", no_wrap=True)
    for name in (view.label, "PGR [new data]", "vs naive, points"):
        table.add_column(escape(visible(name)), no_wrap=True)
    table.add_column("", overflow="fold")
    first: list[SummaryRow] = [row for row in view.rows if row.method in failed]
    for row in first + [row for row in view.of(*ORDER) if row.method not in failed]:
        notes = [] if row.status == "ok" else [row.status]
        if row.kind == "control":
            notes.insert(0, "control FAILED" if row.method in failed else "control")
        elif row.kind == "contrast":
            notes.insert(0, "contrast")
        notes = [note for note in (row.of if row.of != pair.weak else None, *notes, abstentions(row)) if note]
        table.add_row(
            escape(visible(row.method)),
            _cell(row.value, percent(row.value), interval(row.value_ci)),
            _cell(row.pgr, share(row.pgr), interval(row.pgr_ci, 0)),
            _cell(row.vs_naive, points(row.vs_naive), point_interval(row.vs_naive_ci)),
            escape(visible(", ".join(notes))),
            style={"method": "bold", "control": "red" if row.method in failed else "dim"}.get(row.kind, ""),
        )
    return table


def _cell(value: float | None, shown: str, ends: str) -> str:
    from rich.markup import escape

    # The spaces that hold an interval together on a page are a nuisance to a program that reads the table.
    return "" if value is None else escape(f"{shown} {ends}".replace("\xa0", " ").rstrip())
