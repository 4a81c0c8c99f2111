"""From the user's own votes to a saved student: the practitioner's path.

    table -> votes -> label model -> method -> student -> trust, verdict -> report

Nothing is trained on gold. The student is taught six times at once, as six replicates: once by all items, which is the
one that is saved, and five times with a fifth of the groups left out, so that every item is labelled by a student that
neither its votes nor its likes have taught. What gold there is therefore judges without anything being held back for it;
a label model that asks for skill gets it from the gold of the other fifths.
"""

from __future__ import annotations

import csv
import io
import itertools
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np

from outgrow import label_models, methods, models
from outgrow.core import progress
from outgrow.core.errors import UserError, unknown
from outgrow.core.records import load as load_record
from outgrow.core.seeding import derive
from outgrow.label_models import WeakTrain
from outgrow.label_models._floor import BARE, agreeing, candidates, filled
from outgrow.label_models._votes import Votes, WeakVotes
from outgrow.methods import Method
from outgrow.metrics import controls
from outgrow.metrics.accuracy import Score, accuracy, rightness
from outgrow.metrics.agreement import agreement
from outgrow.metrics.annotators import agreement_of, needed, single
from outgrow.metrics.calibration import calibration
from outgrow.metrics.intervals import share_ci
from outgrow.metrics.pgr import counted
from outgrow.pipeline import canary
from outgrow.pipeline.seal import Seal
from outgrow.runs import folder as claims
from outgrow.runs import schema
from outgrow.runs.schema.learn import LearnFile
from outgrow.store import Store, disk
from outgrow.students.features import space_of, texts_of
from outgrow.students.finetune import Finetune, Texts
from outgrow.students.probe import HEADS, Probe, Space
from outgrow.students.saved import VOTES, SavedStudent, indicators, load, save, weights
from outgrow.tasks import TEST, Reading
from outgrow.tasks.tables import annotations
from outgrow.tasks.tables.annotations import Annotations
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.files import read as read_table
from outgrow.tasks.tables.roles import detect, id_column
from outgrow.tasks.tables.template import compiled
from outgrow.tasks.tables.values import blank, texts
from outgrow.tasks.task import Task
from outgrow.training.classifier import KINDS

FOLDS = 5
FEWEST = 20
"""Fewest items with a vote, fewest with gold for a verdict, and fewest of whose gold the canary permutes."""
LOST = 0.1
"""A class is lost where the student gives it less than this part of the share that it has of the votes."""
HIDING = 1
"""The replicate that the canary compares: it must see no gold of the fold of that number, nor of test items."""
GAIN = 0.02
"""The gain in accuracy for which the report says how much gold would show it."""
SHOWN = 50
"""Voters in the report, those with the most votes."""
PAIRED = 12
"""Voters in its table of agreement."""


