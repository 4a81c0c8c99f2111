"""A student in a folder: what it takes to label new texts, and none of its training data.

    student.json           model (name, digest, revision), layers, precision, classes, template, columns, training
    student.safetensors    for each head the centre and rotation of its axes, and its weights

    student = outgrow.load("student/")
    student.predict(["one text", "another"])     # (2, C) probabilities, in the order of student.classes

A fine-tuned student's folder is a checkpoint of `transformers` and student.json: its weights are model.safetensors.

A student whose model is "votes" reads the annotators' votes in place of a text: one indicator for every (annotator,
class), the family of linear functions that contains the posteriors of Dawid & Skene.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np

from outgrow import models
from outgrow.core import records
from outgrow.core.errors import UserError
from outgrow.label_models._votes import Votes
from outgrow.losses._names import loss_of, record_of
from outgrow.store import Store, disk, record
from outgrow.students.ensemble import Choice, Pool, pooled
from outgrow.students.saved_text import TEXT, SavedGenerator, load_text
from outgrow.training.classifier import KINDS

FORMAT = 2
"""The `format` of a student.json of before it had a version."""
FACTS, ARRAYS, CHECKPOINT = "student.json", "student.safetensors", "model.safetensors"
VOTES = "votes"
"""The model name of a student that reads votes."""


@final
@dataclass(frozen=True, kw_only=True)
class StudentFile:
    """student.json: `SavedStudent` without its arrays."""

    classes: tuple[str, ...]
    model: str
    digest: str
    revision: str
    pooling: str
    precision: str
    head: str
    heads: tuple[dict[str, Any], ...]
    voters: tuple[str, ...]
    template: str
    columns: dict[str, str]
    words: tuple[str, ...]
    taught: dict[str, Any]
    sha256: str
    """Of the file of weights."""


SHARED = tuple(field.name for field in fields(StudentFile) if field.name != "sha256")
"""What a student and its file have in common."""


@final
@dataclass(frozen=True, kw_only=True)
class SavedStudent:
    """A student that labels texts: a head on a layer of a checkpoint, a pool of such, or a checkpoint of its own."""

    classes: tuple[str, ...]
    model: str
    """The checkpoint's name, and what pins its bytes."""
    digest: str
    revision: str
    pooling: str
    precision: str
    head: str
    """"linear" or "mlp"; "lora" or "full" of a fine-tuned student."""
    heads: tuple[Mapping[str, Any], ...]
    """For each head its layer, the share of its log odds, and file, class and fields of its loss."""
    voters: tuple[str, ...]
    """The annotators, in the order in which a student of votes reads them."""
    template: str
    """How columns become the text that the model reads, and which column plays which role."""
    columns: Mapping[str, str]
    words: tuple[str, ...]
    """The word of each class, as a language model would answer it."""
    taught: Mapping[str, Any]
    """Method, label model and number of items: for the record."""
    arrays: Mapping[str, np.ndarray]
    """By the head's number and a name; empty for a fine-tuned student."""
    folder: Path | None = None
    """Where the student is."""

    def predict(self, texts: Sequence[str] | np.ndarray) -> np.ndarray:
        """Class probabilities of new items.

        Args:
            texts: n texts, as the template makes them; for a student of votes the votes (annotators, n, C), NaN for
                an abstention.

        Returns:
            (n, C) float32, in the order of `classes`.

        Raises:
            UserError: the checkpoint of that name is another one than the student was trained on.
        """
        if isinstance(texts, str):
            raise TypeError("texts: give a list of texts, not one text")
        if not len(texts):
            return np.empty((0, len(self.classes)), np.float32)
        if self.head in KINDS:
            return self._tuned(list(texts))
        layers = tuple(sorted({head["layer"] for head in self.heads}))
        x = dict(zip(layers, self._read(texts, layers), strict=True))
        return pooled(
            [self._said(m, x[head["layer"]]) for m, head in enumerate(self.heads)],
            [head["share"] for head in self.heads],
        )

    def _tuned(self, texts: Sequence[str]) -> np.ndarray:
        from outgrow.students.finetune import Texts

        store = Store.default()
        read = Texts(models.resolve(str(self.folder), store), tuple((text,) for text in texts), self.classes, store)
        return read.probs(None, loss_of(self.heads[0]["objective"]))

    def _read(self, texts: Sequence[str] | np.ndarray, layers: tuple[int, ...]) -> Sequence[np.ndarray]:
        """The features (n, D) of every layer."""
        if self.model == VOTES:
            return [indicators(np.asarray(texts))] * len(layers)
        read = models.features(
            self._checkpoint,
            list(texts),
            Store.default(),
            layers=layers,
            pooling=self.pooling,
            precision=self.precision,
        )
        return list(read.x)

    def _said(self, number: int, x: np.ndarray) -> np.ndarray:
        """Probabilities (n, C) of one head for features (n, D)."""
        import torch

        from outgrow.students import linear, mlp

        at = {
            name.partition(".")[2]: torch.from_numpy(np.array(value))
            for name, value in self.arrays.items()
            if name.partition(".")[0] == str(number)
        }
        head = linear.Heads(at["weights"]) if self.head == "linear" else mlp.Networks(at["first"], at["second"])
        axes = torch.zeros(at["weights"].shape[-1] if self.head == "linear" else at["first"].shape[-2])
        basis = linear.Basis(torch.empty(0, len(axes)), axes, axes, at["centre"], at["turn"])
        logits = head.logits(basis.project(torch.from_numpy(np.array(x))))[0]
        return loss_of(self.heads[number]["objective"]).read(logits).numpy()

    @cached_property
    def _checkpoint(self) -> models.Model:
        found = models.resolve(self.model, Store.default())
        if found.digest != self.digest:
            raise UserError(
                f"the student was trained on {self.model} ({self.revision}), and the checkpoint of that name here is "
                f"another one ({found.revision}): bring back the first one, or train the student anew"
            )
        return found


