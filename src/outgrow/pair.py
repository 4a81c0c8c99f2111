"""One block of a pair: the task's splits, the weak labels and the student of eight replicates, each made on first use.

Everything expensive comes out of the store. Gold is in here, so a Pair never goes to a method: methods get `weak`
(the transfer rows alone) and `student`, and nothing that leads back.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from outgrow import supervisors
from outgrow.labels import WeakLabels
from outgrow.rng import derive
from outgrow.split import Splits, draw
from outgrow.students.features import space_of
from outgrow.students.probe import Probe, Space
from outgrow.tasks.task import Gold, Task

BLOCK = 8


@final
class Spaces:
    """Features of one task by model name, read once and shared by every pair and block that needs them."""

    def __init__(self, task: Task, store: Any):
        self.task, self.store = task, store
        self.known: dict[str, Space] = {}
        self.asked: dict[str, tuple[float, float]] = {}
        """Seconds and model FLOPs of zero-shot prompts by model name."""

    def __call__(self, model: str, pool: np.ndarray) -> Space:
        if model not in self.known:
            self.known[model] = space_of(self.task, model, pool, self.store)
        return self.known[model]

    def costs(self) -> dict[str, tuple[float, float]]:
        """Seconds and model FLOPs of everything read so far, by "stage model"."""
        read = {f"features {model}": (space.seconds, space.flops) for model, space in self.known.items()}
        return read | {f"zero-shot {model}": cost for model, cost in self.asked.items()}


@final
@dataclass(frozen=True)
class Pair:
    """Replicates `BLOCK * block ...` of one (task, supervisors, student)."""

    task: Task
    gold: Gold
    weak_name: str
    strong_name: str
    block: int
    seed: int
    weak_gold: int | None
    """How many gold items a supervisor learns from; None: all of weak-train."""
    spaces: Spaces
    made_of: dict[str, Any]
    """Hashes of task, models and code, and the kind of head: what every artifact of this pair depends on."""
    head: str = "linear"

    @property
    def replicates(self) -> range:
        return range(BLOCK * self.block, BLOCK * (self.block + 1))

    @cached_property
    def splits(self) -> Splits:
        return draw(self.task, self.seed, self.replicates)

    @cached_property
    def test(self) -> np.ndarray:
        """(N,) bool, the same for every replicate."""
        return self.splits.test[0]

    @cached_property
    def known(self) -> np.ndarray:
        """(R, N) bool: the weak-train rows whose gold a supervisor learns from."""
        weak_train = self.splits.weak_train
        return weak_train if self.weak_gold is None else self.few(weak_train, self.weak_gold)

    def few(self, among: np.ndarray, count: int) -> np.ndarray:
        """(R, N) bool: about `count` items a replicate out of `among`, whole groups, smaller sets inside larger ones."""
        names, where = np.unique(self.task.groups, return_inverse=True)
        out = np.zeros_like(among)
        for r, rows in enumerate(among):
            sizes = np.bincount(where, weights=rows, minlength=len(names))
            order = derive(self.seed, self.task.name, "few", self.replicates[r]).permutation(len(names))
            order = order[sizes[order] > 0]
            taken = order[: int(np.searchsorted(np.cumsum(sizes[order]), count)) + 1]
            out[r] = rows & np.isin(where, taken)
        return out

    @cached_property
    def labels(self) -> np.ndarray:
        """(R, J, N, C) what each supervisor says of every item."""
        members = [self._labels(kind, argument) for kind, argument in supervisors.parse(self.weak_name)]
        return np.stack(members, 1)

    def _labels(self, kind: supervisors.Kind, argument: str) -> np.ndarray:
        made_of = {**self.made_of, "supervisor": [kind.name, argument]}
        made_of |= {"block": self.block, "weak_gold": self.weak_gold} if kind.learns else {}
        made_of.pop("strong", None)

        def build() -> tuple[dict[str, np.ndarray], dict[str, Any]]:
            gold = np.where(self.known, self.gold.labels, -1)
            view = supervisors.View(
                self.task, gold, ~self.test, self.seed, tuple(self.replicates), self.spaces.store, self.spaces, self.head
            )
            probs = kind.label(*([view, argument] if kind.argument else [view]))
            kept = probs if kind.learns else probs[:1]
            return {"probs": np.ascontiguousarray(kept, np.float32)}, {}

        probs = self.spaces.store.make("labels", made_of, build).arrays["probs"]
        return np.broadcast_to(probs, (BLOCK, *probs.shape[1:]))

    @cached_property
    def weak(self) -> WeakLabels:
        """The weak labels of the transfer rows; all other rows are NaN."""
        names = tuple(self.weak_name.split("+"))
        return WeakLabels(np.where(self.splits.transfer[:, None, :, None], self.labels, np.float32(np.nan)), names)

    def probe(self, space: Space) -> Probe:
        """A probe in some space, allowed to train on the transfer rows."""
        return Probe(space, self.splits.transfer, self.task.groups, self.seed, self.replicates, self.head)

    @cached_property
    def student(self) -> Probe:
        """The strong model's probe, allowed to train on the transfer rows."""
        return self.probe(self.spaces(self.strong_name, ~self.test))

    @cached_property
    def gold_student(self) -> Probe:
        """The same student for what is trained on gold: a student remembers what was chosen for which targets."""
        return self.student.on(self.splits.transfer)

    def one_hot(self, rows: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Gold (or other class numbers (R, N)) of the rows (R, N) as targets (R, N, C); NaN elsewhere."""
        labels = self.gold.labels if labels is None else labels
        out = np.eye(len(self.task.classes), dtype=np.float32)[np.broadcast_to(labels, rows.shape)]
        out[~rows] = np.nan
        return out
