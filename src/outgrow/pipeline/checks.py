"""What is refused before any model reads."""

from __future__ import annotations

import numpy as np

from outgrow import supervisors
from outgrow.core.errors import UserError
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


def apart(task: Task, auxiliary: Task) -> None:
    """Raises UserError where an auxiliary task, whose gold methods may read, has items of the task itself."""
    its, others = (set(zip(one.texts, one.images or [None] * len(one), strict=True)) for one in (task, auxiliary))
    if shared := len(its & others):
        raise UserError(
            f"`auxiliary` = {auxiliary.name}: {shared:,} of its items are items of {task.name}, whose gold is sealed: "
            "name another task"
        )
