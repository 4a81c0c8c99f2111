"""Nearest-neighbour filter: the student is trained on items whose weak label agrees with those of their neighbours.

minimise  sum_{i kept} CE(f_i, w_i)        kept: argmax w_i = argmax_c mean_{j near i} w_jc / prior_c
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.selection.neighbours import neighbours
from outgrow.students.base import Fitted, Student


@method(
    paper="Wilson 1972; deep k-NN, Bahri, Jiang & Gupta 2020 (arXiv 2004.12289)",
    differs="neighbours in the student's frozen features and not in the logits of a first model; "
    "shares are measured against the prior",
    wins=World(rate=0.4, gap=1.0),
    ties=World(errors="emulable"),
)
def knn_filter(weak: WeakLabels, student: Student, features: Sequence[np.ndarray], *, k: int = 15) -> Fitted:
    """Train on the items whose weak label agrees with those of their nearest neighbours.

    Args:
        k: number of neighbours.
    """
    return student.fit(weak.beliefs, weights=neighbours(weak.belief, features, k))
