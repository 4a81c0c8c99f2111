"""How the errors of two supervisors go together: with gold, of rules that each name one class, and from votes alone.

Each of the three returns the correlation over all pairs, its interval (jackknife over folds of items), which pairs (J,
J) are in it, and a list of the pairs with enough common items (j, k, correlation, items, ...).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from outgrow.audits._statistics import FOLDS, jackknife
from outgrow.audits.evidence import Evidence

MOST = 400
"""Supervisors whose pairs are examined, so that 20 folds of all pairs fit into memory."""
TOGETHER = 20
"""Items that two supervisors must both have answered for their own correlation to be shown."""
WRONG = 5
"""Wrong votes that a rule must have for a correlation."""


def busiest(votes, crowd):
    """(votes, crowd) of the MOST supervisors with the most votes."""
    cast = np.bincount(votes.annotator, minlength=len(votes.names))
    if len(cast) <= MOST:
        return votes, crowd
    top = np.sort(np.argsort(-cast, kind="stable")[:MOST])
    number = np.full(len(cast), -1)
    number[top] = np.arange(MOST)
    kept = votes.of(number[votes.annotator] >= 0)
    kept = replace(kept, annotator=number[kept.annotator], names=tuple(votes.names[j] for j in top))
    return kept, Evidence("", kept).crowd


def named(votes) -> np.ndarray:
    """(J,) number of distinct answers of each supervisor."""
    pairs = np.unique(votes.annotator * len(votes.classes) + votes.label)
    return np.bincount(pairs // len(votes.classes), minlength=len(votes.names))


def with_gold(votes, gold, fold):
    """With gold; listed pairs also have the share of same answers where both are wrong, and that share by chance."""
    known = votes.of(gold[votes.item] >= 0)
    wrong = (known.label != gold[known.item]).astype(np.float64)
    part, one = fold[known.item], np.ones_like(wrong)
    # By fold: items both answered, errors of j on them, joint errors.
    n, e, ee = (joint(known, a, b, part, FOLDS) for a, b in ((one, one), (wrong, one), (wrong, wrong)))
    # Two supervisors that each name one class only agree by what they name.
    one_sided = named(votes) < 2
    meet = ~np.outer(one_sided, one_sided) & ~np.eye(len(n[0]), dtype=bool)
    _, of, counted = _correlation(n.sum(0), e.sum(0), ee.sum(0), meet)
    rho, ci = jackknife(lambda kept: _correlation(n[kept].sum(0), e[kept].sum(0), ee[kept].sum(0), meet)[0])
    # Rows are (item, answer) here, so that two supervisors with the same answer share one.
    alike, row = np.unique(known.item * len(votes.classes) + known.label, return_inverse=True)
    with np.errstate(invalid="ignore"):
        same = joint(replace(known, item=row, items=len(alike)), wrong, wrong)[0] / ee.sum(0)
        chance = _by_chance(known, gold, wrong) / ee.sum(0)
    return rho, ci, counted, _listed(counted, of, n.sum(0), same, chance)


def fired(votes, gold, fold):
    """Of rules that each name one class: whether they are wrong on the same items, within classes of gold."""
    known = votes.of(gold[votes.item] >= 0)
    wrong = (known.label != gold[known.item]).astype(np.float64)
    classes, right = np.unique(gold[gold >= 0], return_inverse=True)
    n = (
        np.bincount(fold[gold >= 0] * len(classes) + right, minlength=FOLDS * len(classes))
        .reshape(FOLDS, -1)
        .astype(float)
    )
    part = fold[known.item] * len(classes) + np.searchsorted(classes, gold[known.item])
    ee = joint(known, wrong, wrong, part, FOLDS * len(classes)).reshape(*n.shape, *(len(votes.names),) * 2)
    e = np.diagonal(ee, axis1=2, axis2=3)

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
    return rho, ci, counted, _listed(counted, each, ee.sum((0, 1)), fewest=0)


def latent(common, agree, expected, _):
    """Without gold, from the counts of label model `blocks`: agreement beyond independence given the class."""

    def of(kept):
        c, x, a = (part[kept].sum(0) for part in (common, expected, agree))
        counted = triangles((c > 0) & (c - x > 0.01 * c) & ~np.eye(len(c), dtype=bool))
        with np.errstate(invalid="ignore", divide="ignore"):
            each = (a - x) / (c - x)
        return (float((a - x)[counted].sum() / (c - x)[counted].sum()) if counted.any() else 0.0), each, counted, c

    _, each, counted, c = of(slice(None))
    rho, ci = jackknife(lambda kept: of(kept)[0])
    return rho, ci, counted, _listed(counted, each, c)


def belief(crowd, block: np.ndarray | None = None) -> np.ndarray:
    """(N, C): class probabilities by label model `blocks`, with given blocks (J,) if known; NaN without votes."""
    from outgrow.label_models._em import settled
    from outgrow.label_models.blocks import found

    return settled(crowd.joined(found(crowd) if block is None else block))


def links(count: int, pairs) -> np.ndarray:
    """(J,) block of each of `count` rules; two are linked whose errors correlate by more than 1/2."""
    from scipy.sparse.csgraph import connected_components

    linked = np.zeros((count, count), bool)
    for j, k, rho, both, *_ in pairs:
        linked[j, k] = rho > 0.5 and both >= WRONG
    return connected_components(linked, directed=False)[1]


def triangles(pairs: np.ndarray) -> np.ndarray:
    """The pairs (J, J) bool with a third supervisor in common: two alone may agree by skill or by copying."""
    return pairs & ((pairs.astype(np.float32) @ pairs) > 0)


def _listed(counted, of, n, *more, fewest=TOGETHER):
    where = zip(*np.nonzero(np.triu(counted & (n >= fewest), 1)), strict=True)
    return [(int(j), int(k), float(of[j, k]), int(n[j, k]), *(float(m[j, k]) for m in more)) for j, k in where]


def _by_chance(votes, gold, wrong) -> np.ndarray:
    """(J, J): expected number of the same wrong answers, if wrong answers were independent given the right one."""
    total = np.zeros((len(votes.names),) * 2)
    order = np.argsort(gold[votes.item], kind="stable")
    order = order[wrong[order] > 0]
    for rows in np.split(order, np.flatnonzero(np.diff(gold[votes.item[order]])) + 1):
        part = replace(votes, item=votes.item[rows], annotator=votes.annotator[rows], label=votes.label[rows])
        answers, column = np.unique(part.label, return_inverse=True)
        shares = np.zeros((len(votes.names), len(answers)))
        np.add.at(shares, (part.annotator, column), 1)
        shares /= np.maximum(shares.sum(1, keepdims=True), 1)
        met, row = np.unique(part.item, return_inverse=True)
        ones = np.ones(len(rows))
        total += joint(replace(part, item=row, items=len(met)), ones, ones)[0] * (shares @ shares.T)
    return total


def joint(votes, left, right, part=0, parts=1) -> np.ndarray:
    """(parts, J, J): sums over items of left_ji right_ki, values of votes (V,), by the part (V,) of the left vote."""
    from outgrow.label_models.blocks import together

    return together(votes.item, votes.annotator, votes.items, len(votes.names), left, right, part, parts)


def _correlation(n, e, ee, meet):
    """(over all pairs, of each (J, J), which pairs count (J, J)); errors are centred by the supervisor's own rate."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.diagonal(e) / np.diagonal(n)
        covariance = ee - e * rate - (e * rate).T + n * np.outer(rate, rate)
        sd = np.sqrt(rate * (1 - rate))
        spread = n * np.outer(sd, sd)
        counted = meet & (spread > 0)
        total = spread[counted].sum()
        return (covariance[counted].sum() / total if total else 0.0), covariance / spread, counted
