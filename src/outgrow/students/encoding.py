"""The features on which a saved student's heads stand, of whatever it reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from outgrow import models
from outgrow.core.errors import UserError
from outgrow.label_models._votes import Votes
from outgrow.models import patches
from outgrow.store import Store
from outgrow.students.features import side_by_side

if TYPE_CHECKING:
    from outgrow.students.saved import SavedStudent

GIVEN = {
    "texts": "texts",
    "pairs": "pairs of texts, of which one is better",
    "images": "encoded images, as bytes",
    "images and texts": "pairs of an encoded image and a text",
    "features": "an array of rows x width, or rows x layers x width",
    "votes": "votes, an array of annotators x items x classes",
}
"""By what a student reads what it is to be given."""
PATCHES = "patches."
"""Prefix of the arrays of an encoder by patches."""
SIDES = ("image", "text")


def encoded(student: SavedStudent, items: Sequence[Any] | np.ndarray) -> list[np.ndarray]:
    """The features (n, D) of every head.

    Raises:
        UserError: the items are not what the student reads, or its checkpoint is another one here.
    """
    layers = [head["layer"] for head in student.heads]
    views = [(head["layer"], head.get("pooling", student.pooling)) for head in student.heads]
    if student.reads == "votes":
        return [indicators(items)] * len(layers)  # type: ignore[arg-type]
    if student.reads == "features":
        return _given(items, layers)
    found = checkpoint(student)
    if student.reads == "images":
        return _of_images(student, found, items, layers)
    if student.reads == "texts":
        return _of_texts(student, found, items, views)
    one, other = sides(student.reads, items)
    if student.reads == "pairs":
        halves = [np.split(x, 2) for x in _of_texts(student, found, [*one, *other], views)]
        return [second - first for first, second in halves]
    return _beside(student, one, other)


def _of_texts(
    student: SavedStudent, model: models.Model, texts: Any, views: Sequence[tuple[int, str]]
) -> list[np.ndarray]:
    """The features (n, D) of each view (layer, pooling); "" is the pooling of students of before there was a choice."""
    if model.kind == "chess":
        return [models.move_features(model, list(texts), Store.default()).x[0]] * len(views)
    views = [(layer, pooling or ("last" if model.kind == "causal" else "mean")) for layer, pooling in views]
    layers, poolings = (tuple(sorted(set(one))) for one in zip(*views, strict=True))
    read = models.features(
        model, list(texts), Store.default(), layers=layers, poolings=poolings, precision=student.precision
    )
    where = list(zip(read.layers, read.poolings, strict=True))
    return [read.x[where.index(view)] for view in views]


def _of_images(student: SavedStudent, model: models.Model, images: Any, layers: Sequence[int]) -> list[np.ndarray]:
    if not all(isinstance(image, bytes) for image in images):
        raise misfit(student.reads)
    if model.kind == "patches":
        learned = {name.removeprefix(PATCHES): a for name, a in student.arrays.items() if name.startswith(PATCHES)}
        return [patches.encoded(images, **learned)] * len(layers)
    which = tuple(sorted(set(layers)))
    seen = models.image_features(model, images, Store.default(), layers=which, precision=student.precision)
    return [seen.x[which.index(layer)] for layer in layers]


def _beside(student: SavedStudent, images: list[Any], texts: list[Any]) -> list[np.ndarray]:
    """Image and text together, as `students.features` puts them."""
    parts = [models.resolve(part, Store.default()) for part in models.members(student.model)]
    layers = list(zip(*(head["layers"] for head in student.heads), strict=True))
    poolings = [head.get("poolings", ("", ""))[1] for head in student.heads]
    seen = _of_images(student, parts[0], images, layers[0])
    read = _of_texts(student, parts[1], texts, list(zip(layers[1], poolings, strict=True)))
    found = []
    for number, both in enumerate(zip(seen, read, strict=True)):
        at = [{name: student.arrays[f"{number}.{side}.{name}"] for name in ("centre", "turn")} for side in SIDES]
        a, b = ((x - one["centre"]) @ one["turn"] for x, one in zip(both, at, strict=True))
        width = len(student.arrays[f"{number}.centre"])
        x = side_by_side(a, b)
        found.append(np.pad(x, ((0, 0), (0, width - x.shape[1]))))
    return found


def sides(reads: str, items: Sequence[Any] | np.ndarray) -> tuple[list[Any], list[Any]]:
    """The first and the second part of items of two parts. Raises UserError where an item has not two."""
    if not all(isinstance(item, tuple | list) and len(item) == 2 for item in items):
        raise misfit(reads)
    return [first for first, _ in items], [second for _, second in items]


def misfit(reads: str) -> UserError:
    """The error for items that are not what a student reads."""
    return UserError(f"the student reads {reads}: give {GIVEN[reads]}")


def indicators(votes: np.ndarray | Votes) -> np.ndarray:
    """Votes (J, n, C), or a table of votes, as features (n, J C) float32: 0 where an annotator abstains."""
    if not isinstance(votes, np.ndarray):
        return votes.matrix.astype(np.float32).toarray()
    return np.nan_to_num(votes).transpose(1, 0, 2).reshape(votes.shape[1], -1).astype(np.float32)


def checkpoint(student: SavedStudent) -> models.Model:
    """The student's checkpoint. Raises UserError where the one of that name is another one than it was taught on."""
    found = models.resolve(student.model, Store.default())
    if found.digest != student.digest:
        raise UserError(
            f"the student was trained on {student.model} ({student.revision}), and the checkpoint of that name here is "
            f"another one ({found.revision}): bring back the first one, or train the student anew"
        )
    return found


def _given(items: Sequence[Any] | np.ndarray, layers: Sequence[int]) -> list[np.ndarray]:
    x = np.asarray(items, np.float32)
    x = x[:, None] if x.ndim == 2 else x
    if x.ndim != 3:
        raise misfit("features")
    if x.shape[1] < max(layers):
        raise UserError(f"the student reads layer {max(layers)} of its features, and these have {x.shape[1]}")
    return [x[:, layer - 1] for layer in layers]
