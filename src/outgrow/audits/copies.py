"""Copied errors: do supervisors repeat each other's errors, and how many independent ones are they worth?

With gold, on items that both answered, e_j = 1 where j is wrong:
    rho     sum_jk sum_i (e_ji - mean e_j)(e_ki - mean e_k) / sum_jk n_jk sd(e_j) sd(e_k)
    same    share of the same wrong answer where both are wrong, less what independent wrong answers would give:
            sum_l P_j(l | wrong) P_k(l | wrong)
Rules that each name one class agree or not by what they name, so that items that both answer tell nothing. Their
abstention is an answer, too: e_j = 1 where j votes and is wrong, over all items, and means are those within a class of
gold.

Without gold the class is latent (label model `blocks`):
    copied  (agree - expected) / (common - expected)      expected: if independent given the class
    rho     the mean of `copied` over pairs, weighted by common - expected: rho if one repeats the other at that rate
    settled sum_i (max_k q_ik - 1/C) / (1 - 1/C) / N      how far the latent class q is known
An error that all supervisors share is the latent class itself: no votes show it. In both cases
    voices = n / (1 + (n - 1) rho)      effective number of independent supervisors

Intervals: jackknife over 20 folds of items. Blocks of copiers: label model `blocks`.

    outgrow audit votes.csv --votes a,b,c [--gold label]

Source: Kish's design effect; Kim et al. 2025, arXiv 2506.07962 (correlated errors).
"""

from __future__ import annotations

import numpy as np

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._pairs import TOGETHER, WRONG, busiest, fired, latent, links, named, with_gold
from outgrow.audits._statistics import FOLDS, apart, percent

HIGH, SOME = 0.3, 0.1
"""Correlations of errors above which an ensemble gains little, and above which it is a note."""
SETTLED = 0.5
"""Below it the latent class is a guess, and so is a correlation given it."""


@audit("COPY", "Do supervisors repeat each other's errors?")
def copies(votes, *, crowd, gold, groups, ids):
    """Error correlation, blocks of copiers, and how many independent supervisors an ensemble is worth."""
    from outgrow.label_models.blocks import believed, beyond

    judged = gold is not None and (gold[votes.item] >= 0).any()
    if len(votes.names) < 2 or (crowd is None and not judged):
        return "needs votes of two supervisors or more; of open answers gold, too"
    everybody, (votes, crowd) = len(votes.names), busiest(votes, crowd)
    rules = bool((named(votes) < 2).all())
    if rules and not (judged and votes.complete):
        return (
            "each supervisor names one class only, so where two meet it was settled beforehand whether they agree: "
            "needs gold, and rules that saw every item"
        )
    fold = apart(votes.items, groups)
    if fold.max() + 1 < FOLDS:
        return f"needs {FOLDS} items or more that do not belong together"
    q, agreement = None, None
    if crowd is not None:
        q = believed(crowd)
        agreement = beyond(crowd, fold * (not judged), q)
    if judged:
        rho, ci, counted, pairs = (fired if rules else with_gold)(votes, gold, fold)
    else:
        assert agreement is not None, "without gold there is a crowd"
        rho, ci, counted, pairs = latent(*agreement)
    if not counted.any():
        if rules:
            return f"no two rules speak wrongly {WRONG} times or more"
        return f"no two supervisors {'that err now and then ' if judged else ''}answer the same items" + (
            "" if judged else ", and share items with a third: two alone may agree by skill or by copying"
        )
    blocks = _blocks(len(votes.names), pairs, agreement, rules)
    count = int(counted.any(1).sum())
    voices = count / (1 + (count - 1) * max(rho, 0))
    known = 1.0 if judged or q is None else settled(q)
    how = (
        "on items with gold"
        if judged
        else f"estimated from votes alone, which settle the class by {percent(known)}; errors that all share are not "
        "in it"
    )
    says = (
        f"{count} supervisors are worth {voices:.1f} independent ones: the correlation of their errors is "
        f"{rho:.2f}, {how}."
    )
    sheets = [_pairs(votes.names, pairs, judged, rules)] if pairs else []
    if blocks:
        rows = [
            (
                ", ".join(votes.names[j] for j in members[:12])
                + (f" and {len(members) - 12} more" if len(members) > 12 else ""),
                f"{len(members)}",
            )
            for members in blocks
        ]
        sheets.insert(0, Sheet("Who copies: each block counts as one voice", ("Supervisors", "Size"), tuple(rows)))
        says = (
            f"{sum(map(len, blocks))} of {len(votes.names)} supervisors copy: in {len(blocks)} "
            f"block{'s' if len(blocks) > 1 else ''}, the largest of {max(map(len, blocks))}. " + says
        )
    if everybody > len(votes.names):
        says += f" Of {everybody:,} supervisors these are the ones that vote most."
    blind = not judged and not pairs
    if blind:
        says += f" No two share {TOGETHER} items: that a few copy would not show."
    severity, do = _verdict(ci[0] if ci else rho, blocks, known, rules, blind)
    return Finding(
        severity, says, do, "correlation of errors", rho, ci, "number", _shown(votes, gold, blocks, ids), tuple(sheets)
    )


