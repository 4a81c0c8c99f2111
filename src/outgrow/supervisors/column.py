"""A column of the user's own votes."""

from __future__ import annotations

import numpy as np

from outgrow.core.errors import unknown
from outgrow.supervisors import SupervisorView, supervisor
from outgrow.tasks.task import Task


@supervisor(argument="name", learns=False)
def column(view: SupervisorView, name: str) -> np.ndarray:
    """A column of the user's own votes, named by --votes; empty cells, -1 and words such as NA are abstentions."""
    votes = cast(view.task, name)
    return np.broadcast_to(votes, (len(view.gold), *votes.shape))


def cast(task: Task, name: str) -> np.ndarray:
    """The votes of a column (N, C), NaN for an abstention."""
    if name not in task.votes:
        raise unknown("column of votes (name it with `votes`)", name, task.votes or ["(none was read)"])
    return task.votes[name]
