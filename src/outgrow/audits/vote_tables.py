"""Tables of votes and of answers, as evidence: long tables, columns of votes, answers in free text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from outgrow.audits.choice_tables import group_of, numbers
from outgrow.audits.evidence import MOST_CLASSES, Answers, Evidence, VoteTable
from outgrow.core.errors import UserError
from outgrow.tasks.tables import annotators
from outgrow.tasks.tables.annotators import Annotations
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.long import LONG, numbered, numbered_votes, read_labels, repeated
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.roles import id_column, readable
from outgrow.tasks.tables.scores import cut
from outgrow.tasks.tables.values import blank, id_name
from outgrow.tasks.task import TEST, Task

ANSWERS = ("item", "model", "answer")
"""Columns of a table of answers in free text."""
GOLD = ("gold", "truth")
"""Columns of a long table of votes that may hold an item's gold."""
SURE = ("certainty", "probability")
"""Columns of a long table of votes that may say how probable it is that the vote is right."""


def answers(table: TableFile, reading: Reading, strong: str | None) -> Evidence:
    """A row an answer: item, model, answer. Compared as `strong` reads them, else by their words."""
    (item, ids), (model, names) = (numbered(table, name) for name in ANSWERS[:2])
    texts = ["" if blank(v) else str(v) for v in table.column(ANSWERS[2])]
    kept = np.array([bool(t.strip()) for t in texts]) & (item >= 0) & (model >= 0)
    if not kept.any():
        raise UserError(f"{table.name}: no row holds an answer: columns {', '.join(ANSWERS)}")
    said = tuple(t for t, keep in zip(texts, kept, strict=True) if keep)
    if strong is None and not any(re.search(r"\w", text) for text in said):
        raise UserError(
            f"{table.name}: the answers have no words to be compared by: name with `strong` an encoder that reads them"
        )
    x, how = (
        (_weighed(said), "the words they share (TF-IDF)")
        if strong is None
        else (_embedded(said, strong), f"what {strong} reads in them")
    )
    return Evidence(table.source, ids=ids, answers=Answers(item[kept], model[kept], x, said, ids, names, how))


