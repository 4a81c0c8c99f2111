"""What audits may look at: whatever of it a votes file, a run folder, judgements or a study hold.

Gold is in here where the user gave it: audits judge supervisors, they teach nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from outgrow.label_models._votes import Votes

NEEDS = {
    "votes": "votes of supervisors on items",
    "crowd": "votes of two supervisors or more, on few enough classes to count",
    "gold": "gold on some items",
    "texts": "the items' texts",
    "features": "the items in the student's space (name the student with --strong)",
    "pool": "two pools of items: the supervisors' own and the student's (a column `split`, or a study)",
    "sure": "supervisors that say how sure they are on items with gold",
    "judgements": "judgements of pairs in both orders (columns judge, item, forward, swapped)",
    "minimal": "minimal pairs, a constraint present and removed (columns item, present, removed)",
    "choices": "forced choices between outcomes, both ways round (columns judge, first, second, chosen)",
    "answers": "answers in words (columns item, model, answer)",
    "study": "a finished study (the folder of `outgrow run`)",
    "before": "gold on the supervisors' own half and a student (outgrow audit TASK --weak NAME --strong NAME, or a finished study)",
}
"""What an audit can ask for, in words that say how to have it."""
MOST_CLASSES = 50
"""More different answers than that are open answers, not classes."""


@final
@dataclass(frozen=True)
class VoteTable:
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

    def of(self, rows: np.ndarray) -> VoteTable:
        """The votes (V,) bool alone; items and supervisors keep their numbers."""
        return VoteTable(
            self.item[rows], self.worker[rows], self.label[rows], self.items, self.names, self.classes, self.asked_all
        )


@final
@dataclass(frozen=True)
class Judgements:
    """Verdicts of J judges between the two options of an item, asked with either shown first; V of them, one an item and judge."""

    item: np.ndarray
    """(V,) int64"""
    judge: np.ndarray
    """(V,) int64"""
    forward: np.ndarray
    """(V,) int64: the option chosen with option 0 shown first: 0, 1, TIE, or -1 where there is no verdict."""
    swapped: np.ndarray
    """(V,) int64: the same with option 1 shown first; options keep their numbers."""
    ids: tuple[str, ...]
    names: tuple[str, ...]
    """J judges"""
    gold: np.ndarray | None = None
    """(V,) int64: the better option, -1 where not known."""
    group: np.ndarray | None = None
    """(V,) int64: items that belong together."""


TIE = 2


@final
@dataclass(frozen=True)
class Minimal:
    """Answers of J judges to pairs of questions that differ by a constraint; V pairs of answers."""

    item: np.ndarray
    """(V,) int64"""
    judge: np.ndarray
    """(V,) int64"""
    present: np.ndarray
    """(V,) bool: right with the constraint."""
    removed: np.ndarray
    """(V,) bool: right without it."""
    ids: tuple[str, ...]
    names: tuple[str, ...]
    """J judges"""
    texts: tuple[str, ...] | None = None
    """V questions with the constraint, where the table has them."""
    group: np.ndarray | None = None
    """(V,) int64: pairs that belong together."""


@final
@dataclass(frozen=True)
class ForcedChoices:
    """Forced choices of J judges between K outcomes; V rows."""

    judge: np.ndarray
    """(V,) int64"""
    first: np.ndarray
    """(V,) int64: the outcome shown first"""
    second: np.ndarray
    """(V,) int64"""
    chosen: np.ndarray
    """(V,) bool: the first was chosen."""
    count: np.ndarray
    """(V,) float64: how often"""
    outcomes: tuple[str, ...]
    """K outcomes"""
    names: tuple[str, ...]
    """J judges"""
    group: np.ndarray | None = None
    """(V,) int64: questions that belong together."""


@final
@dataclass(frozen=True)
class Answers:
    """A answers in words, of M models to N prompts."""

    item: np.ndarray
    """(A,) int64: 0 .. N - 1"""
    model: np.ndarray
    """(A,) int64: 0 .. M - 1"""
    x: Any
    """(A, D) dense or sparse, rows of length 1: what is compared."""
    texts: tuple[str, ...]
    ids: tuple[str, ...]
    """N prompts"""
    names: tuple[str, ...]
    """M models"""
    how: str
    """What the rows of `x` are, in words."""


@final
@dataclass(frozen=True)
class Before:
    """What is known before a student learns: R replicates, N items. Only weak-train has gold."""

    bases: tuple[Any, ...]
    """The student's candidate layers, a `students.linear.Basis` each."""
    groups: np.ndarray
    """(N,) int64"""
    gold: np.ndarray
    """(R, N) int64: classes of weak-train items, -1 elsewhere."""
    said: np.ndarray
    """(R, N, C): what the supervisors' copies that have not seen an item's gold make of it together; NaN elsewhere, and where silent."""

    @property
    def wrong(self) -> np.ndarray:
        """(R, N): 1 where that is not gold, 0 where it is, NaN where nothing is known."""
        known = (self.gold >= 0) & ~np.isnan(self.said).any(-1)
        return np.where(known, np.nan_to_num(self.said).argmax(-1) != self.gold, np.nan)

    @cached_property
    def rehearsed(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(R, N, C) of naive and of the ceiling on weak-train, NaN elsewhere, and the folds (N,).

        Heads in the student's space learn what the supervisors' copies say, or gold, and are judged on a fold they have not seen.
        """
        from outgrow.audits._heads import unseen

        known = ~np.isnan(self.wrong)[..., None]
        gold = np.eye(self.said.shape[-1])[np.maximum(self.gold, 0)]
        (naive, fold), (ceiling, _) = (
            unseen(self.bases, np.where(known, targets, np.nan), self.groups) for targets in (self.said, gold)
        )
        return naive, ceiling, fold

    def gains(self, kept: np.ndarray) -> tuple[float, float]:
        """Accuracy beyond the supervisors' in the rehearsal, on items (N,) bool: naive's, and the ceiling's."""
        naive, ceiling, _ = self.rehearsed
        rows = ~np.isnan(self.wrong) & kept
        floor = 1 - self.wrong[rows].mean()
        return tuple(float((probs.argmax(-1) == self.gold)[rows].mean() - floor) for probs in (naive, ceiling))  # type: ignore[return-value]


@final
@dataclass(frozen=True)
class Finished:
    """What a study found on one (task, weak, strong), by accuracy on n test items."""

    at: np.ndarray
    """(n,) int64: which items of the Evidence are test items, in the order of their predictions."""
    rows: dict[str, Any]
    """By name: kind, value, pgr, pgr_ci, vs_naive, gap, gap_ci, status and more, as summary.json has them."""
    details: dict[str, Any]
    """Its entry in details.json."""
    costs: tuple[dict[str, Any], ...]
    """stage, what, seconds, flops."""
    gold: np.ndarray
    """(n,) int64"""
    weights: np.ndarray
    """(n,) what an item counts."""
    predicted: Callable[[str], np.ndarray]
    """Probabilities (R, n, C) by row."""

    @property
    def best(self) -> str:
        """The method with the highest score."""
        return max(
            (name for name, row in self.rows.items() if row["kind"] == "method"),
            key=lambda name: self.rows[name]["value"],
        )

    def errors(self, row: str) -> np.ndarray:
        """(n,) share of replicates in which a row errs on an item."""
        return (self.predicted(row).argmax(-1) != self.gold).mean(0)


@final
@dataclass(frozen=True)
class Sure:
    """What a supervisor says of n items with gold."""

    name: str
    item: np.ndarray
    """(n,) int64"""
    probs: np.ndarray
    """(n, C)"""
    gold: np.ndarray
    """(n,) int64"""


@final
@dataclass(frozen=True)
class Evidence:
    """Everything that is there to be looked at; None where it is not. N items."""

    source: str
    """Where it came from, for the page's head."""
    votes: VoteTable | None = None
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
    judgements: Judgements | None = None
    minimal: Minimal | None = None
    choices: ForcedChoices | None = None
    answers: Answers | None = None
    study: Finished | None = None
    before: Before | None = None
    about: str = ""
    """Which pair of a study it is, task.weak.strong."""
    seed: int = 0

    @cached_property
    def crowd(self) -> Votes | None:
        """The votes as label models read them; None of one supervisor alone, or of open answers."""
        table = self.votes
        if table is None or len(table.names) < 2 or not 2 <= len(table.classes) <= MOST_CLASSES:
            return None
        said = np.eye(len(table.classes))[table.label]
        return Votes(table.item, table.worker, said, table.items, len(table.names), asked_all=table.asked_all)

    @cached_property
    def sure(self) -> tuple[Sure, ...] | None:
        """What supervisors say of items with gold: of every one, or, of a study, of all together on weak-train; None where none is ever unsure."""
        if self.votes is not None and self.probs is not None and self.gold is not None:
            known = self.gold[self.votes.item] >= 0
            mine = [np.flatnonzero((self.votes.worker == j) & known) for j in range(len(self.votes.names))]
            said = [
                Sure(name, self.votes.item[v], self.probs[v], self.gold[self.votes.item[v]])
                for name, v in zip(self.votes.names, mine, strict=True)
            ]
        elif self.before is not None:
            item = np.flatnonzero(~np.isnan(self.before.wrong[0]))
            said = [
                Sure(
                    "the supervisor" if self.votes is None or len(self.votes.names) == 1 else "the mean of supervisors",
                    item,
                    self.before.said[0, item],
                    self.before.gold[0, item],
                )
            ]
        else:
            return None
        return tuple(one for one in said if (one.probs.max(1, initial=0) < 1).any()) or None

    def show(self, item: int, /, **more: str) -> dict[str, str]:
        """An item as a finding shows it: its name, its text where there is one, and more."""
        name = {"item": self.ids[item] if self.ids else str(item)}
        return name | ({"text": self.texts[item]} if self.texts else {}) | more
