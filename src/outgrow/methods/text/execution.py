"""An executor tells right from wrong answers of the supervisors: the right ones are learned, or preferred to the wrong.

    executed        fine-tuning on one right answer of each item that has one
    executed_dpo    the same, then DPO on pairs (right, wrong), one of each item that has both: it adds the negatives

The executor's verdicts are gold at a counted price; both methods ask for the same verdicts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outgrow.methods.resources import Execute
from outgrow.methods.text import WeakAnswers, method

if TYPE_CHECKING:
    from outgrow.models import Model
    from outgrow.students.generator import TextStudent

PAPER = "Manduzio et al. 2024 (arXiv 2410.18890)"


@method(paper=PAPER)
def executed(weak: WeakAnswers, student: TextStudent, executor: Execute) -> Model:
    """Tune on the supervisors' answers that an executor finds right."""
    return _tuned(weak, student, _verdicts(weak, executor))


@method(
    paper=PAPER, differs="fine-tuning on the right answers goes before, so that both methods have the same positives"
)
def executed_dpo(
    weak: WeakAnswers, student: TextStudent, executor: Execute, *, beta: float = 0.1, rate: float = 1e-4
) -> Model:
    """Tune on the right answers, then prefer them to the wrong ones.

    Args:
        beta: strength of the preference loss.
        rate: learning rate of the preference step.
    """
    from outgrow.generation.preference import Dpo, PreferencePair

    found = _verdicts(weak, executor)
    pairs = [
        PreferencePair(prompt, right[0], wrong[0], whole=(weak.whole(i, right[0]), weak.whole(i, wrong[0])))
        for i, (prompt, (right, wrong)) in enumerate(zip(weak.prompts, found, strict=True)) if right and wrong
    ]  # fmt: skip
    return student.prefer(_tuned(weak, student, found), pairs, Dpo(beta), rate=rate)


def _verdicts(weak: WeakAnswers, executor: Execute) -> list[tuple[list[str], list[str]]]:
    """The right and the wrong answers to each item, in order of likelihood."""
    pools = weak.pooled
    right = iter(executor([i for i, pool in enumerate(pools) for _ in pool], [text for pool in pools for text in pool]))
    found = []
    for pool in pools:
        verdicts = [next(right) for _ in pool]
        found.append(
            (
                [t for t, sound in zip(pool, verdicts, strict=True) if sound],
                [t for t, sound in zip(pool, verdicts, strict=True) if not sound],
            )
        )
    return found


def _tuned(weak: WeakAnswers, student: TextStudent, found: list[tuple[list[str], list[str]]]) -> Model:
    """The student tuned on one right answer of each item that has one."""
    return student.tune(weak.examples([right[0] if right else None for right, _ in found]))
