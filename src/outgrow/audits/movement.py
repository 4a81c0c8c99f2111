"""Moved: have a judge's preferences moved? Its choices before and after a change, or any judge's and the first's.

    r = u . v / sqrt((u . u - tr Cov u) (v . v - tr Cov v))     correlation of utilities, corrected for errors of
                                                                estimation
    interval: delta method over both fits
    moved: for every outcome how much more often it was chosen than by the first, over the pairs that both were asked;
        the sum of
    squares, against random exchanges of the two judges' answers pair by pair; pairs of one group are exchanged together

Utilities u, v: `_thurstone`, of the outcomes that both were asked about. The correlation says how alike the scales are,
the test whether they differ at all, in order or in decision.

    outgrow audit choices.csv        columns judge, first, second, chosen; two judges or more
"""

from __future__ import annotations

import numpy as np

from outgrow.audits import Finding, Sheet, audit
from outgrow.audits._thurstone import Comparisons, fit
from outgrow.core.seeding import derive

ALARM = 0.05
"""Chance of a false alarm over all comparisons (Bonferroni)."""
ALIKE = 0.9
"""A judge that moved is a note where its utilities certainly correlate more than this, else a warning."""
FEWEST = 20
"""Pairs that both judges must have been asked."""
PERMUTATIONS = 999
"""Random exchanges, at least."""
SHOWN = 8
"""Outcomes in the page's table."""


@audit("MOVED", "Have a judge's preferences moved?")
def movement(choices, *, seed):
    """Correlation of a judge's utilities with those of the table's first judge, and whether they are one scale."""
    if len(choices.names) < 2:
        return "needs the choices of two judges, before and after a change"
    asked = [Comparisons.of(choices, j) for j in range(len(choices.names))]
    against = [
        (choices.names[j], asked[j]) for j in range(1, len(asked)) if len(_common(asked[0], asked[j])[0]) >= FEWEST
    ]
    if not against:
        return f"no judge was asked {FEWEST} pairs that {choices.names[0]} was asked"
    permutations = max(PERMUTATIONS, 40 * len(against))
    found = [_compare(name, asked[0], other, derive(seed, "moved", name), permutations) for name, other in against]
    changed = [f for f in found if f["p"] <= ALARM / len(found)]
    worst = min(changed or found, key=lambda f: f["r"])
    before = choices.names[0]
    says = f"Utilities of {before} and {worst['name']} correlate {worst['r']:.2f}, " + (
        f"and differ by more than chance (p {worst['p']:.2g})." if changed else "and differ no more than by chance."
    )
    severity, do = "ok", ""
    if changed:
        severity = "note" if worst["ci"] and worst["ci"][0] > ALIKE else "warning"
        do = (
            f"If no change of values was meant, go back to {before}, or train on with choices of {before} between "
            "the outcomes below mixed in."
        )
    head = ("Judge", "Correlation with the first", "95% interval", "Pairs asked alike", "p of no change")
    rows = tuple(
        (
            f["name"],
            f"{f['r']:.2f}",
            f"{f['ci'][0]:.2f} to {f['ci'][1]:.2f}" if f["ci"] else "–",
            f"{f['pairs']:,}",
            f"{f['p']:.2g}",
        )
        for f in found
    )
    sheets = (Sheet(f"Against {before}", head, rows), _outcomes(worst, before, choices.outcomes))
    return Finding(
        severity,
        says,
        do,
        f"correlation of utilities, {before} and {worst['name']}",
        worst["r"],
        worst["ci"],
        "number",
        (),
        sheets,
    )


def _common(one: Comparisons, other: Comparisons) -> tuple[np.ndarray, np.ndarray]:
    """(rows of one, rows of other) with the same ordered pair."""
    k = one.outcomes
    _, mine, theirs = np.intersect1d(one.first * k + one.second, other.first * k + other.second, return_indices=True)
    return mine, theirs


def _compare(name: str, one: Comparisons, other: Comparisons, rng: np.random.Generator, permutations: int) -> dict:
    """Figures of two judges."""
    mine, theirs = _common(one, other)
    a, b = one.rows(mine), other.rows(theirs)
    net = a.wins / a.times - b.wins / b.times
    z = np.zeros((len(net), one.outcomes))
    z[np.arange(len(net)), a.first], z[np.arange(len(net)), a.second] = net, -net
    _, pair = np.unique(a.group, return_inverse=True)
    by_pair = np.zeros((pair.max() + 1, one.outcomes))
    np.add.at(by_pair, pair, z)
    signs = rng.choice([-1.0, 1.0], (permutations, len(by_pair)))
    noise, seen = ((signs @ by_pair) ** 2).sum(1), (by_pair.sum(0) ** 2).sum()
    both = np.intersect1d(np.append(one.first, one.second), np.append(other.first, other.second))
    return {
        "name": name,
        "pairs": len(net),
        "p": (1 + (noise >= seen * (1 - 1e-9)).sum()) / (1 + permutations),
        "both": both,
        **_correlation(fit(one), fit(other), both),
    }


def _correlation(one, other, both: np.ndarray) -> dict:
    """r, its interval, and the standardised utilities of the common outcomes."""
    centre = np.eye(len(both)) - 1 / len(both)
    u, v = (centre @ x.u[both] for x in (one, other))
    cov_u, cov_v = (centre @ x.cov[np.ix_(both, both)] @ centre for x in (one, other))
    size_u, size_v = u @ u - np.trace(cov_u), v @ v - np.trace(cov_v)
    if min(size_u / (u @ u), size_v / (v @ v)) < 0.1:  # hardly anything but error
        return {"r": 0.0, "ci": None, "u": u, "v": v}
    r = u @ v / np.sqrt(size_u * size_v)
    grad_u, grad_v = v / np.sqrt(size_u * size_v) - r * u / size_u, u / np.sqrt(size_u * size_v) - r * v / size_v
    reach = 1.96 * np.sqrt(grad_u @ cov_u @ grad_u + grad_v @ cov_v @ grad_v)
    low, high = (float(np.clip(r + s * reach, -1, 1)) for s in (-1, 1))
    return {
        "r": float(np.clip(r, -1, 1)),
        "ci": (low, high),
        "u": u / np.sqrt(size_u / len(both)),
        "v": v / np.sqrt(size_v / len(both)),
    }


def _outcomes(found: dict, before: str, names: tuple[str, ...]) -> Sheet:
    """The table of outcomes that moved most."""
    order = np.argsort(-np.abs(found["v"] - found["u"]), kind="stable")[:SHOWN]
    rows = tuple((names[found["both"][k]], f"{found['u'][k]:+.2f}", f"{found['v'][k]:+.2f}") for k in order)
    return Sheet("What moved most (utilities of mean 0 and variance 1)", ("Outcome", before, found["name"]), rows)
