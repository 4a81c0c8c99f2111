"""Students of every view of the items, and a weighted mean of their log odds.

minimise for each view v   CE(f_v, w) + lambda_t (H(f_v) + KL(mean f_v || prior))
result                     log odds are sum_v c_v z_v       c_v ~ told_v^p, sum_v c_v = 1
told_v                     the share of the entropy of held-out targets that plain students of the view explain
"""

from __future__ import annotations

import numpy as np

from outgrow.losses.entropy import Entropy
from outgrow.students.base import Viewing
from outgrow.students.ensemble import Pool

LEAST = 1e-3
"""Where no view explains anything, all count alike."""


def of_all_views(student: Viewing, targets: np.ndarray, strength: float = 1.0, power: float = 4.0) -> Pool:
    """The pool of students of every view, each taught with low entropy of its own predictions.

    Args:
        student: a student of several views.
        targets: (R, N, C) or (N, C).
        strength: lambda at the end of training.
        power: p, by which what a view tells becomes its share.
    """
    share = student.told(targets).clip(LEAST) ** power
    return Pool(share / share.sum(0), [one.fit(targets, loss=Entropy(strength)) for one in student.views()])
