"""What can be scored without knowing anything about an item."""

from __future__ import annotations

import numpy as np


def class_rates(labels: np.ndarray, weights: np.ndarray, classes: int) -> np.ndarray:
    """(C,) weighted share of each class among n gold labels."""
    mass = np.bincount(labels, weights=weights, minlength=classes)
    return mass / mass.sum()


def majority_class(labels: np.ndarray, weights: np.ndarray, classes: int) -> int:
    """The number of the commonest class; of equals the first."""
    return int(class_rates(labels, weights, classes).argmax())


def majority_rate(labels: np.ndarray, weights: np.ndarray, classes: int) -> float:
    """The accuracy of always answering the commonest class."""
    return float(class_rates(labels, weights, classes).max())


def chance(probs: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """The accuracy that answers in these proportions would have if they knew nothing about the items they are given to.

    sum_c q_c p_c with q the weighted share of answers c (ties shared, mean over replicates) and p the share of gold c.
    A constant answer scores exactly this. probs (R, n, C), labels (n,), weights (n,).
    """
    top = (probs == probs.max(-1, keepdims=True)) | np.isnan(probs).any(-1, keepdims=True)
    answers = np.einsum("rnc,n->c", top / top.sum(-1, keepdims=True), weights) / (weights.sum() * len(probs))
    return float(answers @ class_rates(labels, weights, probs.shape[-1]))
