"""Every text or image once through a model, in batches of equal length, shard by shard: the machinery under features and scores.

Items that occur twice are read once, and so is what neighbours in the order of the alphabet begin with. Rows are read in
order of length, in batches of a fixed number of tokens. A shard is a run of batches and an artifact of the store: a killed sweep loses the shard in flight, no more, and ends with the
same bytes. Memory holds one shard's results and one batch's activations, however many texts there are.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, final

import numpy as np

from outgrow.core import progress
from outgrow.models import loader, tokens
from outgrow.models.bundles import Batch, Bundles
from outgrow.models.checkpoints import Model
from outgrow.models.plan import Plan, plan
from outgrow.store import Artifact, Store, forget

BATCH_TOKENS = {"cpu": 2048, "cuda": 32768}
"""On a processor the activations of a batch of this size stay in its cache."""
SHARD_TOKENS = {"cpu": 24576, "cuda": 1 << 20}
IN_MEMORY = 1 << 28
"""Bytes of results above which they are gathered in a file, not in memory."""
NO_ENDING: tuple[tuple[int, ...], ...] = ((),)


class Reader(Protocol):
    """A loaded model as the sweep sees it."""

    def __call__(self, batch: Any) -> np.ndarray:
        """A batch of m rows to float32 (L, m, D)."""

    def flops(self, batch: Any) -> float:
        """Model FLOPs of that."""


class SweepSource(Protocol):
    """What a model reads, item by item."""

    what: str
    """In words, for the person who waits."""
    made: dict[str, Any]
    """All that its rows depend on beside the items."""
    rows: int
    """Rows of results that an item makes."""
    loading: float
    """Seconds that went into loading what prepares the items."""
    truncated: int
    """Items of which a part was read."""

    def open(self, items: Sequence[Any], folder: Path) -> Bundles:
        """Prepare the items, on disk in `folder` where they are many: what is read together, and how long it is."""

    def batch(self, bundles: Bundles, numbers: Sequence[int]) -> Any:
        """Bundles by number, ready to be read."""

    def close(self) -> None:
        """Give the space back."""


@final
class SweepTexts:
    """Texts as a source, and E endings: row `text * E + ending` is a text with an ending's ids after it.

    `share` says that the reader may be given texts in bundles; `continued`: no special token follows them.
    """

    what = "texts"

    def __init__(
        self,
        model: Model,
        endings: tuple[tuple[int, ...], ...] = NO_ENDING,
        share: bool = False,
        *,
        continued: bool = False,
    ):
        self._model, self._endings, self._share, self._continued = model, endings, share, continued
        self.made = {"endings": endings, "share": share, "longest": tokens.LONGEST}
        self.rows, self.loading, self.truncated = len(endings), 0.0, 0
        self._tokens: tokens.TokenFile | None = None

    def open(self, items: Sequence[str], folder: Path) -> Bundles:
        begun = time.perf_counter()
        tokenizer = tokens.prepared(self._model, max(map(len, self._endings)), continued=self._continued)
        self.loading = time.perf_counter() - begun
        self._tokens = tokens.tokenise(tokenizer, items, folder)
        self.truncated = self._tokens.truncated
        if self._share:
            return Bundles.of(map(self._ids, range(len(items) * self.rows)))
        added = np.array([len(ending) for ending in self._endings])
        return Bundles.single((self._tokens.lengths[:, None] + added).reshape(-1))

    def batch(self, bundles: Bundles, numbers: Sequence[int]) -> Batch:
        return Batch.of(
            [
                (int(bundles.shared[b]), [self._ids(row) for row in range(bundles.starts[b], bundles.starts[b + 1])])
                for b in numbers
            ]
        )

    def close(self) -> None:
        if self._tokens is not None:
            self._tokens.close()

    def _ids(self, row: int) -> np.ndarray:
        """The ids of a text and its ending."""
        text, ending = divmod(row, self.rows)
        return np.concatenate([self._tokens.ids(text), np.array(self._endings[ending], np.int32)])


@final
class Sweep:
    """One model and N items of a source in any order. To be closed after use.

    `made` says all that the results depend on beside the items, their source and the plan; `load` makes the reader, when needed.
    """

    def __init__(
        self,
        kind: str,
        model: Model,
        source: SweepSource,
        items: Sequence[Any],
        store: Store,
        made: dict[str, Any],
        load: Callable[[], Reader],
    ):
        number = dict.fromkeys(items, 0)
        self._items = sorted(number)
        for at, item in enumerate(self._items):
            number[item] = at
        self._number = np.fromiter((number[item] for item in items), np.int64, len(items))
        self._kind, self._model, self._source, self._store, self._load = kind, model, source, store, load
        device = loader.device().type
        self.made = {
            **made,
            **source.made,
            "model": model.digest,
            source.what: _digest(self._items),
            "batch_tokens": BATCH_TOKENS[device],
            "shard_tokens": SHARD_TOKENS[device],
        }
        self._reader: Reader | None = None
        self._opened: tuple[Bundles, Plan] | None = None
        self._loading = 0.0
        self.computed = False
        """Whether this process had to do any of the work."""

    def run(self) -> Artifact:
        """The index of the sweep: how many tokens, seconds and FLOPs, and in which place of the plan each row is."""
        return self._store.make(self._kind, self.made, self._build)

    def gather(self, index: Artifact, width: int, layers: int = 1) -> np.ndarray:
        """float32 (layers, N * rows, width): the rows in the order of the items that were given.

        A shard that was damaged meanwhile is made again.
        """
        rows = np.arange(self._source.rows)
        place = index.arrays["place"][(self._number[:, None] * len(rows) + rows).reshape(-1)]
        shape = (layers, len(place), width)
        large = 4 * int(np.prod(shape)) > IN_MEMORY
        out = self._store.scratch(shape) if large else np.empty(shape, np.float32)
        start = 0
        for shard, end in enumerate(index.arrays["ends"].tolist()):
            x = self._shard(shard).arrays["x"]
            here = np.flatnonzero((place >= start) & (place < end))
            for layer in range(layers):
                out[layer, here] = x[layer, place[here] - start]
            forget(x)
            if large:
                forget(out)
            start = end
        return out

    def close(self) -> None:
        """Give the space of what was prepared back."""
        self._source.close()

    def _build(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        begun = time.perf_counter()
        bundles, planned = self._planned()
        tokenising = time.perf_counter() - begun - self._loading
        facts = []
        with progress.track(
            f"reading {len(self._items)} {self._source.what} with {self._model.name}", float(bundles.lengths.sum())
        ) as bar:
            for shard in range(len(planned.batches)):
                facts.append(self._shard(shard).meta)
                bar.advance(float(bundles.lengths[planned.order[planned.rows(shard)]].sum()))
        read = bundles.texts(planned.order)
        place = np.empty(len(read), np.int64)
        place[read] = np.arange(len(read))
        sizes = np.cumsum(np.diff(bundles.starts)[planned.order])
        ends = np.array([sizes[planned.rows(shard).stop - 1] for shard in range(len(planned.batches))], np.int64)
        meta = {
            "tokens": int(bundles.lengths.sum()),
            "truncated": self._source.truncated,
            "seconds": tokenising + sum(fact["seconds"] for fact in facts),
            "loading": self._loading,
            "flops": sum(fact["flops"] for fact in facts),
        }
        return {"place": place, "ends": ends}, meta

    def _shard(self, shard: int) -> Artifact:
        """Results of one shard in the order of the plan: from the store, or made."""
        made = {**self.made, "shard": shard}
        kind = f"{self._kind}-shards"
        return self._store.get(kind, made) or self._store.put(kind, made, *self._compute(shard))

    def _planned(self) -> tuple[Bundles, Plan]:
        """What is read together, and when."""
        if self._opened is None:
            bundles = self._source.open(self._items, self._store.root)
            self._loading += self._source.loading
            self._opened = bundles, plan(bundles.lengths, self.made["batch_tokens"], self.made["shard_tokens"])
        return self._opened

    def _compute(self, shard: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        self.computed = True
        bundles, planned = self._planned()
        if self._reader is None:
            begun = time.perf_counter()
            self._reader = self._load()
            self._loading += time.perf_counter() - begun
        start = time.perf_counter()
        parts, work = [], 0.0
        for rows in planned.batches[shard]:
            batch = self._source.batch(bundles, planned.order[rows].tolist())
            parts.append(self._reader(batch))
            work += self._reader.flops(batch)
        return {"x": np.concatenate(parts, axis=1)}, {"seconds": time.perf_counter() - start, "flops": work}


def _digest(items: Sequence[str | bytes]) -> str:
    digest = hashlib.sha256()
    for item in items:
        data = item if isinstance(item, bytes) else item.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()
