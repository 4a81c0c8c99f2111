"""outgrow committee"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from outgrow.cli.output import SPOKEN, Spoken
from outgrow.core.errors import UserError
from outgrow.core.progress import emit
from outgrow.tasks.tables.prompts import Columns

_COLUMNS = Group("How to read a table: names of columns, and more")


def committee_(
    *sources: str,
    weak: list[str] | None = None,
    strong: str | None = None,
    draws: Annotated[int, Parameter(name=["--samples", "--draws"])] = 8,
    verifier: list[str] | None = None,
    judge: str | None = None,
    items: int | None = None,
    temperature: float = 1.0,
    answers: list[str] | None = None,
    rounds: int = 0,
    prompting: str = "auto",
    seed: int = 0,
    out: Path | None = None,
    overwrite: bool = False,
    columns: Annotated[Columns, Parameter(name="*", group=_COLUMNS, show_default=False)] = Columns(),  # noqa: B008
    output: Spoken = SPOKEN,
) -> None:
    """Draw several answers from weak models, let verifiers choose among them, and say what that is worth.

    Parameters
    ----------
    sources
        A generation task (`outgrow list tasks`), NAME or NAME:DIFFICULTY; a table with a column of prompts and one of
        answers; or recorded answers: a long table (item, model, answer; gold or correct), or a wide one with --answers.
        Several sources, or folders of finished committees, share one picture as well.
    weak
        Models that answer: catalogue names, hub ids, folders, server:URL,NAME, or answers:FILE.
    strong
        A model to compare with; verifiers choose among its answers, too.
    draws
        Answers of each model to each item.
    verifier
        Checks that choose (`outgrow list verifiers`); by default the task's own.
    judge
        The model that verifiers ask which need one (default: the first of --weak).
    items
        At most so many items.
    temperature
        Of drawing; 0 draws the likeliest answer alone.
    answers
        Columns of a wide table that hold recorded answers, a model each.
    rounds
        Rounds of self-improvement of the one --weak: tuned on its own answers, all of them, those that it keeps itself,
        and those that the first --verifier keeps.
    prompting
        How models are asked: chat, plain, or auto, which is chat where a model has a chat template.
    seed
        Of drawing and of the intervals.
    out
        Folder for committee.json, answers.parquet and committee.html (default: in runs).
    overwrite
        Another result in that folder may go.
    """
    from outgrow.tasks.tables.files import listed
    from outgrow.workflows.committees import committees

    output.begin()
    if not sources:
        raise UserError("name a task, a table, or folders of finished committees")
    found = committees(
        sources,
        out=out,
        overwrite=overwrite,
        weak=weak or (),
        strong=strong,
        draws=draws,
        verifier=listed(verifier or ()),
        judge=judge,
        items=items,
        temperature=temperature,
        answers=answers or (),
        columns=columns,
        rounds=rounds,
        prompting=prompting,
        seed=seed,
    )
    if output.json:
        output.show({"committees": found.facts} if len(found.facts) > 1 else found.facts[0])
        return
    for facts in found.facts:
        if len(found.facts) > 1:
            emit(facts["task"])
        _say(facts)
    emit(f"committee: {found.page}")


def _say(facts: dict[str, Any]) -> None:
    from outgrow.report.words import compared, interval, percent

    if said := compared(facts):
        emit(said)
    if not facts["enough"]["holds"]:
        emit(
            f"coverage {percent(facts['enough']['coverage'])}, a single answer {percent(facts['enough']['single'])}: "
            "too little to choose from, so that no figure of a committee counts"
        )
    for member in facts["members"]:
        if member.get("cut"):
            emit(
                f"{member['name']}: {member['cut']:,} of {member['answers']:,} answers were cut at the token limit "
                "(of a table, --tokens gives more room)"
            )
    for figure in facts["figures"]:
        if figure["k"] == max(f["k"] for f in facts["figures"] if f["who"] == figure["who"]):
            name = figure["choice"] + (f" {figure['verifier']}" if figure["verifier"] else "")
            right = f"{percent(figure['right']['value'])} {interval(figure['right']['ci'])}"
            shown = f"  shown {percent(figure['shown']['value'])}" if figure["shown"] else ""
            emit(f"{figure['who']:7}{name:22} of {figure['k']:<4} {right}{shown}")
    for row in facts.get("rounds", ()):
        emit(
            f"round {row['round']} {row['by']:20} {percent(row['single']['value'])} {interval(row['single']['ci'])}  "
            f"coverage {percent(row['covered']['value'])}"
        )
