"""Hardened self-training: the student is trained on weak labels, then on its own hardened answers, for a few rounds.

f_0 = fit(w)        f_k = fit(1[f_{k-1} > t])        t: the answers keep the class balance of w
"""

from __future__ import annotations

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.students.base import Fitted, Student


@method(
    paper="self-training on pseudo-labels (Lee 2013)",
    differs="the balance of the answers is held at the weak labels', or imbalanced tasks collapse",
    wins=World(gap=0.5, rate=0.15, width=100, items=3000),
    ties=World(errors="emulable"),
    usual=True,
)
def hardened(weak: WeakLabels, student: Student, *, rounds: int = 1) -> Fitted:
    """Train on weak labels, then on the student's own hardened answers.

    Args:
        rounds: trainings on the student's answers.
    """
    import torch

    from outgrow.losses.logconf import hardened as harden
    from outgrow.losses.logconf import prior

    labels = weak.beliefs
    seen = torch.from_numpy((labels == labels).all(-1)).float()
    balance = prior(torch.from_numpy(labels).nan_to_num(), seen)
    fitted = student.fit(labels)
    for _ in range(rounds):
        answers = harden(torch.from_numpy(fitted.predict()).log(), balance, seen).numpy()
        answers[seen.numpy() == 0] = float("nan")
        fitted = student.fit(answers)
    return fitted
