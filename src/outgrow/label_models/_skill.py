"""How good each supervisor is, without gold: from who agrees with whom, not fooled by supervisors that copy.

    a_jm = (share of common items on which j and m agree - 1/K) / (1 - 1/K) = s_j s_m    independent, errors spread evenly
    s = argmin sum_jm rho(z_jm) + sum_j ((s_j - 1/2) / (1/4))^2,    z = (a_jm - s_j s_m) / standard error,    rho(z) = z^2 / (1 + z^2 / 9)

s is the accuracy rescaled so that guessing is 0 and never erring is 1. Copiers agree too much for any s: rho gives them up
where the other pairs fit well. The prior says that nobody is useless or perfect. It has several minima; from the starts s_m ~ a_jm, one for each of up to 32 supervisors j
(right unless j is a copier), the lowest is taken. After Ma & Olshevsky (NeurIPS 2020), who trim where this weighs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from outgrow.label_models._votes import Votes

LOW, HIGH = 0.02, 0.98
"""Nobody is worth nothing, or beats all others whatever they say."""
BLOCK = 2_000_000
"""Pairs of workers that are looked at together, at most."""
PRIOR = 16
"""Precision of s around 1/2."""


def skill(votes: Votes) -> np.ndarray:
    """(workers,) s: from gold where known, else from agreement."""
    classes = votes.said.shape[1]
    known = np.full(votes.workers, np.nan) if votes.skill is None else votes.skill.astype(np.float64)
    known = ((known - 1 / classes) / (1 - 1 / classes)).clip(LOW, HIGH)
    return (
        np.where(np.isnan(known), _fitted(agreement(votes.hard), votes.workers, classes), known)
        if np.isnan(known).any()
        else known
    )


@final
@dataclass(frozen=True)
class Pairs:
    """Pairs of workers who labelled an item both, each pair once."""

    j: np.ndarray
    m: np.ndarray
    """(P,) j < m, in order."""
    common: np.ndarray
    """(P,) items that both labelled."""
    same: np.ndarray
    """(P,) on how many of them they agree."""


def agreement(votes: Votes) -> Pairs:
    """Who agrees with whom.

    Two rules that only ever name one class each are no pair: what they say was settled beforehand.
    """
    found: list[tuple[np.ndarray, ...]] = []
    for rows, common, products in met(votes, by_class(votes)):
        found.append((*rows, common, np.sum(products, 0)))
    return Pairs(*(np.concatenate(part) for part in zip(*found, strict=True)))


def met(
    votes: Votes, tables: Sequence[Any], weights: Sequence[np.ndarray] = ()
) -> Iterator[tuple[tuple[np.ndarray, np.ndarray], np.ndarray, list[np.ndarray]]]:
    """For some workers after others, of each pair (j, m), j < m: items in common, and the values of more products.

    tables: sparse (items, workers), of each t the sum over items of t_ij t_im; weights (items,): of each w the sum of w over
    common items. Never all pairs at once, and none that has nothing in common.
    """
    from scipy.sparse import diags_array, triu

    both, step = heard(votes), max(1, BLOCK // max(votes.workers, 1))
    left = [(both, both), *((t, t) for t in tables), *((diags_array(w) @ both, both) for w in weights)]
    left = [(a.tocsc(), b.tocsr()) for a, b in left]
    for start in range(0, votes.workers, step):
        part = slice(start, start + step)
        first, *more = (triu((a[:, part].T @ b).tocsr(), start + 1).tocsr() for a, b in left)
        first.sort_indices()
        j = np.repeat(np.arange(first.shape[0]), np.diff(first.indptr))
        kept = ~(votes.one_sided[j + start] & votes.one_sided[first.indices])
        at = (j[kept], first.indices[kept])
        values = [np.asarray(product[at]).ravel() if len(at[0]) else np.zeros(0) for product in more]
        yield (at[0] + start, at[1]), first.data[kept], values


def by_class(votes: Votes) -> list[Any]:
    """(items, workers) sparse for each class: what each says of it."""
    return [votes.matrix[:, c :: votes.said.shape[1]] for c in range(votes.said.shape[1])]


def heard(votes: Votes) -> Any:
    """(items, workers) sparse: 1 where a worker labelled an item."""
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(votes.item)), (votes.item, votes.worker)), (votes.items, votes.workers))


def _fitted(pairs: Pairs, workers: int, classes: int) -> np.ndarray:
    j, m, common = pairs.j, pairs.m, pairs.common
    share = (pairs.same + 1 / classes) / (common + 1)
    a = (share - 1 / classes) / (1 - 1 / classes)
    precision = common * (1 - 1 / classes) ** 2 / (share * (1 - share))
    total = np.bincount(j, common, workers) + np.bincount(m, common, workers)
    starts = (np.full(workers, 0.5), *(_as_seen_by(i, j, m, a, workers) for i in np.argsort(-total)[:32]))
    rough = [_descended(s, j, m, a, precision, steps=10) for s in starts]
    return _descended(min(rough, key=lambda fit: fit[0])[1], j, m, a, precision, steps=60)[1]


def _as_seen_by(i: int, j: np.ndarray, m: np.ndarray, a: np.ndarray, workers: int) -> np.ndarray:
    """(workers,): s as far as worker i's agreement with each tells; its own is the median over pairs of others."""
    row, mine = np.zeros(workers), (j == i) | (m == i)
    row[np.where(j == i, m, j)[mine]] = a[mine].clip(LOW)
    ratio = row[j] * row[m] / a.clip(LOW)  # a_ij a_im / a_jm = s_i^2
    own = np.sqrt(np.median(ratio[ratio > 0]) if (ratio > 0).any() else 0.25).clip(LOW, HIGH)
    s = np.where(row > 0, row / own, 0.5)
    s[i] = own
    return s.clip(LOW, HIGH)


def _descended(s: np.ndarray, j, m, a: np.ndarray, precision: np.ndarray, steps: int) -> tuple[float, np.ndarray]:
    """Nearer the minimum at s, by reweighted least squares, and the height there; pairs (j, m) agree by a."""

    def each(values: np.ndarray, other: np.ndarray, here: np.ndarray) -> np.ndarray:
        return np.bincount(here, values * s[other], len(s))

    for _ in range(steps):
        weight = precision / (1 + precision * (a - s[j] * s[m]) ** 2 / 9) ** 2
        above = each(weight * a, m, j) + each(weight * a, j, m)
        below = each(weight * s[m], m, j) + each(weight * s[j], j, m)
        s = (s + ((above + PRIOR / 2) / (below + PRIOR)).clip(LOW, HIGH)) / 2
    z = precision * (a - s[j] * s[m]) ** 2
    return float((z / (1 + z / 9)).sum() + PRIOR * ((s - 0.5) ** 2).sum()), s
