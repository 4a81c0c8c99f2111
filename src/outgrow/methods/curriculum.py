"""Curriculum: the confident half is learned first and alone, then all items at half the rate.

epochs: 2 on A at rate 1, then 3 on all at rate 1/2        A: the surer half of each class
minimise  sum_i v_i CE(f_i, w_i)        v = 2 [i in A] + 3/2, divided by its value on A
"""

from __future__ import annotations

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.selection.confidence import confidence
from outgrow.students.base import Fitted, Student


@method(
    paper="curriculum of Anthropic's automated researchers, April 2026: 2 epochs on the confident half, "
    "3 on all at half the rate",
    differs="a full-batch head trained to its minimum forgets the order of its lessons (a loss that changes with "
    "progress came within .006 of naive); what remains is each item's share of all lessons, rate times epochs, "
    "and that is its weight",
    wins=World(rate=0.4, telling=1.0, width=40, errors="region"),
    ties=World(rate=0.3),
)
def curriculum(
    weak: WeakLabels, student: Student, *, first: float = 2.0, then: float = 3.0, rate: float = 0.5
) -> Fitted:
    """The more confident half of each class alone for 2 epochs, then all items for 3 at half the rate.

    Args:
        first: epochs on the confident half.
        then: epochs on all items.
        rate: learning rate of the latter, as a share of that of the former.
    """
    return student.fit(
        weak.beliefs, weights=(first * confidence(weak.belief, 0.5) + rate * then) / (first + rate * then)
    )
