"""Utilities from forced choices, their errors, and how transitive choices are.

    P(first of a and b is chosen) = Phi(u_a - u_b + d)        d: the advantage of being shown first

Maximum likelihood with a weak prior u ~ N(0, SPREAD^2), which keeps utilities finite where choices never vary; by
Newton's method, since the likelihood is log-concave. Covariance H^-1 of the utilities less their mean. Source:
Thurstone 1927, case V.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from outgrow.audits.evidence import ForcedChoices

SPREAD = 3.0
"""Standard deviation of the prior, in those of a single choice's noise."""
AT_ONCE = 4_000_000
"""Numbers in memory while triads of many samples are counted."""


@final
@dataclass(frozen=True)
class Comparisons:
    """Choices of one judge between K outcomes, a row for each of P ordered pairs."""

    first: np.ndarray
    """(P,) int64: the outcome shown first."""
    second: np.ndarray
    """(P,) int64: the other one."""
    wins: np.ndarray
    """(P,): how often the first was chosen."""
    times: np.ndarray
    """(P,): how often the pair was shown."""
    outcomes: int
    """K."""
    group: np.ndarray
    """(P,) int64: group of the pair."""

    @classmethod
    def of(cls, given: ForcedChoices, judge: int) -> Comparisons:
        """The choices of one judge, equal pairs joined."""
        mine = given.judge == judge
        k = len(given.outcomes)
        pair, seen, where = np.unique(
            given.first[mine] * k + given.second[mine], return_index=True, return_inverse=True
        )
        count, first, second = given.count[mine], pair // k, pair % k
        group = (
            np.minimum(first, second) * k + np.maximum(first, second)
            if given.group is None
            else given.group[mine][seen]
        )
        return cls(
            first,
            second,
            np.bincount(where, count * given.chosen[mine], len(pair)),
            np.bincount(where, count, len(pair)),
            k,
            group,
        )

    def rows(self, kept: np.ndarray) -> Comparisons:
        """These rows alone."""
        return replace(
            self,
            first=self.first[kept],
            second=self.second[kept],
            wins=self.wins[kept],
            times=self.times[kept],
            group=self.group[kept],
        )

    @property
    def pair(self) -> np.ndarray:
        """(P,) index of the unordered pair."""
        return np.minimum(self.first, self.second) * self.outcomes + np.maximum(self.first, self.second)

    def favour(self, wins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Q unordered pairs (Q,), and how much more often the lower outcome is chosen (..., Q), for wins (..., P)."""
        pair, where, shown = np.unique(self.pair, return_inverse=True, return_counts=True)
        lean = (2 * wins / self.times - 1) * np.where(self.first < self.second, 1, -1)
        order = np.argsort(where, kind="stable")
        return pair, np.add.reduceat(lean[..., order], np.append(0, np.cumsum(shown)[:-1]), axis=-1) / shown


@final
@dataclass(frozen=True)
class Utilities:
    """Fitted utilities."""

    u: np.ndarray
    """(D,) utilities, mean 0 over outcomes; or the coefficients that explain them."""
    first: float
    """d, the advantage of being shown first."""
    cov: np.ndarray
    """(D, D) covariance of u."""

    @property
    def spread(self) -> tuple[float, float]:
        """(sum of squares of the utilities, the part of it that is estimation error)."""
        return float(self.u @ self.u), float(np.trace(self.cov))


def fit(
    choices: Comparisons, explain: np.ndarray | None = None, start: Utilities | None = None, steps: int = 50
) -> Utilities:
    """Fits utilities.

    Args:
        choices: the choices.
        explain: (K, D): utilities are explain @ u; each outcome its own where not given.
        start: a fit to begin from.
        steps: of Newton's method at most.
    """
    from scipy.linalg import cho_factor, cho_solve
    from scipy.special import log_ndtr

    k, first, second, wins = choices.outcomes, choices.first, choices.second, choices.wins
    lost, size_of = choices.times - wins, k if explain is None else explain.shape[1]
    theta = np.zeros(size_of + 1) if start is None else np.append(start.u, start.first)

    def by_outcome(values: np.ndarray) -> np.ndarray:
        return np.bincount(first, values, k) - np.bincount(second, values, k)

    def at(t: np.ndarray) -> tuple[float, np.ndarray]:
        u = t[:-1] if explain is None else explain @ t[:-1]
        eta = u[first] - u[second] + t[-1]
        return float(wins @ log_ndtr(eta) + lost @ log_ndtr(-eta) - t @ t / (2 * SPREAD**2)), eta

    value, eta = at(theta)
    for _ in range(steps):
        win, lose = (np.exp(-(eta**2) / 2 - log_ndtr(s * eta)) / np.sqrt(2 * np.pi) for s in (1, -1))
        slope, curve = wins * win - lost * lose, wins * win * (win + eta) + lost * lose * (lose - eta)
        met = np.bincount(first * k + second, curve, k * k).reshape(k, k)
        met += met.T
        laplacian, cross, pull = np.diag(met.sum(0)) - met, by_outcome(curve), by_outcome(slope)
        if explain is not None:
            laplacian, cross, pull = explain.T @ laplacian @ explain, explain.T @ cross, explain.T @ pull
        h = np.block([[laplacian, cross[:, None]], [cross[None], curve.sum()]])
        h[np.diag_indices_from(h)] += 1 / SPREAD**2
        step = cho_solve(cho_factor(h), np.append(pull, slope.sum()) - theta / SPREAD**2)
        size = 1.0
        while (new := at(theta + size * step))[0] < value and size > 1e-6:
            size /= 2
        theta, gain, (value, eta) = theta + size * step, new[0] - value, new
        if gain < 1e-9 * abs(value):
            break
    cov = np.linalg.inv(h)[:-1, :-1]
    if explain is not None:
        return Utilities(theta[:-1], float(theta[-1]), cov)
    cov = cov - cov.mean(0)
    return Utilities(theta[:-1] - theta[:-1].mean(), float(theta[-1]), cov - cov.mean(1, keepdims=True))


def cycles(choices: Comparisons, wins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For wins (P,) or (R, P): (share of cyclic triads among those with decided pairs, number of these), each (R,)."""
    k, (pair, favour) = choices.outcomes, choices.favour(np.atleast_2d(wins))
    low, high = pair // k, pair % k
    share, triads = np.zeros(len(favour)), np.zeros(len(favour))
    for at in range(0, len(favour), most := max(1, AT_ONCE // k**2)):
        part = favour[at : at + most]
        beats = np.zeros((len(part), k, k), np.float32)
        beats[:, low, high], beats[:, high, low] = part > 0, part < 0
        decided = beats + beats.transpose(0, 2, 1)
        triads[at : at + most] = ((decided @ decided) * decided).sum((1, 2), np.float64) / 6
        share[at : at + most] = ((beats @ beats) * beats.transpose(0, 2, 1)).sum((1, 2), np.float64) / 3
    return share / np.maximum(triads, 1), np.round(triads)


def expected(choices: Comparisons, found: Utilities, rng: np.random.Generator, samples: int) -> np.ndarray:
    """(samples,) shares of cyclic triads if choices follow these utilities with noise.

    Estimates vary more than true utilities, by their errors: they are shrunk by that.
    """
    from scipy.special import ndtr

    total, error = found.spread
    u = found.u * np.sqrt(max(1 - error / total, 0)) if total else found.u
    p = ndtr(u[choices.first] - u[choices.second] + found.first)
    whole = replace(choices, times=np.maximum(np.round(choices.times), 1))
    return cycles(whole, rng.binomial(whole.times.astype(np.int64), p, (samples, len(p))))[0]
