"""Trust function: a model of where the supervisor is right, on its own features, weights its labels.

minimise  sum_i q(h_i) CE(f_i, w_i)        q = fit(1[argmax w = gold]) on weak-train, h: the supervisor's features
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels, WeakTrain
from outgrow.methods import method
from outgrow.students.base import Fitted, Student


@method(
    paper="trust functions, Uzunoğlu, Zhang & Khashabi 2026 (arXiv 2606.01000)",
    differs="a logistic head, its ridge chosen in folds, in place of a two-layer network; it weights where the paper "
    "filters; weak-train labels come from copies of the supervisor that have not seen the item's gold",
    wins=World(rate=0.4, errors="region", weak_width=12),
    ties=World(rate=0.3),
)
def trust(weak: WeakLabels, student: Student, weak_features: Sequence[np.ndarray], weak_train: WeakTrain) -> Fitted:
    """Weight every item by the probability that its weak label is right, learned on weak-train gold."""
    from outgrow.students.probe import Probe, Space

    said = weak_train.said.beliefs
    known = ~np.isnan(said).any(-1) & (weak_train.gold >= 0)
    heard = ~np.isnan(weak.beliefs).any(-1)
    right = np.eye(2, dtype=np.float32)[(said.argmax(-1) == weak_train.gold).astype(int)]
    trusted = np.empty(known.shape, np.float32)
    for r, h in enumerate(weak_features):
        space = Space(h[None, None], (1,), known[r] | heard[r])
        head = Probe(space, known[[r]], student.groups, student.seed, student.replicates[r : r + 1])
        trusted[r] = head.fit(right[r]).predict()[0, :, 1]
    return student.fit(weak.beliefs, weights=trusted)
