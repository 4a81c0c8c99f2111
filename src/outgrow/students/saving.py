"""From a fitted student to what is saved of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from outgrow import models
from outgrow.core.errors import UserError
from outgrow.models.loader import chosen_precision
from outgrow.store import Store
from outgrow.students.saved import VOTES, SavedStudent, weights
from outgrow.tasks.task import Task


def saved_student(
    fitted: Any,
    task: Task,
    strong: str,
    columns: Mapping[str, str],
    voters: Sequence[str],
    taught: Mapping[str, Any],
    store: Store,
    replicate: int = 0,
) -> SavedStudent:
    """A replicate of a fitted student, with what it takes to label new texts.

    Args:
        fitted: what a method returned.
        task: what it was taught on.
        strong: the student's model, or "votes".
        columns: by role the columns that the task was read from; the label is left out.
        voters: those who taught it.
        taught: method, label model and number of items, for the record.
        store: where models are found.
        replicate: which of the replicates.

    Raises:
        UserError: the method's student cannot be kept in a folder.
    """
    digest, revision, pooling = "", "what the voters say", ""
    if strong != VOTES:
        model = models.resolve(strong, store)
        if model.kind not in ("causal", "encoder"):
            raise UserError(f"{strong!r} is no model that could read new texts")
        digest, revision, pooling = model.digest, model.revision, "last" if model.kind == "causal" else "mean"
    return SavedStudent(
        classes=task.classes,
        model=strong,
        precision=chosen_precision(),
        template=task.template,
        columns={role: name for role, name in columns.items() if role != "label"},
        words=task.words,
        voters=tuple(voters),
        taught=taught,
        digest=digest,
        revision=revision,
        pooling=pooling,
        **weights(fitted, replicate),
    )
