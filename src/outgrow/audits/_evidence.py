"""What audits may look at: whatever of it a votes file, a run folder, judgements or a study hold.

Gold is in here where the user gave it: audits judge supervisors, they teach nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from outgrow.labels._votes import Votes

NEEDS = {
    "votes": "votes of supervisors on items",
    "crowd": "votes of two supervisors or more, on few enough classes to count",
    "gold": "gold on some items",
    "texts": "the items' texts",
    "features": "the items in the student's space (name the student with --strong)",
    "pool": "two pools of items: the supervisors' own and the student's (a column `split`, or a study)",
    "probs": "supervisors that say how sure they are",
    "judgements": "judgements of pairs in both orders (columns judge, item, forward, swapped)",
    "minimal": "minimal pairs, a constraint present and removed (columns item, present, removed)",
    "choices": "forced choices between outcomes, both ways round (columns judge, first, second, chosen)",
    "answers": "answers in words (columns item, model, answer)",
    "study": "a finished study (the folder of `outgrow run`)",
}
"""What an audit can ask for, in words that say how to have it."""
MOST_CLASSES = 50
"""More different answers than that are open answers, not classes."""


@final
@dataclass(frozen=True)
class Table:
    """Votes as they were cast: V of them, by J supervisors on N items."""

    item: np.ndarray
    """(V,) int64: 0 .. N - 1"""
    worker: np.ndarray
    """(V,) int64: 0 .. J - 1, a supervisor"""
    label: np.ndarray
    """(V,) int64: the answer's number"""
    items: int
    names: tuple[str, ...]
    """J supervisors"""
    classes: tuple[str, ...]
    """What the answers' numbers mean."""
    asked_all: bool = False
    """Whether every supervisor saw every item, as rules and models do."""

    def of(self, rows: np.ndarray) -> Table:
        """The votes (V,) bool alone; items and supervisors keep their numbers."""
        return Table(self.item[rows], self.worker[rows], self.label[rows], self.items, self.names, self.classes, self.asked_all)


@final
@dataclass(frozen=True)
class Evidence:
    """Everything that is there to be looked at; None where it is not. N items."""

    source: str
    """Where it came from, for the page's head."""
    votes: Table | None = None
    ids: tuple[str, ...] | None = None
    """N names of items, as the user knows them."""
    texts: tuple[str, ...] | None = None
    groups: np.ndarray | None = None
    """(N,) int64: items that belong together; None: each alone."""
    gold: np.ndarray | None = None
    """(N,) int64 numbers of classes, -1 where not known."""
    probs: np.ndarray | None = None
    """(V, C) float32: what each vote is, where supervisors say how sure they are."""
    pool: np.ndarray | None = None
    """(N,) int8: 0 the supervisors' own items, 1 the student's."""
    features: np.ndarray | None = None
    """(N, D) float32: the items in the student's space."""
    judgements: Any = None
    minimal: Any = None
    choices: Any = None
    answers: Any = None
    study: Any = None
    seed: int = 0

    @cached_property
    def crowd(self) -> Votes | None:
        """The votes as label models read them; None of one supervisor alone, or of open answers."""
        table = self.votes
        if table is None or len(table.names) < 2 or not 2 <= len(table.classes) <= MOST_CLASSES:
            return None
        said = np.eye(len(table.classes))[table.label]
        return Votes(table.item, table.worker, said, table.items, len(table.names), asked_all=table.asked_all)

    def show(self, item: int, **more: str) -> dict[str, str]:
        """An item as a finding shows it: its name, its text where there is one, and more."""
        name = {"item": self.ids[item] if self.ids else str(item)}
        return name | ({"text": self.texts[item]} if self.texts else {}) | more
