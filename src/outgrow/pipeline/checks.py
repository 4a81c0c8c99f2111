"""What is refused before any model reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from outgrow import supervisors
from outgrow.core.errors import UserError
from outgrow.models import files
from outgrow.supervisors import FeatureSpaces
from outgrow.supervisors.column import cast
from outgrow.tasks.splits import FEWEST
from outgrow.tasks.task import Task


def enough(task: Task, name: str, pool: np.ndarray) -> None:
    """Raises UserError where supervisors are columns of votes, and have too few on items that are not test."""
    members = supervisors.parse(name)
    if any(kind.name != "column" for kind, _ in members):
        return
    heard = np.any([~np.isnan(cast(task, column)).any(-1) for _, column in members], 0)
    if (heard & pool).sum() < 2 * FEWEST:
        raise UserError(
            f"{task.name}: {(heard & pool).sum()} items outside the test split have a vote of {name!r}: "
            f"give at least {2 * FEWEST}, half of which teach"
        )


def readable(task: Task, weak: Sequence[str], spaces: FeatureSpaces, models: Sequence[str], pool: np.ndarray) -> None:
    """Raises UserError where columns of votes or files of features do not fit the task; `pool` as of `Spaces`."""
    for name in weak:
        enough(task, supervisors.spread(name, task), pool)
    for file in filter(files.named, models):
        spaces(file, pool)


def apart(tasks: Sequence[Task], auxiliary: Task) -> None:
    """Raises UserError where an auxiliary task, whose gold methods may read, has items of one of the tasks."""
    its = _items(auxiliary)
    for task in tasks:
        if shared := len(its & _items(task)):
            raise UserError(
                f"`auxiliary` = {auxiliary.name}: {shared:,} of its items are items of {task.name}, whose gold is "
                "sealed: name another task"
            )


def _items(task: Task) -> set[Any]:
    return set(zip(task.texts, task.images or [None] * len(task), strict=True))
