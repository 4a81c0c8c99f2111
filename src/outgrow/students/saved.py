"""A student in a folder: what it takes to label new texts, and nothing of the data that taught it.

    student.json           model (name, digest, revision), layer, precision, classes, template, columns, how it was taught
    student.safetensors    centre and turn of its axes, and its head's weights in them

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
from outgrow.errors import UserError
from outgrow.store import Store, disk, record
from outgrow.students.network import KINDS

FORMAT = 1
"""Goes up when the same files would mean something else."""
FACTS, ARRAYS, CHECKPOINT = "student.json", "student.safetensors", "model.safetensors"
VOTES = "votes"
"""The name in the place of a model's that means: the votes themselves."""


@final
@dataclass(frozen=True, kw_only=True)
class Saved:
    """A student that labels texts: a head on one layer of a checkpoint, or a checkpoint of its own."""

    classes: tuple[str, ...]
    model: str
    """The checkpoint's name, and what pins its bytes."""
    digest: str
    revision: str
    layer: int
    pooling: str
    precision: str
    head: str
    """"linear" or "mlp"; "lora" or "full" of a fine-tuned student."""
    objective: Mapping[str, Any]
    """File, class and fields of what it was trained on, which says what its logits mean."""
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
    """None of a fine-tuned student."""
    folder: Path | None = None
    """Where it lies."""

    def predict(self, texts: Sequence[str] | np.ndarray) -> np.ndarray:
        """Probabilities (n, C) float32 of the texts, as the template makes them; of a student of votes, of the votes
        (voters, n, C), NaN where one abstains. Raises UserError where the checkpoint is another.
        """
        import torch

        if isinstance(texts, str):
            raise TypeError("texts: give a list of texts, not one text")
        if not len(texts):
            return np.empty((0, len(self.classes)), np.float32)
        if self.head in KINDS:
            return self._tuned(texts)
        x = self._basis.project(torch.from_numpy(indicators(texts) if self.model == VOTES else self._read(texts)))
        return self._objective.read(self._head.logits(x)[0]).numpy()

    def _tuned(self, texts: Sequence[str]) -> np.ndarray:
        from outgrow.students.finetune import Texts

        store = Store.default()
        read = Texts(models.resolve(str(self.folder), store), tuple((text,) for text in texts), self.classes, store)
        return read.probs(None, self._objective)

    def _read(self, texts: Sequence[str]) -> np.ndarray:
        how = {"layers": (self.layer,), "pooling": self.pooling, "precision": self.precision}
        return np.array(models.features(self._checkpoint, list(texts), Store.default(), **how).x[0])

    @property
    def _objective(self) -> Any:
        module = importlib.import_module(f"outgrow.objectives.{self.objective['file']}")
        return getattr(module, self.objective["class"])(**self.objective["fields"])

    @cached_property
    def _checkpoint(self) -> models.Model:
        found = models.resolve(self.model, Store.default())
        if found.digest != self.digest:
            raise UserError(
                f"the student was taught on {self.model} ({self.revision}), and what has that name here is another checkpoint "
                f"({found.revision}): bring back the first one, or teach the student anew"
            )
        return found

    @cached_property
    def _basis(self) -> Any:
        import torch

        from outgrow.students.linear import Basis

        centre, turn = (torch.from_numpy(np.array(self.arrays[name])) for name in ("centre", "turn"))
        axes = torch.zeros(self.arrays["weights"].shape[-1] if self.head == "linear" else self.arrays["first"].shape[-2])
        return Basis(torch.empty(0, len(axes)), axes, axes, centre, turn)

    @cached_property
    def _head(self) -> Any:
        import torch

        from outgrow.students import linear, mlp

        at = {name: torch.from_numpy(np.array(value)) for name, value in self.arrays.items()}
        return linear.Heads(at["weights"]) if self.head == "linear" else mlp.Networks(at["first"], at["second"])


def indicators(votes: np.ndarray) -> np.ndarray:
    """Votes (J, n, C) as features (n, J C) float32: 0 where a voter abstains."""
    return np.nan_to_num(votes).transpose(1, 0, 2).reshape(votes.shape[1], -1).astype(np.float32)


