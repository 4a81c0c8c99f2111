"""How good each supervisor is, without gold: from who agrees with whom, not fooled by supervisors that copy.

    a_jm = (share of common items on which j and m agree - 1/K) / (1 - 1/K) = s_j s_m    independent, errors spread evenly
    s = argmin sum_jm rho(z_jm) + sum_j ((s_j - 1/2) / (1/4))^2,    z = (a_jm - s_j s_m) / standard error,    rho(z) = z^2 / (1 + z^2 / 9)

s is the accuracy rescaled so that guessing is 0 and never erring is 1. Copiers agree too much for any s: rho gives them up
where the other pairs fit well. The prior says that nobody is useless or perfect. It has several minima; from the starts s_m ~ a_jm, one for each of up to 32 supervisors j
(right unless j is a copier), the lowest is taken. After Ma & Olshevsky (NeurIPS 2020), who trim where this weighs.
"""

from __future__ import annotations

import numpy as np

from outgrow.labels._votes import Votes

LOW, HIGH = 0.02, 0.98
"""Nobody is worth nothing, or beats all others whatever they say."""
PRIOR = 16
"""Precision of s around 1/2."""


def skill(votes: Votes) -> np.ndarray:
    """(workers,) s: from gold where known, else from agreement."""
    classes = votes.said.shape[1]
    known = np.full(votes.workers, np.nan) if votes.skill is None else votes.skill.astype(np.float64)
    known = ((known - 1 / classes) / (1 - 1 / classes)).clip(LOW, HIGH)
    return np.where(np.isnan(known), _fitted(*agreement(votes.hard), classes), known) if np.isnan(known).any() else known


def agreement(votes: Votes) -> tuple[np.ndarray, np.ndarray]:
    """(workers, workers) twice: items that both labelled, and on how many of them they agree.

    0 with oneself, and between two rules that only ever name one class each: what they say was settled beforehand.
    """
    by_class = [votes.matrix[:, c :: votes.said.shape[1]] for c in range(votes.said.shape[1])]
    both = heard(votes)
    common, same = (both.T @ both).toarray(), sum((m.T @ m).toarray() for m in by_class)
    settled = np.eye(votes.workers, dtype=bool) | np.outer(votes.one_sided, votes.one_sided)
    return np.where(settled, 0, common), np.where(settled, 0, same)


def heard(votes: Votes):
    """(items, workers) sparse: 1 where a worker labelled an item."""
    from scipy.sparse import csr_array

    return csr_array((np.ones(len(votes.item)), (votes.item, votes.worker)), (votes.items, votes.workers))


def _fitted(common: np.ndarray, same: np.ndarray, classes: int) -> np.ndarray:
    pairs = np.triu(common > 0, 1)
    j, m = np.nonzero(pairs)
    share = (same[pairs] + 1 / classes) / (common[pairs] + 1)
    a = (share - 1 / classes) / (1 - 1 / classes)
    precision = common[pairs] * (1 - 1 / classes) ** 2 / (share * (1 - share))
    starts = [np.full(len(common), 0.5), *(_as_seen_by(i, j, m, a, common) for i in np.argsort(-common.sum(1))[:32])]
    rough = [_descended(s, j, m, a, precision, steps=10) for s in starts]
    return _descended(min(rough, key=lambda fit: fit[0])[1], j, m, a, precision, steps=60)[1]


def _as_seen_by(i: int, j: np.ndarray, m: np.ndarray, a: np.ndarray, common: np.ndarray) -> np.ndarray:
    """(workers,): s as far as worker i's agreement with each tells; its own is the median over pairs of others."""
    row, mine = np.zeros(len(common)), (j == i) | (m == i)
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
