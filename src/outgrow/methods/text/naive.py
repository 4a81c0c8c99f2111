"""Naive fine-tuning on sequences: the student learns the likeliest answer of the supervisor to every item.

minimise  - sum_t log f(y_t | x, y_<t)        y: the best beam of the supervisor that is best on weak-train
"""

from outgrow.methods.text import method


@method(
    paper="Burns et al. 2023 (arXiv 2312.09390), section 3; Cui et al. 2025 (arXiv 2406.03199), section 3", usual=True
)
def naive(weak, student):
    """Learn the supervisor's likeliest answers as they are."""
    return student.tune(weak.examples([answer.text for answer in weak.best]))
