"""From the user's own votes to a saved student: the practitioner's path.

    table -> votes -> label model -> method -> student -> trust, verdict -> report

Nothing is trained on gold. The student is taught six times at once, as six replicates: once by all items, which is the
one that is saved, and five times with a fifth of the groups left out, so that every item is labelled by a student that
neither its votes nor its likes have taught. What gold there is therefore judges without anything being held back for it;
a label model that asks for skill gets it from the gold of the other fifths.
"""

from __future__ import annotations

import csv
import itertools
import json
import time
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np

from outgrow import labels, methods, models, progress
from outgrow.errors import UserError, unknown
from outgrow.labels import WeakLabels, WeakTrain
from outgrow.measures.accuracy import Score, accuracy
from outgrow.measures.agreement import agreement
from outgrow.measures.calibration import calibration
from outgrow.measures.intervals import share_ci
from outgrow.measures.voters import agreement_of, needed, single
from outgrow.rng import derive
from outgrow.store import Store, disk
from outgrow.students.features import space_of, texts_of
from outgrow.students.finetune import Finetune, Texts
from outgrow.students.network import KINDS
from outgrow.students.probe import HEADS, Probe, Space
from outgrow.students.saved import FACTS, VOTES, Saved, indicators, load, save, weights
from outgrow.tasks import TEST, Reading, voted
from outgrow.tasks.reading import detect
from outgrow.tasks.table import Table
from outgrow.tasks.template import compiled
from outgrow.tasks.values import blank, texts
from outgrow.tasks.voted import Voted

FOLDS = 5
FEWEST = 20
"""Fewest items with a vote, and fewest with gold for a verdict."""
LOST = 0.1
"""A class is lost where the student gives it less than this part of the share that it has of the votes."""
GAIN = 0.02
"""The gain in accuracy for which the report says how much gold would show it."""
SHOWN = 50
"""Voters in the report, those with the most votes."""
PAIRED = 12
"""Voters in its table of agreement."""


@final
@dataclass(frozen=True)
class Taught:
    """What a method may ask for, of six replicates: all items, and all but a fifth of the groups five times."""

    data: Voted
    space: Space | Texts
    """What the student reads: features, or the texts themselves where it is fine-tuned."""
    said: np.ndarray
    """(J, N, C) the votes; NaN over C = abstained."""
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
        said = np.where((self.known >= 0)[:, None, :, None], self.said, np.float32(np.nan))
        return WeakTrain(self.known, WeakLabels(said, self.names, self.label_model))

    @cached_property
    def skill(self) -> np.ndarray | None:
        """(R, J): share of a voter's answers that this gold bears out."""
        if self.weak_train is None:
            return None
        right = self.weak_train.right
        told = ~np.isnan(right)
        return (np.where(told, right, 0).sum(-1) / np.maximum(told.sum(-1), 1)).astype(np.float32) * np.where(told.any(-1), 1, np.float32(np.nan))

    @cached_property
    def weak(self) -> WeakLabels:
        """The votes of the items that teach."""
        return WeakLabels(np.where(self.train[:, None, :, None], self.said, np.float32(np.nan)), self.names, self.label_model, self.skill, self.asked_all)

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
        heard = np.broadcast_to(self.said, (FOLDS + 1, *self.said.shape))
        return self.crossed(WeakLabels(heard, self.names, label_model, self.skill, self.asked_all).beliefs)


