"""Which of two words a language model would rather say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from outgrow.core import progress
from outgrow.generation import LanguageModel

_TOGETHER = 64
"""Prompts between two steps of the progress bar."""


def preferred(
    model: LanguageModel, prompts: Sequence[str], words: tuple[str, str], chat: bool, label: str
) -> np.ndarray:
    """(N,) probability of the first word against the second after each prompt; each distinct prompt is asked once."""
    distinct = list(dict.fromkeys(prompts))
    first: dict[str, float] = {}
    with progress.track(label, len(distinct)) as bar:
        for start in range(0, len(distinct), _TOGETHER):
            some = distinct[start : start + _TOGETHER]
            said = model.logprobs([prompt for prompt in some for _ in words], list(words) * len(some), chat)
            sums = np.array([float(np.sum(one, dtype=np.float64)) for one in said]).reshape(-1, 2)
            with np.errstate(over="ignore"):
                first |= dict(zip(some, 1 / (1 + np.exp(sums[:, 1] - sums[:, 0])), strict=True))
            bar.advance(len(some))
    return np.array([first[prompt] for prompt in prompts])
