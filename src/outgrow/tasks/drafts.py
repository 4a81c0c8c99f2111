"""From unordered items to a task and its gold: ids ascending, groups numbered, at most so many items, a digest.

Draft, build                            tasks with classes
GenerationDraft, build_generation       generation tasks
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Required, TypedDict, Unpack, final

import numpy as np

from outgrow.core.errors import UserError
from outgrow.core.seeding import hashed
from outgrow.tasks.prompting import Prompting
from outgrow.tasks.task import FREE, POOL, TEST, GenerationGold, GenerationTask, Gold, Kind, Task

ITEMS = 200
"""Items of a generated task, where nobody says how many."""


@final
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
            raise UserError(f"`items` = {items} leaves no whole group of items on every side: give more")
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


@final
@dataclass(frozen=True)
class GenerationDraft:
    """One item of a generation task before it has its place."""

    prompt: str
    answer: str
    """A right one."""
    key: Any
    shown: Mapping[str, Any] = field(default_factory=dict)
    written: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Recorded answers by column; every draft has the same columns."""
    group: Hashable = None
    """Drafts with the same stay together; None: those with the same prompt."""
    side: int = FREE
    name: str = ""
    """The item's own id where it has one, else its prompt is."""


class AnswerTerms(TypedDict, total=False):
    """How answers to a generation task are sampled, compared and checked: fields of `GenerationTask`."""

    verifier: Required[str]
    scorer: Required[str]
    tokens: Required[int]
    stop: tuple[str, ...]
    prompting: Prompting
    form: str


def build_generation(
    name: str,
    drafts: Sequence[GenerationDraft],
    items: int | None = None,
    *,
    counts: Mapping[str, int] | None = None,
    source: str = "",
    **terms: Unpack[AnswerTerms],
) -> tuple[GenerationTask, GenerationGold]:
    """The generation task and the gold of drafts; whole groups beyond `items` are left out and counted.

    Raises:
        ValueError: Two drafts have one id.
    """
    ids = [hashed(name, d.name or d.prompt) for d in drafts]
    if len(set(ids)) < len(ids):
        raise ValueError(f"{name}: two items have the same id")
    named = [hashed(name, "group", d.prompt if d.group is None else d.group) for d in drafts]
    order, counts = sorted(range(len(drafts)), key=ids.__getitem__), dict(counts or {})
    if items is not None and items < len(order):
        kept = _first_groups(named, items)
        order = [i for i in order if named[i] in kept]
        counts["items left out: over --items"] = len(drafts) - len(order)
    drafts, ids = [drafts[i] for i in order], [ids[i] for i in order]
    groups = np.unique([named[i] for i in order], return_inverse=True)[1].astype(np.int64)
    side, names = np.array([d.side for d in drafts], np.int8), np.array(ids)
    for array in (groups, side, names):
        array.flags.writeable = False
    gold = GenerationGold(tuple(d.answer for d in drafts), tuple(d.key for d in drafts))
    written = {column: tuple(d.written[column] for d in drafts) for column in drafts[0].written}
    rows = [(item, d.prompt, d.shown, d.side) for item, d in zip(ids, drafts, strict=True)]
    compared = {name: value for name, value in terms.items() if name != "prompting"}
    what = [name, compared, rows, groups.tolist(), gold.answers, gold.keys, *([written] if written else [])]
    return GenerationTask(
        name=name,
        ids=names,
        texts=tuple((d.prompt,) for d in drafts),
        groups=groups,
        side=side,
        shown=tuple(d.shown for d in drafts),
        written=written,
        counts=counts,
        source=source,
        digest=hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest(),
        **terms,
    ), gold


def _first_groups(named: Sequence[str], items: int) -> set[str]:
    """The first groups by name that together hold at most `items` items, one at least."""
    sizes = sorted(Counter(named).items())
    reach = np.cumsum([size for _, size in sizes])
    return {name for name, _ in sizes[: max(1, int((reach <= items).sum()))]}


def distinct(items: int | None, sample: Callable[[], GenerationDraft], name: str) -> list[GenerationDraft]:
    """`items` drafts of different prompts, ITEMS where nobody says. Raises UserError where there are too few."""
    items = items or ITEMS
    found: dict[str, GenerationDraft] = {}
    for _ in range(50 * items):
        if len(found) == items:
            break
        made = sample()
        found.setdefault(made.prompt, made)
    if len(found) < items:
        raise UserError(
            f"task {name!r} has fewer than {items} different items of this kind: "
            "give a smaller `items`, or more after the colon"
        )
    return list(found.values())
