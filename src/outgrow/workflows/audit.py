"""An audit of what lies at a path: from a file or a folder to evidence, findings and their page.

What a table holds is told by its columns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from outgrow.audits import Finding, examine_all, tables
from outgrow.audits.evidence import MOST_CLASSES, Answers, Evidence, VoteTable
from outgrow.core.errors import UserError
from outgrow.core.progress import say
from outgrow.runs import folder as claims
from outgrow.tasks.tables import annotations
from outgrow.tasks.tables import long as longs
from outgrow.tasks.tables.annotations import numbered
from outgrow.tasks.tables.files import TableFile as File
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.values import blank, id_name
from outgrow.tasks.task import TEST, Task

WORDS = ("item", "model", "answer")
"""Columns of a table of answers in words."""
GOLD = ("gold", "truth")
"""Columns of a long table of votes that may hold an item's gold."""
SURE = ("certainty", "probability")
"""Columns of a long table of votes that may say how probable it is that the vote is right."""


def audit(
    source: str,
    *,
    reading: Reading | None = None,
    votes_table: str | None = None,
    weak: Sequence[str] = (),
    strong: str | None = None,
    out: Path | None = None,
    columns: Sequence[str] = (),
    gold_table: str | None = None,
    overwrite: bool = False,
) -> tuple[list[Finding], Path]:
    """Examine what is at `source`, or supervisors before they teach, and write audit.json and audit.html into the folder `out`.

    The findings, the gravest first, and the page. Raises UserError, one line, for what the user can mend.

    Example:
        >>> audit("nowhere.csv")
        Traceback (most recent call last):
        ...
        outgrow.core.errors.UserError: ...
    """
    from outgrow import report
    from outgrow.report import audit as audited

    at, reading = Path(source), reading or Reading()
    if weak or at.is_dir():
        from outgrow.workflows import evidence as studied

        _refused(columns, gold_table, "a task or a study")
        evidence = studied.named(source, reading, weak, strong) if weak else studied.finished(at)
    else:
        evidence = [read(source, reading, votes_table, strong, columns, gold_table)]
    beside = at.parent if at.is_file() else Path("runs")
    folder = Path(out) if out is not None else at if at.is_dir() else beside / f"{at.stem}-audit"
    if folder != at:
        asked = {
            "source": claims.content(source),
            "votes": claims.content(votes_table),
            "gold": claims.content(gold_table),
            "columns": list(columns),
        }
        claims.claim(
            folder, "audit", {**asked, "reading": asdict(reading), "weak": list(weak), "strong": strong}, overwrite
        )
    findings = examine_all(evidence)
    page = audited.write("; ".join(one.source for one in evidence), findings, folder)
    if folder == at:
        report.write(at)
    return findings, page


def read(
    source: str,
    reading: Reading,
    votes_table: str | None = None,
    strong: str | None = None,
    columns: Sequence[str] = (),
    gold_table: str | None = None,
) -> Evidence:
    """The evidence at `source`: a long table of votes (item, worker, label), or a table with columns of votes.

    columns: "NAME=COLUMN", what columns are called here that go by other names; gold_table: a table of items that holds their gold.
    Raises UserError, one line, for what the user can mend.
    """
    file = annotations.renamed(annotations.read(source), columns)
    if gold_table is not None:
        file = annotations.with_gold(file, annotations.read(gold_table), reading, (*GOLD, "label"))
    given = [*reading.given(), *(["--strong"] if strong else [])]
    if votes_table is None and not reading.votes and set(annotations.LONG) <= set(file.names):
        _read_by_its_columns(
            file,
            [flag for flag in given if flag not in ("--group", "--classes", "--abstain", "--skip-bad-rows")],
            annotations.LONG,
        )
        return long(file, reading)
    if votes_table is None and not reading.votes and set(WORDS) <= set(file.names):
        _read_by_its_columns(
            file, [*(flag for flag in given if flag != "--strong"), *(["--gold-table"] if gold_table else [])], WORDS
        )
        return in_words(file, strong)
    for head, of in tables.READERS.items():
        if not reading.votes and set(head) <= set(file.names):
            _read_by_its_columns(file, [flag for flag in given if flag not in ("--id", "--group", "--abstain")], head)
            return of(file, reading)
    if votes_table is None and not reading.votes:
        kinds = "; ".join(", ".join(head) for head in (annotations.LONG, WORDS, *tables.READERS))
        raise UserError(
            f"{file.name}: name columns of votes with --votes, or by --columns NAME=COLUMN those of one of: {kinds}; the columns are {', '.join(file.names)}"
        )
    _refused(columns, gold_table, "a table with columns of votes")
    return wide(source, reading, votes_table, strong)


