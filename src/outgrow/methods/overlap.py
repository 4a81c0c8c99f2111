"""Overlap density: the student is trained on items with both features that the supervisor knows and others.

minimise  sum_{i kept} CE(f_i, w_i)        kept: the top `share` of s within each class that w names
s = z(cross-fitted likelihood ratio) + z(neighbours' agreement) + z(local density) + z(medium entropy)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.selection.overlap import overlap as overlapping
from outgrow.students.base import Fitted, Student
from outgrow.students.crossfit import crossfit


@method(
    paper="overlap density, Shin, Cooper & Sala 2025 (arXiv 2412.03881)",
    differs="four signs of overlap, as Anthropic's automated researchers (April 2026) combined them, "
    "in place of the paper's change points",
    wins=World(rate=0.4, gap=1.0),
    ties=World(errors="emulable"),
)
def overlap(
    weak: WeakLabels, student: Student, features: Sequence[np.ndarray], *, share: float = 0.5, k: int = 15
) -> Fitted:
    """Train on the half of each class with the most overlap by likelihood, neighbours, density and entropy.

    Args:
        share: share of each class that is kept.
        k: number of neighbours.
    """
    labels = weak.beliefs
    return student.fit(labels, weights=overlapping(weak.belief, features, crossfit(student, labels), share, k))
