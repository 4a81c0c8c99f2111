"""How the errors of two supervisors go together: with gold, of rules that each name one class, and from votes alone.

Each returns the correlation of all pairs together, its interval (jackknife over folds of items), and of every pair that counts
(j, k, correlation, items, ...).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from outgrow.audits._statistics import FOLDS, jackknife

TOGETHER = 20
"""Fewest items that two supervisors must both have answered to be a pair."""
WRONG = 5
"""Fewest wrong votes of a rule that can go together with another's."""


def named(votes) -> np.ndarray:
    """(J,) how many different answers each supervisor gives."""
    pairs = np.unique(votes.worker * len(votes.classes) + votes.label)
    return np.bincount(pairs // len(votes.classes), minlength=len(votes.names))


def with_gold(votes, gold, fold):
    """..., the share of one and the same wrong answer where both err, and that share by chance."""
    known = votes.of(gold[votes.item] >= 0)
    wrong = (known.label != gold[known.item]).astype(np.float64)
    part, one = fold[known.item], np.ones_like(wrong)
    # By fold: items both answered, errors of j on them, joint errors.
    n, e, ee = (np.stack([_joint(known, a * (part == f), b) for f in range(FOLDS)]) for a, b in ((one, one), (wrong, one), (wrong, wrong)))
    # What two who each only ever name one class say of an item was settled beforehand: they meet, they do not agree.
    one_sided = named(votes) < 2
    n[:, np.outer(one_sided, one_sided)] = 0
    _, of, counted = _correlation(n.sum(0), e.sum(0), ee.sum(0))
    rho, ci = jackknife(lambda kept: _correlation(n[kept].sum(0), e[kept].sum(0), ee[kept].sum(0))[0])
    # Rows are answers to items here, so that two who gave the same one meet in it.
    alike, row = np.unique(known.item * len(votes.classes) + known.label, return_inverse=True)
    with np.errstate(invalid="ignore"):
        same = _joint(replace(known, item=row, items=len(alike)), wrong, wrong) / ee.sum(0)
        chance = _by_chance(known, gold, wrong) / ee.sum(0)
    return rho, ci, _listed(counted, of, n.sum(0), same, chance)


def fired(votes, gold, fold):
    """Rules that each name one class: whether they speak wrongly together, on all items that have gold, within its classes."""
    known = votes.of(gold[votes.item] >= 0)
    wrong = (known.label != gold[known.item]).astype(np.float64)
    part, right = fold[known.item], gold[known.item]
    names = np.flatnonzero(np.bincount(gold[gold >= 0]))
    shape = (FOLDS, len(names))
    n = np.array([[((gold == g) & (fold == f)).sum() for g in names] for f in range(FOLDS)], float)
    ee = np.array([[_joint(known, wrong * (part == f) * (right == g), wrong) for g in names] for f in range(FOLDS)])
    e = np.diagonal(ee, axis1=2, axis2=3).reshape(*shape, -1)

    def of(kept):
        size, alone, both = n[kept].sum(0), e[kept].sum(0), ee[kept].sum(0)
        with np.errstate(invalid="ignore", divide="ignore"):
            covariance = np.nan_to_num(both - alone[:, :, None] * alone[:, None] / size[:, None, None]).sum(0)
            each = covariance / (spread := np.sqrt(np.outer(*[np.diagonal(covariance)] * 2)))
        often = alone.sum(0) >= WRONG
        counted = np.outer(often, often) & (spread > 0) & ~np.eye(len(spread), dtype=bool)
        total = spread[counted].sum()
        return (covariance[counted].sum() / total if total else 0.0), each, counted

    _, each, counted = of(slice(None))
    rho, ci = jackknife(lambda kept: of(kept)[0])
    return rho, ci, _listed(counted, each, ee.sum((0, 1)))


def latent(crowd, fold):
    """Without gold, of a crowd: agreement beyond what independence given the class would give."""
    from outgrow.labels.blocks import beyond

    common, agree, expected, _ = beyond(crowd, fold)

    def of(kept):
        c, x, a = (part[kept].sum(0) for part in (common, expected, agree))
        counted = (c >= TOGETHER) & (c - x > 0.01 * c) & ~np.eye(len(c), dtype=bool)
        with np.errstate(invalid="ignore", divide="ignore"):
            each = (a - x) / (c - x)
        return (float((a - x)[counted].sum() / (c - x)[counted].sum()) if counted.any() else 0.0), each, counted, c

    _, each, counted, c = of(slice(None))
    rho, ci = jackknife(lambda kept: of(kept)[0])
    return rho, ci, _listed(triangles(counted), each, c)


def triangles(pairs: np.ndarray) -> np.ndarray:
    """The pairs (J, J) bool that have a third supervisor in common: two alone agree by skill or by copying, who knows."""
    return pairs & ((pairs.astype(np.float32) @ pairs) > 0)


def _listed(counted, of, n, *more):
    where = zip(*np.nonzero(np.triu(counted, 1)), strict=True)
    return [(int(j), int(k), float(of[j, k]), int(n[j, k]), *(float(m[j, k]) for m in more)) for j, k in where]


def _by_chance(votes, gold, wrong) -> np.ndarray:
    """(J, J): how often two who err would give the same answer, were their wrong answers independent given the right one."""
    total = np.zeros((len(votes.names),) * 2)
    order = np.argsort(gold[votes.item], kind="stable")
    order = order[wrong[order] > 0]
    for rows in np.split(order, np.flatnonzero(np.diff(gold[votes.item[order]])) + 1):
        part = replace(votes, item=votes.item[rows], worker=votes.worker[rows], label=votes.label[rows])
        answers, column = np.unique(part.label, return_inverse=True)
        shares = np.zeros((len(votes.names), len(answers)))
        np.add.at(shares, (part.worker, column), 1)
        shares /= np.maximum(shares.sum(1, keepdims=True), 1)
        met, row = np.unique(part.item, return_inverse=True)
        ones = np.ones(len(rows))
        total += _joint(replace(part, item=row, items=len(met)), ones, ones) * (shares @ shares.T)
    return total


def _joint(votes, left, right) -> np.ndarray:
    """(J, J): sums over items of left_ji right_ki, values of votes (V,)."""
    from scipy.sparse import csr_array

    shape = (votes.items, len(votes.names))
    a, b = (csr_array((value, (votes.item, votes.worker)), shape) for value in (left, right))
    return (a.T @ b).toarray()


def _correlation(n, e, ee):
    """Of the pairs together, of each, and which count."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mine, yours = e / n, e.T / n
        covariance = ee / n - mine * yours
        spread = np.sqrt(mine * (1 - mine) * yours * (1 - yours))
        counted = (n >= TOGETHER) & (spread > 0) & ~np.eye(len(n), dtype=bool)
        total = (n * spread)[counted].sum()
        return ((n * covariance)[counted].sum() / total if total else 0.0), covariance / spread, counted
