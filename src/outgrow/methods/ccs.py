"""Contrast consistency: of contrasted statements exactly one is true, so what is believed of one says something of the others.

    C(p)_i = p_i / (1 - p_i) / sum_j p_j / (1 - p_j)        j: i and its rivals; of a pair (a, b) C(p)_a ~ p_a (1 - p_b)
    f_0 = fit(C(w))        f_k = fit(1[i has the largest f_{k-1} of its rivals]), to w elsewhere        consistent and confident
Rivals are the candidates of a question, of which one is right; else groups of two, in replicates where what a student of C(w) says of
items that did not teach it is opposite in groups of two so often that it is no chance (`opposed`).
"""

from __future__ import annotations

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.students.base import Fitted, Student


@method(
    paper="contrast-consistent search, Burns et al. 2022 (arXiv 2212.03827)",
    differs=(
        "pairs are statements of one group, or a question's candidates, not one statement answered yes and no; weak labels say "
        "which side is true; consistency and confidence are met by turns, not as a loss; two classes (naive elsewhere)"
    ),
    wins=World(pairs=True, rate=0.3, width=40),
    ties=World(errors="emulable"),
)
def ccs(
    weak: WeakLabels, student: Student, rivals: np.ndarray, rights: np.ndarray, *, rounds: int = 1, sigmas: float = 3.0
) -> Fitted:
    """Train on beliefs made consistent within contrasted groups, then on the student's own consistent answers."""
    from outgrow.students.crossfit import crossfit
    from outgrow.students.rivals import among, contrast, exclusive, margin, opposed, said

    labels = weak.beliefs
    plain = student.fit(labels)
    _, where, size = np.unique(rivals, return_inverse=True, return_counts=True)
    told = rights == 1
    count = among(rivals, ~np.isnan(labels).any(-1)) & (told | (size[where] == 2))
    if labels.shape[-1] != 2 or not count.any():
        return plain
    if not told.all():
        unseen = crossfit(student, said(labels, exclusive(labels, rivals, count), count))
        count &= told | opposed(margin(unseen), rivals, count, sigmas)[:, None]
    return contrast(student, labels, rivals, count, rounds) if count.any() else plain
