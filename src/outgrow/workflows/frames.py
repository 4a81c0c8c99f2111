"""Learn from Python: data frames where paths go, and objects where names go.

Each is the workflow of its name; an object is lent to the registry of its kind while the workflow runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from outgrow.label_models import DEFAULT
from outgrow.tasks.asking import Asking
from outgrow.tasks.frame_source import described
from outgrow.tasks.tables.frames import opened
from outgrow.tasks.tables.options import Reading
from outgrow.workflows.label import with_labels
from outgrow.workflows.result import LearnResult


def learn(
    data: Any,
    *,
    gold: str | None = None,
    gold_only_judges: bool = False,
    votes_table: Any = None,
    ask: str | Sequence[str] = (),
    asking: Asking | None = None,
    strong: str = "smollm2-135m",
    method: Any = None,
    label_model: Any = DEFAULT,
    student: str = "linear",
    suggest: int = 0,
    suggest_format: str = "csv",
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
        ask: models that are asked for labels first, as by `outgrow.label`: then texts and `classes` are enough.
        asking: how they are asked.
        strong: the student's model, or "votes" for items without text.
        method: a name (`outgrow list methods`) or a function of resources; by default auto, with gold gold_and_weak.
        label_model: a name (`outgrow list label-models`) or a function of `WeakLabels`.
        student: how it learns: linear, mlp, lora or full.
        suggest: number of items to name in suggest.csv, whose gold would help most.
        suggest_format: csv, or also the tasks of a labelling tool: label-studio, argilla or prodigy.
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

    models = [ask] if isinstance(ask, str) else ask
    table, read = with_labels(opened(data), described(reading, **said), models, asking, seed)
    with ExitStack() as stack:
        chosen = METHODS.lend(stack, [] if method is None else method)
        (model,) = LABEL_MODELS.lend(stack, label_model)
        folder = workflow.learn(
            table,
            reading=read,
            gold=gold,
            gold_only_judges=gold_only_judges,
            votes_table=votes_table if votes_table is None else opened(votes_table, "votes"),
            strong=strong,
            method=chosen[0] if chosen else None,
            label_model=model,
            student=student,
            suggest=suggest,
            suggest_format=suggest_format,
            seed=seed,
            out=Path(out),
            overwrite=overwrite,
        )
        return LearnResult(folder)
