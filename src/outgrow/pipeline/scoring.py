"""Answers in words against gold: by a verifier of that name, to which the key is all that it is shown, else by a scorer of texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from outgrow import verifiers
from outgrow.core.errors import UserError
from outgrow.metrics import text
from outgrow.verifiers import Attempt


def right(scorer: str, prompts: Sequence[str], answers: Sequence[str], keys: Sequence[Any]) -> np.ndarray:
    """(A,) bool: whether each answer to its prompt is right by its key; what a verifier cannot tell is not.

    Raises UserError for a scorer that is none.
    """
    if scorer in text.SCORERS:
        return np.array([text.right(scorer, a, key) for a, key in zip(answers, keys, strict=True)], bool)
    check(scorer)
    attempts = [Attempt(p, a, key) for p, a, key in zip(prompts, answers, keys, strict=True)]
    return np.array([verdict.sound is True for verdict in verifiers.registry()[scorer].run(attempts)], bool)


def check(scorer: str) -> None:
    """Raises UserError for a scorer that is none."""
    names = sorted({*text.SCORERS, *(v.name for v in verifiers.registry().values() if v.needs == ("attempts",))})
    if scorer not in names:
        raise UserError(f"scorer {scorer!r}: choose one of {', '.join(names)}")
