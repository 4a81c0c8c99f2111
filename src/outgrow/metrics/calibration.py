"""Expected calibration error: how far confidence (the largest probability) lies from being right, over bins.

    ECE = sum_b share_b |gap_b|,   gap_b = mean confidence - mean accuracy in bin b      (Naeini et al. 2015)
    debiased = ECE - sum_b share_b (E|N(gap_b, se_b)| - |gap_b|)                        (Kumar et al. 2019, L1)

The plain sum is too large with finite data, the more so the more bins: noise has no sign. Each is computed per
replicate and averaged, since it is one model that is calibrated or not. With the signs of the gaps held, ECE is a mean
of sign * (confidence - right) over items, so its standard error is that of any other score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.metrics.accuracy import Score, rightness
from outgrow.metrics.intervals import ScoreTable

BINS = 15
SHOWN = 10


@final
@dataclass(frozen=True)
class Bin:
    """One point of a reliability diagram, over all replicates."""

    confidence: float
    accuracy: float
    count: int
    """Test items in it, mean over replicates."""


@final
@dataclass(frozen=True)
class Calibration:
    """ECE over bins of equal width, over bins of equal mass, and the latter debiased (`ece`) with its 95% interval.

    None where no item was answered.
    """

    equal_width: float | None
    equal_mass: float | None
    ece: float | None
    ece_ci: tuple[float, float] | None
    bins: tuple[Bin, ...]


@final
@dataclass(frozen=True)
class _Gaps:
    ece: np.ndarray
    bias: np.ndarray
    """(R,) what noise adds to each replicate's ECE."""
    sign: np.ndarray
    """(R, n) sign of the gap of each item's bin."""


def calibration(
    probs: np.ndarray, labels: np.ndarray, weights: np.ndarray, groups: np.ndarray, kappa: float
) -> Calibration:
    """From probabilities (R, n, C); labels, weights, groups (n,); kappa: `intervals.shared_pool`.

    Items without an answer (NaN in any replicate) are left out.
    """
    answered = ~np.isnan(probs).any((0, 2))
    if not answered.any():
        return Calibration(None, None, None, None, ())
    probs, labels, groups = probs[:, answered], labels[answered], groups[answered]
    weights = np.asarray(weights, np.float64)[answered]
    confidence, right = probs.max(-1).astype(np.float64), rightness(probs, labels)
    off = confidence - right
    where = np.unique(groups, return_inverse=True)[1]
    width = np.minimum((confidence * BINS).astype(int), BINS - 1)
    edges = np.unique(np.quantile(confidence, np.arange(1, BINS) / BINS))
    mass = _gaps(off, weights, where, np.searchsorted(edges, confidence, side="right"))
    table = ScoreTable.of({"ece": Score(mass.sign * off * weights, weights, groups)}, kappa)
    estimate = table.estimate(table.weights({"ece": 1}))
    bias = float(mass.bias.mean())
    ci = None
    if estimate.ci is not None:
        low, high = (float(np.clip(end - bias, 0, 1)) for end in estimate.ci)
        ci = (low, high)
    return Calibration(
        float(_gaps(off, weights, where, width).ece.mean()), estimate.value, max(estimate.value - bias, 0.0), ci,
        _diagram(confidence, right, weights),
    )  # fmt: skip


def _gaps(off: np.ndarray, weights: np.ndarray, where: np.ndarray, bins: np.ndarray) -> _Gaps:
    """Gaps by replicate and bin; off, bins (R, n), weights (n,), where (n,) group numbers."""
    from scipy.special import erf

    count, groups = len(off), where.max() + 1
    shape = (count, groups, BINS)
    index = (np.arange(count)[:, None] * groups + where) * BINS + bins
    d = np.bincount(index.ravel(), (off * weights).ravel(), int(np.prod(shape))).reshape(shape)
    m = np.bincount(index.ravel(), np.broadcast_to(weights, off.shape).ravel(), int(np.prod(shape))).reshape(shape)
    inside = np.maximum(m.sum(1), 1e-12)
    gap = d.sum(1) / inside
    # a gap is a ratio of sums over groups: the error of such a ratio
    se = np.maximum(np.sqrt(((d - gap[:, None] * m) ** 2).sum(1)) / inside, 1e-12)
    share = m.sum(1) / m.sum((1, 2))[:, None]
    size = np.abs(gap)
    expected = se * np.sqrt(2 / np.pi) * np.exp(-((size / se) ** 2) / 2) + size * erf(size / (se * np.sqrt(2)))
    sign = np.take_along_axis(np.sign(gap), bins, 1)
    return _Gaps((share * size).sum(1), (share * (expected - size)).sum(1), sign)


def _diagram(confidence: np.ndarray, right: np.ndarray, weights: np.ndarray) -> tuple[Bin, ...]:
    """Equal-width bins that hold anything, for the eye."""
    at = np.minimum((confidence * SHOWN).astype(int), SHOWN - 1).ravel()
    w = np.broadcast_to(weights, confidence.shape).ravel()
    total, count = np.bincount(at, w, SHOWN), np.bincount(at, minlength=SHOWN)
    mean_c, mean_r = (np.bincount(at, w * x.ravel(), SHOWN) for x in (confidence, right))
    return tuple(
        Bin(float(mean_c[b] / total[b]), float(mean_r[b] / total[b]), round(count[b] / len(confidence)))
        for b in range(SHOWN)
        if total[b] > 0
    )
