"""Weights of several sources of one label, by how likely they make known gold.

    p(y_i | a) ~ exp(sum_m a_m log p_mi)        a = argmax_{a >= 0} sum_i log p(y_i | a) - strength/2 |a - prior|^2

Sources have to be cross-fitted: of every item, probabilities by a student that has not seen its gold. The penalty is a
Gaussian prior as heavy as a few items, so that with little gold the weights stay near the prior, and with more of it a
source that tells nothing gets none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEAST = 1e-4
"""Probabilities below this count as this much: one item must not outvote all others."""


def log_odds(probs: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities (..., C), those of an abstention (NaN) as of the uniform distribution."""
    even = np.where(np.isnan(probs), 1 / probs.shape[-1], probs.astype(np.float64))
    return np.asarray(np.log(even.clip(LEAST)))


def open_to(probs: np.ndarray, named: np.ndarray) -> np.ndarray:
    """Probabilities of a student of gold in which a class that no gold names is as likely as by chance.

    Args:
        probs: (R, n, C).
        named: (R, C) bool: classes that gold names.

    Example:
        >>> open_to(np.array([[[0.6, 0.399, 0.001]]]), np.array([[True, True, False]])).round(2)
        array([[[0.4 , 0.27, 0.33]]])
    """
    among, count = named[:, None], named.shape[-1]
    held = np.where(among, probs, 0)
    return np.where(among, held / held.sum(-1, keepdims=True) * among.sum(-1, keepdims=True) / count, 1 / count)


def weigh(sources: np.ndarray, gold: np.ndarray, prior: Sequence[float], strength: float) -> np.ndarray:
    """The weight (M,) of each source.

    Args:
        sources: (M, n, C) log odds of items with gold, cross-fitted.
        gold: (n,) class numbers.
        prior: (M,) the weights without any gold.
        strength: precision of the prior.

    Example:
        >>> right, useless = np.log([[0.9, 0.1], [0.2, 0.8]]), np.log([[0.5, 0.5], [0.5, 0.5]])
        >>> weigh(np.stack([right, useless]), np.array([0, 1]), (1.0, 1.0), 1.0).round(2)
        array([1.31, 1.  ])
    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    start, rows = np.array(prior, np.float64), np.arange(len(gold))
    said = sources[:, rows, gold]

    def lost(a: np.ndarray) -> tuple[float, np.ndarray]:
        log_p = log_softmax(np.tensordot(a, sources, 1), -1)
        slope = (np.exp(log_p) * sources).sum((1, 2)) - said.sum(1)
        return -log_p[rows, gold].sum() + strength / 2 * ((a - start) ** 2).sum(), slope + strength * (a - start)

    bounds, exact = [(0, None)] * len(start), {"ftol": 1e-14, "gtol": 1e-9}
    return np.asarray(minimize(lost, start, jac=True, method="L-BFGS-B", bounds=bounds, options=exact).x)


def weighed(sources: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(..., C) float32: the distribution of weighed sources (M, ..., C)."""
    from scipy.special import softmax

    return np.asarray(softmax(np.tensordot(weights, sources, 1), -1), np.float32)
