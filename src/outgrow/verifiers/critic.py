"""Critic: a model says whether an answer is correct, by the odds of "yes" against "no".

p = 1 / (1 + exp(log p(no) - log p(yes)))        sound where p > threshold

verdicts = critic(attempts, generation.find("smollm2-135m"), threshold=0.5)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outgrow.generation import LanguageModel
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._preference import preference

_QUESTION = (
    "Question:\n{prompt}\n\nProposed answer:\n{answer}\n\nIs the proposed answer correct? Answer yes or no.{cue}"
)


@verifier(paper="Cobbe et al. 2021, arXiv 2110.14168; Kadavath et al. 2022, arXiv 2207.05221")
def critic(
    attempts: Sequence[Attempt], model: LanguageModel, *, threshold: float = 0.5, chat: bool = False
) -> list[Verdict]:
    """Asks a language model whether the answer is correct; the probability of yes against no is the score.

    Args:
        attempts: answers to any number of prompts.
        model: the critic.
        threshold: an answer is sound where the score is above it.
        chat: whether the model is asked in its chat template.
    """
    prompts = [
        _QUESTION.format(prompt=one.prompt, answer=one.answer, cue="" if chat else "\nAnswer:") for one in attempts
    ]
    yes = preference(model, prompts, ("Yes", "No") if chat else (" yes", " no"), chat, "asking the critic")
    return [_verdict(p, threshold) for p in yes]


def _verdict(p: float, threshold: float) -> Verdict:
    if np.isnan(p):
        return Verdict(None, "the model gives no probabilities")
    return Verdict(bool(p > threshold), f"yes at {p:.2f}", float(p))