@final
@dataclass(frozen=True)
class CrossFit:
    """What a method may ask for, of six replicates: all items, and all but a fifth of the groups five times."""

    data: Annotations
    space: Space | Texts
    """What the student reads: features, or the texts themselves where it is fine-tuned."""
    votes: Votes
    """What every voter said of the items, a vote a row."""
    label_model: str
    head: str
    seed: int
    asked_all: bool = True
    """Whether every voter saw every item: so for columns of votes, not for a long table."""

    ladder = auxiliary = oracle = teach = weak_features = None

    @property
    def replicates(self) -> range:
        return range(FOLDS + 1)

    @cached_property
    def fold(self) -> np.ndarray:
        """(N,) the replicate that an item does not teach; 0, which leaves out no other, for test items of the data's own split."""
        names, where = np.unique(self.data.task.groups, return_inverse=True)
        fold = 1 + derive(self.seed, "learn", "folds").permutation(len(names)) % FOLDS
        return np.where(self.data.task.side == TEST, 0, fold[where])

    @cached_property
    def train(self) -> np.ndarray:
        """(R, N) bool: the items that teach each replicate."""
        return (self.fold > 0) & (self.fold != np.array(self.replicates)[:, None])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.data.task.votes)

    @cached_property
    def known(self) -> np.ndarray:
        """(R, N): the gold that a replicate may know of its own items, -1 elsewhere."""
        return np.where(self.train, self.data.gold.labels, -1)

    @cached_property
    def weak_train(self) -> WeakTrain | None:
        """Gold for methods that weigh voters by it; None where there is none."""
        if not (self.known >= 0).any(1).all():
            return None
        return WeakTrain(self.known, self._heard(self.known >= 0, None))

    def _heard(self, rows: np.ndarray, skill: np.ndarray | None) -> WeakVotes:
        """The votes on the items in rows (R, N)."""
        parts = [mask[self.votes.item] for mask in rows]
        tables = [
            replace(self.votes, item=self.votes.item[at], worker=self.votes.worker[at], said=self.votes.said[at])
            for at in parts
        ]
        return WeakVotes(tuple(tables), self.names, self.label_model, skill, self.asked_all)

    @cached_property
    def skill(self) -> np.ndarray | None:
        """(R, J): share of a voter's answers that this gold bears out; NaN of whom it says nothing."""
        if self.weak_train is None:
            return None
        found = []
        for votes, gold in zip(self.weak_train.said.votes, self.known, strict=True):
            right = votes.said.argmax(1) == gold[votes.item]
            told = np.bincount(votes.worker, minlength=votes.workers)
            share = np.bincount(votes.worker, right, votes.workers) / np.maximum(told, 1)
            found.append(np.where(told > 0, share, np.nan))
        return np.array(found, np.float32)

    @cached_property
    def weak(self) -> WeakVotes:
        """The votes of the items that teach."""
        return self._heard(self.train, self.skill)

    def forget(self) -> None:
        """Let go of all that was made so far, since some of it was made of gold; the student, which looks at none, stays."""
        for name in vars(self).keys() - {"student", *(field.name for field in fields(self))}:
            del vars(self)[name]

    @cached_property
    def student(self) -> Probe | Finetune:
        if isinstance(self.space, Texts):
            return Finetune(self.space, self.head, self.train, self.data.task.groups, self.seed, self.replicates)
        return Probe(self.space, self.train, self.data.task.groups, self.seed, self.replicates, self.head)

    @cached_property
    def features(self) -> list[np.ndarray] | None:
        return self.student.embed(self.weak.beliefs) if isinstance(self.student, Probe) else None

    @property
    def generator(self) -> Finetune | None:
        return self.student if isinstance(self.space, Texts) and self.space.model.kind == "causal" else None

    @property
    def rivals(self) -> np.ndarray:
        return self.data.task.groups

    @property
    def rights(self) -> np.ndarray:
        return np.full(len(self.data.task), -1)

    @property
    def answers(self) -> np.ndarray:
        return np.arange(len(self.data.task))

    @property
    def rng(self) -> np.random.Generator:
        return derive(self.seed, "learn", "method")

    def crossed(self, probs: np.ndarray) -> np.ndarray:
        """(N, C) out of (R, N, C): of every item, the replicate that it did not teach."""
        return probs[self.fold, np.arange(probs.shape[1])]

    def believed(self, label_model: str) -> np.ndarray:
        """(N, C): what a label model makes of the votes on every item, by skill on other items' gold where it asks for it."""
        if self.skill is None:
            return self._all(label_model, 1).beliefs[0]
        return self.crossed(self._all(label_model, FOLDS + 1, self.skill).beliefs)

    def _all(self, label_model: str, replicates: int, skill: np.ndarray | None = None) -> WeakVotes:
        """The votes on all items."""
        return WeakVotes((self.votes,) * replicates, self.names, label_model, skill, self.asked_all)

    @cached_property
    def floor(self) -> CrossFitFloor:
        """Of every item the best of the label models that need no gold and of the one that taught, the first of equals.

        Chosen fold by fold by gold of the others, silence as what is better there; with fewer than FEWEST items of such gold
        by agreement with held-out votes.
        """
        gold, alone = self.data.gold.labels, self._all(self.label_model, 1)
        options = {name: np.broadcast_to(b, (FOLDS + 1, *b.shape[1:])) for name, b in candidates(alone).items()}
        if self.skill is not None and self.label_model in options:
            own, bare = self._all(self.label_model, FOLDS + 1, self.skill).beliefs, options[self.label_model]
            if not np.array_equal(own, bare, equal_nan=True):
                options = {**options, self.label_model: own, f"{self.label_model}{BARE}": bare}
        probs, names = np.empty_like(next(iter(options.values()))[0]), []
        for r in np.unique(self.fold):
            judged, known = self.fold == r, self.known[r] >= 0
            if known.sum() >= FEWEST:
                seen = {
                    name: (b[None, r, known], filled(b[None, r, known], self.commonest[[r]]))
                    for name, b in options.items()
                }
                score = {name: max(rightness(b, gold[known]).mean() for b in both) for name, both in seen.items()}
            else:
                score = (
                    {name: self.agreed[name.removesuffix(BARE)] for name in options}
                    if len(options) > 1
                    else dict.fromkeys(options, 0.0)
                )
            best = max(score, key=lambda name: score[name])
            probs[judged] = options[best][r, judged]
            names += [best] * int((judged & (gold >= 0)).sum())
        return CrossFitFloor(probs, tuple(names))

    @cached_property
    def agreed(self) -> dict[str, float]:
        """How far each label model agrees with votes that it has not heard."""
        alone = self._all(self.label_model, 1)
        return {name: float(agreeing(alone, name, self.seed)[0]) for name in candidates(alone)}

    @cached_property
    def commonest(self) -> np.ndarray:
        """(R,) the commonest class: of the gold that a replicate may know, or, with fewer than FEWEST of it, of all votes."""
        classes = len(self.data.task.classes)
        voted = np.bincount(self.votes.said.argmax(1), minlength=classes)
        gold = [np.bincount(known[known >= 0], minlength=classes) for known in self.known]
        return np.array([(told if told.sum() >= FEWEST else voted).argmax() for told in gold])

    def voter(self, j: int) -> np.ndarray:
        """(N, C) what one voter says; NaN where it is silent."""
        probs, mine = (
            np.full((len(self.data.task), len(self.data.task.classes)), np.nan, np.float32),
            self.votes.worker == j,
        )
        probs[self.votes.item[mine]] = self.votes.said[mine]
        return probs


