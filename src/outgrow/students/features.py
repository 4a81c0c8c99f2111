"""From a task and a model to the space in which heads are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from outgrow import models
from outgrow.errors import UserError
from outgrow.students.finetune import Texts
from outgrow.students.probe import Space
from outgrow.tasks.task import Task


def space_of(task: Task, model: str, pool: np.ndarray, store: Any) -> Space:
    """Features of every item of the task in every candidate layer; `pool` (N,) bool: items that are not test."""
    resolved = models.resolve(model, store)
    if resolved.kind == "scratch":
        raise UserError(f"{model!r} has no features before it is trained: name a checkpoint here")
    if resolved.kind == "features":
        x = models.files.read(resolved.path, task)
        return Space(x[:, None], tuple(range(1, len(x) + 1)), pool)
    texts = task.read(model)
    read = models.features(resolved, [t for side in zip(*texts, strict=True) for t in side], store)
    x = read.x.reshape(len(read.layers), len(texts[0]), len(task), -1)
    return Space(x, read.layers, pool, read.seconds, read.flops)


def texts_of(task: Task, model: str, store: Any) -> Texts:
    """The same texts for a student that is fine-tuned."""
    resolved = models.resolve(model, store)
    if resolved.kind == "features":
        raise UserError(f"{model!r} is a file of features, not a model to fine-tune: take --student linear or mlp")
    return Texts(resolved, task.read(model), task.classes, store)


@final
@dataclass(frozen=True)
class Auxiliary:
    """Another task whose gold is free to use, read by the same student."""

    name: str
    classes: tuple[str, ...]
    features: list[np.ndarray]
    """For each replicate (N', K): the items in the axes of `features`, the student's own."""
    gold: np.ndarray
    """(N',) int64"""
