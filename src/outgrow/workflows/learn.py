"""From the user's own votes to a saved student, as a recipe:

    table -> votes -> label model -> method -> student -> trust, verdict -> report

Gold judges, and teaches where it may: nothing is held back for that (`pipeline/vote_cell.py`).
"""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from outgrow import label_models, methods, models
from outgrow.core import progress
from outgrow.core.errors import UserError, unknown
from outgrow.pipeline import canary, gold_use
from outgrow.pipeline.vote_cell import VoteCell, enough, gold_teaches, space_for, table_of
from outgrow.runs import folder as claims
from outgrow.runs import learn as learned
from outgrow.runs import suggestions, vote_run
from outgrow.store import Store
from outgrow.students.probe import HEADS
from outgrow.students.saving import save, saved_student
from outgrow.students.student_file import VOTES
from outgrow.tasks import Reading
from outgrow.tasks.tables import annotators as tables
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.roles import detect
from outgrow.training import classifier
from outgrow.training.classifier import KINDS
from outgrow.workflows.predict import predict

__all__ = ["learn", "predict"]


def learn(
    data: str | TableFile,
    *,
    reading: Reading | None = None,
    gold: str | None = None,
    gold_only_judges: bool = False,
    votes_table: str | TableFile | None = None,
    strong: str = "smollm2-135m",
    method: str | None = None,
    label_model: str = label_models.DEFAULT,
    student: str = "linear",
    suggest: int = 0,
    suggest_format: str = suggestions.CSV,
    seed: int = 0,
    out: Path = Path("student"),
    overwrite: bool = False,
) -> Path:
    """Teach a student by the votes in a table, and save it in a folder with its report.

    Features of the items are kept in the store, so that what was stopped goes on where it was.

    Args:
        data: a table, or what a labelling tool exported: a file, or an open table.
        reading: what its columns are, those of votes among them; gold of its `label` judges and does not teach.
        gold: the column of gold, which judges the student and teaches it; partly filled.
        gold_only_judges: whether gold does nothing else.
        votes_table: a long table of votes (item, worker, label) on its items.
        strong: the student's model, or "votes".
        method: where none is named as `pipeline.gold_use.usual_method` says.
        label_model: turns the votes into one distribution an item.
        student: how it learns: "linear", "mlp", "lora" or "full".
        suggest: how many items to name whose gold would help most.
        suggest_format: "csv", or also the tasks of a labelling tool: "label-studio", "argilla" or "prodigy".
        seed: names folds and trainings.
        out: the folder.
        overwrite: whether another result in it may go.

    Returns:
        The folder.

    Raises:
        UserError: what the user can mend.
    """
    from outgrow import report
    from outgrow.report import card

    began, store = time.time(), Store.default()
    if method is not None:
        methods.find(method).check(methods.RESOURCES)
    _check(strong, label_model, student, suggest)
    suggestions.check(suggest_format)
    reading, use = gold_use.named(reading or Reading(), gold), gold_use.use_of(gold is not None, gold_only_judges)
    given = tables.load(data, reading, votes_table, texts=strong != VOTES)
    votes = table_of(given.task)
    enough(given.task, votes)
    teachable = gold_teaches(given, seed)
    recipe = methods.find(method or gold_use.usual_method(student, use, teachable))
    asked = {
        "data": claims.content(data),
        "votes": claims.content(votes_table),
        "columns": asdict(reading),
        "strong": strong,
        "method": recipe.name,
        **({} if use == "weighs" else {"gold": use}),
        "label model": label_model,
        "student": student,
        "suggest": suggest,
        "seed": seed,
    }
    claims.claim(out, "learn", asked, overwrite)
    (out / learned.SUGGESTED).unlink(missing_ok=True)

    space = space_for(given.task, votes, strong, student, store)
    cell = VoteCell(given, space, votes, label_model, student, seed, given.complete, use, strong, store)
    items = int(cell.design.teach[0].sum())
    annotators = f"{votes.annotators} annotator{'s' if votes.annotators > 1 else ''}"
    if said := gold_use.told(int((given.gold.labels >= 0).sum()), use, teachable, recipe.kind == "gold"):
        progress.say(said)
    progress.say(f"teaching {strong} by {annotators} on {items:,} items")
    resources: Any = cell  # what votes cannot give is None there
    fitted = recipe.fit(resources, **recipe.parameters)
    if fitted is None:
        why = f"lacks {lacks}" if (lacks := "; ".join(recipe.lacks(resources))) else "returned no student"
        raise UserError(f"method {recipe.name!r} {why}: learn with another `method`")
    predicted = cell.predicted(fitted)
    probs, belief = cell.design.crossed(predicted), cell.believed(label_model)

    taught = {"method": recipe.name, "parameters": recipe.parameters, "label_model": label_model, "items": items}
    columns = detect(given.table.names, given.reading).read_later
    saved = saved_student(fitted, given.task, strong, columns, cell.names, taught, store)
    save(saved, out, fitted)
    how = learned.settings(saved, recipe, method is not None, time.time() - began)
    watched = canary.of_votes(cell, recipe, predicted[cell.COMPARED])
    learned.write(out, cell, recipe, space, probs, belief, suggest, watched, how)
    suggestions.export(out, given.task.classes, suggest_format if suggest else suggestions.CSV)
    vote_run.write(out, cell, strong, recipe, probs, watched, asked, began)
    report.write(out)
    card.of_learn(out)
    return out


def _check(strong: str, label_model: str, student: str, suggest: int) -> None:
    """Raises UserError for what is asked wrongly, before anything is read."""
    label_models.find(label_model)
    if student not in (*HEADS, *KINDS):
        raise unknown("kind of student", student, (*HEADS, *KINDS))
    classifier.check(student)
    if strong == VOTES and student in KINDS:
        raise UserError(f"`strong` = {VOTES} is no model that could be fine-tuned: take `student` linear or mlp")
    if suggest < 0:
        raise UserError(f"`suggest` = {suggest}: give a number of items")
    if strong != VOTES:
        models.check(strong, "model for `strong`", [VOTES])
