"""Utility: do a judge's choices follow from one scale of values, or from the order in which things are shown?

    predicted   share of choices that utilities fitted to other pairs predict (FOLDS-fold)       no scale: not above 1/2
    cyclic      share of triads a > b > c > a, among those with three decided pairs              random choices: 1/4
                against triads sampled from the fitted utilities with the noise of single choices; Monte Carlo p
    first       share of choices of the outcome shown first, mean over pairs shown both ways     t-test over pairs, 1/2

Pairs of one group are left out together, and count in the t-test as far as they differ (`_statistics.together`).
Utilities: `_thurstone`; the paper fits a variance for every outcome, too.

    outgrow audit choices.csv        columns judge, first, second, chosen

Source: Mazeika et al. 2025, Utility Engineering, arXiv 2502.08640.
"""

from __future__ import annotations

import numpy as np

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._statistics import FOLDS, apart, at_most, jackknife, percent, together
from outgrow.audits._thurstone import Comparisons, cycles, expected, fit
from outgrow.core.seeding import derive

ALARM = 0.05
"""Chance of a false alarm, each warning over all judges (Bonferroni)."""
FEWEST = 20
"""Pairs of outcomes that a judge must have chosen between; shown both ways, for the order."""
SAMPLES = 199
"""Monte Carlo samples, at least."""
SHOWN = 12
"""Outcomes of a judge in the page's table, from either end."""


@audit("UTILITY", "Do a judge's choices follow from one scale of values?")
def utility(choices, *, seed):
    """How well one scale predicts a judge's choices, whether they are cyclic, and the influence of the order."""
    judged = [(name, Comparisons.of(choices, j)) for j, name in enumerate(choices.names)]
    judged = [(name, a) for name, a in judged if len(np.unique(a.pair)) >= FEWEST]
    if not judged:
        return f"no judge has chosen between {FEWEST} pairs of outcomes"
    judges = [_one(name, a, derive(seed, "utility", name), max(SAMPLES, 40 * len(judged))) for name, a in judged]
    return [_coherent(judges, choices.outcomes), _order(judges)]


def _one(name: str, judged: Comparisons, rng: np.random.Generator, samples: int) -> dict:
    """Figures of one judge."""
    fold = apart(len(judged.group), judged.group)
    found, hits = fit(judged), np.zeros(len(fold))
    for f in range(FOLDS):
        u = fit(judged.rows(fold != f), start=found, steps=3).u  # from close by, Newton's method is there in three
        side = np.sign(u[judged.first] - u[judged.second])[fold == f]
        won, of = judged.wins[fold == f], judged.times[fold == f]
        hits[fold == f] = np.where(side > 0, won, np.where(side < 0, of - won, of / 2))
    right, times = (np.bincount(fold, v, FOLDS) for v in (hits, judged.times))
    predicted, ci = jackknife(lambda kept: right[kept].sum() / times[kept].sum())
    (cyclic,), (triads,) = cycles(judged, judged.wins)
    noise = expected(judged, found, rng, samples)
    return {
        "name": name,
        "choices": times.sum(),
        "predicted": predicted,
        "ci": ci or (0.0, 1.0),
        "cyclic": cyclic,
        "triads": triads,
        "noise": noise.mean(),
        "p": (1 + (noise >= cyclic).sum()) / (1 + samples),
        "u": found,
        **_first(judged),
    }


def _first(judged: Comparisons) -> dict:
    """Share of choices of the first shown, its interval, and p, over pairs shown both ways."""
    from scipy.special import stdtr, stdtrit

    _, seen, where = np.unique(judged.pair, return_index=True, return_inverse=True)
    share = np.full((2, len(seen)), np.nan)
    share[(judged.first < judged.second).astype(int), where] = judged.wins / judged.times
    lean = share.mean(0)
    group, lean = judged.group[seen][~np.isnan(lean)], lean[~np.isnan(lean)]
    if len(lean) < FEWEST:
        return {"both_ways": len(lean), "first": np.nan, "first_ci": None, "first_p": 1.0}
    mean, df = lean.mean(), len(np.unique(group)) - 1
    if not df:
        return {"both_ways": len(lean), "first": float(mean), "first_ci": None, "first_p": 1.0}
    se = lean.std(ddof=1) * np.sqrt(together(lean - mean, group) / len(lean))
    p = 2 * stdtr(df, -abs(mean - 0.5) / se) if se else float(mean == 0.5)
    reach = stdtrit(df, 0.975) * se
    return {
        "both_ways": len(lean),
        "first": float(mean),
        "first_ci": (max(float(mean - reach), 0.0), min(float(mean + reach), 1.0)),
        "first_p": float(p),
    }


