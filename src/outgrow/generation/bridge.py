"""A word bridge: a weak model's token scores of a text, in the tokens of a student with another tokenizer.

    s(word) = sum of log p_weak over the word's weak tokens
    log p(k) = s(word) exp(-p_k / .3) / sum over the word's student tokens j of exp(-p_j / .3)      p_k: the student's p
                                                                                                    of its token k

so each word keeps its log-probability, and most of the weak model's doubt falls on tokens of which the student is
unsure. Words are separated by spaces, and joined where a token of either model reaches from one into the next.

Source: Cui et al. 2025, arXiv 2406.03199.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from outgrow.core.errors import UserError
from outgrow.generation.tokenizer import Tokenized

SHARPNESS = 0.3


def across(text: str, weak: Tokenized, weak_scores: np.ndarray, student: Tokenized, own: np.ndarray) -> np.ndarray:
    """Scores of the student's tokens of a text, from those of a weak model's.

    Args:
        text: an answer.
        weak: the weak model.
        weak_scores: (S,) log p of the weak model's S tokens, as its `logprobs` gives them.
        student: the student.
        own: (T,) log p of the student's T tokens, by the student itself.

    Returns:
        float64 (T,) log p of the student's tokens, by the weak model.

    Raises:
        UserError: a tokenizer does not give the positions of its tokens.
    """
    spans = [model.spans(text) for model in (weak, student)]
    for model, found in zip((weak, student), spans, strict=True):
        if not _covered(text, found):
            raise UserError(
                f"the tokenizer of {model.name!r} does not give the positions of its tokens in a text: "
                "it cannot be bridged, take models of one tokenizer"
            )
    return bridge(text, spans[0], weak_scores, spans[1], own)


def bridge(
    text: str,
    weak: Sequence[tuple[int, int]],
    weak_scores: np.ndarray,
    student: Sequence[tuple[int, int]],
    own: np.ndarray,
) -> np.ndarray:
    """The same by the spans of the tokens: (first character, one past the last)."""
    starts = words(text, [*weak, *student])
    from_weak, to_student = (
        np.array([_word(text, starts, span) for span in spans], np.int64) for spans in (weak, student)
    )
    score = np.bincount(from_weak, np.asarray(weak_scores, np.float64), len(starts))
    share = np.exp(-np.exp(np.asarray(own, np.float64)) / SHARPNESS)
    return score[to_student] * share / np.bincount(to_student, share, len(starts))[to_student]


def words(text: str, spans: Sequence[tuple[int, int]]) -> list[int]:
    """Positions where words begin, the first at 0: after a space that no token contains."""
    joined = set()
    for start, stop in spans:
        joined |= set(range(_visible(text, start, stop) + 1, stop))
    return [0] + [
        at
        for at in range(1, len(text))
        if text[at - 1].isspace() and not text[at].isspace() and at not in joined and text[:at].strip()
    ]


def _word(text: str, starts: Sequence[int], span: tuple[int, int]) -> int:
    """Index of the word of a token's first letter; a token of spaces belongs to the word after it."""
    return bisect_right(starts, min(_visible(text, span[0], len(text)), max(len(text) - 1, 0))) - 1


def _visible(text: str, start: int, stop: int) -> int:
    """Position of the first character in the span that is no space; `stop` where there is none."""
    return next((at for at in range(start, stop) if not text[at].isspace()), stop)


def _covered(text: str, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether every character that is no space is in some token."""
    inside = {at for start, stop in spans for at in range(start, stop)}
    return all(character.isspace() or at in inside for at, character in enumerate(text))
