"""Audit from Python: data frames where paths go, and objects where names go."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from outgrow.tasks.frame_source import by_content, described
from outgrow.tasks.source import TASKS
from outgrow.tasks.tables.frames import opened
from outgrow.tasks.tables.options import Reading
from outgrow.workflows.result import AuditResult


def audit(
    source: Any,
    *,
    gold: str | None = None,
    votes_table: Any = None,
    gold_table: Any = None,
    weak: Any = (),
    strong: str | None = None,
    columns: Sequence[str] = (),
    out: Path | str | None = None,
    overwrite: bool = False,
    reading: Reading | None = None,
    **said: Any,
) -> AuditResult:
    """Find out, mostly without gold, when weak supervision will fail.

    Args:
        source: a data frame or the path of a table: of votes, of verdicts on pairs, of answers; the folder of a study;
            or, with `weak`, a task.
        gold: the column of gold, where there is any.
        votes_table: a long table of votes on the items of `source`, as a frame or a path.
        gold_table: a table of items that holds their gold, as a frame or a path.
        weak: supervisors of the task `source` that are looked at before they teach: names, or functions of texts.
        strong: the model in whose space items are looked at.
        columns: "NAME=COLUMN": what columns are called here that go by other names.
        out: the folder of the findings; by default beside the table, that of the study, or in runs.
        overwrite: another result in the folder may be replaced.
        reading: what is said about the table, as a record.
        said: the same by name: text, votes (a list of columns), id, classes, abstain, group and others.

    Raises:
        UserError: there is something that the user can mend.

    Example:
        >>> audit("nowhere.csv")
        Traceback (most recent call last):
        ...
        outgrow.core.errors.UserError: ...
    """
    from outgrow.supervisors import SUPERVISORS
    from outgrow.workflows.audit import audit as workflow

    with ExitStack() as stack:
        supervisors = SUPERVISORS.lend(stack, weak)
        _, page = workflow(
            TASKS.lend(stack, source, by_content)[0] if supervisors else opened(source),
            reading=described(reading, gold=gold, **said),
            votes_table=votes_table if votes_table is None else opened(votes_table, "votes"),
            gold_table=gold_table if gold_table is None else opened(gold_table, "gold"),
            weak=supervisors,
            strong=strong,
            columns=columns,
            out=None if out is None else Path(out),
            overwrite=overwrite,
        )
        return AuditResult(page.parent)
