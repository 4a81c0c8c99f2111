"""A student in a folder: what it takes to label new texts, and nothing of the data that taught it.

    student.json           model (name, digest, revision), layers, precision, classes, template, columns, how it was taught
    student.safetensors    of each of its heads, centre and turn of its axes, and the weights in them

    student = outgrow.load("student/")
    student.predict(["one text", "another"])     # (2, C) probabilities, in the order of student.classes

A fine-tuned student's folder is a checkpoint of `transformers` and student.json: its weights are model.safetensors.

A student whose model is "votes" reads what its voters say of an item, in the place of a text: one indicator for every
(voter, class), the family of linear functions in which the posteriors of Dawid & Skene lie.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np

from outgrow import models
from outgrow.core.errors import UserError
from outgrow.label_models._votes import Votes
from outgrow.store import Store, disk, record
from outgrow.students.ensemble import Choice, Pool, pooled
from outgrow.students.saved_text import TEXT, SavedGenerator, load_text
from outgrow.training.classifier import KINDS

FORMAT = 2
"""Goes up when the same files would mean something else."""
FACTS, ARRAYS, CHECKPOINT = "student.json", "student.safetensors", "model.safetensors"
VOTES = "votes"
"""The name in the place of a model's that means: the votes themselves."""


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
    """Of each: its layer, the share of its log odds, and file, class and fields of its loss, which says what its logits mean."""
    voters: tuple[str, ...]
    """Those who taught it, in the order in which a student of votes reads them."""
    template: str
    """How columns become what the model reads, and which column plays which role."""
    columns: Mapping[str, str]
    words: tuple[str, ...]
    """What a language model would answer for each class."""
    taught: Mapping[str, Any]
    """Method, label model and number of items: for the record."""
    arrays: Mapping[str, np.ndarray]
    """By the head's number and a name; none of a fine-tuned student."""
    folder: Path | None = None
    """Where it lies."""

    def predict(self, texts: Sequence[str] | np.ndarray) -> np.ndarray:
        """Probabilities (n, C) float32 of the texts, as the template makes them; of a student of votes, of the votes
        (voters, n, C), NaN where one abstains. Raises UserError where the checkpoint is another.
        """
        if isinstance(texts, str):
            raise TypeError("texts: give a list of texts, not one text")
        if not len(texts):
            return np.empty((0, len(self.classes)), np.float32)
        if self.head in KINDS:
            return self._tuned(texts)
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
        return read.probs(None, _objective(self.heads[0]))

    def _read(self, texts: Sequence[str] | np.ndarray, layers: tuple[int, ...]) -> Sequence[np.ndarray]:
        """The features (n, D) of every layer."""
        if self.model == VOTES:
            return [indicators(texts)] * len(layers)
        return models.features(
            self._checkpoint,
            list(texts),
            Store.default(),
            layers=layers,
            pooling=self.pooling,
            precision=self.precision,
        ).x

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
        return _objective(self.heads[number]).read(head.logits(basis.project(torch.from_numpy(np.array(x))))[0]).numpy()

    @cached_property
    def _checkpoint(self) -> models.Model:
        found = models.resolve(self.model, Store.default())
        if found.digest != self.digest:
            raise UserError(
                f"the student was taught on {self.model} ({self.revision}), and what has that name here is another checkpoint "
                f"({found.revision}): bring back the first one, or teach the student anew"
            )
        return found


def indicators(votes: np.ndarray | Votes) -> np.ndarray:
    """Votes (J, n, C), or a vote a row, as features (n, J C) float32: 0 where a voter abstains."""
    if not isinstance(votes, np.ndarray):
        return votes.matrix.astype(np.float32).toarray()
    return np.nan_to_num(votes).transpose(1, 0, 2).reshape(votes.shape[1], -1).astype(np.float32)


