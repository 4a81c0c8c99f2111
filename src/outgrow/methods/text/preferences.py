"""Preferences after naive: the supervisors choose and reject among the tuned student's own beams.

    s_y = sum_j u_j log p_j(y | x)        a = argmax s, b = argmin s over the student's beams, m = s_a - s_b
    losses of D = r(a) - r(b) as in `generation/preference.py`; the reference is the student after naive

WSPO needs no pairs: on the supervisor's answers the student shifts as tuning on gold has shifted the supervisor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outgrow.methods.resources import Likelihood
from outgrow.methods.text import WeakAnswers, method

if TYPE_CHECKING:
    from outgrow.models import Model
    from outgrow.students.generator import TextStudent


@method(paper="Rafailov et al. 2023 (arXiv 2305.18290); Cui et al. 2025 (arXiv 2406.03199), section 4", usual=True)
def dpo(
    weak: WeakAnswers,
    likelihood: Likelihood,
    student: TextStudent,
    *,
    beta: float = 0.1,
    rate: float = 1e-4,
    width: int = 4,
) -> Model:
    """Naive, then DPO on the student's beams as the supervisors rank them.

    Args:
        beta: strength of the preference loss.
        rate: learning rate of the preference step.
        width: beams an item.
    """
    return preferred(weak, likelihood, student, width, rate, beta=beta)


@method(
    paper="Cui et al. 2025 (arXiv 2406.03199), section 4: beta 5, eps .1",
    differs="low-rank updates, at a rate for them",
)
def conservative_dpo(
    weak: WeakAnswers,
    likelihood: Likelihood,
    student: TextStudent,
    *,
    beta: float = 5.0,
    eps: float = 0.1,
    rate: float = 1e-4,
    width: int = 4,
) -> Model:
    """Naive, then DPO that takes each preference to be wrong with probability eps.

    Args:
        beta: strength of the preference loss.
        eps: probability that a preference is wrong.
        rate: learning rate of the preference step.
        width: beams an item.
    """
    return preferred(weak, likelihood, student, width, rate, beta=beta, eps=eps)


@method(paper="Afzali et al. 2026 (arXiv 2603.04968)", differs="pairs are the student's beams")
def confidence_dpo(
    weak: WeakAnswers,
    likelihood: Likelihood,
    student: TextStudent,
    *,
    beta: float = 0.1,
    rate: float = 1e-4,
    width: int = 4,
) -> Model:
    """Naive, then DPO weighted by how strongly the supervisors prefer the chosen answer.

    Args:
        beta: strength of the preference loss.
        rate: learning rate of the preference step.
        width: beams an item.
    """
    return preferred(weak, likelihood, student, width, rate, sure=True, beta=beta)


@method(
    paper="Zhu et al. 2025 (ICLR): beta .1",
    differs="tuning on gold is what aligned the supervisor, so beta is 1: its shift is copied, not enlarged",
)
def wspo(
    weak: WeakAnswers, aligned: tuple[Model, Model], student: TextStudent, *, beta: float = 1.0, rate: float = 5e-4
) -> Model:
    """Shift the student on the supervisor's answers, token by token, as gold has shifted the supervisor.

    Args:
        beta: strength of the preference loss.
        rate: learning rate.
    """
    from outgrow.generation.preference import PreferencePair, Wspo

    pairs = [
        PreferencePair(prompt, answer.text, "", whole=(not answer.cut, True))
        for prompt, answer in zip(weak.prompts, weak.best, strict=True)
    ]
    return student.prefer(student.model, pairs, Wspo(beta), weak=aligned, rate=rate)


def preferred(
    weak: WeakAnswers,
    likelihood: Likelihood,
    student: TextStudent,
    width: int,
    rate: float,
    sure: bool = False,
    **loss: float,
) -> Model:
    """The naive student after DPO; `sure` weights pairs by the supervisors' margin, `loss` goes to `Dpo`."""
    from outgrow.generation.preference import Dpo, PreferencePair, confidence

    naive = student.tune(weak.examples([answer.text for answer in weak.best]))
    # By text; an answer that came both cut and complete counts as complete.
    whole = [{a.text: not a.cut for a in sorted(row, key=lambda a: not a.cut)} for row in student.beams(naive, width)]
    beams = [list(row) for row in whole]
    items = [i for i, texts in enumerate(beams) for _ in texts]
    ranked = np.split(
        weak.weights @ likelihood(items, [text for texts in beams for text in texts]),
        np.cumsum([len(texts) for texts in beams])[:-1],
    )
    pairs = []
    for prompt, texts, ends, s in zip(weak.prompts, beams, whole, ranked, strict=True):
        best, worst = int(np.argmax(s)), int(np.argmin(s))
        if best != worst:
            sides = texts[best], texts[worst]
            pairs.append(
                PreferencePair(
                    prompt, *sides, confidence(s[best] - s[worst]) if sure else 1.0, (ends[sides[0]], ends[sides[1]])
                )
            )
    return student.prefer(naive, pairs, Dpo(**loss), rate=rate)