@final
@dataclass(frozen=True)
class CrossFitFloor:
    """What a student has to outgrow."""

    probs: np.ndarray
    """(N, C); NaN where it is silent."""
    names: tuple[str, ...]
    """Its label model, once for every item with gold; "" where there is one voter."""


def table_of(task: Task) -> Votes:
    """The task's columns of votes, a vote a row, item by item."""
    columns = list(task.votes.values())
    spoke = [np.flatnonzero(~np.isnan(votes).any(-1)) for votes in columns]
    item, worker = np.concatenate(spoke), np.repeat(np.arange(len(columns)), [len(rows) for rows in spoke])
    said = np.concatenate([votes[rows] for votes, rows in zip(columns, spoke, strict=True)]).astype(np.float64)
    order = np.lexsort((worker, item))
    return Votes(item[order], worker[order], said[order], len(task), len(columns))


def learn(
    data: str,
    *,
    reading: Reading | None = None,
    votes_table: str | None = None,
    strong: str = "smollm2-135m",
    method: str | None = None,
    label_model: str = "mean",
    student: str = "linear",
    suggest: int = 0,
    seed: int = 0,
    out: Path = Path("student"),
    overwrite: bool = False,
) -> Path:
    """Teach a student by the votes in a table, save it in the folder `out` with its report, and return the folder.

    Features of the items are kept in the store, so that what was stopped goes on where it was. Raises UserError for what
    the user can mend, as where `out` holds another result and `overwrite` is not said. `method`: "auto" where none is named; of a fine-tuned student "naive", since auto trains many.
    """
    from outgrow import report
    from outgrow.models.loader import chosen_precision

    began = time.time()
    named, method = method is not None, method or ("auto" if student in HEADS else "naive")
    recipe = methods.find(method)
    label_models.find(label_model)
    if student not in (*HEADS, *KINDS):
        raise unknown("kind of student", student, (*HEADS, *KINDS))
    if strong == VOTES and student in KINDS:
        raise UserError(f"--strong {VOTES} is no model that could be fine-tuned: take --student linear or mlp")
    if suggest < 0:
        raise UserError(f"suggest = {suggest}: give a number of items")
    if strong != VOTES:
        models.check(strong)
    given = annotations.load(data, reading or Reading(), votes_table, texts=strong != VOTES)
    votes = table_of(given.task)
    _enough(given, votes)
    asked = {
        "data": claims.content(data),
        "votes": claims.content(votes_table),
        "columns": asdict(reading or Reading()),
        "strong": strong,
        "method": method,
        "label model": label_model,
        "student": student,
        "suggest": suggest,
        "seed": seed,
    }
    claims.claim(out, "learn", asked, overwrite)
    (out / "suggest.csv").unlink(missing_ok=True)
    store = Store.default()
    if strong == VOTES:
        space, made = (
            Space(indicators(votes)[None, None], (0,), given.task.side != TEST),
            {"digest": "", "revision": "what the voters say", "pooling": ""},
        )
    else:
        model = models.resolve(strong, store)
        if model.kind not in ("causal", "encoder"):
            raise UserError(f"{strong!r} is no model that could read new texts: learn with a model's name as --strong")
        space = (
            texts_of(given.task, strong, store)
            if student in KINDS
            else space_of(given.task, strong, given.task.side != TEST, store)
        )
        made = {
            "digest": model.digest,
            "revision": model.revision,
            "pooling": "last" if model.kind == "causal" else "mean",
        }
    taught = CrossFit(given, space, votes, label_model, student, seed, asked_all=votes_table is None)
    progress.say(
        f"teaching {strong} by {votes.workers} voter{'s' if votes.workers > 1 else ''} on {int(taught.train[0].sum()):,} items"
    )
    fitted = recipe.fit(taught, **recipe.parameters)
    if fitted is None:
        raise UserError(f"method {method!r} lacks {'; '.join(recipe.lacks(taught))}: learn with another --method")
    predicted = fitted.predict()
    probs, belief = taught.crossed(predicted), taught.believed(label_model)
    columns = detect(given.table.names, given.reading).columns
    kept = weights(fitted, 0)
    save(
        SavedStudent(
            classes=given.task.classes,
            model=strong,
            precision=chosen_precision(),
            template=given.task.template,
            columns={role: name for role, name in columns.items() if role != "label"},
            words=given.task.words,
            voters=taught.names,
            taught={
                "method": method,
                "parameters": recipe.parameters,
                "label_model": label_model,
                "items": int(taught.train[0].sum()),
            },
            **made,
            **kept,
        ),
        out,
        fitted,
    )
    seconds, sung = time.time() - began, _canary(taught, recipe, predicted[HIDING])
    wanted = _suggested(taught, probs, belief, suggest)
    if suggest:
        _write_csv(out / "suggest.csv", wanted)
    facts = {
        "task": {
            "name": given.task.name,
            "classes": list(given.task.classes),
            "counts": given.task.counts,
            "source": given.task.source,
        },
        "voters": _voters(taught, probs),
        "trust": _trust(taught, probs, belief),
        "verdict": _verdict(taught, probs, belief),
        "suggest": wanted[:10],
        "findings": _findings(taught, space),
        "canary": sung,
        "how": {
            "strong": strong,
            "revision": made["revision"],
            "layers": sorted({head["layer"] for head in kept["heads"]}),
            "heads": len(kept["heads"]),
            "head": kept["head"],
            "method": method,
            "named": named,
            "about": recipe.line,
            "paper": recipe.paper,
            "label_model": label_model,
            "taught": int(taught.train[0].sum()),
            "seconds": seconds,
        },
    }
    schema.write(out / "learn.json", load_record(LearnFile, facts, "learn.json"))
    report.write_learned(out)
    return out


