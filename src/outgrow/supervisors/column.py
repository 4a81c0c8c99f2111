"""A column of the user's own votes."""

from __future__ import annotations

import numpy as np

from outgrow.errors import unknown
from outgrow.supervisors import View, supervisor


@supervisor(argument="name", learns=False)
def column(view: View, name: str) -> np.ndarray:
    """A column of the user's own votes, named by --votes; empty means it abstains."""
    if name not in view.task.votes:
        raise unknown("column of votes (name it with --votes)", name, view.task.votes or ["(none was read)"])
    votes = view.task.votes[name]
    return np.broadcast_to(votes, (len(view.gold), *votes.shape))
