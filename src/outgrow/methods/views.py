"""Views: a student of every view of the items, each with minimum entropy, and a mean of their log odds.

minimise for each view v   CE(f_v, w) + lambda_t (H(f_v) + KL(mean f_v || prior))        as `entropy` does
result                     log odds are sum_v c_v z_v       c_v ~ told_v^4, sum_v c_v = 1
told_v                     the share of the entropy of held-out weak labels that naive students of the view explain

A view is the output of one layer, pooled in one way. Students of other views err on other items, and what a weak label
says wrongly they learn in other ways: their mean is steadier than the student of the view that held-out weak labels
prefer, which is but the view that repeats its supervisor best. The fourth power leaves views that tell nearly as much
nearly equal, and takes one that tells half as much all but out.
"""

from __future__ import annotations

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.students.base import Fitted, Student, Viewing


@method(
    paper="outgrow's own; views: Blum & Mitchell 1998, co-training; entropy: Grandvalet & Bengio 2004",
    wins=World(gap=0.5, rate=0.15, width=100, items=3000),
    ties=World(errors="emulable"),
)
def views(weak: WeakLabels, student: Student, *, strength: float = 1.0, power: float = 4.0) -> Fitted:
    """Pool students of every layer and pooling, each taught with low entropy of its own predictions.

    Args:
        strength: lambda at the end of training.
        power: by which what a view tells becomes its share.
    """
    from outgrow.losses.entropy import Entropy
    from outgrow.students.views import of_all_views

    if isinstance(student, Viewing):
        return of_all_views(student, weak.beliefs, strength, power)
    return student.fit(weak.beliefs, loss=Entropy(strength))
