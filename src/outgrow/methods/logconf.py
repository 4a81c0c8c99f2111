"""Auxiliary confidence loss: the student may trust itself where it is sure.

L = (1-a) CE(f, w) + a CE(f, stop(1[f > t]))        t: the predicted class balance equals the weak prior
a = alpha min(progress / warmup, 1)                  schedule "repository" leaves out the division
"""

from __future__ import annotations

from typing import Literal

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.losses.logconf import Logconf
from outgrow.methods import method
from outgrow.students.base import Fitted, Student


@method(
    paper="Burns et al. 2023 (arXiv 2312.09390), section 4.3.2",
    differs="a full-batch head on frozen features: t is set over all items, progress = step / steps",
    wins=World(gap=0.5, rate=0.3, telling=0.6, width=40),
    ties=World(errors="emulable"),
    usual=True,
)
def logconf(
    weak: WeakLabels,
    student: Student,
    *,
    alpha: float = 0.75,
    warmup: float = 0.2,
    schedule: Literal["paper", "repository"] = "paper",
) -> Fitted:
    """Train on weak labels, plus confidence in the student's own hardened predictions.

    Args:
        alpha: the largest weight of the student's own predictions.
        warmup: share of training in which that weight rises.
        schedule: "paper", or "repository" for the published code, which rises alpha * progress and then jumps.
    """
    return student.fit(weak.beliefs, loss=Logconf(alpha, warmup, schedule))
