"""TF-IDF of words and word pairs with logistic regression, as a student of soft labels: what a sensible person does.

An item with beliefs q_c counts q_c times as an item of class c. The strength of the penalty is chosen by the loss on a
fifth of the groups, by the same labels.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

STRENGTHS = (0.1, 1.0, 10.0, 100.0)
CHOOSE_ON = 5000
"""Most items on which the strength is chosen."""
LEAST = 0.01
"""Beliefs below this do not count."""


def crossed(
    texts: Sequence[tuple[str, ...]],
    targets: np.ndarray,
    teach: np.ndarray,
    judge: np.ndarray,
    groups: np.ndarray,
    rngs: Sequence[np.random.Generator],
) -> np.ndarray | None:
    """Probabilities of items by a model of the replicate that judges them.

    Args:
        texts: per item one text, or two of which one is better.
        targets: (R, N, C) soft labels; NaN where there is none.
        teach: (R, N) bool: the items that teach a replicate.
        judge: (R, N) bool: the items that it judges; a replicate without any is left out.
        groups: (N,) items of one number are held out together.
        rngs: one a replicate, for what is held out.

    Returns:
        (N, C) float32, NaN of items that nobody judges; None where no word occurs in two of the texts.
    """
    x = _words(texts, np.asarray(teach.any(0)))
    if x is None:
        return None
    out = np.full(targets.shape[1:], np.nan, np.float32)
    for r in np.flatnonzero(judge.any(1)):
        rows = np.flatnonzero(teach[r] & ~np.isnan(targets[r]).any(-1))
        out[judge[r]] = _probs(x, targets[r], rows, groups, judge[r], len(texts[0]) == 1, rngs[int(r)])
    return out


def _words(texts: Sequence[tuple[str, ...]], pool: np.ndarray) -> Any:
    """(N, words) sparse; of two texts the difference."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    reader = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    try:
        reader.fit([text for item, taught in zip(texts, pool, strict=True) if taught for text in item])
    except ValueError:  # an empty vocabulary
        return None
    sides = [reader.transform([item[side] for item in texts]) for side in range(len(texts[0]))]
    return sides[0] if len(sides) == 1 else sides[1] - sides[0]


def _probs(
    x: Any, q: np.ndarray, rows: np.ndarray, groups: np.ndarray, wanted: np.ndarray, intercept: bool, rng: Any
) -> np.ndarray:
    """(n, C) for the items wanted, by the strength that is best on held-out labels."""
    names, where = np.unique(groups[rows], return_inverse=True)
    order = rng.permutation(len(names))[where]
    few = rows[order < len(names) * min(1, CHOOSE_ON / len(rows))]
    held = (order % 5 == 0)[order < len(names) * min(1, CHOOSE_ON / len(rows))]

    def loss(strength: float) -> float:
        p = _fitted(x, q, few[~held], few[held], strength, intercept)
        return float(-(q[few[held]] * np.log(p + 1e-9)).sum(-1).mean())

    best = min(STRENGTHS, key=loss) if held.any() and not held.all() else STRENGTHS[1]
    return _fitted(x, q, rows, np.flatnonzero(wanted), best, intercept)


def _fitted(x: Any, q: np.ndarray, rows: np.ndarray, asked: np.ndarray, strength: float, intercept: bool) -> np.ndarray:
    """(n, C) for the items asked, of a regression on the rows."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    item, label = np.nonzero(q[rows] >= LEAST)
    out = np.zeros((len(asked), q.shape[1]), np.float32)
    if len(np.unique(label)) < 2:
        out[:, label[0]] = 1
        return out
    model = LogisticRegression(C=strength, max_iter=500, fit_intercept=intercept)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x[rows[item]], label, sample_weight=q[rows[item], label])
    out[:, model.classes_] = model.predict_proba(x[asked])
    return out
