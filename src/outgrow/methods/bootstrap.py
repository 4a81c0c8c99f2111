"""Bootstrap: labels climb to the student through students of sizes in between.

w_0 = w        w_m = fit_m(w_{m-1})    for every rung m of the ladder        student = fit(w_M)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.students.base import Fitted, Student


@method(
    paper="Burns et al. 2023 (arXiv 2312.09390), section 4.3.1",
    differs="heads on frozen features; every rung labels the items that it was trained on, "
    "and abstains where the supervisors do",
    wins=World(rate=0.3, width=80, needed=10),
    ties=World(errors="emulable"),
)
def bootstrap(weak: WeakLabels, ladder: Sequence[Student], student: Student) -> Fitted:
    """Train the smallest student in between on the weak labels, each larger one on the labels of the one before."""
    labels = weak.beliefs
    for rung in ladder:
        labels = np.where(np.isnan(weak.beliefs), np.float32(np.nan), rung.fit(labels).predict())
    return student.fit(labels)