def _refused(columns: Sequence[str], gold_table: str | None, what: str) -> None:
    """Raises UserError for flags that say nothing to such a source."""
    if given := [flag for flag, value in (("--columns", columns), ("--gold-table", gold_table)) if value]:
        raise UserError(
            f"{' and '.join(given)}: {what} is read without: leave {'it' if len(given) == 1 else 'them'} out"
        )


def _read_by_its_columns(file: File, flags: Sequence[str], columns: Sequence[str]) -> None:
    """Raises UserError for flags that say nothing to such a table."""
    if flags:
        raise UserError(f"{file.name} is read by its columns {', '.join(columns)}: leave {', '.join(flags)} out")


def in_words(file: File, strong: str | None) -> Evidence:
    """A row an answer: item, model, answer. Compared as `strong` reads them, else by their words."""
    (item, ids), (model, names) = (numbered(file, name) for name in WORDS[:2])
    texts = ["" if blank(v) else str(v) for v in file.column(WORDS[2])]
    kept = np.array([bool(t.strip()) for t in texts]) & (item >= 0) & (model >= 0)
    if not kept.any():
        raise UserError(f"{file.name}: no row holds an answer: columns {', '.join(WORDS)}")
    said = tuple(t for t, keep in zip(texts, kept, strict=True) if keep)
    if strong is None and not any(re.search(r"\w", text) for text in said):
        raise UserError(
            f"{file.name}: the answers have no words to be compared by: name with --strong an encoder that reads them"
        )
    x, how = (
        (weighed(said), "the words they share (TF-IDF)")
        if strong is None
        else (embedded(said, strong), f"what {strong} reads in them")
    )
    return Evidence(file.source, ids=ids, answers=Answers(item[kept], model[kept], x, said, ids, names, how))