def learn(
    data: str, *, reading: Reading | None = None, votes_table: str | None = None, strong: str = "smollm2-135m", method: str | None = None,
    label_model: str = "mean", student: str = "linear", suggest: int = 0, seed: int = 0, out: Path = Path("student"),
) -> Path:  # fmt: skip
    """Teach a student by the votes in a table, save it in the folder `out` with its report, and return the folder.

    Features of the items are kept in the store, so that what was stopped goes on where it was. Raises UserError for what
    the user can mend. `method`: "auto" where none is named; of a fine-tuned student "naive", since auto trains many.
    """
    from outgrow import report
    from outgrow.models.loading import chosen_precision

    began = time.time()
    named, method = method is not None, method or ("auto" if student in HEADS else "naive")
    recipe = methods.find(method)
    labels.find(label_model)
    if student not in (*HEADS, *KINDS):
        raise unknown("kind of student", student, (*HEADS, *KINDS))
    if strong == VOTES and student in KINDS:
        raise UserError(f"--strong {VOTES} is no model that could be fine-tuned: take --student linear or mlp")
    if suggest < 0:
        raise UserError(f"suggest = {suggest}: give a number of items")
    if strong != VOTES:
        models.check(strong)
    given = voted.load(data, reading or Reading(), votes_table, texts=strong != VOTES)
    said = np.stack(list(given.task.votes.values()))
    _enough(given, said)
    _claim(out)
    store = Store.default()
    if strong == VOTES:
        space, made = Space(indicators(said)[None, None], (0,), given.task.side != TEST), {"digest": "", "revision": "what the voters say", "pooling": ""}
    else:
        model = models.resolve(strong, store)
        if model.kind not in ("causal", "encoder"):
            raise UserError(f"{strong!r} is no model that could read new texts: learn with a model's name as --strong")
        space = texts_of(given.task, strong, store) if student in KINDS else space_of(given.task, strong, given.task.side != TEST, store)
        made = {"digest": model.digest, "revision": model.revision, "pooling": "last" if model.kind == "causal" else "mean"}
    taught = Taught(given, space, said, label_model, student, seed, asked_all=votes_table is None)
    progress.say(f"teaching {strong} by {len(said)} voter{'s' if len(said) > 1 else ''} on {int(taught.train[0].sum()):,} items")
    fitted = recipe.fit(taught, **recipe.parameters)
    if fitted is None:
        raise UserError(f"method {method!r} lacks {'; '.join(recipe.lacks(taught))}: learn with another --method")
    probs, belief = taught.crossed(fitted.predict()), taught.believed(label_model)
    columns = detect(given.table.names, given.reading).columns
    kept = weights(fitted, 0)
    save(
        Saved(
            classes=given.task.classes, model=strong, precision=chosen_precision(), template=given.task.template,
            columns={role: name for role, name in columns.items() if role != "label"}, words=given.task.words, voters=taught.names,
            taught={"method": method, "parameters": recipe.parameters, "label_model": label_model, "items": int(taught.train[0].sum())},
            **made, **kept,
        ),
        out, fitted,
    )  # fmt: skip
    wanted = _suggested(taught, probs, belief, suggest)
    if suggest:
        _write_csv(out / "suggest.csv", wanted)
    facts = {
        "task": {"name": given.task.name, "classes": list(given.task.classes), "counts": given.task.counts, "source": given.task.source},
        "voters": _voters(taught, probs),
        "trust": _trust(taught, probs, belief),
        "verdict": _verdict(taught, probs, belief),
        "suggest": wanted[:10],
        "findings": _findings(taught, space),
        "how": {
            "strong": strong, "revision": made["revision"], "layers": sorted({head["layer"] for head in kept["heads"]}), "heads": len(kept["heads"]), "head": kept["head"], "method": method, "named": named, "about": recipe.line,
            "paper": recipe.paper, "label_model": label_model, "taught": int(taught.train[0].sum()), "seconds": time.time() - began,
        },
    }  # fmt: skip
    (out / "learn.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    report.write_learned(out)
    return out


def predict(
    folder: Path, data: str, *, reading: Reading | None = None, votes_table: str | None = None, out: Path | None = None
) -> Path:  # fmt: skip
    """Label the rows of a table by the student in a folder; the file of labels (default: beside the table) is returned.

    A row each, in the table's order: `row` (its place in the file), the table's own id, the label, and a probability a class.
    Where the student reads votes and an item has none, the label is empty.
    """
    student = load(folder)
    table, reading = voted.read(data), reading or Reading()
    out = Path(data).with_suffix(".labels.parquet") if out is None else Path(out)
    if out.suffix not in WRITERS:
        raise UserError(f"--out {out}: give a {', '.join(WRITERS)} file")
    silent = np.zeros(len(table.lines), bool)
    if student.model == VOTES:
        votes = voted.reread(table, reading, votes_table, student.voters, student.classes)
        probs, silent = student.predict(votes), np.isnan(votes).any(-1).all(0)
    else:
        probs = student.predict(_texts(student, table, reading))
    import polars as pl

    columns: dict[str, Any] = {"row": list(table.lines)}
    if (key := voted.id_column(table, reading)) is not None:
        columns[key] = voted.carried(table, key)
    columns["label"] = [None if none else student.classes[c] for c, none in zip(probs.argmax(-1), silent, strict=True)]
    columns |= {f"p_{name}": probs[:, c] for c, name in enumerate(student.classes)}
    with disk.guarded(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        getattr(pl.DataFrame(columns), WRITERS[out.suffix])(out)
    return out


WRITERS = {".parquet": "write_parquet", ".csv": "write_csv", ".jsonl": "write_ndjson"}


def _texts(student: Any, table: Table, reading: Reading) -> list[str]:
    """What the student reads of every row. Raises UserError for a column that is missing, and for rows without text."""
    template, fields = compiled(student.template), {}
    for field in template.fields:
        column = getattr(reading, field, None) or student.columns.get(field, field)
        if column not in table.names:
            flag = f" (or name its column here with --{field})" if field in student.columns else ""
            raise UserError(f"{table.name}: no column {column!r}, which the student reads{flag}; the columns are {', '.join(table.names)}")
        fields[field] = texts(table, column)
    read = [template.render({name: values[i] for name, values in fields.items()}) for i in range(len(table.lines))]
    if empty := [i for i, text in enumerate(read) if blank(text)]:
        raise UserError(f"{table.name}: no text in {table.places(empty)}: mend the rows, or leave them out")
    return read


def _enough(given: Voted, said: np.ndarray) -> None:
    name, spoke = given.task.name, ~np.isnan(said).any(-1)
    if not spoke.any():
        raise UserError(f"{name}: every vote is empty: nobody says anything to learn from")
    teaching = spoke.any(0) & (given.task.side != TEST)
    if teaching.sum() < FEWEST:
        raise UserError(f"{name}: {int(teaching.sum())} items have a vote: give at least {FEWEST}")
    total = np.nansum(said[:, teaching], (0, 1))
    if (total > 0).sum() < 2:
        raise UserError(f"{name}: every vote is for {given.task.classes[int(total.argmax())]!r}: a student needs votes for two classes or more")


def _claim(out: Path) -> None:
    """Make the folder, or say why it cannot be one."""
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out}: there is a file of that name; give a folder")
    if out.is_dir() and any(out.iterdir()) and not any((out / name).exists() for name in ("learn.json", FACTS)):
        raise UserError(f"--out {out}: the folder holds other things; give an empty or a new one")
    disk.folder(out)
    with disk.guarded(out):
        (out / "learn.json").write_text("{}\n")


def _answers(probs: np.ndarray) -> np.ndarray:
    """Class numbers of probabilities (..., C), -1 where there are none."""
    return np.where(np.isnan(probs).any(-1), -1, np.nan_to_num(probs, nan=-1.0).argmax(-1))


def _voters(taught: Taught, student: np.ndarray) -> dict[str, Any]:
    """Each voter, and each pair of the first dozen, by what needs no gold."""
    task, answers = taught.data.task, _answers(taught.said)
    order = np.argsort(-(answers >= 0).sum(1), kind="stable")[:SHOWN]
    order = np.sort(order) if len(answers) <= SHOWN else order
    found = agreement_of(answers[order], len(task.classes), task.groups, derive(taught.seed, "learn", "voters"))
    rows = []
    for at, j in enumerate(order):
        spoke = answers[j] >= 0
        votes = int(spoke.sum())
        known = not np.isnan(found.accuracy[at])
        rows.append({
            "name": taught.names[j], "votes": votes, "coverage": votes / len(task),
            "says": {name: int((answers[j] == c).sum()) / max(votes, 1) for c, name in enumerate(task.classes)},
            "estimated": float(found.accuracy[at]) if known else None,
            "estimated_ci": [float(found.low[at]), float(found.high[at])] if known else None,
            "student": float((_answers(student) == answers[j])[spoke].mean()) if votes else None,
        })  # fmt: skip
    same = [[None if np.isnan(share) else float(share) for share in line[:PAIRED]] for line in found.same[:PAIRED]]
    covered = (answers >= 0).sum(0)
    return {
        "count": len(answers), "rows": rows, "same": same, "together": found.together[:PAIRED, :PAIRED].astype(int).tolist(),
        "covered": float((covered > 0).mean()), "twice": float((covered > 1).mean()),
    }  # fmt: skip


def _trust(taught: Taught, student: np.ndarray, belief: np.ndarray) -> dict[str, Any]:
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
            bins.append({"sure": float(sure[inside].mean()), "same": float(same[inside].mean()), "count": int(inside.sum())})
    shares = np.bincount(said[heard], minlength=len(task.classes)) / heard.sum()
    votes = _answers(taught.said)
    voted_for = np.bincount(votes[votes >= 0], minlength=len(task.classes)) / (votes >= 0).sum()
    given = np.bincount(_answers(student), minlength=len(task.classes)) / len(task)
    return {
        "same": estimate.value, "same_ci": share_ci(estimate, table), "items": int(heard.sum()), "silent": int((~heard).sum()), "bins": bins,
        "commonest": float(shares.max()), "labels": {name: float(share) for name, share in zip(task.classes, given, strict=True)},
        "heard": {name: float(share) for name, share in zip(task.classes, shares, strict=True)},
        "votes": {name: float(share) for name, share in zip(task.classes, voted_for, strict=True)},
        "lost": [name for name, share, votes in zip(task.classes, given, voted_for, strict=True) if share < LOST * votes],
    }  # fmt: skip


def _findings(taught: Taught, space: Any) -> list[dict[str, Any]]:
    """What audits find in the votes that a person should act on, the gravest first."""
    from outgrow.audit import heard
    from outgrow.audits import examine

    features = space.read(space.features[-1]).numpy() if isinstance(space, Space) else None
    return [asdict(found) for found in examine(heard(taught.data, taught.asked_all, features)) if found.do]


def _verdict(taught: Taught, student: np.ndarray, belief: np.ndarray) -> dict[str, Any]:
    """What gold says of every voter, of majority and label model, and of the student, on the same items."""
    task, gold = taught.data.task, taught.data.gold.labels
    own = taught.fold == 0
    judged = (gold >= 0) & own
    if not (by_split := judged.sum() >= FEWEST):
        judged = (gold >= 0) & ~own
    differ = float((_answers(student) != _answers(belief)).mean())
    facts: dict[str, Any] = {"gold": int((gold >= 0).sum()), "judged": int(judged.sum()), "own_split": bool(by_split), "differ": differ, "gain": GAIN}
    if judged.sum() < FEWEST:
        return facts | {"needed": needed(differ, GAIN)}
    truth, groups, ones = gold[judged], task.groups[judged], np.ones(int(judged.sum()))
    voices = {("voter", name): taught.said[j] for j, name in enumerate(taught.names)}
    majority = taught.believed("majority")
    joint = {}
    if len(taught.said) > 1:
        alike = np.array_equal(_answers(majority), _answers(belief)) and np.array_equal(_ties(majority), _ties(belief))
        joint["majority", f"majority (and {taught.label_model})" if alike else "majority"] = majority
        if not alike:
            joint["label model", f"label model: {taught.label_model}"] = belief
        for name in labels.registry():
            other = taught.believed(name)
            if not any(np.array_equal(_ties(other), _ties(known)) for known in joint.values()):
                joint["other label model", f"label model: {name}"] = other
    scored = {key: accuracy(p[None, judged], truth, ones, groups) for key, p in (voices | joint | {("student", "student"): student}).items()}
    rows = [_row(key, scored[key], scored["student", "student"], ~np.isnan(p[judged]).any(-1)) for key, p in (voices | joint).items()]
    voters = [row for row in rows if row["kind"] == "voter"]
    best = max(voters, key=lambda row: row["accuracy"])
    kept = sorted(voters, key=lambda row: -row["accuracy"])[:SHOWN]
    estimate, table = single({"it": scored["student", "student"]}, {"it": 1})
    shown = {"kind": "student", "name": "student", "accuracy": estimate.value, "accuracy_ci": share_ci(estimate, table)}
    met = agreement(student[None, judged], belief[None, judged], truth, ones, groups, 0.0)
    calibrated = calibration(student[None, judged], truth, ones, groups, 0.0)
    commonest = float(np.bincount(truth).max() / len(truth))
    return facts | {
        "rows": [shown, *(row for row in rows if row["kind"] != "voter"), *kept], "best": best["name"], "commonest": commonest,
        "repeats": {"right": met.when_right, "wrong": met.when_wrong},
        "calibration": {"ece": calibrated.ece, "bins": [asdict(b) for b in calibrated.bins]},
    }  # fmt: skip


def _ties(probs: np.ndarray) -> np.ndarray:
    """(N, C): the classes that are likeliest."""
    return np.nan_to_num(probs) >= np.nan_to_num(probs).max(-1, keepdims=True) - 1e-6


def _row(key: tuple[str, str], score: Score, student: Score, spoke: np.ndarray) -> dict[str, Any]:
    """One labeller against the student: on all items, where silence is a guess, and on those where it spoke."""
    estimate, table = single({"it": score}, {"it": 1})
    gain, _ = single({"student": student, "it": score}, {"student": 1, "it": -1})
    row: dict[str, Any] = {
        "kind": key[0], "name": key[1], "accuracy": estimate.value, "accuracy_ci": share_ci(estimate, table),
        "gain": gain.value, "gain_ci": gain.ci, "spoke": float(spoke.mean()),
    }  # fmt: skip
    if gain.value and gain.ci and gain.ci[0] <= 0 <= gain.ci[1]:
        row["needed"] = needed(float(np.abs(student.num - score.num).mean()), abs(gain.value))
    if spoke.any() and not spoke.all():
        there = {name: replace(s, num=s.num * spoke, den=s.den * spoke) for name, s in (("it", score), ("student", student))}
        gain, table = single(there, {"student": 1, "it": -1})
        row["where"] = {"accuracy": float(table.mean[0]), "student": float(table.mean[1]), "gain": gain.value, "gain_ci": gain.ci}
    return row


def _suggested(taught: Taught, student: np.ndarray, belief: np.ndarray, count: int) -> list[dict[str, Any]]:
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
    key = voted.id_column(table, taught.data.reading)
    ids = table.column(key) if key else [None] * len(table.lines)
    return [
        {
            "id": ids[taught.data.row[i]], "row": table.lines[taught.data.row[i]], "text": task.texts[i][0], "score": round(float(score[i]), 4),
            "student": task.classes[int(student[i].argmax())], "label_model": task.classes[int(belief[i].argmax())] if not np.isnan(belief[i]).any() else "",
        }
        for i in picked
    ]  # fmt: skip


def _write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with disk.guarded(path), path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["id", "row", "score", "student", "label_model", "text"])
        writer.writeheader()
        writer.writerows(rows)


def told(folder: Path) -> str:
    """The report's answer in a few lines, and where everything is."""
    from outgrow.report import learned

    found = learned.headline(learned.read(folder))
    files = [("student", folder), ("suggestions", folder / "suggest.csv"), ("report", folder / "report.html")]
    return "\n".join([f"{found.label}.", found.plain, *(f"{what}: {path}" for what, path in files if path.exists())])
