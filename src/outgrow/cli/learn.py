"""outgrow learn"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from outgrow.cli.label import ASKING, Asked
from outgrow.cli.output import SPOKEN, Spoken
from outgrow.core.progress import emit
from outgrow.label_models import DEFAULT
from outgrow.tasks.tables.options import Reading

_COLUMNS = Group("How to read a table: names of columns, and more")


def learn_(
    data: str,
    /,
    *,
    gold: str | None = None,
    gold_only_judges: bool = False,
    votes_table: str | None = None,
    ask: list[str] | None = None,
    strong: str = "smollm2-135m",
    method: str | None = None,
    label_model: str = DEFAULT,
    student: str = "linear",
    suggest: int = 0,
    suggest_format: str = "csv",
    seed: int = 0,
    out: Path = Path("student"),
    overwrite: bool = False,
    track: Literal["mlflow", "wandb", "tensorboard"] | None = None,
    reading: Annotated[Reading, Parameter(name="*", group=_COLUMNS, show_default=False)] = Reading(),  # noqa: B008
    asking: Asked = ASKING,
    output: Spoken = SPOKEN,
) -> None:
    """Teach a student by your own votes, save it, and say how far it can be trusted. Gold is not needed; some helps.

    Parameters
    ----------
    data
        A table (.parquet, .csv, .tsv, .jsonl, .json, .xlsx, or one of these .gz): a text an item, columns of votes
        (--votes a,b,c; an empty cell, -1 and words like NA or skip abstain), and gold on some rows where there is any
        (--gold, --label). Or what Label Studio, Argilla, Prodigy, doccano or Mechanical Turk exported, or any table
        with a row an annotation, as it is.
    gold
        Column of gold, of some rows or all. It teaches the student, and judges it: each label a student that has not
        seen it. Gold of --label (or of a column called label) judges, and does not teach the student.
    gold_only_judges
        Gold judges and does nothing else: no label model weighs annotators by it either.
    votes_table
        Votes instead of columns: a long table (item, worker, label, a row a vote; `item` is the items' --id), or a
        matrix (.npy, .npz), a row an item.
    ask
        Models that are asked for labels first, as by `outgrow label`: then texts and --classes are enough.
    strong
        The student: a model name (`outgrow list models`), a hub id or a folder; `votes` for items without text: it
        reads the votes themselves.
    method
        How it learns from weak labels (`outgrow list methods`); auto where not given, of a fine-tuned student naive;
        with --gold gold_and_weak, of a fine-tuned student weak_then_gold.
    label_model
        What makes one belief of several annotators (`outgrow list label-models`).
    student
        linear or mlp, a head on the model's features without or with a hidden layer; lora or full, the model itself,
        fine-tuned by low-rank updates or all of it, six times.
    suggest
        Write suggest.csv: so many items whose gold would help most.
    suggest_format
        Write these also as tasks of a labelling tool: label-studio, argilla or prodigy.
    seed
        The one integer that names the randomness.
    out
        Folder for the student and its report. The same command goes on where it was.
    overwrite
        Another result in that folder may go.
    track
        Tell MLflow, Weights & Biases or TensorBoard (DIR/tensorboard) the settings, the scores and the report.
    """
    from outgrow.report import tracking
    from outgrow.report.learn import told
    from outgrow.report.sheets import content
    from outgrow.workflows import label, learn

    output.begin()
    tracking.check(track)
    table, read = label.with_labels(data, reading, ask or (), asking, seed)
    folder = learn.learn(
        table,
        reading=read,
        gold=gold,
        gold_only_judges=gold_only_judges,
        votes_table=votes_table,
        strong=strong,
        method=method,
        label_model=label_model,
        student=student,
        suggest=suggest,
        suggest_format=suggest_format,
        seed=seed,
        out=out,
        overwrite=overwrite,
    )
    if track is not None:
        tracking.track(folder, track)
    if output.json:
        output.show(content(folder))
    else:
        emit(told(folder))
