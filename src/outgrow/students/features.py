"""From a task and a model to the features on which heads are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch

from outgrow import models
from outgrow.core.errors import UserError
from outgrow.store import Store
from outgrow.students.finetune import Texts
from outgrow.students.linear import Basis
from outgrow.students.probe import Space
from outgrow.tasks.task import Task

AXES = 32
"""Axes of either side; a head on a pair sees all their products, some thousand columns."""


def space_of(task: Task, model: str, pool: np.ndarray, store: Store) -> Space:
    """Features of every item of a task in every candidate view of a model.

    Args:
        task: the task.
        model: a model's name, or a file of features.
        pool: (N,) bool, the items that are not test; only they set means, scales and axes.
        store: where features are kept.
    """
    resolved = models.resolve(model, store)
    if resolved.kind == "scratch":
        raise UserError(f"{model!r} has no features before it is trained: name a checkpoint here")
    if resolved.kind == "features":
        x = models.files.read(resolved.path, task)
        return Space(x[:, None], tuple(range(1, len(x) + 1)), pool)
    if resolved.kind == "joined":
        return _beside(*(space_of(task, part, pool, store) for part in models.members(model)))
    if resolved.kind == "vision":
        seen = models.image_features(resolved, task.seen(model), store)
        return Space(seen.x[:, None], seen.layers, pool, seen.seconds, seen.flops)
    if resolved.kind == "patches":
        seen = models.patch_features(resolved, task.seen(model), pool, store)
        return Space(seen.x[:, None], seen.layers, pool, seen.seconds, seen.flops)
    if resolved.kind == "chess":
        moves = models.move_features(resolved, [" ".join(item) for item in task.read(model)], store)
        return Space(moves.x[:, None], moves.layers, pool, moves.seconds)
    texts = task.read(model)
    read = models.features(resolved, [t for side in zip(*texts, strict=True) for t in side], store)
    x = read.x.reshape(len(read.layers), len(texts[0]), len(task), -1)
    return Space(x, read.layers, pool, read.seconds, read.flops, read.poolings, read.tokens)


def _beside(images: Space, texts: Space) -> Space:
    """Image and text together, so that a linear head can tell whether they match: a, b and all products a_i b_j.

    a and b are the AXES principal axes of either side's standardised features, in candidate views of the same rank.
    """
    last = max(len(images.layers), len(texts.layers)) - 1
    parts = []
    for at in range(last + 1):
        a, b = (_axes(space.basis(min(at, len(space.layers) - 1))) for space in (images, texts))
        parts.append(side_by_side(a, b))
    width = max(x.shape[1] for x in parts)
    x = np.stack([np.pad(x, ((0, 0), (0, width - x.shape[1]))) for x in parts])
    layers = tuple(images.layers[min(at, len(images.layers) - 1)] for at in range(last + 1))
    return Space(x[:, None], layers, images.reference, images.seconds + texts.seconds, images.flops + texts.flops)


def side_by_side(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N, K + K' + K K') of a (N, K) and b (N, K'): both, and all products a_i b_j."""
    return np.concatenate([a, b, (a[:, :, None] * b[:, None, :]).reshape(len(a), -1)], 1)


def principal(basis: Basis) -> tuple[torch.Tensor, torch.Tensor]:
    """(D,) and (D, K): other features become columns by (x - centre) turn, axes of variance 1, the largest first."""
    first = _first(basis)
    return basis.centre, basis.turn[:, first] / basis.moments[first].sqrt()


def _axes(basis: Basis) -> np.ndarray:
    """(N, K) the axes of the largest variance, each scaled to variance 1."""
    first = _first(basis)
    return (basis.x[:, first] / basis.moments[first].sqrt()).numpy()


def _first(basis: Basis) -> torch.Tensor:
    """(K,) numbers of the axes of the largest variance."""
    kept = min(AXES, basis.turn.shape[1])
    return basis.moments[: basis.turn.shape[1]].argsort(descending=True)[:kept]


def texts_of(task: Task, model: str, store: Store) -> Texts:
    """The texts of a task for a student that is fine-tuned from a model."""
    resolved = models.resolve(model, store)
    if resolved.kind == "features":
        raise UserError(f"{model!r} is a file of features, not a model to fine-tune: take `student` linear or mlp")
    if resolved.kind == "chess":
        raise UserError(f"{model!r} is features of moves, not a model to fine-tune: take `student` linear or mlp")
    if resolved.kind in ("vision", "patches", "joined"):
        raise UserError(
            f"{model!r} reads images, and only models of texts are fine-tuned here: "
            "take `student` linear or mlp, or convnet"
        )
    return Texts(resolved, task.read(model), task.classes, store)


@final
@dataclass(frozen=True)
class Auxiliary:
    """Another task whose gold is free to use, in the features of the same student."""

    name: str
    classes: tuple[str, ...]
    features: list[np.ndarray]
    """For each replicate (N', K): the items in the student's axes."""
    gold: np.ndarray
    """(N',) int64"""
