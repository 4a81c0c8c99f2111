"""The accuracy of each supervisor without gold, from pairwise agreement, robust to copies.

    a_jm = (share of common items with equal labels - 1/K) / (1 - 1/K) = s_j s_m    independent, errors spread evenly
    s = argmin sum_jm rho(z_jm) + sum_j ((s_j - 1/2) / (1/4))^2
    z = (a_jm - s_j s_m) / standard error        rho(z) = z^2 / (1 + z^2 / 9)

s is the accuracy, rescaled so that guessing is 0 and perfection is 1. Copies agree too much for any s: rho discounts
them where the other pairs fit well. The prior keeps s away from 0 and 1. There are several minima; the lowest is taken
of the starts s_m ~ a_jm, one for each of up to 32 supervisors j, which are right unless j is a copy. After Ma &
Olshevsky (NeurIPS 2020), who trim outliers where this discounts them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from outgrow.label_models._votes import Votes

LOW, HIGH = 0.02, 0.98
"""Bounds of s: nobody is useless, or outweighs all others."""
BLOCK = 2_000_000
"""Most pairs of annotators that are computed together."""
PRIOR = 16
"""Precision of s around 1/2."""


def skill(votes: Votes) -> np.ndarray:
    """(workers,) s: from gold where it is known, otherwise from agreement."""
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
    """Pairs of annotators with common items, each pair once."""

    j: np.ndarray
    m: np.ndarray
    """(P,) j < m, in order."""
    common: np.ndarray
    """(P,) number of items that both labelled."""
    same: np.ndarray
    """(P,) number of those on which they agree."""


def agreement(votes: Votes) -> Pairs:
    """The agreement of all pairs.

    Two rules that only ever name one class each are not a pair, since their agreement is fixed beforehand.
    """
    found: list[tuple[np.ndarray, ...]] = []
    for rows, common, products in met(votes, by_class(votes)):
        found.append((*rows, common, np.sum(products, 0)))
    return Pairs(*(np.concatenate(part) for part in zip(*found, strict=True)))


def met(
    votes: Votes, tables: Sequence[Any], weights: Sequence[np.ndarray] = (), block: int = BLOCK
) -> Iterator[tuple[tuple[np.ndarray, np.ndarray], np.ndarray, list[np.ndarray]]]:
    """Sums over the common items of pairs, for blocks of annotators, so that not all pairs are in memory at once.

    Args:
        votes: the votes.
        tables: sparse (items, workers); for each t the sum over items of t_ij t_im.
        weights: (items,); for each w the sum of w over common items.
        block: most pairs of annotators that are computed together.

    Yields:
        Pairs (j, m), j < m, with common items; the number of these; the sums of all tables and weights.
    """
    from scipy.sparse import diags_array, triu

    both, step = heard(votes), max(1, block // max(votes.workers, 1))
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
    """For each class the votes on it, (items, workers) sparse."""
    return [votes.matrix[:, c :: votes.said.shape[1]] for c in range(votes.said.shape[1])]


def heard(votes: Votes) -> Any:
    """(items, workers) sparse: 1 where an annotator labelled an item."""
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
    """(workers,): s by the agreement with annotator i alone; its own s is the median over pairs of others."""
    row, mine = np.zeros(workers), (j == i) | (m == i)
    row[np.where(j == i, m, j)[mine]] = a[mine].clip(LOW)
    ratio = row[j] * row[m] / a.clip(LOW)  # a_ij a_im / a_jm = s_i^2
    own = np.sqrt(np.median(ratio[ratio > 0]) if (ratio > 0).any() else 0.25).clip(LOW, HIGH)
    s = np.where(row > 0, row / own, 0.5)
    s[i] = own
    return s.clip(LOW, HIGH)


def _descended(
    s: np.ndarray, j: np.ndarray, m: np.ndarray, a: np.ndarray, precision: np.ndarray, steps: int
) -> tuple[float, np.ndarray]:
    """The objective and s after steps of reweighted least squares; pairs (j, m), in order, have agreement a."""
    from scipy.sparse import csr_array

    pairs_of = np.bincount(j, minlength=len(s))
    starts = np.append(0, np.cumsum(pairs_of))

    def off() -> np.ndarray:
        """(P,) squares of what is not explained, in standard errors."""
        found = np.repeat(s, pairs_of)
        found *= s[m]
        np.subtract(a, found, out=found)
        found *= found
        found *= precision
        return found

    def each(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """(workers,) sums over pairs, as their first or second, of values (P,) times the other one's s."""
        one, other = (csr_array((values, m, starts), (len(s), len(s))) for values in (first, second))
        return np.asarray(one @ s + other.T @ s)

    for _ in range(steps):
        weight = off()
        weight /= 9
        weight += 1
        weight *= weight
        np.divide(precision, weight, out=weight)
        asked = weight * a
        above, below = each(asked, asked), each(weight * s[m], weight * np.repeat(s, pairs_of))
        s = (s + ((above + PRIOR / 2) / (below + PRIOR)).clip(LOW, HIGH)) / 2
    z = off()
    return float((z / (1 + z / 9)).sum() + PRIOR * ((s - 0.5) ** 2).sum()), s