def weighed(texts: Sequence[str]) -> Any:
    """(A, D) sparse: TF-IDF of words, rows of length 1."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b").fit_transform(texts).tocsr()


def embedded(texts: Sequence[str], model: str) -> np.ndarray:
    """(A, D) float32: the texts as a model reads them, centred, rows of length 1."""
    from outgrow import models
    from outgrow.store import Store

    models.check(model)
    store = Store.default()
    x = models.features(models.resolve(model, store), texts, store).x[-1]
    x = x - x.mean(0)
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)


def long(file: File, reading: Reading) -> Evidence:
    """A row a vote; gold in a column `gold` or `truth` and a group in `group`, the same in all rows of an item; how sure the
    worker is that the vote is right in `certainty` or `probability`."""
    (item, ids), (worker, names) = (numbered(file, name) for name in ("item", "worker"))
    if (bad := np.flatnonzero((item < 0) | (worker < 0))).size:
        raise UserError(
            f"{file.name}: no item or no worker in {file.places(bad.tolist())}: mend the rows, or leave them out"
        )
    known = next((name for name in GOLD if name in file.names), None)
    classes, label, told = longs.numbers(file, [f"worker {names[j]}" for j in worker], known, MOST_CLASSES, reading)
    silent = label < 0
    if silent.all():
        raise UserError(f"{file.name}: no row holds a vote: column 'label' is empty")
    kept = _once(file, item, worker, label, reading)
    gold = None if told is None else _gold(file, item, told, len(ids))
    if len(classes) > MOST_CLASSES:
        # Of open answers none is a wrong one, and like no other.
        label[silent], classes = len(classes) + np.arange(silent.sum()), (*classes, *["no answer"] * int(silent.sum()))
        kept |= silent
    names = tuple(f"worker {name}" if name.isdigit() else name for name in names)
    votes = VoteTable(item[kept], worker[kept], label[kept], len(ids), names, classes)
    group = tables.group_of(file, reading)
    groups = None if group is None else group[np.unique(item, return_index=True)[1]]
    return Evidence(file.source, votes, ids, groups=groups, gold=gold, probs=_sure(file, votes, kept))


def _gold(file: File, item: np.ndarray, told: np.ndarray, count: int) -> np.ndarray:
    """(N,) the class of every item, -1 where unknown. UserError for an item with two."""
    gold = np.full(count, -1)
    gold[item[told >= 0]] = told[told >= 0]
    if (bad := np.flatnonzero((told >= 0) & (gold[item] != told))).size:
        raise UserError(f"{file.name}: an item has two golds, in {file.places(bad.tolist())}: give it one")
    return gold


def _once(file: File, item: np.ndarray, worker: np.ndarray, label: np.ndarray, reading: Reading) -> np.ndarray:
    """(V,) bool: the first vote of a worker on an item. UserError for another vote of the same that differs, unless bad rows are skipped."""
    cast = np.flatnonzero(label >= 0)
    _, first, of = np.unique(np.stack([item, worker])[:, cast], axis=1, return_index=True, return_inverse=True)
    earlier = cast[first][of.ravel()]
    if (bad := cast[label[cast] != label[earlier]]).size and not reading.skip_bad_rows:
        raise UserError(
            f"{file.name}: a worker votes on an item again, and otherwise, in {file.places(bad.tolist())}: "
            "keep one vote, or let the first count with --skip-bad-rows"
        )
    once = np.zeros(len(item), bool)
    once[cast[first]] = True
    if len(bad):
        say(f"{file.name}: {len(bad)} votes left out: another of the same worker on the item comes first")
    return once


def _sure(file: File, votes: VoteTable, kept: np.ndarray) -> np.ndarray | None:
    """(V, C) what each vote is, where a column says how probable it is that it is right: other classes share the rest alike."""
    column, count = next((name for name in SURE if name in file.names), None), len(votes.classes)
    if column is None or not 2 <= count <= MOST_CLASSES:
        return None
    sure, least = tables.numbers(file, column), 1 / count
    if (bad := np.flatnonzero(kept & ~((sure >= least - 1e-6) & (sure <= 1)))).size:
        raise UserError(
            f"{file.name}: column {column!r} holds no number from {least:.2g} to 1 in {file.places(bad.tolist())}: write how probable it is that the label is right"
        )
    probs = np.repeat(((1 - sure[kept]) / (count - 1))[:, None], count, 1)
    probs[np.arange(len(probs)), votes.label] = sure[kept]
    return probs.astype(np.float32)


def wide(source: str, reading: Reading, votes_table: str | None, strong: str | None = None) -> Evidence:
    """A row an item, votes in columns or in a long table beside it; `strong` reads the items."""
    given = annotations.load(source, reading, votes_table, texts=readable(source, reading))
    if all(np.isnan(votes).all() for votes in given.task.votes.values()):
        raise UserError(f"{given.task.name}: every vote is empty: nobody says anything to look at")
    return heard(given, votes_table is None, None if strong is None else space(given.task, strong))


def heard(given: annotations.Annotations, asked_all: bool, features: np.ndarray | None) -> Evidence:
    """Items with votes; `asked_all` says that every voter saw every item; features (N, D) where a student has read them."""
    task, columns = given.task, list(given.task.votes.values())
    spoke = [np.flatnonzero(~np.isnan(votes).any(-1)) for votes in columns]
    item, worker = np.concatenate(spoke), np.repeat(np.arange(len(columns)), [len(rows) for rows in spoke])
    probs = np.concatenate([votes[rows] for votes, rows in zip(columns, spoke, strict=True)])
    votes = VoteTable(item, worker, probs.argmax(-1), len(task), tuple(task.votes), task.classes, asked_all=asked_all)
    key = annotations.id_column(given.table, given.reading)
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
        pools(task.side),
        features,
    )


def readable(source: str, reading: Reading) -> bool:
    """Whether the table has something to read beside its votes."""
    file = annotations.read(source)
    return any(getattr(reading, role) or role in file.names for role in annotations.READ)


def pools(side: np.ndarray) -> np.ndarray | None:
    """(N,) the data's own split as two pools; None where there is none."""
    return (side == TEST).astype(np.int8) if 0 < (side == TEST).sum() < len(side) else None


def space(task: Task, model: str) -> np.ndarray:
    """(N, D) float32: the items as a model reads them, in the last of its layers that a student may choose."""
    from outgrow import models
    from outgrow.store import Store
    from outgrow.students.features import space_of

    models.check(model)
    read = space_of(task, model, np.ones(len(task), bool), Store.default())
    return read.read(read.features[-1]).numpy()
