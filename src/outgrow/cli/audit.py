"""outgrow audit"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from outgrow.tasks.reading import Reading

_COLUMNS = Group("How to read a table: names of columns, and more")


def audit_(
    source: str,
    /,
    *,
    votes_table: str | None = None,
    strong: str | None = None,
    out: Path | None = None,
    reading: Annotated[Reading, Parameter(name="*", group=_COLUMNS, show_default=False)] = Reading(),  # noqa: B008
) -> None:
    """Find out, mostly without gold, when weak supervision will fail; print what was found and write it as a page.

    Parameters
    ----------
    source
        A long table of votes (item, worker, label; gold where there is any); a table with columns of votes (--votes);
        judgements of pairs (judge, item, forward, swapped); or the folder of a finished study.
    votes_table
        A long table of votes on the items of `source`.
    strong
        The student in whose space the items are looked at; without it audits that need one do not apply.
    out
        Folder for the findings (default: beside the source, or the study's own folder).
    """
    from outgrow.audit import audit

    findings, page = audit(source, reading=reading, votes_table=votes_table, strong=strong, out=out)
    for finding in findings:
        if finding.severity != "not applicable":
            print(f"{finding.severity:8}{finding.code:8}{finding.says}" + (f" {finding.do}" if finding.do else ""))
    print(f"findings: {page}")
