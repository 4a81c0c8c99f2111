"""Co-supervision: items are shared out among specialised supervisors, and inconsistent labels are rejected.

f = fit(mean_j w_j), then in rounds
E   a_ij ~ g_j(x_i) prod_c f_c(x_i)^{w_ijc}                    share of supervisor j in the label of item i
M   g = fit(a)      t_i = sum_j a_ij w_ij      keep i where f at argmax t_i >= the base rate of that class
    f = fit(t on the kept items)
"""

from __future__ import annotations

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.students.base import Fitted, Student


@method(
    paper="Liu & Alahi 2024 (arXiv 2402.15505): hierarchical mixture of supervisors, teacher-student consistency",
    differs="one level of supervisors; soft assignments with a gate on the student's features; "
    "consistency with the student alone",
    wins=World(supervisors=3, errors="region", rate=0.4, width=12),
    ties=World(errors="emulable", supervisors=3),
)
def co_supervised(weak: WeakLabels, student: Student, *, rounds: int = 2) -> Fitted:
    """Each item is labelled by the supervisors that suit it; items whose label the student contradicts are left out.

    Args:
        rounds: rounds of E and M.
    """
    said = weak.probs
    spoke = ~np.isnan(said).any(-1)
    voices = np.where(spoke[..., None], said, 0)
    gate = np.moveaxis(spoke / np.maximum(spoke.sum(1, keepdims=True), 1), 1, -1)
    fitted = student.fit(_labels(voices, gate, spoke))
    for _ in range(rounds):
        f = np.log(fitted.predict())
        suits = np.where(spoke, np.log(np.moveaxis(gate, -1, 1).clip(1e-9)) + (voices * f[:, None]).sum(-1), -np.inf)
        suits = np.exp(suits - np.where(spoke.any(1), suits.max(1), 0)[:, None])
        share = np.moveaxis(suits / np.maximum(suits.sum(1, keepdims=True), 1e-30), 1, -1)
        labels = _labels(voices, share, spoke)
        if said.shape[1] > 1:
            gate = student.fit(np.where(spoke.any(1)[..., None], share, np.nan)).predict()
        named = np.nan_to_num(labels).argmax(-1)[..., None]
        base = np.nanmean(labels, 1, keepdims=True, dtype=np.float64)
        above = np.take_along_axis(np.exp(f) - base, named, -1)[..., 0]
        fitted = student.fit(labels, weights=np.asarray(above >= 0))
    return fitted


def _labels(voices: np.ndarray, share: np.ndarray, spoke: np.ndarray) -> np.ndarray:
    """(R, N, C): supervisors' labels (R, J, N, C) weighted by (R, N, J); NaN where none spoke."""
    mixed, heard = np.einsum("rjnc,rnj->rnc", voices, share, dtype=np.float64), np.asarray(spoke.any(1))
    labels = np.where(heard[..., None], mixed / np.maximum(mixed.sum(-1, keepdims=True), 1e-30), np.nan)
    return labels.astype(np.float32)
