"""Several supervisors: the student learns the answers of all of them, or the answer that they find likeliest.

    every    the likeliest beam of every supervisor, weighted by u_j
    joint    y_i = argmax_{y in pool_i} sum_j u_j log p_j(y | x_i)        pool_i: the beams of all supervisors

u_j: the share of weak-train answers that supervisor j gets right, normalised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outgrow.methods.resources import Likelihood
from outgrow.methods.text import WeakAnswers, method

if TYPE_CHECKING:
    from outgrow.models import Model
    from outgrow.students.generator import TextStudent


@method(paper="Cui et al. 2025 (arXiv 2406.03199), section 3: naive multi-weak")
def every(committee: WeakAnswers, student: TextStudent) -> Model:
    """Tune on the likeliest answer of every supervisor, weighted by its accuracy."""
    from outgrow.training.causal import Example

    rows = [(u, beams) for u, beams in zip(committee.weights, committee.beams, strict=True) if u > 0]
    return student.tune(
        [
            Example(prompt, row[0].text, weight=float(u) * len(rows), whole=not row[0].cut)
            for u, beams in rows
            for prompt, row in zip(committee.prompts, beams, strict=True)
        ]
    )


@method(paper="Cui et al. 2025 (arXiv 2406.03199), section 3: joint decoding")
def joint(committee: WeakAnswers, likelihood: Likelihood, student: TextStudent) -> Model:
    """Tune on the beam that all supervisors together find likeliest."""
    return student.tune(committee.examples(likeliest(committee, likelihood)))


def likeliest(weak: WeakAnswers, likelihood: Likelihood) -> list[str]:
    """(n,) the pooled answer with the largest weighted log-probability."""
    items = [i for i, pool in enumerate(weak.pooled) for _ in pool]
    texts = [text for pool in weak.pooled for text in pool]
    together = weak.weights @ likelihood(items, texts)
    found, start = [], 0
    for pool in weak.pooled:
        found.append(pool[int(np.argmax(together[start : start + len(pool)]))])
        start += len(pool)
    return found
