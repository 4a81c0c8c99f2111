"""What the models of a study read of a task: features, texts and images, each read once and shared by all cells."""

from __future__ import annotations

from typing import final

import numpy as np

from outgrow.store import Store
from outgrow.students.convnet import Pictures
from outgrow.students.features import space_of, texts_of
from outgrow.students.finetune import Texts
from outgrow.students.probe import Space
from outgrow.tasks.task import Task


@final
class Spaces:
    """Features of one task by model name, read once and shared by every cell that needs them."""

    def __init__(self, task: Task, store: Store):
        self.task, self.store = task, store
        self.known: dict[str, Space] = {}
        self.read: dict[str, Texts] = {}
        self.seen: dict[str, Pictures] = {}
        self.prompted: dict[str, tuple[float, float]] = {}
        """Seconds and model FLOPs of zero-shot prompts by model name."""

    def __call__(self, model: str, pool: np.ndarray) -> Space:
        if model not in self.known:
            self.known[model] = space_of(self.task, model, pool, self.store)
        return self.known[model]

    def texts(self, model: str) -> Texts:
        """The task's texts for students that are fine-tuned from a model."""
        if model not in self.read:
            self.read[model] = texts_of(self.task, model, self.store)
        return self.read[model]

    def pictures(self, model: str) -> Pictures:
        """The task's images for networks that are trained from scratch."""
        if model not in self.seen:
            self.seen[model] = Pictures(self.task, model, self.store)
        return self.seen[model]

    def costs(self) -> dict[str, tuple[float, float]]:
        """Seconds and model FLOPs of everything read so far, by "stage model"."""
        read = {f"features {model}": (space.seconds, space.flops) for model, space in self.known.items()}
        return read | {f"zero-shot {model}": cost for model, cost in self.prompted.items()}
