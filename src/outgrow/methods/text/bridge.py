"""Soft answers: the student learns each token of the supervisors' answers as far as they believe in it.

    s_k = exp(log p_j of the part of the word at the student's token k)        the word bridge, `generation/bridge.py`
    soft       minimise - sum_k y_k log p_k        y: s_k at the token, the student's own distribution on the rest
    bayesian   the same y as samples of a categorical under a Dirichlet prior, with the student's logits as evidence

Every supervisor j gives its likeliest answer, with weight u_j. The losses are those of `generation/targets.py`.
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
    """Tune on the supervisors' answers with their own word scores as targets."""
    from outgrow.generation.targets import Soft

    return student.tune(doubted(weak, bridge), loss=Soft())


@method(paper=PAPER, differs="logits are centred and bounded, and the KL is divided by the vocabulary's size")
def bayesian(weak: WeakAnswers, bridge: Bridge, student: TextStudent, *, self_term: float = 0.0) -> Model:
    """Tune on the same targets as evidence for a Dirichlet distribution over tokens.

    Args:
        self_term: share of the target that is the student's own likeliest token.
    """
    from outgrow.generation.targets import Bayesian

    return student.tune(doubted(weak, bridge), loss=Bayesian(self_term))


def doubted(weak: WeakAnswers, bridge: Bridge) -> list[Example]:
    """The likeliest answer of every supervisor to every item, as training examples with token targets."""
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
