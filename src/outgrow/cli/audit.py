"""outgrow audit"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from outgrow.cli.output import SPOKEN, Spoken
from outgrow.core.progress import emit
from outgrow.core.records import dump
from outgrow.tasks.tables.options import Reading

_COLUMNS = Group("How to read a table: names of columns, and more")


def audit_(
    source: str,
    /,
    *,
    votes_table: str | None = None,
    weak: list[str] | None = None,
    strong: str | None = None,
    out: Path | None = None,
    overwrite: bool = False,
    columns: list[str] | None = None,
    gold_table: str | None = None,
    pairs: Path | None = None,
    reading: Annotated[Reading, Parameter(name="*", group=_COLUMNS, show_default=False)] = Reading(),  # noqa: B008
    output: Spoken = SPOKEN,
) -> None:
    """Find out, mostly without gold, when weak supervision will fail; print what was found and write it as a page.

    Parameters
    ----------
    source
        A long table of votes (item, worker, label; gold where there is any); what a labelling tool exported; a table
        with columns of votes (--votes); a matrix of votes (.npy, .npz);
        judgements of pairs (judge, item, forward, swapped); answers to minimal pairs (item, present, removed); forced
        choices (first, second, chosen); the folder of a finished study; or, with --weak, a task.
    votes_table
        A long table of votes on the items of `source`.
    columns
        Columns that go by other names: NAME=COLUMN, or NAME=COLUMN+COLUMN for two that make one name; several with
        commas between them.
    gold_table
        A table of items beside `source`: their id, and gold in a column gold, truth or label.
    weak
        Supervisors as `outgrow run` names them, looked at before they teach: gold of their own half alone is opened.
    strong
        The student in whose space the items are looked at; without it audits that need one do not apply.
    out
        Folder for the findings (default: beside the source, the study's own folder, or, of a task, in runs).
    overwrite
        Another result in that folder may go, or the table of --pairs.
    pairs
        Write minimal pairs of the kind `source` (errands, cities, translations), a constraint present and removed, into
        this new table and stop; fill its columns `present` and `removed` with a model's answers, and audit the table.
    """
    if pairs is not None:
        from outgrow.audits.tables import write_pairs

        emit(f"{write_pairs(source, pairs, reading.items, overwrite=overwrite)} pairs: {pairs}")
        return
    from outgrow.report.audit import told
    from outgrow.workflows.audit import audit

    output.begin()
    findings, page = audit(
        source,
        reading=reading,
        votes_table=votes_table,
        weak=weak or (),
        strong=strong,
        out=out,
        columns=columns or (),
        gold_table=gold_table,
        overwrite=overwrite,
    )
    if output.json:
        output.show({"page": str(page), "findings": dump(findings)})
        return
    if said := told(findings):
        emit(said)
    emit(f"findings: {page}")