def weights(fitted: Any, replicate: int) -> dict[str, Any]:
    """Kind, heads and arrays of one replicate of a fitted student. Raises UserError for what cannot be kept in one folder."""
    from outgrow.students import finetune
    from outgrow.students.linear import Heads
    from outgrow.students.probe import FittedProbe

    found = members(fitted, replicate)
    if len(found) == 1 and isinstance(tuned := found[0][0], finetune.FittedFinetune):
        run = tuned.runs[replicate]
        return {
            "head": run.kind,
            "heads": ({"layer": run.texts.model.depth, "share": 1.0, "objective": _named(run.loss)},),
            "arrays": {},
        }
    heads, arrays = [], {}
    for number, (member, share) in enumerate(found):
        if not isinstance(member, FittedProbe):
            raise UserError(
                f"this method makes a {type(member).__name__}, which cannot be saved: learn with another --method"
            )
        layer = int(member.settings.layer[replicate])
        basis, (replicates, own) = member.space.basis(layer), next((r, h) for r, h in member.parts if replicate in r)
        at = [int(np.flatnonzero(replicates == replicate)[0])]
        kind = "linear" if isinstance(own, Heads) else "mlp"
        kept = {"weights": own.weights[at]} if kind == "linear" else {"first": own.first[at], "second": own.second[at]}
        kept |= {"centre": basis.centre, "turn": basis.turn}
        arrays |= {f"{number}.{name}": np.ascontiguousarray(value.numpy()) for name, value in kept.items()}
        heads.append({"layer": int(member.space.layers[layer]), "share": share, "objective": _named(member.loss)})
    return {"head": kind, "heads": tuple(heads), "arrays": arrays}


def members(fitted: Any, replicate: int) -> list[tuple[Any, float]]:
    """The students that a replicate's is made of, and the share of each one's log odds."""
    if isinstance(fitted, Choice):
        return members(fitted.members[int(fitted.which[replicate])], replicate)
    if isinstance(fitted, Pool):
        parts = zip(fitted.members, fitted.shares[:, replicate], strict=True)
        return [(one, float(c) * share) for member, c in parts for one, share in members(member, replicate)]
    return [(fitted, 1.0)]


def _objective(head: Mapping[str, Any]) -> Any:
    module = importlib.import_module(f"outgrow.losses.{head['objective']['file']}")
    return getattr(module, head["objective"]["class"])(**head["objective"]["fields"])


def _named(aim: Any) -> dict[str, Any]:
    where = {"file": type(aim).__module__.rpartition(".")[2], "class": type(aim).__name__}
    return where | {"fields": {f.name: getattr(aim, f.name) for f in fields(aim)}}


def save(student: SavedStudent, folder: Path, fitted: Any = None) -> None:
    """Write the student, a fine-tuned one by its first replicate; the record comes last, so that an interrupted write is seen as one."""
    from safetensors.numpy import save as encode

    disk.folder(folder)
    with disk.guarded(folder):
        for name in (FACTS, ARRAYS, CHECKPOINT):
            (folder / name).unlink(missing_ok=True)
        if student.head in KINDS:
            members(fitted, 0)[0][0].save(folder)
        else:
            (folder / ARRAYS).write_bytes(encode(dict(student.arrays)))
        facts = asdict(student) | {"format": FORMAT, "sha256": disk.sha256(folder / _data(student.head))}
        del facts["arrays"], facts["folder"]
        (folder / FACTS).write_bytes(record.encode(facts))


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
            f"no student in {folder}: give the folder that `outgrow learn` or `outgrow run` wrote ({FACTS}, and its weights)"
        ) from None
    broken = FACTS if facts is None else data if found != facts.pop("sha256", None) else None
    if facts is None or broken:
        raise UserError(
            f"the student in {folder} is damaged: {broken} is not as it was written; run `outgrow learn` again"
        )
    if facts.pop("format") != FORMAT:
        raise UserError(f"the student in {folder} was written by another version of outgrow: run `outgrow learn` again")
    tuples = {name: tuple(facts[name]) for name in ("classes", "words", "voters", "heads")}
    return SavedStudent(
        **facts | tuples, arrays=decode((folder / ARRAYS).read_bytes()) if data == ARRAYS else {}, folder=folder
    )
