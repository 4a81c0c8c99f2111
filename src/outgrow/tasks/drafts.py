"""From unordered items to a Task and its Gold: ids ascending, groups numbered, at most so many items, a digest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from outgrow.core.errors import UserError
from outgrow.core.seeding import hashed
from outgrow.tasks.task import FREE, POOL, TEST, Gold, Kind, Task


@dataclass(frozen=True)
class Draft:
    """Items in any order, gold beside them; `build` makes the Task and the Gold."""

    name: str
    kind: Kind
    classes: tuple[str, ...]
    ids: Sequence[str]
    """Hashed ids, N of them, unique; they must not depend on gold."""
    texts: Sequence[tuple[str, ...]]
    groups: Sequence[str]
    """Hashed names of the groups."""
    gold: Sequence[int]
    """Class numbers; -1 where none is known."""
    images: Sequence[bytes] | None = None
    side: Sequence[int] | None = None
    weights: Sequence[float] | None = None
    question: Sequence[str] | None = None
    """Hashed names of the questions (`choose`)."""
    answer: Sequence[str] | None = None
    """What the candidates say (`choose`)."""
    votes: dict[str, np.ndarray] = field(default_factory=dict)
    ask: str = "{text}\nAnswer:"
    words: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    source: str = ""
    template: str = "{text}"


def build(draft: Draft, items: int | None = None) -> tuple[Task, Gold]:
    """Task and Gold of a draft; whole groups beyond `items` are left out, of both sides in proportion, and counted."""
    order = np.argsort(np.asarray(draft.ids))
    side = np.zeros(len(order), np.int8) if draft.side is None else np.asarray(draft.side, np.int8)
    group_names, groups = np.unique(np.asarray(draft.groups), return_inverse=True)
    counts = dict(draft.counts)
    if items is not None and items < len(order):
        kept = _capped(group_names, groups, side, items)
        counts["items left out: over --items"] = int(len(order) - kept.sum())
        order = order[kept[order]]
        _, groups = np.unique(np.where(kept, groups, groups[order[0]]), return_inverse=True)
    labels = np.asarray(draft.gold, np.int64)[order]
    if len(np.unique(labels)) < 2 and (labels >= 0).all():
        held = draft.classes[labels[0]] if len(labels) else "none"
        raise UserError(f"{draft.name}: every one of {len(labels)} items is of one class ({held}): give at least two")
    weights = np.ones(len(order)) if draft.weights is None else np.asarray(draft.weights)[order]
    gold = Gold(labels, weights.astype(np.float32))
    arrays = {
        "ids": np.asarray(draft.ids)[order],
        "groups": groups[order].astype(np.int64),
        "side": side[order],
    }
    for name, found in (("question", draft.question), ("answer", draft.answer)):
        if found is not None:
            arrays[name] = np.unique(np.asarray(found)[order], return_inverse=True)[1].astype(np.int64)
    votes = {name: np.asarray(v, np.float32)[order] for name, v in draft.votes.items()}
    texts = tuple(draft.texts[i] for i in order)
    images = None if draft.images is None else tuple(draft.images[i] for i in order)
    for array in (*arrays.values(), *votes.values(), gold.labels, gold.weights):
        array.flags.writeable = False
    words = (draft.name, draft.kind, draft.classes, draft.ask, draft.words, draft.template)
    return Task(
        name=draft.name,
        kind=draft.kind,
        classes=draft.classes,
        texts=texts,
        images=images,
        votes=votes,
        ask=draft.ask,
        words=draft.words,
        counts=counts | {"items": len(order)},
        source=draft.source,
        template=draft.template,
        digest=_digest(words, texts, images or (), arrays | {f"votes {k}": v for k, v in votes.items()}, gold),
        **arrays,
    ), gold


def fifth(groups: Sequence[str], share: float = 0.2) -> set[str]:
    """Groups that hold about `share` of the rows, drawn by the hash of their names."""
    names, sizes = np.unique(np.asarray(groups), return_counts=True)
    return set(names[_within(names, sizes, share * sizes.sum() + 0.5, "test")].tolist())


def _within(names: np.ndarray, sizes: np.ndarray, limit: float, purpose: str) -> np.ndarray:
    """A mask of groups, in the order of their hashes, that together hold at most `limit` items."""
    order = np.argsort(np.asarray([hashed(purpose, n) for n in names]))
    taken = np.zeros(len(names), bool)
    taken[order[np.cumsum(sizes[order]) <= limit]] = True
    return taken


def _capped(names: np.ndarray, groups: np.ndarray, side: np.ndarray, items: int) -> np.ndarray:
    """A mask of the items kept."""
    kept = np.zeros(len(groups), bool)
    for one in (FREE, POOL, TEST):
        here = side == one
        sizes = np.bincount(groups[here], minlength=len(names))
        among = np.flatnonzero(sizes)
        taken = np.zeros(len(names), bool)
        taken[among] = _within(names[among], sizes[among], items * here.sum() / len(groups), "items")
        kept |= here & taken[groups]
        if here.any() and not kept[here].any():
            raise UserError(f"--items {items} leaves no whole group of items on every side: give more")
    return kept


def _digest(words: tuple, texts: tuple, images: tuple, arrays: dict[str, np.ndarray], gold: Gold) -> str:
    """sha256 over everything that influences a study."""
    digest = hashlib.sha256(repr(words).encode())
    for item in texts:
        for text in item:
            data = text.encode()
            digest.update(len(data).to_bytes(8, "big"))
            digest.update(data)
    for image in images:
        digest.update(hashlib.sha256(image).digest())
    for name, array in (*sorted(arrays.items()), ("labels", gold.labels), ("weights", gold.weights)):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
