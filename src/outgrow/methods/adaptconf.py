"""Adaptive confidence: the student's own answer counts up to as much as the label, item by item.

L = (1-a) CE(f, w) + a CE(f, stop(1[f]))        a = e^{CE_self/T} / (e^{CE_self/T} + e^{CE_teacher/T}), no gradient
CE_self = CE(f, 1[f])        CE_teacher = CE(f, 1[w])        a = 1/2 where they agree, less where not
"""

from __future__ import annotations

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.losses.adaptconf import Adaptconf
from outgrow.methods import method
from outgrow.students.base import Fitted, Student


@method(
    paper="Guo et al. 2024 (arXiv 2402.03749)",
    differs="a full-batch head on frozen features, from a zero head; classes that tie share an answer",
    wins=World(gap=0.5, rate=0.15, width=100, items=3000),
    ties=World(errors="emulable"),
)
def adaptconf(weak: WeakLabels, student: Student, *, temperature: float = 1.0) -> Fitted:
    """Train on weak labels and the student's own answers, weighted item by item by how far the two are apart.

    Args:
        temperature: T; the larger, the nearer all weights are to 1/2.
    """
    return student.fit(weak.beliefs, loss=Adaptconf(temperature))
