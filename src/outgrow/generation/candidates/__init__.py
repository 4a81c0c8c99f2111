"""Candidates: several supervisors' samples for the items of a generation task, a row for each answer. No gold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.generation.candidates.forms import FORMS


@final
@dataclass(frozen=True)
class Candidates:
    """A answers of J supervisors to N items, ordered by item, supervisor and sample."""

    item: np.ndarray
    """(A,) int64: index of the item, ascending."""
    supervisor: np.ndarray
    """(A,) int64: index of the supervisor."""
    sample: np.ndarray
    """(A,) int64: index of the sample among its supervisor's samples for the item."""
    texts: tuple[str, ...]
    logprob: np.ndarray
    """(A,) float64: log p of the whole text; NaN where it is not known."""
    form: np.ndarray
    """(A,) int64: answers to an item with the same number are the same in a vote; -1: an answer without a form."""
    supervisors: tuple[str, ...]
    items: int

    def rows(self, item: int) -> slice:
        """Slice of the answers to one item."""
        return slice(*np.searchsorted(self.item, [item, item + 1]))


def gather(
    answers: Sequence[Sequence[Sequence[str | None]]],
    supervisors: Sequence[str],
    form: str,
    logprobs: Sequence[Sequence[Sequence[float]]] | None = None,
) -> Candidates:
    """Candidates of nested lists.

    Args:
        answers: answers[j][i][k] is sample k of supervisor j for item i, any number of them; None: it gave none, which
            counts as wrong.
        supervisors: J names.
        form: name of the normal form that makes two answers the same (`forms.py`).
        logprobs: log p of each answer, in the same shape; NaN where not given.
    """
    items = len(answers[0])
    rows = [
        (i, j, k, text or "", logprobs[j][i][k] if logprobs else np.nan)
        for i in range(items)
        for j in range(len(answers))
        for k, text in enumerate(answers[j][i])
    ]
    item, supervisor, sample = (np.array([row[c] for row in rows], np.int64) for c in range(3))
    forms = [FORMS[form](row[3]) for row in rows]
    numbers = {text: n for n, text in enumerate(dict.fromkeys(form for form in forms if form))}
    return Candidates(
        item=item,
        supervisor=supervisor,
        sample=sample,
        texts=tuple(row[3] for row in rows),
        logprob=np.array([row[4] for row in rows], np.float64),
        form=np.array([numbers.get(form or "", -1) for form in forms], np.int64),
        supervisors=tuple(supervisors),
        items=items,
    )
