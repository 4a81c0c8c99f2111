"""Copied errors: do supervisors repeat each other's errors, and how many voices are they worth?

With gold, on items that both answered, e_j = 1 where j errs:
    rho     sum_jk sum_i (e_ji - mean e_j)(e_ki - mean e_k) / sum_jk n_jk sd(e_j) sd(e_k)
    same    share of one and the same wrong answer where both err, less what independent wrong answers would give:
            sum_l P_j(l | wrong) P_k(l | wrong)
Without, the class is latent (label model `blocks`):
    copied  (agree - expected) / (common - expected)      expected: were they independent given the class
    rho     the mean of `copied` over pairs, weighted by common items: that is rho where one repeats the other at that rate
Either way
    voices = n / (1 + (n - 1) rho)      effective number of voters (Kish's design effect; Kim et al. 2025, arXiv 2506.07962)
Intervals: jackknife over 20 folds of items. Blocks of copiers: label model `blocks`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._statistics import FOLDS, apart, jackknife, percent

TOGETHER = 20
"""Fewest items that two supervisors must both have answered to be a pair."""
HIGH, SOME = 0.3, 0.1
"""Correlations of errors from which an ensemble gains little, and from which it is worth knowing."""


@audit("COPY", "Do supervisors repeat each other's errors?")
def copied(votes, *, crowd, gold, ids):
    """Error correlation, blocks of copiers, and how many independent voices an ensemble is worth."""
    from outgrow.labels.blocks import found

    judged = gold is not None and (gold[votes.item] >= 0).any()
    if len(votes.names) < 2 or (crowd is None and not judged):
        return "needs votes of two supervisors or more; of open answers gold, too"
    block = np.arange(len(votes.names)) if crowd is None else found(crowd)
    blocks = [np.flatnonzero(block == b) for b in np.unique(block) if (block == b).sum() > 1]
    rho, ci, pairs = _with_gold(votes, gold) if judged else _latent(crowd)
    if not pairs:
        return f"no two supervisors answer {TOGETHER} items together" + (" that have gold" if judged else "")
    count = len(np.unique([j for j, k, *_ in pairs] + [k for j, k, *_ in pairs]))
    voices = count / (1 + (count - 1) * max(rho, 0))
    how = "on items with gold" if judged else "estimated from the votes alone"
    says = f"{count} supervisors are worth {voices:.1f} independent ones: the correlation of their errors is {rho:.2f}, {how}."
    names = votes.names
    top = sorted(pairs, key=lambda pair: -pair[2])[:10]
    head = ("Supervisors", "Correlation of errors", "Items both answer", *(("The same wrong answer", "by chance") if judged else ()))
    rows = [(f"{names[j]} and {names[k]}", f"{r:.2f}", f"{n:,}", *map(percent, more)) for j, k, r, n, *more in top]
    sheets = [Sheet("Pairs that err together most", head, tuple(rows))]
    if blocks:
        rows = [(", ".join(names[j] for j in members[:12]) + (f" and {len(members) - 12} more" if len(members) > 12 else ""), f"{len(members)}") for members in blocks]
        sheets.insert(0, Sheet("Who copies: each block counts as one voice", ("Supervisors", "Size"), tuple(rows)))
        largest = max(blocks, key=len)
        says = f"{sum(map(len, blocks))} of {len(names)} supervisors copy: in {len(blocks)} block{'s' if len(blocks) > 1 else ''}, the largest of {len(largest)}. " + says
    low = ci[0] if ci else rho
    if blocks or low > HIGH:
        severity = "warning"
        do = "Count each block once: learn with --label-model blocks; Dawid-Skene and other models that trust agreement take copies for proof."
        if not blocks:
            do = "Add a supervisor of another kind: more of these vote for the same errors, and no label model can tell these from truth."
    elif low > SOME:
        severity, do = "note", "Of several like supervisors few are needed; one that errs elsewhere is worth more than another of these."
    else:
        severity, do = "ok", ""
    return Finding(severity, says, do, "correlation of errors", rho, ci, "number", _shown(votes, gold, blocks, ids), tuple(sheets))


def _with_gold(votes, gold):
    """rho, its interval, and (j, k, correlation, items, the same wrong answer, by chance) of every pair."""
    known = votes.of(gold[votes.item] >= 0)
    wrong = (known.label != gold[known.item]).astype(np.float64)
    fold = apart(votes.items)[known.item]
    counts = [np.ones_like(wrong), wrong]
    # By fold: items both answered, errors of j on them, joint errors.
    n, e, ee = (np.stack([_joint(known, a * (fold == f), b, votes.items) for f in range(FOLDS)]) for a, b in ((counts[0], counts[0]), (wrong, counts[0]), (wrong, wrong)))
    # What two who each only ever name one class say of an item was settled beforehand: they meet, they do not agree.
    one_sided = np.array([len(np.unique(votes.label[votes.worker == j])) < 2 for j in range(len(votes.names))])
    n[:, np.outer(one_sided, one_sided)] = 0
    of = _correlation(n.sum(0), e.sum(0), ee.sum(0))
    rho, ci = jackknife(lambda kept: _correlation(n[kept].sum(0), e[kept].sum(0), ee[kept].sum(0))[0])
    # Rows are answers to items here, so that two who gave the same one meet in it.
    alike, row = np.unique(known.item * len(votes.classes) + known.label, return_inverse=True)
    with np.errstate(invalid="ignore"):
        same = _joint(replace(known, item=row), wrong, wrong, len(alike)) / ee.sum(0)
        chance = _by_chance(known, gold, wrong) / ee.sum(0)
    pairs = [
        (int(j), int(k), float(of[1][j, k]), int(n.sum(0)[j, k]), float(same[j, k]), float(chance[j, k]))
        for j, k in zip(*np.nonzero(np.triu(of[2], 1)), strict=True)
    ]  # fmt: skip
    return rho, ci, pairs


def _by_chance(votes, gold, wrong) -> np.ndarray:
    """(J, J): how often two who err would give the same answer, were their wrong answers independent given the right one."""
    total = np.zeros((len(votes.names),) * 2)
    for g in np.unique(gold[votes.item]):
        part = votes.of((gold[votes.item] == g) & (wrong > 0))
        answers, column = np.unique(part.label, return_inverse=True)
        shares = np.zeros((len(votes.names), len(answers)))
        np.add.at(shares, (part.worker, column), 1)
        shares /= np.maximum(shares.sum(1, keepdims=True), 1)
        ones = np.ones(len(part.item))
        total += _joint(part, ones, ones, votes.items) * (shares @ shares.T)
    return total


def _joint(votes, left, right, items) -> np.ndarray:
    """(J, J): sums over items of left_ji right_ki, values of votes (V,)."""
    from scipy.sparse import csr_array

    shape = (items, len(votes.names))
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


def _latent(crowd):
    """The same without gold: (j, k, copied, items) of every pair."""
    from outgrow.labels.blocks import beyond

    fold = apart(crowd.items)
    common, agree, expected, _ = beyond(crowd, fold)

    def of(kept):
        c, x, a = (part[kept].sum(0) for part in (common, expected, agree))
        counted = (c >= TOGETHER) & (c - x > 0.01 * c) & ~np.eye(len(c), dtype=bool)
        with np.errstate(invalid="ignore", divide="ignore"):
            each = (a - x) / (c - x)
        return (float((a - x)[counted].sum() / (c - x)[counted].sum()) if counted.any() else 0.0), each, counted, c

    _, each, counted, c = of(slice(None))
    rho, ci = jackknife(lambda kept: of(kept)[0])
    pairs = [(int(j), int(k), float(each[j, k]), int(c[j, k])) for j, k in zip(*np.nonzero(np.triu(counted, 1)), strict=True)]
    return rho, ci, pairs


def _shown(votes, gold, blocks, ids):
    """Items on which most of the largest block errs alike."""
    if gold is None or not blocks:
        return ()
    members = max(blocks, key=len)
    mine = votes.of(np.isin(votes.worker, members) & (gold[votes.item] >= 0))
    wrong = mine.label != gold[mine.item]
    times = np.bincount(mine.item, wrong, votes.items)
    top = [i for i in np.argsort(-times, kind="stable")[:5] if times[i] > 1]
    name = (lambda i: ids[i]) if ids else str
    return tuple({"item": name(i), "gold": votes.classes[gold[i]], "wrong, of the block": f"{int(times[i])} of {len(members)}"} for i in top)
