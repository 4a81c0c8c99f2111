"""Naive fine-tuning on sequences: the student learns the supervisor's likeliest answer to every item.

minimise  - sum_t log f(y_t | x, y_<t)        y: the best beam of the supervisor that is best on weak-train
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outgrow.methods.text import WeakAnswers, method

if TYPE_CHECKING:
    from outgrow.models import Model
    from outgrow.students.generator import TextStudent


@method(
    paper="Burns et al. 2023 (arXiv 2312.09390), section 3; Cui et al. 2025 (arXiv 2406.03199), section 3", usual=True
)
def naive(weak: WeakAnswers, student: TextStudent) -> Model:
    """Tune on the supervisor's likeliest answers as they are."""
    return student.tune(weak.examples([answer.text for answer in weak.best]))
