"""Evidence: everything that audits look at, as far as a votes file, a run folder, judgements or a study have it.

Gold is part of it where the user gave it: audits judge supervisors, and nothing is trained on what they find.
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
    "before": "gold on the supervisors' own half and a student (outgrow audit TASK --weak NAME --strong NAME, or a "
    "finished study)",
}
"""What an audit can need, in words that say how to provide it."""
MOST_CLASSES = 50
"""Classes at most: more distinct answers are open answers."""


@final
@dataclass(frozen=True)
class VoteTable:
    """V votes of J supervisors on N items, in the order in which they were given."""

    item: np.ndarray
    """(V,) int64: index of the item, 0 .. N - 1."""
    annotator: np.ndarray
    """(V,) int64: index of the supervisor, 0 .. J - 1."""
    label: np.ndarray
    """(V,) int64: index of the class."""
    items: int
    """N."""
    names: tuple[str, ...]
    """Names of the J supervisors."""
    classes: tuple[str, ...]
    """Names of the classes."""
    complete: bool = False
    """Whether every supervisor saw every item, as rules and models do."""

    def of(self, rows: np.ndarray) -> VoteTable:
        """The votes marked in `rows` (V,) bool; items and supervisors keep their indices."""
        return VoteTable(
            self.item[rows],
            self.annotator[rows],
            self.label[rows],
            self.items,
            self.names,
            self.classes,
            self.complete,
        )


@final
@dataclass(frozen=True)
class Judgements:
    """V verdicts of J judges between the two options of an item, each asked with either option shown first."""

    item: np.ndarray
    """(V,) int64"""
    judge: np.ndarray
    """(V,) int64"""
    forward: np.ndarray
    """(V,) int64: the option chosen with option 0 shown first: 0, 1, TIE, or -1 for no verdict."""
    swapped: np.ndarray
    """(V,) int64: the same with option 1 shown first; options keep their indices."""
    ids: tuple[str, ...]
    names: tuple[str, ...]
    """Names of the J judges."""
    gold: np.ndarray | None = None
    """(V,) int64: the better option, -1 where it is not known."""
    group: np.ndarray | None = None
    """(V,) int64: the group of the item; items of a group are not independent."""


TIE = 2
"""A verdict for neither option."""


@final
@dataclass(frozen=True)
class Minimal:
    """V pairs of answers, of J judges to a question with a constraint and without it (minimal pairs)."""

    item: np.ndarray
    """(V,) int64"""
    judge: np.ndarray
    """(V,) int64"""
    present: np.ndarray
    """(V,) bool: right with the constraint present."""
    removed: np.ndarray
    """(V,) bool: right with the constraint removed."""
    ids: tuple[str, ...]
    names: tuple[str, ...]
    """Names of the J judges."""
    texts: tuple[str, ...] | None = None
    """The V questions with the constraint, where the table has them."""
    group: np.ndarray | None = None
    """(V,) int64: the group of the pair; pairs of a group are not independent."""


@final
@dataclass(frozen=True)
class ForcedChoices:
    """V forced choices of J judges between two of K outcomes."""

    judge: np.ndarray
    """(V,) int64"""
    first: np.ndarray
    """(V,) int64: index of the outcome that is shown first."""
    second: np.ndarray
    """(V,) int64: index of the other outcome."""
    chosen: np.ndarray
    """(V,) bool: whether the first was chosen."""
    count: np.ndarray
    """(V,) float64: how often this was the choice."""
    outcomes: tuple[str, ...]
    """The K outcomes."""
    names: tuple[str, ...]
    """Names of the J judges."""
    group: np.ndarray | None = None
    """(V,) int64: the group of the question; questions of a group are not independent."""


@final
@dataclass(frozen=True)
class Answers:
    """A free-text answers of M models to N prompts."""

    item: np.ndarray
    """(A,) int64: index of the prompt, 0 .. N - 1."""
    model: np.ndarray
    """(A,) int64: index of the model, 0 .. M - 1."""
    x: Any
    """(A, D) dense or sparse, rows of norm 1: vectors whose cosines are compared."""
    texts: tuple[str, ...]
    ids: tuple[str, ...]
    """The N prompts."""
    names: tuple[str, ...]
    """Names of the M models."""
    how: str
    """Name of the vectors `x`, for the report."""


@final
@dataclass(frozen=True)
class Before:
    """What is known before a student is trained, of R replicates and N items. Only weak-train items have gold."""

    bases: tuple[Any, ...]
    """A `students.linear.Basis` for each of the student's candidate layers."""
    groups: np.ndarray
    """(N,) int64: the group of each item."""
    gold: np.ndarray
    """(R, N) int64: classes of weak-train items, -1 elsewhere."""
    probs: np.ndarray
    """(R, N, C): mean probabilities of supervisors' copies that have not seen the item's gold; NaN elsewhere."""

    @property
    def wrong(self) -> np.ndarray:
        """(R, N): whether the supervisors are wrong: 1, 0, or NaN where that is not known."""
        known = (self.gold >= 0) & ~np.isnan(self.probs).any(-1)
        return np.where(known, np.nan_to_num(self.probs).argmax(-1) != self.gold, np.nan)

    @cached_property
    def rehearsed(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A rehearsal on weak-train: (naive, ceiling, fold).

        naive and ceiling are (R, N, C), NaN outside weak-train: probabilities of linear heads in the student's space
        that are trained on the supervisors' labels, or on gold, and have not seen the item's fold; fold is (N,).
        """
        from outgrow.audits._heads import unseen

        known = ~np.isnan(self.wrong)[..., None]
        gold = np.eye(self.probs.shape[-1])[np.maximum(self.gold, 0)]
        (naive, fold), (ceiling, _) = (
            unseen(self.bases, np.where(known, targets, np.nan), self.groups) for targets in (self.probs, gold)
        )
        return naive, ceiling, fold

    def gains(self, kept: np.ndarray) -> tuple[float, float]:
        """(naive, ceiling): accuracy in the rehearsal less the supervisors', on items marked in `kept` (N,) bool."""
        naive, ceiling, _ = self.rehearsed
        rows = ~np.isnan(self.wrong) & kept
        floor = 1 - self.wrong[rows].mean()
        gains = [float((probs.argmax(-1) == self.gold)[rows].mean() - floor) for probs in (naive, ceiling)]
        return gains[0], gains[1]


@final
@dataclass(frozen=True)
class Finished:
    """Results of a finished study on one (task, weak, strong), by accuracy on n test items."""

    at: np.ndarray
    """(n,) int64: indices of the test items among the items of the Evidence, in the order of predictions."""
    rows: dict[str, Any]
    """By name kind, value, pgr, pgr_ci, vs_naive, gap, gap_ci, status and more, as in summary.json."""
    details: dict[str, Any]
    """The entry in details.json."""
    costs: tuple[dict[str, Any], ...]
    """Records with stage, what, seconds and flops."""
    gold: np.ndarray
    """(n,) int64"""
    weights: np.ndarray
    """(n,) weight of each item."""
    predicted: Callable[[str], np.ndarray]
    """Name of a row -> its probabilities (R, n, C)."""

    @property
    def best(self) -> str:
        """The method with the highest score."""
        return max(
            (name for name, row in self.rows.items() if row["kind"] == "method"),
            key=lambda name: self.rows[name]["value"],
        )

    def errors(self, row: str) -> np.ndarray:
        """(n,) share of replicates in which a row is wrong on an item."""
        return (self.predicted(row).argmax(-1) != self.gold).mean(0)


@final
@dataclass(frozen=True)
class Sure:
    """Class probabilities of a supervisor on n items with gold."""

    name: str
    item: np.ndarray
    """(n,) int64: indices of the items."""
    probs: np.ndarray
    """(n, C) float32."""
    gold: np.ndarray
    """(n,) int64: gold classes."""


@final
@dataclass(frozen=True)
class Evidence:
    """Everything that audits look at, on N items; None for what is not there.

    Its fields and properties are the names that an audit's arguments can have.
    """

    source: str
    """Where it came from, for the head of the page."""
    votes: VoteTable | None = None
    ids: tuple[str, ...] | None = None
    """The user's ids of the N items."""
    texts: tuple[str, ...] | None = None
    groups: np.ndarray | None = None
    """(N,) int64: the group of each item; None: each is its own."""
    gold: np.ndarray | None = None
    """(N,) int64: gold classes, -1 where not known."""
    probs: np.ndarray | None = None
    """(V, C) float32: class probabilities of each vote, if supervisors give them."""
    pool: np.ndarray | None = None
    """(N,) int8: 0 for the supervisors' own items, 1 for the student's."""
    features: np.ndarray | None = None
    """(N, D) float32: the items in the student's space."""
    judgements: Judgements | None = None
    minimal: Minimal | None = None
    choices: ForcedChoices | None = None
    answers: Answers | None = None
    study: Finished | None = None
    before: Before | None = None
    about: str = ""
    """The pair of a study, task.weak.strong."""
    seed: int = 0

    @cached_property
    def crowd(self) -> Votes | None:
        """The votes as label models take them; None for one supervisor alone, or for open answers."""
        table = self.votes
        if table is None or len(table.names) < 2 or not 2 <= len(table.classes) <= MOST_CLASSES:
            return None
        probs = np.eye(len(table.classes))[table.label]
        return Votes(table.item, table.annotator, probs, table.items, len(table.names), complete=table.complete)

    @cached_property
    def sure(self) -> tuple[Sure, ...] | None:
        """Probabilities of each supervisor on items with gold; None where all are always certain.

        Of a study it is the mean of all supervisors, on weak-train.
        """
        if self.votes is not None and self.probs is not None and self.gold is not None:
            known = self.gold[self.votes.item] >= 0
            mine = [np.flatnonzero((self.votes.annotator == j) & known) for j in range(len(self.votes.names))]
            found = [
                Sure(name, self.votes.item[v], self.probs[v], self.gold[self.votes.item[v]])
                for name, v in zip(self.votes.names, mine, strict=True)
            ]
        elif self.before is not None:
            item = np.flatnonzero(~np.isnan(self.before.wrong[0]))
            found = [
                Sure(
                    "the supervisor" if self.votes is None or len(self.votes.names) == 1 else "the mean of supervisors",
                    item,
                    self.before.probs[0, item],
                    self.before.gold[0, item],
                )
            ]
        else:
            return None
        return tuple(one for one in found if (one.probs.max(1, initial=0) < 1).any()) or None

    def show(self, item: int, /, **more: str) -> dict[str, str]:
        """An item for a finding: its id, its text if there is one, and more columns."""
        name = {"item": self.ids[item] if self.ids else str(item)}
        return name | ({"text": self.texts[item]} if self.texts else {}) | more
