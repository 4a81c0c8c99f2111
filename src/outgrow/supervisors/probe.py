"""A linear head on a small model's features, trained on weak-train gold; or a network trained on it from scratch."""

from __future__ import annotations

import numpy as np

from outgrow.models import scratch
from outgrow.supervisors import SupervisorView, supervisor


@supervisor(argument="model")
def probe(view: SupervisorView, model: str) -> np.ndarray:
    """A linear probe on a model's features, trained on weak-train gold; convnet is trained from scratch.

    A bare model name means this kind.
    """
    from outgrow.students.convnet import Convnet
    from outgrow.students.probe import Probe

    known, groups, seed, replicates = view.gold >= 0, view.task.groups, view.seed, view.replicates
    if scratch.named(model):
        network = Convnet(view.spaces.pictures(model), known, groups, seed, replicates)
        return network.fit(view.targets()).predict()
    space = view.spaces(model, view.pool)
    return Probe(space, known, groups, seed, replicates, view.head).fit(view.targets()).predict()