def _coherent(judges: list[dict], outcomes: tuple[str, ...]) -> Finding:
    """The finding whether there is a scale."""
    none = [j for j in judges if at_most(j["predicted"], j["ci"], ALARM / len(judges))[0] <= 0.5]
    round_about = [j for j in judges if j["p"] <= ALARM / len(judges)]
    worst = min(none or round_about or judges, key=lambda j: j["predicted"])
    says = (
        f"One scale of utilities predicts {percent(worst['predicted'])} of the choices of {worst['name']} "
        "between pairs that it was not fitted to; "
        f"{percent(worst['cyclic'], 1)} of {worst['triads']:,.0f} triads are cyclic, where choices at random "
        f"give 25% and wavering about the scale {percent(worst['noise'], 1)}."
    )
    severity, do = "ok", ""
    if none:
        severity, do = (
            "warning",
            f"Teach no student by choices of {', '.join(j['name'] for j in none[:5])}: they have no scale to "
            "learn. Ask with fewer, clearer outcomes, or another judge.",
        )
    elif round_about:
        severity, do = (
            "warning",
            f"{', '.join(j['name'] for j in round_about[:5])}: choices go in circles beyond wavering; a reward "
            "fitted to them is wrong where they do. Look at the outcomes below, and ask about one quality at a "
            "time.",
        )
    head = ("Judge", "Choices", "Predicted", "95% interval", "Cyclic triads", "of wavering", "p")
    rows = tuple(
        (
            j["name"],
            f"{j['choices']:,.0f}",
            percent(j["predicted"]),
            f"{percent(j['ci'][0])} to {percent(j['ci'][1])}",
            percent(j["cyclic"], 1),
            percent(j["noise"], 1),
            f"{j['p']:.2g}",
        )
        for j in judges
    )
    return Finding(
        severity,
        says,
        do,
        f"choices of {worst['name']} that utilities predict",
        worst["predicted"],
        worst["ci"],
        "share",
        (),
        (Sheet("One scale or none", head, rows), _ranked(worst, outcomes)),
    )


def _ranked(judge: dict, outcomes: tuple[str, ...]) -> Sheet:
    """Table of the outcomes that a judge values most and least; utilities of mean 0 and variance 1."""
    u, unit = judge["u"].u, judge["u"].u.std() or 1.0
    error = 1.96 * np.sqrt(np.diag(judge["u"].cov)) / unit
    order = np.argsort(-u, kind="stable")
    order = order if len(order) <= 2 * SHOWN else np.append(order[:SHOWN], order[-SHOWN:])
    rows = tuple((outcomes[k], f"{u[k] / unit:+.2f}", f"± {error[k]:.2f}") for k in order)
    return Sheet(f"What {judge['name']} values most, and least", ("Outcome", "Utility", "95%"), rows)


def _order(judges: list[dict]) -> Finding:
    """The finding whether the order shown decides."""
    known = [j for j in judges if j["first_ci"]]
    if not known:
        return Finding(
            "note",
            f"No judge was shown {FEWEST} pairs of outcomes both ways round: what was preferred cannot be told "
            "from what stood first.",
            "Ask every pair again with the two outcomes exchanged.",
            code="ORDER",
        )
    lean = [j for j in known if j["first_p"] <= ALARM / len(known)]
    worst = max(lean or known, key=lambda j: abs(j["first"] - 0.5))
    says = (
        f"{worst['name']} chooses the outcome shown first {percent(worst['first'])} of the time, over "
        f"{worst['both_ways']:,} pairs shown both ways round."
    )
    do = (
        f"Ask every pair both ways round and use the mean: {worst['name']} leans to the "
        f"{'first' if worst['first'] > 0.5 else 'second'} shown."
        if lean
        else ""
    )
    head = ("Judge", "Pairs both ways", "First chosen", "95% interval", "p")
    rows = tuple(
        (
            j["name"],
            f"{j['both_ways']:,}",
            percent(j["first"], 1),
            f"{percent(j['first_ci'][0])} to {percent(j['first_ci'][1])}",
            f"{j['first_p']:.2g}",
        )
        for j in known
    )
    return Finding(
        "warning" if lean else "ok",
        says,
        do,
        f"choices of the first shown, {worst['name']}",
        worst["first"],
        worst["first_ci"],
        "share",
        (),
        (Sheet("What the order shown does", head, rows),),
        "ORDER",
    )
