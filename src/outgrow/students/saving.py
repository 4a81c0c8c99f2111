"""From a fitted student to what is saved of it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from outgrow import models
from outgrow.core.errors import UserError
from outgrow.losses import Loss
from outgrow.losses._names import record_of
from outgrow.models import patches
from outgrow.models.loader import chosen_precision
from outgrow.store import Store, disk
from outgrow.students import student_file
from outgrow.students.convnet import FittedConvnet
from outgrow.students.encoding import PATCHES, SIDES
from outgrow.students.ensemble import Choice, Pool
from outgrow.students.features import principal, space_of
from outgrow.students.finetune import FittedFinetune
from outgrow.students.linear import Heads
from outgrow.students.probe import FittedProbe
from outgrow.students.saved import SHARED, SavedStudent
from outgrow.students.saved_text import SavedGenerator
from outgrow.students.student_file import ARRAYS, CHECKPOINT, CONVNET, FACTS, VOTES, Reads, StudentFile
from outgrow.tasks.task import Task
from outgrow.training.classifier import KINDS

READS: dict[str, Reads] = {
    "vision": "images",
    "patches": "images",
    "features": "features",
    "joined": "images and texts",
}
"""By kind of model what a student reads that stands on it; others read texts."""


def saved_student(
    fitted: Any,
    task: Task,
    strong: str,
    columns: Mapping[str, str],
    voters: Sequence[str],
    taught: Mapping[str, Any],
    store: Store,
    pool: np.ndarray | None = None,
) -> SavedStudent:
    """The first replicate of a fitted student, with what it takes to label new items.

    Args:
        fitted: what a method returned.
        task: what it was taught on.
        strong: the student's model, or "votes".
        columns: by role the columns that the task was read from; the label is left out.
        voters: those who taught it.
        taught: method, label model and number of items, for the record.
        store: where models are found.
        pool: (N,) bool, the items that are not test; all where not given.

    Raises:
        UserError: the method's student cannot be kept in a folder.
    """
    digest, revision, reads = "", "what the voters say", student_file.VOTES
    kept = weights(fitted, 0)
    if strong != VOTES:
        model = models.resolve(strong, store)
        digest, revision, reads = model.digest, model.revision, _reads(model, task)
        everywhere = np.ones(len(task), bool) if pool is None else pool
        for part in models.members(strong):
            if (one := models.resolve(part, store)).kind == "patches":
                learned = patches.learned(one, task.seen(part), everywhere, store).arrays
                kept["arrays"] |= {f"{PATCHES}{name}": np.array(value) for name, value in learned.items()}
        if model.kind == "joined":
            kept = _beside(kept, fitted, task, strong, everywhere, store)
    return SavedStudent(
        classes=task.classes,
        reads=reads,
        model=strong,
        precision=chosen_precision(),
        template=task.template,
        columns={role: name for role, name in columns.items() if role != "label"},
        words=task.words,
        voters=tuple(voters),
        taught=taught,
        digest=digest,
        revision=revision,
        pooling="",
        **kept,
    )


def _reads(model: models.Model, task: Task) -> Reads:
    if model.kind == "scratch":
        return "images and texts" if task.texts[0] else "images"
    return READS.get(model.kind, "pairs" if len(task.texts[0]) == 2 else "texts")


def _beside(
    kept: Mapping[str, Any], fitted: Any, task: Task, strong: str, pool: np.ndarray, store: Store
) -> dict[str, Any]:
    """What is kept of heads on an image and a text, with the axes of both sides that each head stands on."""
    spaces = [space_of(task, part, pool, store) for part in models.members(strong)]
    arrays, heads = dict(kept["arrays"]), []
    for number, (head, (member, _)) in enumerate(zip(kept["heads"], members(fitted, 0), strict=True)):
        rank, layers, poolings = int(member.settings.layer[0]), [], []
        for side, space in zip(SIDES, spaces, strict=True):
            at = min(rank, len(space.layers) - 1)
            for name, value in zip(("centre", "turn"), principal(space.basis(at)), strict=True):
                arrays[f"{number}.{side}.{name}"] = np.ascontiguousarray(value.numpy())
            layers.append(int(space.layers[at]))
            poolings.append(space.poolings[at] if space.poolings else "")
        heads.append({**head, "layers": layers, "poolings": poolings})
    return {**kept, "arrays": arrays, "heads": tuple(heads)}


def weights(fitted: Any, replicate: int) -> dict[str, Any]:
    """Kind, heads and arrays of one replicate of a fitted student. UserError if they do not fit in one folder."""
    found = members(fitted, replicate)
    first = found[0][0]
    if len(found) == 1 and isinstance(first, FittedFinetune):
        run = first.runs[replicate]
        return _network(run.kind, run.texts.model.depth, run.loss)
    if len(found) == 1 and isinstance(first, FittedConvnet):
        return _network(CONVNET, 0, first.runs[replicate].loss)
    heads: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    kind = "linear"
    for number, (member, share) in enumerate(found):
        if isinstance(member, FittedFinetune | FittedConvnet):
            raise UserError(f"its method pools {len(found)} networks, and a folder holds one: take another `method`")
        if not isinstance(member, FittedProbe):
            raise UserError(f"its method makes a {type(member).__name__}, which cannot be saved: take another `method`")
        layer = int(member.settings.layer[replicate])
        basis, (replicates, own) = member.space.basis(layer), next((r, h) for r, h in member.parts if replicate in r)
        at = [int(np.flatnonzero(replicates == replicate)[0])]
        if isinstance(own, Heads):
            kind, kept = "linear", {"weights": own.weights[at]}
        else:
            kind, kept = "mlp", {"first": own.first[at], "second": own.second[at]}
        kept |= {"centre": basis.centre, "turn": basis.turn}
        arrays |= {f"{number}.{name}": np.ascontiguousarray(value.numpy()) for name, value in kept.items()}
        pooling = {"pooling": member.space.poolings[layer]} if member.space.poolings else {}
        heads.append(
            {"layer": int(member.space.layers[layer]), **pooling, "share": share, "objective": record_of(member.loss)}
        )
    return {"head": kind, "heads": tuple(heads), "arrays": arrays}


def _network(head: str, layer: int, loss: Loss) -> dict[str, Any]:
    """What is kept of a network beside its own files."""
    return {"head": head, "heads": ({"layer": layer, "share": 1.0, "objective": record_of(loss)},), "arrays": {}}


def members(fitted: Any, replicate: int) -> list[tuple[Any, float]]:
    """The students that make up one replicate of an ensemble, each with the share of its log odds."""
    if isinstance(fitted, Choice):
        return members(fitted.members[int(fitted.which[replicate])], replicate)
    if isinstance(fitted, Pool):
        parts = zip(fitted.members, fitted.shares[:, replicate], strict=True)
        return [(one, float(c) * share) for member, c in parts for one, share in members(member, replicate)]
    return [(fitted, 1.0)]


def save(student: SavedStudent, folder: Path, fitted: Any = None) -> None:
    """Write the student; of a network of its own the first replicate's weights.

    The record is written last, so that an interrupted write is recognised.
    """
    from safetensors.numpy import save as encode

    disk.folder(folder)
    with disk.guarded(folder):
        for name in (FACTS, ARRAYS, CHECKPOINT, *student_file.weight_files(folder, CONVNET)):
            (folder / name).unlink(missing_ok=True)
        if student.head in (*KINDS, CONVNET):
            members(fitted, 0)[0][0].save(folder)
        else:
            disk.write(folder / ARRAYS, encode(dict(student.arrays)))
        sha256 = student_file.digest(folder, student.head)
    kept = {name: getattr(student, name) for name in SHARED}
    student_file.write(folder, StudentFile(**kept, sha256=sha256))


def copy(student: SavedStudent | SavedGenerator, folder: Path) -> Path:
    """Write a student into a new folder: as it lies in its own, or where it has none from memory.

    Raises:
        UserError: the folder holds something, or the student's own folder is damaged.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is not empty: give a new folder for the student")
    if student.folder is None:
        save(student, folder)
        return folder
    source = student.folder

    def fill(part: Path) -> None:
        for name in student_file.files(source):
            shutil.copyfile(source / name, part / name)

    disk.write_all(folder, fill)
    return folder
