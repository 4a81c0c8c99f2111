"""Auxiliary tasks: heads of other tasks with gold span a subspace that the student's head is free to lean on.

    V_a = ridge regression of task a's gold on the student's features        U: an orthonormal basis of all V_a
    minimise  CE(softmax(x W), w) + ridge/2 |(I - U U') W|^2 + ridge/(2 s^2) |U' W|^2      as x -> x (I + (s - 1) U U')

Layer, strength s and ridge are chosen on held-out weak labels; s = 1 is naive.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from outgrow.core.worlds import World
from outgrow.label_models import WeakLabels
from outgrow.methods import method
from outgrow.students.base import Fitted

if TYPE_CHECKING:
    from torch import Tensor

    from outgrow.students.features import Auxiliary
    from outgrow.students.linear import Basis
    from outgrow.students.probe import Probe

STRENGTHS = (1.0, 3.0, 10.0)


@method(
    paper="shared predictive structure: Ando & Zhang 2005, JMLR 6",
    differs="auxiliary heads come first and are then held still; on frozen features the trunk is a subspace of these",
    wins=World(rate=0.4, width=80),
    ties=World(rate=0.05, gap=1.0),
)
def auxiliary(weak: WeakLabels, student: Probe, auxiliary: Sequence[Auxiliary]) -> Fitted:
    """Train a head that leans on the directions which the heads of other tasks with gold use."""
    import torch

    from outgrow.students.probe import Space

    layers = student.layers(weak.beliefs)
    bases = []
    for layer in dict.fromkeys(layers):
        basis, r = student.space.basis(layer), layers.index(layer)
        shared = trunk([(task.features[r], np.eye(len(task.classes))[task.gold]) for task in auxiliary])
        bases += [
            stretched(basis, torch.from_numpy(shared), strength, student.space.reference) for strength in STRENGTHS
        ]
    candidates = tuple(student.space.layers[layer] for layer in dict.fromkeys(layers) for _ in STRENGTHS)
    # Strengths take the place of layers, among which a student chooses on held-out labels.
    space = Space(
        student.space.features[[0] * len(bases)], candidates, student.space.reference, _bases=dict(enumerate(bases))
    )
    return student.reading(space).fit(weak.beliefs)


def trunk(tasks: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """U (K, k) float32: orthonormal directions of the heads of tasks (features (n, K), targets (n, C))."""
    heads = [head(x - x.mean(0), y - y.mean(0)) for x, y in tasks]
    directions, sizes, _ = np.linalg.svd(np.concatenate([h / np.linalg.norm(h) for h in heads], 1), full_matrices=False)
    return directions[:, sizes > 1e-3 * sizes.max()].astype(np.float32)


def head(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(K, C): ridge regression; the ridge has the least leave-one-out error, which is (y - yhat) / (1 - h)."""
    from outgrow.students.linear import RIDGES

    x = x.astype(np.float64)
    moments, axes = np.linalg.eigh(x.T @ x / len(x))
    turned = x @ axes
    found: list[tuple[float, np.ndarray]] = []
    for ridge in RIDGES:
        weights = turned.T @ y / len(x) / (moments + ridge)[:, None]
        taken = (turned**2 / (moments + ridge)).sum(1, keepdims=True) / len(x)
        found.append((float(np.square((y - turned @ weights) / (1 - taken)).mean()), axes @ weights))
    return min(found, key=lambda one: one[0])[1]


def stretched(basis: Basis, shared: Tensor, strength: float, reference: np.ndarray) -> Basis:
    """The basis with the directions `shared` stretched, so that ridge weighs less on them."""
    import torch

    if strength == 1:
        return basis
    width = len(shared)
    pull = torch.eye(len(basis.moments))
    pull[:width, :width] += (strength - 1) * shared @ shared.T
    x = basis.x @ pull
    moments = x[torch.from_numpy(reference)].square().mean(0)
    return type(basis)(x, moments, basis.penalised, basis.centre, basis.turn @ pull[:width, :width])
