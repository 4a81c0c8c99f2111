"""Candidates: the answers that several supervisors gave, in words; ragged, a row an answer. Nothing in here knows gold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.generation.candidates.forms import FORMS


@final
@dataclass(frozen=True)
class Candidates:
    """A answers of J supervisors to N items, ordered by item, supervisor and draw."""

    item: np.ndarray
    """(A,) int64 item numbers, ascending."""
    supervisor: np.ndarray
    """(A,) int64."""
    draw: np.ndarray
    """(A,) int64: the how manieth answer of its supervisor to its item."""
    texts: tuple[str, ...]
    logprob: np.ndarray
    """(A,) float64: of the whole text; NaN where nobody knows."""
    form: np.ndarray
    """(A,) int64: answers to an item with the same number are the same answer to a vote; -1: it says none."""
    supervisors: tuple[str, ...]
    items: int

    def rows(self, item: int) -> slice:
        """The answers to one item."""
        return slice(*np.searchsorted(self.item, [item, item + 1]))


def gather(
    answers: Sequence[Sequence[Sequence[str | None]]],
    supervisors: Sequence[str],
    form: str,
    logprobs: Sequence[Sequence[Sequence[float]]] | None = None,
) -> Candidates:
    """answers[j][i][k]: the k-th answer of supervisor j to item i, as many as there are; None: it gave none, and "" is counted as wrong.

    `form` names what makes two of them the same (`forms.py`).
    """
    items = len(answers[0])
    rows = [
        (i, j, k, text or "", logprobs[j][i][k] if logprobs else np.nan)
        for i in range(items)
        for j in range(len(answers))
        for k, text in enumerate(answers[j][i])
    ]
    item, supervisor, draw = (np.array([row[c] for row in rows], np.int64) for c in range(3))
    said = [FORMS[form](row[3]) for row in rows]
    numbers = {text: n for n, text in enumerate(dict.fromkeys(s for s in said if s))}
    return Candidates(
        item, supervisor, draw, tuple(row[3] for row in rows), np.array([row[4] for row in rows], np.float64),
        np.array([numbers.get(s, -1) for s in said], np.int64), tuple(supervisors), items,
    )  # fmt: skip
