"""A word bridge: what a weak model says of a text, in the tokens of a student that cuts words otherwise (Cui et al. 2025, arXiv 2406.03199).

    s(word) = sum of log p_weak over the word's weak tokens
    log p(k) = s(word) exp(-p_k / .3) / sum over the word's student tokens j of exp(-p_j / .3)         p_k: what the student says of its token k

so each word keeps its log-probability, and where the student doubts, most of the weak model's doubt comes to stand. Words are what
stands between spaces, joined where a token of either model reaches from one into the next.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from outgrow.core.errors import UserError
from outgrow.generation.tokenizer import Tokenized

SHARPNESS = 0.3


def across(text: str, weak: Tokenized, said: np.ndarray, student: Tokenized, own: np.ndarray) -> np.ndarray:
    """float64 (T,) log p of the student's tokens of a text, from `said` (S,) of the weak model's; `own` (T,) is what the student says.

    Both are what `logprobs` gives for the text. Raises UserError where a tokenizer does not tell where its tokens stand.
    """
    spans = [model.spans(text) for model in (weak, student)]
    for model, found in zip((weak, student), spans, strict=True):
        if not _covered(text, found):
            raise UserError(
                f"the tokenizer of {model.name!r} does not tell where in a text its tokens stand: no word bridge leads there"
            )
    return bridge(text, spans[0], said, spans[1], own)


def bridge(
    text: str, weak: Sequence[tuple[int, int]], said: np.ndarray, student: Sequence[tuple[int, int]], own: np.ndarray
) -> np.ndarray:
    """The same by the spans of the tokens: first character, one past the last."""
    starts = words(text, [*weak, *student])
    from_weak, to_student = (
        np.array([_word(text, starts, span) for span in spans], np.int64) for spans in (weak, student)
    )
    score = np.bincount(from_weak, np.asarray(said, np.float64), len(starts))
    share = np.exp(-np.exp(np.asarray(own, np.float64)) / SHARPNESS)
    return score[to_student] * share / np.bincount(to_student, share, len(starts))[to_student]


def words(text: str, spans: Sequence[tuple[int, int]]) -> list[int]:
    """Where words begin, the first of them at 0: after a space, where no token stands on both sides."""
    joined = set()
    for start, stop in spans:
        joined |= set(range(_seen(text, start, stop) + 1, stop))
    return [0] + [
        at
        for at in range(1, len(text))
        if text[at - 1].isspace() and not text[at].isspace() and at not in joined and text[:at].strip()
    ]


def _word(text: str, starts: Sequence[int], span: tuple[int, int]) -> int:
    """The word of a token's first letter; spaces alone belong to what follows them."""
    return bisect_right(starts, min(_seen(text, span[0], len(text)), max(len(text) - 1, 0))) - 1


def _seen(text: str, start: int, stop: int) -> int:
    """The first character in the span that is no space; `stop` where there is none."""
    return next((at for at in range(start, stop) if not text[at].isspace()), stop)


def _covered(text: str, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether every character that is no space stands in some token."""
    inside = {at for start, stop in spans for at in range(start, stop)}
    return all(character.isspace() or at in inside for at, character in enumerate(text))
