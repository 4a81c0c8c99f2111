"""A small model's features under a linear head that learns from the weak-train gold; or a network that learns all from it."""

from __future__ import annotations

import numpy as np

from outgrow.models import scratch
from outgrow.supervisors import SupervisorView, supervisor


@supervisor(argument="model")
def probe(view: SupervisorView, model: str) -> np.ndarray:
    """A linear probe on a model's features, trained on weak-train gold (a bare model name means this); convnet is trained whole."""
    from outgrow.students.convnet import Convnet
    from outgrow.students.probe import Probe

    known, groups, seed, replicates = view.gold >= 0, view.task.groups, view.seed, view.replicates
    if scratch.named(model):
        network = Convnet(view.spaces.pictures(model), known, groups, seed, replicates)
        return network.fit(view.targets()).predict()
    space = view.spaces(model, view.pool)
    return Probe(space, known, groups, seed, replicates, view.head).fit(view.targets()).predict()