def _blocks(count, pairs, agreement, rules: bool) -> list[np.ndarray]:
    """The supervisors of each block of copiers: of rules by their errors, else by their agreement."""
    from outgrow.label_models.blocks import linked

    alike = np.arange(count)
    if rules:
        alike = links(count, pairs)
    elif agreement is not None:
        alike = linked(*(part.sum(0) for part in agreement))
    return [np.flatnonzero(alike == b) for b in np.unique(alike) if (alike == b).sum() > 1]


def settled(q: np.ndarray) -> float:
    """How far the votes tell the class: 0 even odds everywhere, 1 certainty; items without a vote left out."""
    q = q[q.sum(1) > 0]
    return float((q.max(1).mean() - 1 / q.shape[1]) / (1 - 1 / q.shape[1]))


def _verdict(low: float, blocks: list, known: float, rules: bool, blind: bool) -> tuple[str, str]:
    if known < SETTLED:
        return (
            "note",
            "Too unsettled to build on: give gold on some 100 items that several supervisors answered (a "
            "column gold), or ask more supervisors an item.",
        )
    if blind:
        return (
            "note",
            f"Give everybody the same {TOGETHER} items among their own, or gold on some 100 items: then copies show.",
        )
    if blocks and rules:
        return (
            "note",
            "Keep one rule of each block, or join them: they speak wrongly together, and label models take "
            "them for several.",
        )
    if blocks:
        return (
            "warning",
            "Count each block once: learn with --label-model blocks; Dawid-Skene and other models that trust "
            "agreement take copies for proof.",
        )
    if low > HIGH:
        return (
            "warning",
            "Add a supervisor of another kind: more of these vote for the same errors, and no label model can "
            "tell these from truth.",
        )
    if low > SOME:
        return (
            "note",
            "Of several like supervisors few are needed; one that errs elsewhere is worth more than another of these.",
        )
    return "ok", ""


def _pairs(names, pairs, judged: bool, rules: bool) -> Sheet:
    both = "Items both get wrong" if rules else "Items both answer"
    head = (
        "Supervisors",
        "Correlation of errors",
        both,
        *(("The same wrong answer", "by chance") if judged and not rules else ()),
    )
    rows = [
        (f"{names[j]} and {names[k]}", f"{r:.2f}", f"{n:,}", *map(percent, more))
        for j, k, r, n, *more in sorted(pairs, key=lambda pair: -pair[2] * pair[3] ** 0.5)[:10]
    ]
    return Sheet("Pairs that err together most", head, tuple(rows))


def _shown(votes, gold, blocks, ids):
    """Items on which most of the largest block errs alike."""
    if gold is None or not blocks:
        return ()
    members = max(blocks, key=len)
    mine = votes.of(np.isin(votes.annotator, members) & (gold[votes.item] >= 0))
    wrong = mine.label != gold[mine.item]
    times = np.bincount(mine.item, wrong, votes.items)
    top = [i for i in np.argsort(-times, kind="stable")[:5] if times[i] > 1]
    name = (lambda i: ids[i]) if ids else str
    return tuple(
        {"item": name(i), "gold": votes.classes[gold[i]], "wrong, of the block": f"{int(times[i])} of {len(members)}"}
        for i in top
    )
