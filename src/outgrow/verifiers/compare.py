"""Compare: a model compares the answers to a prompt in pairs, in both orders; Copeland's score ranks them.

    w_ab = 1 if the model prefers a both when it stands first and when it stands second, 0 if b, else 1/2    (position
                                                                                                             bias
                                                                                                             cancels)
    score_a = mean of w_ab over the other answers b to the same prompt

Copies of an answer are even with one another.

    verdicts = compare(attempts, generation.find("smollm2-135m"))
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from outgrow.generation import LanguageModel
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._preference import preference

_QUESTION = (
    "Question:\n{prompt}\n\nAnswer A:\n{first}\n\nAnswer B:\n{second}\n\nWhich answer is better? Answer A or B.{cue}"
)


@verifier(paper="arXiv 2605.14163; Copeland 1951")
def compare(attempts: Sequence[Attempt], model: LanguageModel, *, chat: bool = False) -> list[Verdict]:
    """Ranks the answers to each prompt by a model's pairwise comparisons in both orders; decides nothing.

    Args:
        attempts: answers to any number of prompts.
        model: the judge.
        chat: whether it is asked in its chat template.
    """
    texts: dict[str, list[str]] = defaultdict(list)
    for one in attempts:
        if one.answer not in texts[one.prompt]:
            texts[one.prompt].append(one.answer)
    pairs = [(prompt, a, b) for prompt, answers in texts.items() for a, b in combinations(answers, 2)]
    cue = "" if chat else "\nThe better answer is"
    orders = [
        _QUESTION.format(prompt=prompt, first=x, second=y, cue=cue)
        for prompt, a, b in pairs
        for x, y in ((a, b), (b, a))
    ]
    first = preference(model, orders, ("A", "B") if chat else (" A", " B"), chat, "comparing answers").reshape(-1, 2)
    beats = {}
    for (prompt, a, b), (forward, backward) in zip(pairs, first, strict=True):
        won = (
            float(np.sign(forward - 0.5) - np.sign(backward - 0.5)) / 4 + 0.5
            if np.isfinite(forward + backward)
            else 0.5
        )
        # Preferred in one order and undecided in the other is no win.
        beats[prompt, a, b] = won if won in (0.0, 1.0) else 0.5
        beats[prompt, b, a] = 1 - beats[prompt, a, b]
    copies: dict[tuple[str, str], int] = defaultdict(int)
    for one in attempts:
        copies[one.prompt, one.answer] += 1
    return [Verdict(None, "ranked, not decided", _score(one, texts[one.prompt], copies, beats)) for one in attempts]


def _score(
    one: Attempt, texts: Sequence[str], copies: dict[tuple[str, str], int], beats: dict[tuple[str, str, str], float]
) -> float:
    """Copeland's score of one answer; copies are even with one another."""
    others = sum(copies[one.prompt, text] for text in texts) - 1
    if not others:
        return 0.5
    won = 0.5 * (copies[one.prompt, one.answer] - 1)
    won += sum(copies[one.prompt, text] * beats[one.prompt, one.answer, text] for text in texts if text != one.answer)
    return won / others