def indicators(votes: np.ndarray | Votes) -> np.ndarray:
    """Votes (J, n, C), or a table of votes, as features (n, J C) float32: 0 where an annotator abstains."""
    if not isinstance(votes, np.ndarray):
        return votes.matrix.astype(np.float32).toarray()
    return np.nan_to_num(votes).transpose(1, 0, 2).reshape(votes.shape[1], -1).astype(np.float32)


def weights(fitted: Any, replicate: int) -> dict[str, Any]:
    """Kind, heads and arrays of one replicate of a fitted student. UserError if they do not fit in one folder."""
    from outgrow.students import finetune
    from outgrow.students.linear import Heads
    from outgrow.students.probe import FittedProbe

    found = members(fitted, replicate)
    if len(found) == 1 and isinstance(tuned := found[0][0], finetune.FittedFinetune):
        run = tuned.runs[replicate]
        return {
            "head": run.kind,
            "heads": ({"layer": run.texts.model.depth, "share": 1.0, "objective": record_of(run.loss)},),
            "arrays": {},
        }
    heads: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    for number, (member, share) in enumerate(found):
        if not isinstance(member, FittedProbe):
            raise UserError(
                f"this method makes a {type(member).__name__}, which cannot be saved: learn with another `method`"
            )
        layer = int(member.settings.layer[replicate])
        basis, (replicates, own) = member.space.basis(layer), next((r, h) for r, h in member.parts if replicate in r)
        at = [int(np.flatnonzero(replicates == replicate)[0])]
        if isinstance(own, Heads):
            kind, kept = "linear", {"weights": own.weights[at]}
        else:
            kind, kept = "mlp", {"first": own.first[at], "second": own.second[at]}
        kept |= {"centre": basis.centre, "turn": basis.turn}
        arrays |= {f"{number}.{name}": np.ascontiguousarray(value.numpy()) for name, value in kept.items()}
        heads.append({"layer": int(member.space.layers[layer]), "share": share, "objective": record_of(member.loss)})
    return {"head": kind, "heads": tuple(heads), "arrays": arrays}


