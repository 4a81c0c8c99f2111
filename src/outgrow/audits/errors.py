"""Label errors: which given labels are most probably wrong, by confident learning?

    t_k      mean of p_ik over items whose given label is k            the usual certainty of k where k was given
    l_i      argmax of p_ik over k with p_ik >= t_k                    the class that is certain for item i, if any
    C_gk     items with given label g and l = k;  Q_g. = C_g. / sum_k C_gk, weighted by how often g was given
    wrong    1 - trace Q                                               share of given labels that are wrong

Suspected are items whose l is not the given label, the lowest p_i,given - p_il first. Given: gold; without gold the
belief of label model `blocks`. p must come from a model that has not seen the label: the mean of supervisors with
probabilities, or heads on the student's features trained on other items. A confident error of the model looks like a
wrong label: of 113 suspects among CIFAR-10's test labels people confirmed 24, of planted errors nine in ten are real.
Hence people look. Interval: jackknife over 20 folds of items.

    outgrow audit votes.csv --votes model --gold label [--strong NAME]

Source: Northcutt, Jiang & Chuang 2021, J. Artificial Intelligence Research 70.
"""

from __future__ import annotations

import numpy as np

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._heads import basis, unseen
from outgrow.audits._pairs import belief
from outgrow.audits._statistics import apart, jackknife, percent

MANY, SOME = 0.05, 0.005
"""Above MANY an estimate exceeds a good model's own confident errors (2.8% on CIFAR-10's test set, where people find
0.5%); above SOME it is worth an hour's look."""
ABLE = 0.8
"""A model that is right less often is too weak: it would suspect exact gold of its own errors."""
FEWEST = 10
"""Items with a known label that a class must have."""


@audit("ERRORS", "Which given labels are most probably wrong?")
def errors(votes, *, crowd, gold, probs, features, groups, show):
    """Items whose label a model that has not seen it is certain to be another, and their number."""
    judged = gold is not None and (gold >= 0).any()
    if not (judged and probs is not None) and features is None:
        return (
            "needs gold and supervisors that say how sure they are, or the items in the student's space (name the "
            "student with --strong)"
        )
    if not judged and crowd is None:
        return "needs gold, or votes of two supervisors or more"
    given = gold if judged else believed(crowd)
    if len(np.unique(given[given >= 0])) < 2:
        return f"needs two classes of {FEWEST} labels or more"
    if judged and probs is not None:
        p, whose = _mean(votes, probs), "the supervisors together"
    else:
        p, whose = _heads(features, given, groups, len(votes.classes)), "heads that were trained on other items"
    rows = np.flatnonzero((given >= 0) & np.isfinite(p).all(1))
    sizes = np.bincount(given[rows], minlength=p.shape[1])
    if not len(rows) or min(sizes[sizes > 0]) < FEWEST or (sizes > 0).sum() < 2:
        return f"needs two classes of {FEWEST} labels or more"
    able = float((p[rows].argmax(1) == given[rows]).mean())
    if able < ABLE:
        return (
            f"{whose} give the label on {percent(able)} of items: from {percent(ABLE)} on their sure opinions say "
            "more of labels than of themselves"
        )
    given_, p_, fold = given[rows], p[rows], apart(len(given), groups)[rows]
    value, ci = jackknife(lambda kept: confident(given_[(at := np.isin(fold, kept))], p_[at])[0])
    _, opinion, margin = confident(given_, p_)
    found = np.flatnonzero((opinion >= 0) & (opinion != given_))
    found = found[np.argsort(margin[found], kind="stable")]
    kind = "gold labels" if judged else "labels that the label model believes"
    says = (
        f"{len(found):,} of {len(rows):,} {kind} are suspected: {whose} are sure of another class. Were they never "
        f"surely wrong, {percent(value, 1)} of the labels would be."
    )
    severity = "warning" if ci and ci[0] > MANY else "note" if ci and ci[0] > SOME else "ok"
    names = votes.classes
    do = (
        f"Look at the {len(found):,} suspects, the surest first (below), and mend what is wrong; do not drop "
        "them unseen."
        if severity != "ok"
        else ""
    )
    sure = [f"{percent(p_[i, opinion[i]])} against {percent(p_[i, given_[i]])}" for i in found[:10]]
    items = tuple(
        show(rows[i], **{"given": names[given_[i]], "probably": names[opinion[i]], "how sure": s})
        for i, s in zip(found, sure, strict=False)
    )
    pairs, times = np.unique(np.stack([given_[found], opinion[found]]), axis=1, return_counts=True)
    order = np.argsort(-times, kind="stable")[:10]
    sheets = (
        (
            Sheet(
                "Which is taken for which",
                ("Given", "Probably", "Items"),
                tuple((names[pairs[0, c]], names[pairs[1, c]], f"{times[c]:,}") for c in order),
            ),
        )
        if len(found)
        else ()
    )
    return Finding(
        severity,
        says,
        do,
        "labels of which a model is sure that they are others",
        value,
        ci,
        "share",
        items if severity != "ok" else (),
        sheets,
    )


def confident(given: np.ndarray, p: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Confident learning.

    Args:
        given: (n,) labels.
        p: (n, C) probabilities of a model that has not seen them.

    Returns:
        (share of wrong labels, l (n,) or -1 where no class is certain, p_given - p_l (n,)).
    """
    n, classes = p.shape
    size = np.bincount(given, minlength=classes)
    own = np.bincount(given, p[np.arange(n), given], classes)
    t = np.where(size > 0, own / np.maximum(size, 1), np.inf)
    sure = np.where(p >= t, p, -np.inf)
    opinion = np.where(np.isfinite(sure).any(1), sure.argmax(1), -1)
    counts = np.zeros((classes, classes))
    np.add.at(counts, (given[opinion >= 0], opinion[opinion >= 0]), 1)
    total = counts.sum(1)
    right = np.where(total > 0, np.diagonal(counts) / np.maximum(total, 1), 1)
    at = np.arange(n)
    return float(1 - size @ right / n), opinion, np.where(opinion >= 0, p[at, given] - p[at, opinion], 1)


def believed(crowd) -> np.ndarray:
    """(N,): the likeliest class by label model `blocks`, -1 without votes."""
    q = belief(crowd)
    return np.where(np.isnan(q).any(1), -1, np.nan_to_num(q).argmax(1))


def _mean(votes, probs) -> np.ndarray:
    """(N, C): mean probabilities of supervisors; NaN without votes."""
    cast = np.bincount(votes.item, minlength=votes.items)
    with np.errstate(invalid="ignore"):
        return np.stack([np.bincount(votes.item, column, votes.items) for column in probs.T], 1) / cast[:, None]


def _heads(features, given, groups, classes) -> np.ndarray:
    """(N, C): probabilities of linear heads trained on other folds."""
    targets = np.where((given >= 0)[:, None], np.eye(classes)[given], np.nan)
    return unseen([basis(features)], targets[None], np.arange(len(given)) if groups is None else groups)[0][0]