def weights(fitted: Any, replicate: int) -> dict[str, Any]:
    """Layer, kind of head, objective and arrays of one replicate of a fitted student. Raises UserError for what is no single model."""
    from outgrow.students import finetune
    from outgrow.students.linear import Heads
    from outgrow.students.probe import Fitted

    fitted = chosen(fitted, replicate)
    if isinstance(fitted, finetune.Fitted):
        run = fitted.runs[replicate]
        return {"layer": run.texts.model.depth, "head": run.kind, "objective": _named(run.objective), "arrays": {}}
    if not isinstance(fitted, Fitted):
        raise UserError(f"this method makes a {type(fitted).__name__}, which cannot be saved: learn with another --method")
    space, layer = fitted.space, int(fitted.settings.layer[replicate])
    basis = space.basis(layer)
    replicates, heads = next((r, h) for r, h in fitted.parts if replicate in r)
    at = [int(np.flatnonzero(replicates == replicate)[0])]
    linear = isinstance(heads, Heads)
    own = {"weights": heads.weights[at]} if linear else {"first": heads.first[at], "second": heads.second[at]}
    arrays = {"centre": basis.centre, "turn": basis.turn, **own}
    return {
        "layer": int(space.layers[layer]),
        "head": "linear" if linear else "mlp",
        "objective": _named(fitted.objective),
        "arrays": {name: np.ascontiguousarray(value.numpy()) for name, value in arrays.items()},
    }


def chosen(fitted: Any, replicate: int) -> Any:
    """The student that a replicate chose, where it could choose among several."""
    from outgrow.students.together import Choice

    return fitted.members[int(fitted.which[replicate])] if isinstance(fitted, Choice) else fitted


def _named(aim: Any) -> dict[str, Any]:
    where = {"file": type(aim).__module__.rpartition(".")[2], "class": type(aim).__name__}
    return where | {"fields": {f.name: getattr(aim, f.name) for f in fields(aim)}}


def save(student: Saved, folder: Path, fitted: Any = None) -> None:
    """Write the student, a fine-tuned one by its first replicate; the record comes last, so that an interrupted write is seen as one."""
    from safetensors.numpy import save as encode

    disk.folder(folder)
    with disk.guarded(folder):
        for name in (FACTS, ARRAYS, CHECKPOINT):
            (folder / name).unlink(missing_ok=True)
        if student.head in KINDS:
            chosen(fitted, 0).save(folder)
        else:
            (folder / ARRAYS).write_bytes(encode(dict(student.arrays)))
        facts = asdict(student) | {"format": FORMAT, "sha256": disk.sha256(folder / _data(student.head))}
        del facts["arrays"], facts["folder"]
        (folder / FACTS).write_bytes(record.encode(facts))


def _data(head: str) -> str:
    return CHECKPOINT if head in KINDS else ARRAYS


def load(folder: Path | str) -> Saved:
    """The student in a folder. Raises UserError where there is none, or a file is not as it was written."""
    from safetensors.numpy import load as decode

    folder = Path(folder)
    try:
        facts = record.decode((folder / FACTS).read_bytes())
        data = _data(facts["head"]) if facts else ARRAYS
        found = disk.sha256(folder / data)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"no student in {folder}: give the folder that `outgrow learn` wrote ({FACTS}, and its weights)") from None
    broken = FACTS if facts is None else data if found != facts.pop("sha256", None) else None
    if facts is None or broken:
        raise UserError(f"the student in {folder} is damaged: {broken} is not as it was written; run `outgrow learn` again")
    if facts.pop("format") != FORMAT:
        raise UserError(f"the student in {folder} was written by another version of outgrow: run `outgrow learn` again")
    tuples = {name: tuple(facts[name]) for name in ("classes", "words", "voters")}
    return Saved(**facts | tuples, arrays=decode((folder / ARRAYS).read_bytes()) if data == ARRAYS else {}, folder=folder)
