"""Confidence window: once the student is sure of an item, its weak label no longer pulls, be it for or against.

L = CE(f, w) where max f < 1/2 + radius, else 0
"""

from __future__ import annotations

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.losses.window import Window
from outgrow.methods import method
from outgrow.students.base import Fitted, Student


@method(
    paper='loss "window" of the code of EleutherAI 2024, "Experiments in weak-to-strong generalization" (no gain there)',
    differs="a full-batch head on frozen features, which hovers about the window's edge, where the pull jumps; more classes than two: "
    "surety (max f - 1/C) / (1 - 1/C) < 2 radius",
    wins=World(gap=0.5, rate=0.3, telling=1.0, width=100, items=3000),
    ties=World(errors="emulable"),
)
def window(weak: WeakLabels, student: Student, *, radius: float = 0.15) -> Fitted:
    """Train only on items of which the student is unsure; radius 0: as sure as the middle weak label."""
    return student.fit(weak.beliefs, loss=Window(radius))
