"""EM posterior: weak labels are gold through a noisy channel whose errors depend on the features.

C_k(l | x) = softmax_l(V_k . (x, 1))        P(weak label l | gold k): for two classes TPR and FPR, logistic in x
E   q_ik ~ f_k(x_i) prod_l C_k(l | x_i)^{w_il}              f: the student as prior
M   V_k: one ascent step of sum_i q_ik sum_l w_il log C_k(l | x_i) - ridge/2 |V_k|^2, along a bound of its curvature
a round: f = fit(the student's hardened answers), E and M by turns, student = fit(q)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.students.base import Fitted, Student

AXES = 32
"""Number of leading axes of the student's features that the channel depends on."""


@method(
    paper="noisy channel by EM: Raykar et al. 2010, JMLR 11; with errors that depend on features, "
    "automated researchers 2026",
    differs="any number of classes; soft labels as expected counts; a single channel for the belief of all supervisors",
    wins=World(errors="region", rate=0.35),
    ties=World(errors="emulable"),
)
def em_posterior(
    weak: WeakLabels,
    student: Student,
    features: Sequence[np.ndarray],
    *,
    rounds: int = 2,
    steps: int = 20,
    ridge: float = 0.01,
) -> Fitted:
    """Model where the supervisors err, and train on the posterior of gold.

    Args:
        rounds: rounds of EM, each from the last student's answers.
        steps: E and M steps a round.
        ridge: penalty of the channel's weights.
    """
    from outgrow.students.crossfit import answers

    labels = weak.beliefs
    fitted = student.fit(labels)
    for _ in range(rounds):
        prior = student.fit(answers(fitted.predict(), labels)).predict()
        q = np.full_like(labels, np.nan)
        for r, x in enumerate(features):
            rows = np.flatnonzero(~np.isnan(labels[r]).any(-1))
            q[r, rows] = posterior(x[rows], labels[r, rows], prior[r, rows], steps, ridge)[0]
        fitted = student.fit(q)
    return fitted


def posterior(
    x: np.ndarray, said: np.ndarray, prior: np.ndarray, steps: int, ridge: float
) -> tuple[np.ndarray, list[float]]:
    """q (n, C) after EM, and the penalised log-likelihood after every M step.

    Args:
        x: features (n, K).
        said: weak labels (n, C).
        prior: probabilities by the student (n, C).
        steps: E and M steps.
        ridge: penalty of the channel's weights.
    """
    from scipy.special import log_softmax, logsumexp, softmax

    n, classes = said.shape
    leading = np.argsort(-x.var(0), kind="stable")[:AXES]
    z = np.concatenate([x[:, leading] / np.sqrt(x[:, leading].var(0).max()), np.ones((n, 1))], 1).astype(np.float64)
    prior, said = prior.astype(np.float64).clip(1e-6), said.astype(np.float64)
    channels, seen = np.zeros((classes, z.shape[1], classes)), []
    q = prior / prior.sum(-1, keepdims=True)
    for _ in range(steps):
        for k in range(classes):
            bound = z.T @ (q[:, k, None] * z) / 2 + ridge * n * np.eye(z.shape[1])
            slope = z.T @ (q[:, k, None] * (said - softmax(z @ channels[k], -1))) - ridge * n * channels[k]
            channels[k] += np.linalg.solve(bound, slope)
        joint = np.log(prior) + np.stack([(said * log_softmax(z @ v, -1)).sum(-1) for v in channels], -1)
        seen.append(float(logsumexp(joint, -1).sum() - ridge * n / 2 * np.square(channels).sum()))
        q = softmax(joint, -1)
    return q, seen
