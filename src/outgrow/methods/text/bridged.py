"""Supervisors that doubt: the student learns a token of their answers as far as they believe in it.

    s_k = exp(log p_j of the word's share that stands at the student's token k)        the word bridge, `generation/bridge.py`
    soft       y_k = s_k, the rest what the student says;  minimise - sum y log p
    bayesian   the same y as draws from a categorical under a Dirichlet prior, whose evidence are the student's logits

of the likeliest answer of every supervisor j, weighted by u_j; the losses are those of `generation/targets.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outgrow.methods.resources import Bridge
from outgrow.methods.text import WeakAnswers, method

if TYPE_CHECKING:
    from outgrow.models import Model
    from outgrow.students.generator import TextStudent
    from outgrow.training.causal import Example

PAPER = "Cui et al. 2025 (arXiv 2406.03199), section 3"


@method(paper=PAPER)
def soft(weak: WeakAnswers, bridge: Bridge, student: TextStudent) -> Model:
    """Learn the supervisors' answers with their own word scores as targets."""
    from outgrow.generation.targets import Soft

    return student.tune(doubted(weak, bridge), loss=Soft())


@method(paper=PAPER, differs="logits are centred and bounded, and the KL is divided by the vocabulary's size")
def bayesian(weak: WeakAnswers, bridge: Bridge, student: TextStudent, *, self_term: float = 0.0) -> Model:
    """Learn the same targets as evidence for a Dirichlet distribution over tokens."""
    from outgrow.generation.targets import Bayesian

    return student.tune(doubted(weak, bridge), loss=Bayesian(self_term))


def doubted(weak: WeakAnswers, bridge: Bridge) -> list[Example]:
    """An example of every supervisor's likeliest answer to every item."""
    from outgrow.training.causal import Example

    examples = []
    for j, (u, beams) in enumerate(zip(weak.weights, weak.beams, strict=True)):
        if u > 0:
            texts = [row[0].text for row in beams]
            targets = bridge(j, range(len(texts)), texts)
            examples += [
                Example(prompt, row[0].text, weight=float(u), targets=tuple(map(float, p)), whole=not row[0].cut)
                for prompt, row, p in zip(weak.prompts, beams, targets, strict=True)
            ]
    return examples
