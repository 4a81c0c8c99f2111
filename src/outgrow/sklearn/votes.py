"""Votes and weak probabilities as `fit` is given them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import check_consistent_length, column_or_1d

from outgrow.label_models._frames import VoteMatrix, VotesError, cells, matrix_of
from outgrow.label_models._votes import Votes


def labels_of(y: Any, abstain: Any = None) -> VoteMatrix:
    """Votes (n, J), an array or a data frame, or one label an item (n,).

    Raises:
        VotesError: labels are no classes.
    """
    import narwhals as nw

    found = nw.from_native(y, pass_through=True)
    if isinstance(found, nw.DataFrame) and len(found.columns) > 1:
        return matrix_of([cells(found[name]) for name in found.columns], [str(name) for name in found.columns], abstain)
    table = np.asarray(y)
    if table.ndim < 2 or (table.ndim == 2 and table.shape[1] == 1):
        table = column_or_1d(y, warn=True)[:, None]
    if table.ndim != 2:
        raise VotesError(f"votes are an array of {table.ndim} dimensions: give items x annotators")
    return matrix_of(list(table.T), [f"annotator {j}" for j in range(table.shape[1])], abstain)


def votes_of(y: Any, items: Sequence[Any], abstain: Any) -> tuple[Votes, np.ndarray, tuple[str, ...]]:
    """Votes as a table, the classes in order, and the annotators.

    Raises:
        ValueError: y is no table of votes on these items, or they name fewer than two classes.
    """
    matrix = labels_of(y, abstain)
    check_consistent_length(items, matrix.coded)
    enough(matrix.classes)
    if matrix.classes.dtype.kind == "f":
        odd = matrix.classes[matrix.classes != np.rint(matrix.classes)][0]
        raise VotesError(f"Unknown label type: continuous (votes hold {odd:g}): give classes, or weak='probabilities'")
    return matrix.votes, matrix.classes, matrix.names


def enough(classes: np.ndarray) -> None:
    """Raises VotesError for fewer than two classes."""
    if len(classes) < 2:
        raise VotesError(f"the votes name {len(classes)} class: give votes for two classes or more")


def probabilities_of(
    y: Any, items: Sequence[Any], classes: Sequence[Any] | None
) -> tuple[Votes, np.ndarray, tuple[str, ...]]:
    """Probabilities (n, C) of one annotator, or (n, J, C) of several, as `votes_of` gives votes.

    Raises:
        ValueError: y is of another form, or a row does not sum to 1.
    """
    probs = np.asarray(y, np.float64)
    probs = probs[:, None] if probs.ndim == 2 else probs
    if probs.ndim != 3:
        raise VotesError("weak probabilities are items x classes, or items x annotators x classes")
    check_consistent_length(items, probs)
    named = np.arange(probs.shape[2]) if classes is None else np.array(list(classes))
    enough(named)
    if len(named) != probs.shape[2]:
        raise VotesError(f"classes name {len(named)}, and the probabilities have {probs.shape[2]} columns")
    item, annotator = np.nonzero(~np.isnan(probs).all(-1))
    said = probs[item, annotator]
    if not ((said >= 0).all() and np.allclose(said.sum(-1), 1, atol=1e-4)):
        raise VotesError("a row of weak probabilities is not >= 0 with the sum 1: normalise it, or make it NaN")
    votes = Votes(item, annotator, said / said.sum(-1, keepdims=True), *probs.shape[:2])
    return votes, named, tuple(f"annotator {j}" for j in range(probs.shape[1]))
