"""outgrow label"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from outgrow.cli.output import SPOKEN, Spoken
from outgrow.core.progress import emit
from outgrow.tasks.asking import Asking

Asked = Annotated[Asking, Parameter(name="*", group=Group("How models are asked"), show_default=False)]
ASKING = Asking()


def label_(
    data: str, /, *, by: list[str], out: Annotated[Path, Parameter(name=("--out", "-o"))],
    classes: list[str] | None = None, text: str | None = None, text2: str | None = None, context: str | None = None,
    question: str | None = None, template: str | None = None, seed: int = 0, overwrite: bool = False,
    asking: Asked = ASKING, output: Spoken = SPOKEN,
) -> None:  # fmt: skip
    """Ask language models for the class of every text; write the table with a label and probabilities of each model.

    `outgrow learn` and `outgrow audit` read the new table as it is.

    Parameters
    ----------
    data
        A .parquet, .csv or .jsonl file: a text a row.
    by
        Models: checkpoints (`outgrow list models`, a hub id, a folder), or server:URL,NAME for any server with OpenAI's
        protocol.
    out
        File for the table, .parquet, .csv or .jsonl: all columns of `data`, and for each model NAME, its label, and
        NAME p(CLASS), the probability of each class. Rows without an answer stay empty.
    classes
        The classes to choose from.
    text
        Column of the text.
    text2
        Column of a second text.
    context
        Column of what a question is about.
    question
        Column of the question.
    template
        What a model reads, with {column} fields.
    seed
        The seed of sampled answers.
    overwrite
        Another file of that name may go.
    """
    from outgrow.tasks.tables.options import Reading
    from outgrow.workflows.label import label

    output.begin()
    reading = Reading(
        text=text, text2=text2, context=context, question=question, template=template, classes=tuple(classes or ()),
    )  # fmt: skip
    found = label(data, by=by, reading=reading, asking=asking, seed=seed, out=out, overwrite=overwrite)
    if output.json:
        output.show({"out": str(out), "classes": list(found.classes), "annotators": found.facts()})
        return
    emit("\n".join([*found.told(), f"written: {out}"]))