def _weighed(texts: Sequence[str]) -> Any:
    """(A, D) sparse: TF-IDF of words, rows of length 1."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b").fit_transform(texts).tocsr()


def _embedded(texts: Sequence[str], model: str) -> np.ndarray:
    """(A, D) float32: the texts as a model reads them, centred, rows of length 1."""
    from outgrow import models
    from outgrow.store import Store

    models.check(model, "model for `strong`")
    store = Store.default()
    x = models.features(models.resolve(model, store), texts, store).x[-1]
    x = x - x.mean(0)
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)


def long_votes(table: TableFile, reading: Reading) -> Evidence:
    """A row a vote: item, worker, label.

    The gold of an item lies in a column `gold` or `truth` and its group in `group`, the same in all rows of an item;
    how sure the worker is that the vote is right in `certainty` or `probability`.
    """
    item, ids, annotator, names = numbered_votes(table)
    known = next((name for name in GOLD if name in table.names), None)
    table, reading = cut(table, LONG[2:], known, reading)
    told = read_labels(table, [f"worker {names[j]}" for j in annotator], known, MOST_CLASSES, reading)
    classes, label = told.classes, told.labels
    silent = label < 0
    if silent.all():
        raise UserError(f"{table.name}: no row holds a vote: column 'label' is empty")
    kept = _once(table, item, annotator, label, reading)
    gold = None if told.gold is None else _gold(table, item, told.gold, len(ids))
    if len(classes) > MOST_CLASSES:
        # Of open answers none is a wrong one, and like no other.
        label[silent], classes = len(classes) + np.arange(silent.sum()), (*classes, *["no answer"] * int(silent.sum()))
        kept |= silent
    names = tuple(f"worker {name}" if name.isdigit() else name for name in names)
    votes = VoteTable(item[kept], annotator[kept], label[kept], len(ids), names, classes)
    group = group_of(table, reading)
    groups = None if group is None else group[np.unique(item, return_index=True)[1]]
    return Evidence(table.source, votes, ids, groups=groups, gold=gold, probs=_probabilities(table, votes, kept))


def _gold(table: TableFile, item: np.ndarray, told: np.ndarray, count: int) -> np.ndarray:
    """(N,) the class of every item, -1 where unknown. Raises UserError for an item with two."""
    gold = np.full(count, -1)
    gold[item[told >= 0]] = told[told >= 0]
    if (bad := np.flatnonzero((told >= 0) & (gold[item] != told))).size:
        raise UserError(f"{table.name}: an item has two golds, in {table.places(bad.tolist())}: give it one")
    return gold


def _once(table: TableFile, item: np.ndarray, annotator: np.ndarray, label: np.ndarray, reading: Reading) -> np.ndarray:
    """(V,) bool: the first vote of a worker on an item; another one that differs is refused, or left out."""
    cast = np.flatnonzero(label >= 0)
    _, first, of = np.unique(np.stack([item, annotator])[:, cast], axis=1, return_index=True, return_inverse=True)
    earlier = cast[first][of.ravel()]
    repeated(table, cast[label[cast] != label[earlier]].tolist(), reading)
    once = np.zeros(len(item), bool)
    once[cast[first]] = True
    return once


def _probabilities(table: TableFile, votes: VoteTable, kept: np.ndarray) -> np.ndarray | None:
    """(V, C) the distribution of each vote, where a column says how probable it is that it is right; else None.

    The other classes share what is left alike.
    """
    column, count = next((name for name in SURE if name in table.names), None), len(votes.classes)
    if column is None or not 2 <= count <= MOST_CLASSES:
        return None
    sure, least = numbers(table, column), 1 / count
    if (bad := np.flatnonzero(kept & ~((sure >= least - 1e-6) & (sure <= 1)))).size:
        raise UserError(
            f"{table.name}: column {column!r} holds no number from {least:.2g} to 1 in {table.places(bad.tolist())}: "
            "write how probable it is that the label is right"
        )
    probs = np.repeat(((1 - sure[kept]) / (count - 1))[:, None], count, 1)
    probs[np.arange(len(probs)), votes.label] = sure[kept]
    return probs.astype(np.float32)


def wide_votes(table: TableFile, reading: Reading, votes: TableFile | None, strong: str | None = None) -> Evidence:
    """A row an item, votes in columns or in a long table beside it; `strong` reads the items."""
    given = annotators.of_table(table, reading, votes, texts=readable(table, reading))
    if all(np.isnan(cast).all() for cast in given.task.votes.values()):
        raise UserError(f"{given.task.name}: every vote is empty: nobody says anything to look at")
    return of_annotations(given, None if strong is None else _space(given.task, strong))


def of_annotations(given: Annotations, features: np.ndarray | None) -> Evidence:
    """Items with votes.

    Args:
        given: The items, their votes and what gold there is.
        features: (N, D) where a student has read them.
    """
    task, columns = given.task, list(given.task.votes.values())
    spoke = [np.flatnonzero(~np.isnan(votes).any(-1)) for votes in columns]
    item, annotator = np.concatenate(spoke), np.repeat(np.arange(len(columns)), [len(rows) for rows in spoke])
    probs = np.concatenate([votes[rows] for votes, rows in zip(columns, spoke, strict=True)])
    said = probs.argmax(-1)
    votes = VoteTable(item, annotator, said, len(task), tuple(task.votes), task.classes, complete=given.complete)
    key = id_column(given.table, given.reading)
    names = given.table.column(key) if key else given.table.lines
    gold = given.gold.labels if (given.gold.labels >= 0).any() else None
    return Evidence(
        task.source,
        votes,
        tuple(id_name(names[row]) for row in given.row),
        tuple(" ".join(text) for text in task.texts),
        task.groups,
        gold,
        probs if (probs.max(-1) < 1).any() else None,
        _pools(task.side),
        features,
    )


def _pools(side: np.ndarray) -> np.ndarray | None:
    """(N,) the data's own split as two pools; None where there is none."""
    return (side == TEST).astype(np.int8) if 0 < (side == TEST).sum() < len(side) else None


def _space(task: Task, model: str) -> np.ndarray:
    """(N, D) float32: the items as a model reads them, in the last of its layers that a student may choose."""
    from outgrow import models
    from outgrow.store import Store
    from outgrow.students.features import space_of

    models.check(model, "model for `strong`")
    read = space_of(task, model, np.ones(len(task), bool), Store.default())
    return read.read(read.features[-1]).numpy()
