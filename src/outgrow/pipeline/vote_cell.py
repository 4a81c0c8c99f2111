"""The cell of learning from one's own votes: recorded votes, cross-fitted, and what gold there is.

The student is taught six times at once, as six replicates: once by all items, which is the one that is saved, and five
times with a fifth of the groups left out. What gold there is therefore judges without anything being held back for it.
What else it is for is the user's to say (`gold_use.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np

from outgrow import models
from outgrow.core.errors import UserError
from outgrow.core.seeding import derive
from outgrow.label_models import WeakTrain
from outgrow.label_models._floor import BARE, FEWEST, agreeing, candidates
from outgrow.label_models._votes import Votes, WeakVotes
from outgrow.pipeline.cell import Cell
from outgrow.pipeline.design import CrossFit
from outgrow.pipeline.gold_use import GoldUse, suffices
from outgrow.store import Store
from outgrow.students import tfidf
from outgrow.students.encoding import indicators
from outgrow.students.features import space_of, texts_of
from outgrow.students.finetune import Finetune, Texts
from outgrow.students.probe import Probe, Space
from outgrow.students.student_file import VOTES
from outgrow.supervisors.prompt import ask
from outgrow.tasks.tables.annotators import Annotations
from outgrow.tasks.task import TEST, Gold, Task
from outgrow.training.classifier import KINDS

COVERED = 5
"""Fewest votes of an annotator on items with gold that say more of its accuracy than agreement does."""


@final
@dataclass(frozen=True)
class VoteCell(Cell):
    """Votes and students of one table, cross-fitted: every item has a student that its group did not teach.

    Args:
        data: items with votes, and what gold there is.
        space: what the student reads: features, or the texts themselves where it is fine-tuned.
        votes: every annotator's label of an item, a vote a row.
        label_model: turns the votes into one distribution an item.
        kind: how the student learns.
        seed: names folds and trainings.
        complete: whether every annotator saw every item: so for columns of votes, not for a long table.
        gold_use: what gold is for.
        strong: the student's model, which is also asked without training; "votes" where it reads votes.
        store: where answers to prompts are kept; None: nobody is asked.
    """

    data: Annotations
    space: Space | Texts
    votes: Votes
    label_model: str
    kind: str
    seed: int
    complete: bool = True
    gold_use: GoldUse = "weighs"
    strong: str = VOTES
    store: Store | None = None

    GOLD: ClassVar[tuple[str, ...]] = ("labels",)
    COMPARED: ClassVar[int] = 1
    name: ClassVar[str] = "learn"
    account: ClassVar[None] = None
    ladder: ClassVar[None] = None
    auxiliary: ClassVar[None] = None
    oracle: ClassVar[None] = None
    teach: ClassVar[None] = None
    weak_features: ClassVar[None] = None

    @property
    def task(self) -> Task:
        """The items, without gold."""
        return self.data.task

    @property
    def gold(self) -> Gold:
        """What gold there is; -1 where there is none."""
        return self.data.gold

    @cached_property
    def design(self) -> CrossFit:
        """Replicate 0 by all items, five by all but a fold of the groups."""
        return CrossFit(self.task.groups, self.task.side, self.seed)

    @property
    def replicates(self) -> range:
        """Numbers of the replicates."""
        return self.design.replicates

    @property
    def hidden(self) -> np.ndarray:
        """(N,) bool: items with gold that the compared replicate must not see: of its fold, and of the test side."""
        return np.asarray(~self.design.teach[self.COMPARED] & (self.gold.labels >= 0))

    @cached_property
    def judged(self) -> np.ndarray:
        """(N,) bool: the items whose gold judges: of the data's own test split, or all others where it has too few."""
        known, own = self.gold.labels >= 0, self.design.fold == 0
        return np.asarray(known & own if (known & own).sum() >= FEWEST else known & ~own)

    @property
    def names(self) -> tuple[str, ...]:
        """The annotators."""
        return tuple(self.task.votes)

    @cached_property
    def known(self) -> np.ndarray:
        """(R, N): the gold that a replicate may know of its own items, -1 elsewhere."""
        return np.where(self.design.teach, self.gold.labels, -1)

    @cached_property
    def weak_train(self) -> WeakTrain | None:
        """Gold for methods that weigh annotators by it; None where there is none."""
        if self.gold_use == "judges" or not (self.known >= 0).any(1).all():
            return None
        return WeakTrain(self.known, self._heard(self.known >= 0, None))  # type: ignore[arg-type]

    def _heard(self, rows: np.ndarray, skill: np.ndarray | None) -> WeakVotes:
        """The votes on the items in rows (R, N)."""
        parts = [mask[self.votes.item] for mask in rows]
        tables = [
            replace(self.votes, item=self.votes.item[at], annotator=self.votes.annotator[at], said=self.votes.said[at])
            for at in parts
        ]
        return WeakVotes(tuple(tables), self.names, self.label_model, skill, self.complete)

    @cached_property
    def skill(self) -> np.ndarray | None:
        """(R, J): share of an annotator's votes that this gold bears out; NaN where it covers fewer than COVERED."""
        if self.weak_train is None:
            return None
        found = []
        for votes, gold in zip(self._heard(self.known >= 0, None).votes, self.known, strict=True):
            right = votes.said.argmax(1) == gold[votes.item]
            told = np.bincount(votes.annotator, minlength=votes.annotators)
            share = np.bincount(votes.annotator, right, votes.annotators) / np.maximum(told, 1)
            found.append(np.where(told >= COVERED, share, np.nan))
        return np.array(found, np.float32)

    @cached_property
    def weak(self) -> WeakVotes:
        """The votes of the items that teach."""
        return self._heard(self.design.teach, self.skill)

    def predicted(self, fitted: Any) -> np.ndarray:
        """(R, N, C) of a fitted student, for all items."""
        return np.asarray(fitted.predict())

    def forget(self) -> None:
        """Let go of all that was made of gold; the student, which looks at none, stays."""
        for name in vars(self).keys() - {"student", "design", "seal", *(field.name for field in fields(self))}:
            del vars(self)[name]

    @cached_property
    def student(self) -> Probe | Finetune:
        """The strong model, allowed to train on the items that teach."""
        if isinstance(self.space, Texts):
            return Finetune(self.space, self.kind, self.design.teach, self.task.groups, self.seed, self.replicates)
        return Probe(self.space, self.design.teach, self.task.groups, self.seed, self.replicates, self.kind)

    @cached_property
    def features(self) -> list[np.ndarray] | None:
        """Per replicate (N, K): the student's features; None where it is fine-tuned."""
        return self.student.embed(self.weak.beliefs) if isinstance(self.student, Probe) else None

    @property
    def tuned(self) -> Finetune | None:
        """The student where it is fine-tuned."""
        return self.student if isinstance(self.student, Finetune) else None

    @property
    def generator(self) -> Finetune | None:
        """The student where its texts can be learned as a language model does."""
        student = self.student
        return student if isinstance(student, Finetune) and student.texts.model.kind == "causal" else None

    @property
    def rivals(self) -> np.ndarray:
        """(N,) items of one group have the same number."""
        return self.task.groups

    @property
    def rights(self) -> np.ndarray:
        """(N,) -1: nobody knows how many of a group are right."""
        return np.full(len(self.task), -1)

    @property
    def answers(self) -> np.ndarray:
        """(N,) each item is an answer of its own."""
        return np.arange(len(self.task))

    @property
    def rng(self) -> np.random.Generator:
        """The method's own randomness."""
        return derive(self.seed, "learn", "method")

    def believed(self, label_model: str) -> np.ndarray:
        """(N, C): a label model's beliefs of every item; skill comes from other items' gold."""
        if self.skill is None:
            return np.asarray(self._all(label_model, 1).beliefs[0])
        return self.design.crossed(self._all(label_model, len(self.replicates), self.skill).beliefs)

    def _all(self, label_model: str, replicates: int, skill: np.ndarray | None = None) -> WeakVotes:
        """The votes on all items."""
        return WeakVotes((self.votes,) * replicates, self.names, label_model, skill, self.complete)

    @cached_property
    def options(self) -> dict[str, np.ndarray]:
        """Beliefs (R, N, C) by label model: those that need no gold, and the one that taught."""
        alone, count = self._all(self.label_model, 1), len(self.replicates)
        found = {name: np.broadcast_to(b, (count, *b.shape[1:])) for name, b in candidates(alone).items()}
        if self.skill is not None and self.label_model in found:
            own, bare = self._all(self.label_model, count, self.skill).beliefs, found[self.label_model]
            if not np.array_equal(own, bare, equal_nan=True):
                found = {**found, self.label_model: own, f"{self.label_model}{BARE}": bare}
        return found

    @property
    def gold_targets(self) -> np.ndarray | None:
        """(R, N, C) the gold that each replicate may know, for baselines, NaN elsewhere.

        None where it is too little in some fold, or where the student is fine-tuned.
        """
        enough = isinstance(self.student, Probe) and suffices(self.known, FEWEST)
        return self._known_targets if enough else None

    @property
    def known_gold(self) -> np.ndarray | None:
        """The same for methods, where gold teaches, whatever the student."""
        return self._known_targets if self.gold_use == "teaches" and suffices(self.known) else None

    @property
    def _known_targets(self) -> np.ndarray:
        out: np.ndarray = np.eye(len(self.task.classes), dtype=np.float32)[self.known]
        out[self.known < 0] = np.nan
        return out

    @cached_property
    def agreed(self) -> dict[str, float]:
        """How far each label model agrees with votes that it has not heard; none where one annotator needs none."""
        alone = self._all(self.label_model, 1)
        return {name: float(agreeing(alone, name, self.seed)[0]) for name in candidates(alone) if name}

    @cached_property
    def commonest(self) -> np.ndarray:
        """(R,) the commonest class of the gold that a replicate may know; of all votes with fewer than FEWEST of it."""
        classes = len(self.task.classes)
        voted = np.bincount(self.votes.said.argmax(1), minlength=classes)
        gold = [np.bincount(known[known >= 0], minlength=classes) for known in self.known]
        return np.array([(told if told.sum() >= FEWEST else voted).argmax() for told in gold])

    @cached_property
    def prompted(self) -> np.ndarray | None:
        """(N, C) answers of the strong model to prompts about judged items, NaN elsewhere.

        None where it is no language model, or the classes have no names that it tells apart.
        """
        if self.store is None or self.strong == VOTES or not self.task.words:
            return None
        if models.resolve(self.strong, self.store).kind != "causal":
            return None
        rows = np.flatnonzero(self.judged)
        out = np.full((len(self.task), len(self.task.classes)), np.nan, np.float32)
        try:
            out[rows], cost = ask(self.task, rows.tolist(), self.strong, self.store)
        except UserError:  # names of classes without tokens, or with the same
            return None
        self.asked.update(seconds=cost.seconds, tokens=float(cost.tokens))
        return out

    @cached_property
    def asked(self) -> dict[str, float]:
        """Seconds and tokens of those answers, once there are any."""
        return {}

    @cached_property
    def tfidf(self) -> np.ndarray | None:
        """(N, C) of TF-IDF with logistic regression, taught by the same labels, for judged items; NaN elsewhere.

        None where items have no texts, or no word occurs in two of them.
        """
        if self.strong == VOTES:
            return None
        texts, groups, judges = self.task.texts, self.task.groups, self.judged & self.design.judge
        rngs = [derive(self.seed, "learn", "tfidf", r) for r in self.replicates]
        return tfidf.crossed(texts, self.weak.beliefs, self.design.teach, judges, groups, rngs)

    def annotator(self, j: int) -> np.ndarray:
        """(N, C) the votes of one annotator; NaN where it abstains."""
        mine = self.votes.annotator == j
        probs = np.full((len(self.task), len(self.task.classes)), np.nan, np.float32)
        probs[self.votes.item[mine]] = self.votes.said[mine]
        return probs


