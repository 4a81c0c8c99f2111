"""Which of two words a language model prefers after a prompt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outgrow.core import progress
from outgrow.generation import PLAIN, LanguageModel, Prompting
from outgrow.tasks.prompting import CHAT

_TOGETHER = 64
"""Prompts scored between two steps of the progress bar."""


def preference(
    model: LanguageModel, prompts: Sequence[str], words: tuple[str, str], chat: bool, label: str
) -> np.ndarray:
    """(N,) probability of the first word against the second after each of N prompts; the same prompt is scored once.

    Args:
        model: scores the words.
        prompts: N texts.
        words: two continuations.
        chat: whether prompts are put into the model's chat template.
        label: of the progress bar.
    """
    prompting = Prompting(CHAT) if chat else PLAIN
    distinct = list(dict.fromkeys(prompts))
    first: dict[str, float] = {}
    with progress.track(label, len(distinct)) as bar:
        for start in range(0, len(distinct), _TOGETHER):
            batch = distinct[start : start + _TOGETHER]
            logprobs = model.logprobs([prompt for prompt in batch for _ in words], list(words) * len(batch), prompting)
            sums = np.array([float(np.sum(one, dtype=np.float64)) for one in logprobs]).reshape(-1, 2)
            with np.errstate(over="ignore"):
                first |= dict(zip(batch, 1 / (1 + np.exp(sums[:, 1] - sums[:, 0])), strict=True))
            bar.advance(len(batch))
    return np.array([first[prompt] for prompt in prompts])
