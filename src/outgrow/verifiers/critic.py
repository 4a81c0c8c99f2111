"""A model as critic: how much likelier it finds "yes" than "no" to the question whether the answer is right.

p = 1 / (1 + exp(log p(no) - log p(yes)))        sound where p > threshold
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outgrow.generation import LanguageModel
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._preferred import preferred

_QUESTION = (
    "Question:\n{prompt}\n\nProposed answer:\n{answer}\n\nIs the proposed answer correct? Answer yes or no.{cue}"
)


@verifier(paper="Cobbe et al. 2021, arXiv 2110.14168; Kadavath et al. 2022, arXiv 2207.05221")
def critic(
    asked: Sequence[Attempt], model: LanguageModel, *, threshold: float = 0.5, chat: bool = False
) -> list[Verdict]:
    """Asks a language model whether the answer is right; its odds of yes against no are the score."""
    prompts = [_QUESTION.format(prompt=one.prompt, answer=one.answer, cue="" if chat else "\nAnswer:") for one in asked]
    yes = preferred(model, prompts, ("Yes", "No") if chat else (" yes", " no"), chat, "asking the critic")
    return [_verdict(p, threshold) for p in yes]


def _verdict(p: float, threshold: float) -> Verdict:
    if np.isnan(p):
        return Verdict(None, "the model tells no probabilities")
    return Verdict(bool(p > threshold), f"yes at {p:.2f}", float(p))
