"""Contrast consistency: of contrasted statements exactly one is true, so a belief about one informs the others.

    C(p)_i = p_i / (1 - p_i) / sum_j p_j / (1 - p_j)        j: i and its rivals; of a pair C(p)_a ~ p_a (1 - p_b)
    f_0 = fit(C(w))                                         consistent
    f_k = fit(1[i has the largest f_{k-1} of its rivals]), to w elsewhere        confident

Rivals are the candidates of a question, of which one is right. Without questions they are the groups of two, in
replicates where an out-of-fold student of C(w) contradicts itself in such groups more often than chance (`opposed`).
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
        "pairs are statements of one group, or a question's candidates, not one statement answered yes and no; "
        "weak labels say which side is true; consistency and confidence are met by turns, not as a loss; "
        "two classes (naive elsewhere)"
    ),
    wins=World(pairs=True, rate=0.3, width=40),
    ties=World(errors="emulable"),
)
def ccs(
    weak: WeakLabels, student: Student, rivals: np.ndarray, rights: np.ndarray, *, rounds: int = 1, sigmas: float = 3.0
) -> Fitted:
    """Train on beliefs made consistent within contrasted groups, then on the student's own consistent answers.

    Args:
        rounds: trainings on the student's own answers.
        sigmas: standard deviations by which groups have to contradict themselves to count as contrasted.
    """
    from outgrow.students.crossfit import crossfit
    from outgrow.students.rivals import contrast, exclusive, margin, opposed, with_log_odds, with_rivals

    labels = weak.beliefs
    plain = student.fit(labels)
    _, where, size = np.unique(rivals, return_inverse=True, return_counts=True)
    told = rights == 1
    count = with_rivals(rivals, ~np.isnan(labels).any(-1)) & (told | (size[where] == 2))
    if labels.shape[-1] != 2 or not count.any():
        return plain
    if not told.all():
        unseen = crossfit(student, with_log_odds(labels, exclusive(labels, rivals, count), count))
        count &= told | opposed(margin(unseen), rivals, count, sigmas)[:, None]
    return contrast(student, labels, rivals, count, rounds) if count.any() else plain
