"""Confidence window: a weak label no longer pulls once the student is sure of the item, in either direction.

L = CE(f, w) where max f < 1/2 + radius, else 0
"""

from __future__ import annotations

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.losses.window import Window
from outgrow.methods import method
from outgrow.students.base import Fitted, Student


@method(
    paper='loss "window" of the code of EleutherAI 2024, "Experiments in weak-to-strong generalization" '
    "(no gain there)",
    differs="a full-batch head on frozen features, which hovers about the window's edge, where the pull jumps; "
    "more classes than two: surety (max f - 1/C) / (1 - 1/C) < 2 radius",
    wins=World(gap=0.5, rate=0.3, telling=1.0, width=100, items=3000),
    ties=World(errors="emulable"),
)
def window(weak: WeakLabels, student: Student, *, radius: float = 0.15) -> Fitted:
    """Train only on items of which the student is still unsure.

    Args:
        radius: distance from 1/2 at which the student is sure; 0 takes the median of the weak labels.
    """
    return student.fit(weak.beliefs, loss=Window(radius))