def members(fitted: Any, replicate: int) -> list[tuple[Any, float]]:
    """The students that make up one replicate of an ensemble, each with the share of its log odds."""
    if isinstance(fitted, Choice):
        return members(fitted.members[int(fitted.which[replicate])], replicate)
    if isinstance(fitted, Pool):
        parts = zip(fitted.members, fitted.shares[:, replicate], strict=True)
        return [(one, float(c) * share) for member, c in parts for one, share in members(member, replicate)]
    return [(fitted, 1.0)]


def save(student: SavedStudent, folder: Path, fitted: Any = None) -> None:
    """Write the student; the first replicate of a fine-tuned one.

    The record is written last, so that an interrupted write is recognised.
    """
    from safetensors.numpy import save as encode

    disk.folder(folder)
    with disk.guarded(folder):
        for name in (FACTS, ARRAYS, CHECKPOINT):
            (folder / name).unlink(missing_ok=True)
        if student.head in KINDS:
            members(fitted, 0)[0][0].save(folder)
        else:
            disk.write(folder / ARRAYS, encode(dict(student.arrays)))
        kept = {name: getattr(student, name) for name in SHARED}
        facts = StudentFile(**kept, sha256=disk.sha256(folder / _data(student.head)))
    disk.write(folder / FACTS, record.encode({"version": records.VERSION, **records.dump(facts)}))


def _data(head: str) -> str:
    return CHECKPOINT if head in KINDS else ARRAYS


def kept_by(folder: Path) -> str | None:
    """The method that taught the student in a folder; None where there is no student."""
    try:
        facts = record.decode((folder / FACTS).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    return None if facts is None else facts["taught"].get("method")


def found_in(folder: Path) -> Path:
    """The folder of the student in a run folder; the folder itself where it is a student's, or no run's.

    Raises:
        UserError: there are several students.
    """
    inner = [place.parent for place in sorted([*folder.glob(f"student/{FACTS}"), *folder.glob(f"students/*/{FACTS}")])]
    if (folder / FACTS).exists() or not inner:
        return folder
    if len(inner) > 1:
        raise UserError(f"{folder} holds {len(inner)} students: name one of {', '.join(map(str, inner))}")
    return inner[0]


def load(folder: Path | str) -> SavedStudent | SavedGenerator:
    """The student in its own folder or in the run folder of a study.

    Raises:
        UserError: there is none, or a file is not as it was written.

    Example:
        >>> load("nowhere")
        Traceback (most recent call last):
        ...
        outgrow.core.errors.UserError: no student in nowhere: give the folder that `outgrow learn` ... wrote ...
    """
    from safetensors.numpy import load as decode

    folder = found_in(Path(folder))
    try:
        facts = record.decode((folder / FACTS).read_bytes())
        if facts and facts["head"] == TEXT:
            return load_text(folder, facts)
        data = _data(facts["head"]) if facts else ARRAYS
        found = disk.sha256(folder / data)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"no student in {folder}: give the folder that `outgrow learn` or `outgrow run` wrote "
            f"({FACTS}, and its weights)"
        ) from None
    broken = FACTS if facts is None else data if found != facts.get("sha256") else None
    if facts is None or broken:
        raise UserError(
            f"the student in {folder} is damaged: {broken} is not as it was written; run `outgrow learn` again"
        )
    if "version" not in facts and facts["format"] != FORMAT:
        raise UserError(f"the student in {folder} was written by another version of outgrow: run `outgrow learn` again")
    known = records.load(StudentFile, facts, folder / FACTS)
    arrays = decode((folder / ARRAYS).read_bytes()) if data == ARRAYS else {}
    return SavedStudent(**{name: getattr(known, name) for name in SHARED}, arrays=arrays, folder=folder)
