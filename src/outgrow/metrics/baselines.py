"""Scores of answers that know nothing about the items."""

from __future__ import annotations

import numpy as np


def class_rates(labels: np.ndarray, weights: np.ndarray, classes: int) -> np.ndarray:
    """(C,) weighted share of each class among n gold labels."""
    mass = np.bincount(labels, weights=weights, minlength=classes)
    return mass / mass.sum()


def majority_class(labels: np.ndarray, weights: np.ndarray, classes: int) -> int:
    """The number of the commonest class; the first of equals."""
    return int(class_rates(labels, weights, classes).argmax())


def majority_rate(labels: np.ndarray, weights: np.ndarray, classes: int) -> float:
    """The accuracy of always answering the commonest class."""
    return float(class_rates(labels, weights, classes).max())


def chance(probs: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """The accuracy of answers in these proportions if they were independent of the items.

    sum_c q_c p_c with q the weighted share of answers c (ties shared, mean over replicates) and p the share of gold c.
    A constant answer scores exactly this. probs (R, n, C), labels (n,), weights (n,).
    """
    top = (probs == probs.max(-1, keepdims=True)) | np.isnan(probs).any(-1, keepdims=True)
    answers = np.einsum("rnc,n->c", top / top.sum(-1, keepdims=True), weights) / (weights.sum() * len(probs))
    return float(answers @ class_rates(labels, weights, probs.shape[-1]))
