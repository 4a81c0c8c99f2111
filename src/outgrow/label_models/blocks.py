"""Blocks: copies are found first, and a block of copies counts as one supervisor.

q            accuracy-weighted votes, accuracies from agreement, robust to copies
expected_jm  sum_ik q_ik sum_l C_jkl C_mkl      agreement of j and m on common items if independent given the class
copied_jm    (agree_jm - expected_jm) / (common_jm - expected_jm)      share of labels that one took from the other
block        supervisors linked by copied > 1/4, significant by 4 standard errors, or more for many pairs, so that
             the chance of any false link is 1 in 100
belief       Dawid-Skene on the mean votes of the blocks
"""

from __future__ import annotations

from functools import partial

import numpy as np

from outgrow.label_models import Belief, WeakLabels, label_model
from outgrow.label_models._em import fitted, settled
from outgrow.label_models._skill import by_class, met, skill
from outgrow.label_models._votes import Votes, WeakVotes, each
from outgrow.label_models.accuracy import weighted


@label_model
def blocks(weak: WeakLabels | WeakVotes | Votes) -> Belief:
    """Dawid-Skene after a search for copies: a block of copies counts as one supervisor.

    Source:
        Dawid & Skene 1979; agreement beyond the class, Kim et al. 2025 (arXiv 2506.07962).

    Example:
        >>> votes = Votes.table([0, 0, 0, 1, 1], [0, 1, 2, 0, 1], [1, 1, 0, 0, 0])
        >>> blocks(votes).probs[0].round(2)
        array([[0.01, 0.99],
               [0.99, 0.01]], dtype=float32)
    """
    return each(weak, lambda votes: settled(votes.joined(found(votes))))


def found(votes: Votes) -> np.ndarray:
    """(annotators,): the number of the block of each annotator."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    hard, q = votes.hard, believed(votes)
    told, count = confusion(hard, q), 2 * sum(len(common) for _, common, _ in met(hard, ()))
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for (j, m), common, products in met(hard, by_class(hard), list(q.T)):
        agree = np.sum(products[: len(q.T)], 0)
        expected, variance = np.zeros(len(j)), np.zeros(len(j))
        for k, items in enumerate(products[len(q.T) :]):
            chance = (told[j, :, k] * told[m, :, k]).sum(1)
            expected, variance = expected + items * chance, variance + items * chance * (1 - chance)
        copied = copies(common, agree, expected, variance, count)
        found.append((j[copied], m[copied]))
    rows, columns = (np.concatenate(part) for part in zip(*found, strict=True))
    links = csr_array((np.ones(len(rows)), (rows, columns)), (votes.annotators, votes.annotators))
    return connected_components(links, directed=False)[1]


def copies(common: np.ndarray, agree: np.ndarray, expected: np.ndarray, variance: np.ndarray, count: int) -> np.ndarray:
    """Whether pairs copy, of `count` pairs (each counted both ways) with common items."""
    from scipy.special import ndtri

    excess, errors = agree - expected, max(4.0, -ndtri(0.01 / max(count, 1)))
    return (excess > (common - expected) / 4) & (excess > errors * np.sqrt(variance)) & (common > 0)


def confusion(hard: Votes, q: np.ndarray) -> np.ndarray:
    """(annotators, C voted, C true): confusion tables, without abstentions."""
    told = np.exp(fitted(hard, q, smoothing=0.1)[1])
    return told / told.sum(1, keepdims=True)


def linked(common: np.ndarray, agree: np.ndarray, expected: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """(annotators,): the blocks, from the counts of `beyond` for all pairs."""
    from scipy.sparse.csgraph import connected_components

    return connected_components(copies(common, agree, expected, variance, int((common > 0).sum())), directed=False)[1]


def believed(votes: Votes) -> np.ndarray:
    """(items, C): q, 0 where there are no votes."""
    hard = votes.hard
    return np.nan_to_num(weighted(hard, skill(hard)))


def beyond(votes: Votes, fold: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Counts of all pairs, for the items of each fold.

    Args:
        votes: the votes.
        fold: (items,) the fold of each item.
        q: (items, C) class probabilities.

    Returns:
        Four times (folds, annotators, annotators): common items, those on which both agree, the expected number of
        these if independent given the class, and its variance.
    """
    hard = votes.hard
    told = confusion(hard, q)
    met = partial(
        together, hard.item, hard.annotator, votes.items, votes.annotators, part=fold[hard.item], parts=fold.max() + 1
    )
    settled = np.eye(votes.annotators, dtype=bool) | np.outer(votes.one_sided, votes.one_sided)
    one = np.ones(len(hard.item))
    common, agree = (
        np.where(settled, 0, part) for part in (met(one, one), sum(met(said, said) for said in hard.said.T))
    )
    expected, variance = np.zeros_like(common), np.zeros_like(common)
    for k, share in enumerate(q.T):
        chance = told[:, :, k] @ told[:, :, k].T
        items = met(share[hard.item], one)
        expected, variance = expected + items * chance, variance + items * chance * (1 - chance)
    return common, agree, expected, variance


def together(
    item: np.ndarray,
    annotator: np.ndarray,
    items: int,
    annotators: int,
    left: np.ndarray,
    right: np.ndarray,
    part: np.ndarray | int = 0,
    parts: int = 1,
) -> np.ndarray:
    """(parts, J, J): sums over items of left_ji right_mi, values of the votes (V,), by the part of the left."""
    from scipy.sparse import csr_array

    a = csr_array((left, (item, part * annotators + annotator)), (items, parts * annotators))
    b = csr_array((right, (item, annotator)), (items, annotators))
    for table in (a, b):
        table.eliminate_zeros()
    return (a.T @ b).toarray().reshape(parts, annotators, annotators)