def table_of(task: Task) -> Votes:
    """The task's columns of votes, a vote a row, item by item."""
    columns = list(task.votes.values())
    spoke = [np.flatnonzero(~np.isnan(votes).any(-1)) for votes in columns]
    item, annotator = np.concatenate(spoke), np.repeat(np.arange(len(columns)), [len(rows) for rows in spoke])
    said = np.concatenate([votes[rows] for votes, rows in zip(columns, spoke, strict=True)]).astype(np.float64)
    order = np.lexsort((annotator, item))
    return Votes(item[order], annotator[order], said[order], len(task), len(columns))


def enough(task: Task, votes: Votes) -> None:
    """Raises UserError where there are too few votes to learn from, or votes for one class alone."""
    name = task.name
    if not len(votes.item):
        raise UserError(f"{name}: every vote is empty: nobody says anything to learn from")
    own = task.side[votes.item] != TEST
    if (teaching := len(np.unique(votes.item[own]))) < FEWEST:
        raise UserError(f"{name}: {teaching} items have a vote: give at least {FEWEST}")
    total = votes.said[own].sum(0)
    if (total > 0).sum() < 2:
        raise UserError(
            f"{name}: every vote is for {task.classes[int(total.argmax())]!r}: "
            "a student needs votes for two classes or more"
        )


def gold_teaches(data: Annotations, seed: int) -> bool:
    """Whether there is gold enough in every fold to teach a student by."""
    design = CrossFit(data.task.groups, data.task.side, seed)
    return suffices(np.where(design.teach, data.gold.labels, -1))


def space_for(task: Task, votes: Votes, strong: str, student: str, store: Store) -> Space | Texts:
    """What the student reads: features of a model, texts to be fine-tuned on, or the votes themselves."""
    pool = task.side != TEST
    if strong == VOTES:
        return Space(indicators(votes)[None, None], (0,), pool)
    if models.resolve(strong, store).kind not in ("causal", "encoder"):
        raise UserError(f"{strong!r} is no model that could read new texts: learn with a model's name as `strong`")
    return texts_of(task, strong, store) if student in KINDS else space_of(task, strong, pool, store)
