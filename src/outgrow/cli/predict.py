"""outgrow predict"""

from __future__ import annotations

from pathlib import Path

from outgrow.cli.output import SPOKEN, Spoken
from outgrow.core.progress import emit


def predict_(
    folder: Path, data: str, /, *, text: str | None = None, text2: str | None = None, image: str | None = None,
    context: str | None = None, question: str | None = None, answer: str | None = None, prompt: str | None = None,
    chosen: str | None = None, rejected: str | None = None, id: str | None = None, votes_table: str | None = None,
    abstain: list[str] | None = None, out: Path | None = None, overwrite: bool = False, output: Spoken = SPOKEN,
) -> None:  # fmt: skip
    """Label a table, or answer its prompts, by a student that `outgrow learn` or `outgrow run` saved.

    Prints the path of what it writes.

    Parameters
    ----------
    folder
        The student's folder, or that of the study that kept it.
    data
        A .parquet, .csv or .jsonl file with the columns that the student reads. For a student of images also a folder
        of images or an .npz file of pixels; for one of features a .npz, .npy or .parquet file of them.
    text
        Column of the text, where it has another name here.
    text2
        Column of the second text.
    image
        Column of the image.
    context
        Column of what the question is about.
    question
        Column of the question.
    answer
        Column of the answer to be judged.
    prompt
        Column of what is to be answered, or of what both texts of a pair answer.
    chosen
        Column of the first text of a pair: the student says whether it is the better one.
    rejected
        Column of the second text of a pair.
    id
        Column of the items' ids, which goes into the labels (default: id where there is one).
    votes_table
        A long table of votes on these items, for a student that reads votes.
    abstain
        Words that abstain in these votes, beside those that always do.
    out
        File for the table with its labels or answers, .parquet, .csv or .jsonl; by default beside the table. `row` in
        it counts the table's rows from 1 on.
    overwrite
        Another file of that name may go.
    """
    from outgrow.tasks.tables.options import Reading
    from outgrow.workflows.predict import predict

    reading = Reading(
        text=text, text2=text2, image=image, context=context, question=question, answer=answer, prompt=prompt,
        chosen=chosen, rejected=rejected, id=id, abstain=tuple(abstain or ()),
    )  # fmt: skip
    output.begin()
    written = predict(folder, data, reading=reading, votes_table=votes_table, out=out, overwrite=overwrite)
    if output.json:
        output.show({"written": str(written)})
    else:
        emit(f"written: {written}")
