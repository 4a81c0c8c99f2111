"""A small model's features under a linear head that learns from the weak-train gold."""

from __future__ import annotations

import numpy as np

from outgrow.supervisors import View, supervisor


@supervisor(argument="model")
def probe(view: View, model: str) -> np.ndarray:
    """A linear probe on a model's features, trained on weak-train gold (a bare model name means this)."""
    from outgrow.students.probe import Probe

    space = view.spaces(model, view.pool)
    return Probe(space, view.gold >= 0, view.task.groups, view.seed, view.replicates, view.head).fit(view.targets()).predict()
