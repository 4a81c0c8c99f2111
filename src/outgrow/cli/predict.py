"""outgrow predict"""

from __future__ import annotations

from pathlib import Path

from outgrow.core.progress import emit


def predict_(
    folder: Path, data: str, /, *, text: str | None = None, id: str | None = None, votes_table: str | None = None,
    abstain: list[str] | None = None, out: Path | None = None, overwrite: bool = False,
) -> None:  # fmt: skip
    """Label a table by a student that `outgrow learn` or `outgrow run` saved, and print the path of the labels.

    Parameters
    ----------
    folder
        The student's folder, or that of the study that kept it.
    data
        A .parquet, .csv or .jsonl file with the columns that the student reads.
    text
        Column of the text, where it has another name here.
    id
        Column of the items' ids, which goes into the labels (default: id where there is one).
    votes_table
        A long table of votes on these items, for a student that reads votes.
    abstain
        Words that abstain in these votes, beside those that always do.
    out
        File for the labels, .parquet, .csv or .jsonl; by default beside the table. `row` in it counts the table's rows
        from 1 on; the columns that the student reads go into it.
    overwrite
        Another file of that name may go.
    """
    from outgrow.tasks.tables.options import Reading
    from outgrow.workflows.learn import predict

    reading = Reading(text=text, id=id, abstain=tuple(abstain or ()))
    emit(f"labels: {predict(folder, data, reading=reading, votes_table=votes_table, out=out, overwrite=overwrite)}")
