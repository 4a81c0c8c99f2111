"""An audit of what lies at a path: from a file or a folder to evidence, findings and their page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from outgrow.audits import Finding, examine_all
from outgrow.audits.tables import read, refuse_parameters
from outgrow.core.seeding import hashed
from outgrow.runs import folder as claims
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.options import Reading


def audit(
    source: str | TableFile,
    *,
    reading: Reading | None = None,
    votes_table: str | TableFile | None = None,
    weak: Sequence[str] = (),
    strong: str | None = None,
    out: Path | None = None,
    columns: Sequence[str] = (),
    gold_table: str | TableFile | None = None,
    overwrite: bool = False,
) -> tuple[list[Finding], Path]:
    """Audits what is at a path, or supervisors before they teach; audit.json and audit.html go into a folder.

    Args:
        source: A table (its path, or an open one), the folder of a study, or with `weak` a task.
        reading: What the user said about a table.
        votes_table: A long table of votes on the items of `source`.
        weak: Supervisors of the task `source`.
        strong: The model that reads items and answers.
        out: The folder; by default beside the table, or that of the study.
        columns: "NAME=COLUMN": what columns are called here that go by other names.
        gold_table: A table of items that holds their gold.
        overwrite: Whether another result in the folder may be replaced.

    Returns:
        The findings, the gravest first, and the page.

    Raises:
        UserError: One line, for what the user can mend.

    Example:
        >>> audit("nowhere.csv")
        Traceback (most recent call last):
        ...
        outgrow.core.errors.UserError: ...
    """
    from outgrow import report
    from outgrow.report import audit as audited

    reading, study = reading or Reading(), isinstance(source, str) and Path(source).is_dir()
    if isinstance(source, str) and (weak or study):
        from outgrow.workflows import evidence as studied

        refuse_parameters(columns, gold_table, "a task or a study")
        evidence = studied.named(source, reading, weak, strong) if weak else studied.finished(Path(source))
    else:
        evidence = [read(source, reading, votes_table, strong, columns, gold_table)]
    folder = out or _folder(source)
    own = study and folder == Path(str(source))
    if not own:
        tables = {"source": source, "votes": votes_table, "gold": gold_table}
        asked = {name: claims.content(table) for name, table in tables.items()}
        more = {"columns": list(columns), "reading": asdict(reading), "weak": list(weak), "strong": strong}
        claims.claim(folder, "audit", asked | more, overwrite)
    findings = examine_all(evidence)
    page = audited.write("; ".join(one.source for one in evidence), findings, folder)
    if own:
        report.write(folder)
    return findings, page


def _folder(source: str | TableFile) -> Path:
    """Where findings go: into the study, beside the table, or into runs; of a frame by its content."""
    if isinstance(source, TableFile):
        return Path("runs") / f"{source.name}-{hashed(source.source)[:6]}-audit"
    at = Path(source)
    return at if at.is_dir() else (at.parent if at.is_file() else Path("runs")) / f"{at.stem}-audit"
