"""Scores of single classes: recall, F1, average precision, and the table of confusion.

    a_ic                 share of answer c in the prediction of item i: 1, or 1/k of k likeliest classes
    recall_c             sum_i a_ic [y_i = c] / sum_i [y_i = c]
    F1_c                 2 sum_i a_ic [y_i = c] / sum_i (a_ic + [y_i = c])
    macro-F1             mean of F1_c over the classes that gold names
    average precision    mean over items of class c, by falling p_ic, of the precision down to that item

Recall and F1 are ratios of sums over items, so macro-F1 and its paired differences have the linearised intervals of
`metrics/intervals.py`. Average precision is none, and is resampled by groups.
"""

from __future__ import annotations

import numpy as np

from outgrow.metrics.accuracy import Score
from outgrow.metrics.intervals import FEWEST, LEVEL

IMBALANCED = 0.5
"""Classes are imbalanced where one has less than this part of an even share of gold."""
RESAMPLES = 200


def answers(probs: np.ndarray) -> np.ndarray:
    """(n, C) shares a_ic of the likeliest classes; an abstention (NaN) is a tie of all.

    Example:
        >>> answers(np.array([[0.2, 0.8], [0.5, 0.5]]))
        array([[0. , 1. ],
               [0.5, 0.5]])
    """
    top = (probs == probs.max(-1, keepdims=True)) | np.isnan(probs).any(-1, keepdims=True)
    return np.asarray(top / top.sum(-1, keepdims=True))


def recalls(probs: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> dict[int, Score]:
    """Recall of every class that gold names.

    Args:
        probs: (n, C); NaN for an abstention.
        labels: (n,) class numbers.
        groups: (n,) items of one number are resampled together.
    """
    said = answers(probs)
    of = {c: (labels == c).astype(np.float64) for c in np.unique(labels).tolist()}
    return {c: Score((said[:, c] * mine)[None], mine, groups) for c, mine in of.items()}


def f1(probs: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> dict[int, Score]:
    """F1 of every class that gold names; arguments as of `recalls`."""
    said = answers(probs)
    of = {c: (labels == c).astype(np.float64) for c in np.unique(labels).tolist()}
    return {c: Score((2 * said[:, c] * mine)[None], said[:, c] + mine, groups) for c, mine in of.items()}


def confusion(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(C, C) sums of answers c (columns) to items of gold y (rows), ties shared.

    Example:
        >>> confusion(np.array([[0.2, 0.8], [0.9, 0.1], [0.5, 0.5]]), np.array([1, 1, 0]))
        array([[0.5, 0.5],
               [1. , 1. ]])
    """
    said = answers(probs)
    return np.stack([said[labels == c].sum(0) for c in range(probs.shape[1])])


def rare(labels: np.ndarray, classes: int) -> list[int]:
    """The classes with less than half of an even share of gold: none where classes are balanced.

    Example:
        >>> rare(np.array([0, 0, 0, 0, 1]), 2)        # 1/5 is less than half of 1/2
        [1]
    """
    count = np.bincount(labels, minlength=classes)
    return [c for c in range(classes) if 0 < count[c] < IMBALANCED * len(labels) / classes]


def average_precision(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average precision of scores for a class; items of one score are taken together.

    Args:
        scores: (n,) the higher, the likelier.
        positive: (n,) bool: items of the class.
        weights: (B, n) how often each item counts, in each of B resamples.

    Returns:
        (B,); NaN where no item of the class counts.

    Example:
        >>> average_precision(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]), np.ones((1, 3))).round(3)
        array([0.833])
    """
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
    hits, all_ = (np.cumsum((weights * part)[:, order], 1)[:, last] for part in (positive, 1.0))
    found = np.diff(hits, prepend=0) * hits / np.maximum(all_, 1e-12)
    with np.errstate(invalid="ignore"):
        return np.asarray(found.sum(1) / hits[:, -1])


def mean_precision(
    probs: np.ndarray, labels: np.ndarray, of: list[int], groups: np.ndarray, rng: np.random.Generator
) -> tuple[float, np.ndarray]:
    """Mean average precision over the classes `of`.

    Args:
        probs: (n, C); NaN for an abstention, which ranks as even odds.
        labels: (n,) class numbers.
        of: the classes.
        groups: (n,) items of one number are resampled together.
        rng: draws the resamples; the same generator draws the same ones for other predictions.

    Returns:
        The figure, and (RESAMPLES,) its values in resamples of groups.
    """
    where = np.unique(groups, return_inverse=True)[1]
    count = int(where.max()) + 1
    draws = [np.bincount(rng.integers(count, size=count), minlength=count)[where] for _ in range(RESAMPLES)]
    weights = np.stack([np.ones(len(labels)), *draws])
    filled = np.nan_to_num(probs, nan=1 / probs.shape[1])
    values = np.mean([average_precision(filled[:, c], labels == c, weights) for c in of], axis=0)
    return float(values[0]), values[1:]


def resampled(draws: np.ndarray, groups: np.ndarray) -> tuple[float, float] | None:
    """The 95% interval of values in resamples; None with too few groups, or where a class is missing from many."""
    known = draws[~np.isnan(draws)]
    if len(np.unique(groups)) < FEWEST or len(known) < 0.9 * len(draws):
        return None
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