def predict(
    folder: Path,
    data: str,
    *,
    reading: Reading | None = None,
    votes_table: str | None = None,
    out: Path | None = None,
    overwrite: bool = False,
) -> Path:
    """Label the rows of a table by the student in a folder; the file of labels (default: beside the table) is returned.

    A row each, in the table's order: `row`, its number in the table from 1 on, whatever lines it takes in the file; the table's
    own id; the columns that the student reads; the label, and a probability a class. Where the student reads votes and an item
    has none, the label is empty. Raises UserError where `out` holds something else and `overwrite` is not said.
    """
    student = load(folder)
    table, reading = read_table(data), reading or Reading()
    out = Path(data).with_suffix(".labels.parquet") if out is None else Path(out)
    if out.suffix not in WRITERS:
        raise UserError(f"--out {out}: give a {', '.join(WRITERS)} file")
    silent, read = np.zeros(len(table.lines), bool), {}
    if student.model == VOTES:
        votes = annotations.reread(table, reading, votes_table, student.voters, student.classes)
        probs, silent = student.predict(votes), np.isnan(votes).any(-1).all(0)
    else:
        read = _read(student, table, reading)
        probs = student.predict(_texts(student, table, read))
    import polars as pl

    columns: dict[str, Any] = {"row": range(1, len(table.lines) + 1)}
    if (key := id_column(table, reading)) is not None:
        columns[key] = annotations.carried(table, key)
    columns |= {name: values for name, values in read.values() if name not in columns}
    more = {"label": [None if none else student.classes[c] for c, none in zip(probs.argmax(-1), silent, strict=True)]}
    more |= {f"p_{name}": probs[:, c] for c, name in enumerate(student.classes)}
    columns = {f"{name}_read" if name in more else name: values for name, values in columns.items()} | more
    with disk.guarded(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        part = out.with_name(f"{out.name}.part")
        getattr(pl.DataFrame(columns), WRITERS[out.suffix])(part)
        if out.exists() and not overwrite and (not out.is_file() or disk.sha256(out) != disk.sha256(part)):
            part.unlink()
            raise UserError(
                f"--out {out}: there is something else of that name; give another file, or --overwrite if it may go"
            )
        part.replace(out)
    return out


WRITERS = {".parquet": "write_parquet", ".csv": "write_csv", ".jsonl": "write_ndjson"}


def _read(student: Any, table: TableFile, reading: Reading) -> dict[str, tuple[str, list[str]]]:
    """By field what the student reads: the column's name here, and its texts. Raises UserError for a column that is missing."""
    found = {}
    for field in compiled(student.template).fields:
        column = getattr(reading, field, None) or student.columns.get(field, field)
        if column not in table.names:
            flag = f" (or name its column here with --{field})" if field in student.columns else ""
            raise UserError(
                f"{table.name}: no column {column!r}, which the student reads{flag}; the columns are {', '.join(table.names)}"
            )
        found[field] = (column, texts(table, column))
    return found


def _texts(student: Any, table: TableFile, fields: dict[str, tuple[str, list[str]]]) -> list[str]:
    """What the student reads of every row. Raises UserError for rows without text."""
    template = compiled(student.template)
    read = [template.render({name: values[i] for name, (_, values) in fields.items()}) for i in range(len(table.lines))]
    if empty := [i for i, text in enumerate(read) if blank(text)]:
        raise UserError(f"{table.name}: no text in {table.places(empty)}: mend the rows, or leave them out")
    return read


def _enough(given: Annotations, votes: Votes) -> None:
    name = given.task.name
    if not len(votes.item):
        raise UserError(f"{name}: every vote is empty: nobody says anything to learn from")
    own = given.task.side[votes.item] != TEST
    if (teaching := len(np.unique(votes.item[own]))) < FEWEST:
        raise UserError(f"{name}: {teaching} items have a vote: give at least {FEWEST}")
    total = votes.said[own].sum(0)
    if (total > 0).sum() < 2:
        raise UserError(
            f"{name}: every vote is for {given.task.classes[int(total.argmax())]!r}: a student needs votes for two classes or more"
        )


def _answers(probs: np.ndarray) -> np.ndarray:
    """Class numbers of probabilities (..., C), -1 where there are none."""
    return np.where(np.isnan(probs).any(-1), -1, np.nan_to_num(probs, nan=-1.0).argmax(-1))


def _voters(taught: CrossFit, student: np.ndarray) -> dict[str, Any]:
    """Each voter, and each pair of the first dozen, by what needs no gold."""
    task, votes = taught.data.task, taught.votes
    count, covered = np.bincount(votes.worker, minlength=votes.workers), np.bincount(votes.item, minlength=len(task))
    order = np.sort(np.argsort(-count, kind="stable")[:SHOWN])
    answers = np.stack([_answers(taught.voter(j)) for j in order])
    found = agreement_of(answers, len(task.classes), task.groups, derive(taught.seed, "learn", "voters"))
    rows = []
    for at, j in enumerate(order):
        spoke, said = answers[at] >= 0, int(count[j])
        known = not np.isnan(found.accuracy[at])
        rows.append({
            "name": taught.names[j], "votes": said, "coverage": said / len(task),
            "says": {name: int((answers[at] == c).sum()) / max(said, 1) for c, name in enumerate(task.classes)},
            "estimated": float(found.accuracy[at]) if known else None,
            "estimated_ci": [float(found.low[at]), float(found.high[at])] if known else None,
            "student": float((_answers(student) == answers[at])[spoke].mean()) if said else None,
        })  # fmt: skip
    same = [[None if np.isnan(share) else float(share) for share in line[:PAIRED]] for line in found.same[:PAIRED]]
    return {
        "count": votes.workers,
        "rows": rows,
        "same": same,
        "together": found.together[:PAIRED, :PAIRED].astype(int).tolist(),
        "covered": float((covered > 0).mean()),
        "twice": float((covered > 1).mean()),
    }


def _trust(taught: CrossFit, student: np.ndarray, belief: np.ndarray) -> dict[str, Any]:
    """How far the student and the label model agree on items that did not teach it, and how sure it is there."""
    task, said = taught.data.task, _answers(belief)
    heard = said >= 0
    same = ((_answers(student) == said) & heard).astype(np.float64)
    estimate, table = single({"same": Score(same[None], heard.astype(np.float64), task.groups)}, {"same": 1})
    sure, bins = student.max(-1), []
    edges = np.quantile(sure[heard], np.linspace(0, 1, 6))
    for low, high in itertools.pairwise(edges):
        inside = heard & (sure >= low) & ((sure < high) | (high == edges[-1]))
        if inside.any():
            bins.append(
                {"sure": float(sure[inside].mean()), "same": float(same[inside].mean()), "count": int(inside.sum())}
            )
    shares = np.bincount(said[heard], minlength=len(task.classes)) / heard.sum()
    voted_for = np.bincount(taught.votes.said.argmax(1), minlength=len(task.classes)) / len(taught.votes.item)
    given = np.bincount(_answers(student), minlength=len(task.classes)) / len(task)
    return {
        "same": estimate.value,
        "same_ci": share_ci(estimate, table),
        "items": int(heard.sum()),
        "silent": int((~heard).sum()),
        "bins": bins,
        "commonest": float(shares.max()),
        "labels": {name: float(share) for name, share in zip(task.classes, given, strict=True)},
        "heard": {name: float(share) for name, share in zip(task.classes, shares, strict=True)},
        "votes": {name: float(share) for name, share in zip(task.classes, voted_for, strict=True)},
        "lost": [
            name for name, share, votes in zip(task.classes, given, voted_for, strict=True) if share < LOST * votes
        ],
    }


def _findings(taught: CrossFit, space: Any) -> list[dict[str, Any]]:
    """What audits find in the votes that a person should act on, the gravest first."""
    from outgrow.audits import examine
    from outgrow.audits.vote_tables import of_annotations

    features = space.read(space.features[-1]).numpy() if isinstance(space, Space) else None
    return [asdict(found) for found in examine(of_annotations(taught.data, taught.asked_all, features)) if found.do]


def _verdict(taught: CrossFit, student: np.ndarray, belief: np.ndarray) -> dict[str, Any]:
    """What gold says of every voter, of majority and label model, and of the student, on the same items."""
    task, gold = taught.data.task, taught.data.gold.labels
    own = taught.fold == 0
    judged = (gold >= 0) & own
    if not (by_split := judged.sum() >= FEWEST):
        judged = (gold >= 0) & ~own
    differ = float((_answers(student) != _answers(belief)).mean())
    facts: dict[str, Any] = {
        "gold": int((gold >= 0).sum()),
        "judged": int(judged.sum()),
        "own_split": bool(by_split),
        "differ": differ,
        "gain": GAIN,
    }
    if judged.sum() < FEWEST:
        return facts | {"needed": needed(differ, GAIN)}
    truth, groups, ones = gold[judged], task.groups[judged], np.ones(int(judged.sum()))
    common, floor = filled_by(taught, judged), taught.floor
    own_score = accuracy(student[None, judged], truth, ones, groups)

    def row(kind: str, name: str, probs: np.ndarray) -> dict[str, Any]:
        return _row(
            (kind, name),
            *(accuracy(p[None, judged], truth, ones, groups) for p in (probs, common(probs))),
            own_score,
            ~np.isnan(probs[judged]).any(-1),
        )

    joint = {}
    if len(taught.names) > 1:
        majority = taught.believed("majority")
        joint["majority", "majority"] = majority
        joint["label model", f"label model: {taught.label_model}"] = belief
        for name in label_models.registry():
            if name not in ("majority", taught.label_model):
                joint["other label model", f"label model: {name}"] = taught.believed(name)
        joint = _different(joint)
    rows = [row(*key, probs) for key, probs in joint.items()]
    voters = [row("voter", name, taught.voter(j)) for j, name in enumerate(taught.names)]
    best = max(voters, key=lambda row: row["accuracy"])
    kept = sorted(voters, key=lambda row: -row["accuracy"])[:SHOWN]
    base = row(
        "floor",
        taught.names[0] if len(taught.names) == 1 else f"label model: {counted(floor.names, 'items with gold')}",
        floor.probs,
    )
    estimate, table = single({"it": own_score}, {"it": 1})
    shown = {"kind": "student", "name": "student", "accuracy": estimate.value, "accuracy_ci": share_ci(estimate, table)}
    met = agreement(student[None, judged], belief[None, judged], truth, ones, groups, 0.0)
    calibrated = calibration(student[None, judged], truth, ones, groups, 0.0)
    commonest = float(np.bincount(truth).max() / len(truth))
    return facts | {
        "rows": [shown, base, *rows, *kept], "best": best["name"], "commonest": commonest,
        "repeats": {"right": met.when_right, "wrong": met.when_wrong},
        "calibration": {"ece": calibrated.ece, "bins": [asdict(b) for b in calibrated.bins]},
    }  # fmt: skip


def _canary(taught: CrossFit, recipe: Method, before: np.ndarray) -> dict[str, Any]:
    """What the canary says of the method: run once more while gold is permuted that replicate HIDING must not see, or why it was not.

    Gold of a fold and of the test items, where it is known; `before` (N, C) is what that replicate predicted.
    """
    if taught.head in KINDS:
        return {"passed": None, "says": "not asked: a fine-tuned student would be trained twice"}
    hidden = ~taught.train[HIDING] & (taught.data.gold.labels >= 0)
    among = len(np.unique(taught.data.gold.labels[hidden]))
    if hidden.sum() < FEWEST or among < 2:
        needs = f"{FEWEST} items with gold, of two classes or more, among those whose gold the compared student must not see"
        there = f"{hidden.sum()}{', all of one class' if hidden.sum() > 1 and among < 2 else ''}"
        return {
            "passed": None,
            "says": f"not asked: it needs {needs} (a fifth of all, and the data's own test split), and there are {there}",
        }
    progress.say(f"the canary: {recipe.name} once more, while gold of {hidden.sum():,} items is permuted")

    def again() -> np.ndarray:
        taught.forget()
        return recipe.fit(taught, **recipe.parameters).predict()[HIDING]

    began = time.time()
    found = canary.sung(Seal(taught.data.gold, "labels"), hidden, again, before, taught.seed, "learn", recipe.name)
    taught.forget()
    verdict = controls.canary({recipe.name: controls.CanaryResult(**found)})
    return {"passed": verdict.passed, "says": verdict.says, **found, "seconds": time.time() - began}


def _ties(probs: np.ndarray) -> np.ndarray:
    """(N, C): the classes that are likeliest."""
    return np.nan_to_num(probs) >= np.nan_to_num(probs).max(-1, keepdims=True) - 1e-6


def filled_by(taught: CrossFit, judged: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Silence as the commonest class that was known where an item is judged: (N, C) to (N, C)."""
    answer = np.eye(len(taught.data.task.classes), dtype=np.float32)[taught.commonest[taught.fold]]
    return lambda probs: np.where(np.isnan(probs).any(-1, keepdims=True), answer, probs)


def _different(joint: dict[tuple[str, str], np.ndarray]) -> dict[tuple[str, str], np.ndarray]:
    """Each label model once: one that answers as an earlier one does is left out, and named with majority or the one that taught."""
    kept: dict[tuple[str, str], np.ndarray] = {}
    for (kind, name), probs in joint.items():
        same = next((key for key, other in kept.items() if np.array_equal(_ties(other), _ties(probs))), None)
        if same is None:
            kept[kind, name] = probs
        elif same[0] == "majority" and kind == "label model":
            kept = {
                (k, f"{n} (and {name.partition(': ')[2]})" if (k, n) == same else n): p for (k, n), p in kept.items()
            }
    return kept


def _row(key: tuple[str, str], score: Score, common: Score, student: Score, spoke: np.ndarray) -> dict[str, Any]:
    """One labeller against the student: on all items, where silence is a guess or the commonest class, and on those where it spoke.

    `gain` is over the better of the two ways to count silence.
    """
    guess, other = score, common
    if other.value > guess.value:
        score = other
    estimate, table = single({"it": score}, {"it": 1})
    gain, _ = single({"student": student, "it": score}, {"student": 1, "it": -1})
    row: dict[str, Any] = {
        "kind": key[0], "name": key[1], "accuracy": estimate.value, "accuracy_ci": share_ci(estimate, table),
        "gain": gain.value, "gain_ci": gain.ci, "spoke": float(spoke.mean()),
    }  # fmt: skip
    if gain.value and gain.ci and gain.ci[0] <= 0 <= gain.ci[1]:
        row["needed"] = needed(float(np.abs(student.num - score.num).mean()), abs(gain.value))
    if not spoke.all():
        row |= {"as_guess": guess.value, "as_commonest": other.value}
    if spoke.any() and not spoke.all():
        there = {
            name: replace(s, num=s.num * spoke, den=s.den * spoke) for name, s in (("it", guess), ("student", student))
        }
        gain, table = single(there, {"student": 1, "it": -1})
        row["where"] = {
            "accuracy": float(table.mean[0]),
            "student": float(table.mean[1]),
            "gain": gain.value,
            "gain_ci": gain.ci,
        }
    return row


def _suggested(taught: CrossFit, student: np.ndarray, belief: np.ndarray, count: int) -> list[dict[str, Any]]:
    """The items whose gold would help most, those of one group spread out.

    Query by committee of two, the student and the label model: the entropy of their mean, which is the mean of their
    entropies and the Jensen-Shannon divergence between them (McCallum & Nigam 1998). Items with gold are not asked for.
    """
    task, table = taught.data.task, taught.data.table
    heard = np.where(np.isnan(belief), 1 / len(task.classes), belief)
    mean = (student + heard) / 2
    score = -(mean * np.log(np.maximum(mean, 1e-12))).sum(-1) / np.log(len(task.classes))
    open_items = np.flatnonzero((taught.data.gold.labels < 0) & (task.side != TEST))
    order = open_items[np.lexsort((task.ids[open_items], -score[open_items]))]
    turn, seen = [], {}
    for i in order:
        seen[task.groups[i]] = seen.get(task.groups[i], -1) + 1
        turn.append(seen[task.groups[i]])
    picked = order[np.argsort(turn, kind="stable")][:count]
    key = id_column(table, taught.data.reading)
    ids = table.column(key) if key else [None] * len(table.lines)
    return [
        {
            "id": ids[taught.data.row[i]],
            "row": int(taught.data.row[i]) + 1,
            "text": task.texts[i][0],
            "score": round(float(score[i]), 4),
            "student": task.classes[int(student[i].argmax())],
            "label_model": task.classes[int(belief[i].argmax())] if not np.isnan(belief[i]).any() else "",
        }
        for i in picked
    ]


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ["id", "row", "score", "student", "label_model", "text"])
    writer.writeheader()
    writer.writerows(rows)
    disk.write(path, text.getvalue())


def told(folder: Path) -> str:
    """The report's answer in a few lines, and where everything is."""
    from outgrow.report import learn as learned

    facts = learned.read(folder)
    found = learned.headline(facts)
    files = [("student", folder), ("suggestions", folder / "suggest.csv"), ("report", folder / "report.html")]
    failed = [f"CONTROL FAILED: canary: {facts['canary']['says']}"] if learned.failed(facts) else []
    return "\n".join(
        [*failed, f"{found.label}.", found.plain, *(f"{what}: {path}" for what, path in files if path.exists())]
    )
