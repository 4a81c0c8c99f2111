"""Learn and audit from Python: data frames where paths go, and objects where names go.

Each is the workflow of its name; what is given as an object is lent to the registry of its kind while the
workflow runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from outgrow.label_models import DEFAULT
from outgrow.tasks.frame_source import by_content, described
from outgrow.tasks.source import TASKS
from outgrow.tasks.tables.frames import opened
from outgrow.tasks.tables.options import Reading
from outgrow.workflows.result import AuditResult, LearnResult


def learn(
    data: Any,
    *,
    gold: str | None = None,
    gold_only_judges: bool = False,
    votes_table: Any = None,
    strong: str = "smollm2-135m",
    method: Any = None,
    label_model: Any = DEFAULT,
    student: str = "linear",
    suggest: int = 0,
    seed: int = 0,
    out: Path | str = "student",
    overwrite: bool = False,
    reading: Reading | None = None,
    **said: Any,
) -> LearnResult:
    """Teach a student by the votes in a table, and keep it in a folder with its report.

    Args:
        data: a data frame (pandas, polars, pyarrow or another that narwhals reads), or the path of a table.
        gold: the column of gold, where there is any; it teaches the student, and judges one that has not seen it.
        gold_only_judges: whether gold does nothing but judge; `label` names a column of gold that does not teach.
        votes_table: a long table of votes (item, worker, label) on the items of `data`, as a frame or a path.
        strong: the student's model, or "votes" for items without text.
        method: a name (`outgrow list methods`) or a function of resources; auto where none is given, with gold
            gold_and_weak.
        label_model: a name (`outgrow list label-models`) or a function of `WeakLabels`.
        student: how it learns: linear, mlp, lora or full.
        suggest: number of items to name in suggest.csv, whose gold would help most.
        seed: names folds and trainings.
        out: the folder of the student.
        overwrite: another result in the folder may be replaced.
        reading: what is said about the table, as a record.
        said: the same by name: text, votes (a list of columns), id, classes, abstain, group and others.

    Raises:
        UserError: there is something that the user can mend.

    Example:
        >>> import polars as pl
        >>> learn(pl.DataFrame({"message": ["win a prize"], "rule": ["spam"]}), text="message", votes=["rul"])
        Traceback (most recent call last):
        ...
        outgrow.core.errors.UserError: unknown column for `votes` 'rul': did you mean 'rule'?
    """
    from outgrow.label_models import LABEL_MODELS
    from outgrow.methods import METHODS
    from outgrow.workflows import learn as workflow

    with ExitStack() as stack:
        chosen = METHODS.lend(stack, [] if method is None else method)
        (model,) = LABEL_MODELS.lend(stack, label_model)
        folder = workflow.learn(
            opened(data),
            reading=described(reading, **said),
            gold=gold,
            gold_only_judges=gold_only_judges,
            votes_table=votes_table if votes_table is None else opened(votes_table, "votes"),
            strong=strong,
            method=chosen[0] if chosen else None,
            label_model=model,
            student=student,
            suggest=suggest,
            seed=seed,
            out=Path(out),
            overwrite=overwrite,
        )
        return LearnResult(folder)


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
