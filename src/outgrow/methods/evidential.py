"""Bayesian multi-weak: weak labels are samples of a Dirichlet, and the student's logits its evidence, alpha = e^z + 1.

L = sum_i u_i sum_c y_c^(i) EDL(c) = sum_c y_c EDL(c),  y = sum_i u_i y^(i)        u_i: supervisor i's weight
EDL(c) = log S - log alpha_c + lambda_t KL[Dir(alpha, but 1 at c) || Dir(1)]        S = sum alpha, lambda_t = progress
with self-term: (1-g) L + g EDL(stop(argmax f))        predictions are alpha / S
"""

from __future__ import annotations

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.losses.evidential import Evidential
from outgrow.methods import method
from outgrow.students.base import Fitted, Student

PAPER = "Cui et al. 2025 (arXiv 2406.03199), after Sensoy et al. 2018 (arXiv 1806.01768)"
DIFFERS = (
    "a full-batch head on frozen features; logits enter centred, as a head of two classes has but one: free evidence "
    "dies out under soft labels; the loss is scaled, by 2 for two classes and 1/C beyond, so that its curvature is "
    "cross-entropy's, which is as much as to scale the ridge; u_i: log-odds of being right on weak-train gold, equal "
    "where that is not known"
)


@method(
    paper=PAPER,
    differs=DIFFERS,
    # The weights u_i win there: with equal weights and two classes the loss comes out about as naive.
    wins=World(supervisors=5, rate=0.3, spread=0.2, width=40),
    ties=World(supervisors=3, copies=2, errors="emulable"),
)
def evidential(weak: WeakLabels, student: Student, *, self_term: float = 0.0) -> Fitted:
    """Train the student's evidence to explain the weak labels, with misleading evidence discouraged.

    Args:
        self_term: g, the share of the loss towards the student's own answers.
    """
    return student.fit(weighted(weak), loss=Evidential(self_term))


@method(
    paper=PAPER,
    differs=DIFFERS,
    wins=World(gap=0.5, rate=0.15, width=100, items=3000),
    ties=World(errors="emulable"),
)
def evidential_self(weak: WeakLabels, student: Student, *, self_term: float = 0.5) -> Fitted:
    """Train with the evidential loss, half of it towards the student's own answers.

    Args:
        self_term: g, the share of the loss towards the student's own answers.
    """
    return student.fit(weighted(weak), loss=Evidential(self_term))


def weighted(weak: WeakLabels) -> np.ndarray:
    """y (R, N, C): the mean of the supervisors that did not abstain, weighted by u_i."""
    spoke = ~np.isnan(weak.probs)
    u = np.ones(weak.probs.shape[:2])
    if weak.skill is not None:
        classes = weak.probs.shape[-1]
        right = np.nan_to_num(weak.skill, nan=1 / classes).astype(np.float64).clip(0.01, 0.99)
        u = np.log((classes - 1) * right / (1 - right)).clip(0.01)
    u = u[:, :, None, None] * spoke
    with np.errstate(invalid="ignore"):
        mixed: np.ndarray = (u * np.where(spoke, weak.probs, 0)).sum(1) / u.sum(1)
    return mixed.astype(np.float32)
