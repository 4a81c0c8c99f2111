"""Weaver: several weak verifiers combined into one, without gold.

    normalise   each verifier's scores to [0, 1] between their 5th and 95th percentile (verdicts are 0 and 1 already)
    binarise    v = 1[score > 1/2]; a missing one stays missing
    drop        verifiers that say yes to less than `balance` or more than 1 - `balance` of the answers
    weigh       latent y with p(y = 1) = pi, and given y independent: t_j = p(v_j = 1 | y = 1), n_j = p(v_j = 0 | y =
                0), by EM:
                    E  q = p(y = 1 | v)
                    M  pi = mean q,  t_j = sum q v_j / sum q,  n_j = sum (1 - q)(1 - v_j) / sum (1 - q)
    posterior   q, the score of each answer; accuracy_j = pi t_j + (1 - pi) n_j

Saad-Falcon et al. 2025, arXiv 2506.18203, section 4. The paper fits the same latent-class model from pairwise
agreements and takes pi from a few labelled answers; here EM estimates both from all answers, starting at the mean vote,
so that "right" is what most verifiers call right. It cannot detect errors that verifiers share: two copies agree with
one another, and count as right.

    >>> given = {name: [Verdict(True), Verdict(True), Verdict(False)] for name in ("a", "b", "c")}
    >>> [verdict.sound for verdict in weaver([Attempt("p", answer) for answer in "xyz"], given)]
    [True, True, False]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, verifier

_STEPS = 500
_SMOOTHING = 0.5
"""Pseudo-count of right and of wrong verdicts of a verifier, for answers of each kind."""


@final
@dataclass(frozen=True)
class Woven:
    """The fitted model of A answers and V verifiers."""

    posterior: np.ndarray
    """(A,) probability that an answer is right; NaN where no kept verifier has a verdict."""
    prior: float
    kept: np.ndarray
    """(V,) bool: verifiers that were not dropped."""
    hits: np.ndarray
    """(V,) probability that a right answer is called right; NaN for a dropped verifier."""
    rejections: np.ndarray
    """(V,) probability that a wrong answer is called wrong; NaN for a dropped verifier."""

    @property
    def accuracy(self) -> np.ndarray:
        """(V,) probability that a verdict is right."""
        return self.prior * self.hits + (1 - self.prior) * self.rejections


@verifier(paper="Saad-Falcon et al. 2025, arXiv 2506.18203")
def weaver(
    attempts: Sequence[Attempt],
    verdicts: Mapping[str, Sequence[Verdict]],
    *,
    balance: float = 0.1,
    threshold: float = 0.5,
) -> list[Verdict]:
    """Combines other verifiers' verdicts on the same answers, each weighed by its agreement with the rest; no gold.

    Args:
        attempts: A answers.
        verdicts: of at least three verifiers, by name; A of each.
        balance: verifiers that call less than this share of answers right, or less than it wrong, are dropped.
        threshold: an answer is sound where its posterior is above it.

    Raises:
        UserError: fewer than three verifiers.
    """
    if len(verdicts) < 3:
        given = ", ".join(verdicts) or "no verifier"
        raise UserError(f"weaver was given {given}: agreements tell of accuracies from three verifiers on")
    columns = [[_number(one) for one in verdicts[name]] for name in verdicts]
    woven = weave(np.array(columns, dtype=np.float64).reshape(len(columns), len(attempts)).T, balance=balance)
    return [_verdict(q, threshold) for q in woven.posterior]


def _verdict(q: float, threshold: float) -> Verdict:
    if np.isnan(q):
        return Verdict(None, "no verifier spoke")
    return Verdict(bool(q > threshold), f"right at {q:.2f}", float(q))


def weave(scores: np.ndarray, *, balance: float = 0.1) -> Woven:
    """Fits the latent-class model.

    Args:
        scores: (A, V) of A answers by V verifiers; higher is better, NaN: cannot tell.
        balance: as for `weaver`.
    """
    votes = binarised(scores)
    given = ~np.isnan(votes)
    with np.errstate(invalid="ignore"):
        share = np.nansum(votes, 0) / given.sum(0)
    kept = (share >= balance) & (share <= 1 - balance)
    hits, rejections = np.full((2, scores.shape[1]), np.nan)
    if not kept.any():
        return Woven(np.full(len(scores), np.nan), np.nan, kept, hits, rejections)
    q, prior, hits[kept], rejections[kept] = _em(votes[:, kept])
    return Woven(q, prior, kept, hits, rejections)


def binarised(scores: np.ndarray) -> np.ndarray:
    """(A, V) scores as 0, 1 and NaN: normalised between each verifier's 5th and 95th percentile, and cut at 1/2."""
    votes = np.full(scores.shape, np.nan)
    for at, column in enumerate(np.asarray(scores, dtype=np.float64).T):
        known = column[~np.isnan(column)]
        if not len(known):
            continue
        low, high = (0.0, 1.0) if np.isin(known, (0, 1)).all() else np.percentile(known, (5, 95))
        normal = (known - low) / (high - low) if high > low else np.full(len(known), 0.5)
        votes[~np.isnan(column), at] = normal > 0.5
    return votes


def _em(votes: np.ndarray) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """(posterior, prior, hits, rejections) by at most `_STEPS` steps of EM."""
    given = ~np.isnan(votes)
    yes, no = np.where(given, votes, 0), np.where(given, 1 - votes, 0)
    silent = ~given.any(1)
    q = np.where(silent, 0.5, (yes.sum(1) + 0.5) / (given.sum(1) + 1))
    for _ in range(_STEPS):
        prior = float(q[~silent].mean())
        right, wrong = np.where(silent, 0, q), np.where(silent, 0, 1 - q)
        hits = (right @ yes + _SMOOTHING) / (right @ given + 2 * _SMOOTHING)
        rejections = (wrong @ no + _SMOOTHING) / (wrong @ given + 2 * _SMOOTHING)
        odds = (
            np.log(prior)
            - np.log1p(-prior)
            + yes @ np.log(hits / (1 - rejections))
            + no @ np.log((1 - hits) / rejections)
        )
        before, q = q, 1 / (1 + np.exp(-odds))
        if np.abs(q - before).max() < 1e-8:
            break
    return np.where(silent, np.nan, q), prior, hits, rejections


def _number(verdict: Verdict) -> float:
    if verdict.score is not None:
        return verdict.score
    return np.nan if verdict.sound is None else float(verdict.sound)
