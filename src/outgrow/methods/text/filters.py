"""Filters: only answers of which the supervisor is sure, or that the task's own check does not refuse.

confidence_filter    the share `keep` of items with the largest mean log p of the tokens of their best beam
verified             the likeliest beam of every item that is not found unsound; items without one are left out
verified_dpo         the same, then DPO on pairs (not unsound, unsound), one of each item that has both
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outgrow.methods.resources import Verify
from outgrow.methods.text import WeakAnswers, method

if TYPE_CHECKING:
    from outgrow.models import Model
    from outgrow.students.generator import TextStudent


@method(paper="Burns et al. 2023 (arXiv 2312.09390): confidence thresholding of labels")
def confidence_filter(weak: WeakAnswers, sure: np.ndarray, student: TextStudent, *, keep: float = 0.5) -> Model:
    """Tune only on the answers of which the supervisor is most sure.

    Args:
        keep: share of items that are kept.
    """
    kept = set(np.argsort(-sure, kind="stable")[: max(1, round(keep * len(sure)))].tolist())
    return student.tune(weak.examples([answer.text if i in kept else None for i, answer in enumerate(weak.best)]))


@method(paper="Zelikman et al. 2022 (arXiv 2203.14465), with a check in the place of gold", usual=True)
def verified(weak: WeakAnswers, student: TextStudent, verify: Verify) -> Model:
    """Tune on the likeliest answer that the task's own check does not refuse."""
    return student.tune(weak.examples([kept for kept, _ in _kept_and_refused(weak, verify)]))


@method(
    paper="Pang et al. 2024 (arXiv 2404.19733)",
    differs="one round, a check in the place of gold, and the reference is the student after the fine-tuning",
)
def verified_dpo(
    weak: WeakAnswers, student: TextStudent, verify: Verify, *, beta: float = 0.1, rate: float = 1e-4
) -> Model:
    """Tune on answers that the check does not refuse, then prefer them to refused ones.

    Args:
        beta: strength of the preference loss.
        rate: learning rate of the preference step.
    """
    from outgrow.generation.preference import Dpo, PreferencePair

    found = _kept_and_refused(weak, verify)
    pairs = [
        PreferencePair(prompt, kept, refused, whole=(weak.whole(i, kept), weak.whole(i, refused)))
        for i, (prompt, (kept, refused)) in enumerate(zip(weak.prompts, found, strict=True))
        if kept is not None and refused is not None
    ]
    return student.prefer(student.tune(weak.examples([kept for kept, _ in found])), pairs, Dpo(beta), rate=rate)


def _kept_and_refused(weak: WeakAnswers, verify: Verify) -> list[tuple[str | None, str | None]]:
    """For each item the best supervisor's likeliest answer that is not unsound, and its likeliest unsound one."""
    beams = weak.beams[int(weak.skill.argmax())]
    verdicts = iter(
        verify([i for i, row in enumerate(beams) for _ in row], [answer.text for row in beams for answer in row])
    )
    found = []
    for row in beams:
        refused = [next(verdicts).sound is False for _ in row]
        kept, unsound = (
            next((answer.text for answer, no in zip(row, refused, strict=True) if no is wanted), None)
            for wanted in (False, True)
        )
        found.append((kept, unsound))
    return found
