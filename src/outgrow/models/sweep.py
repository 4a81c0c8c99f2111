"""A sweep: every text or image once through a model, in batches of equal length, shard by shard.

The machinery under features and scores. Items that occur twice are read once, and so are common prefixes of neighbours
in alphabetical order. Rows are read in order of length, in batches of a fixed number of tokens. A shard is a run of
batches and an artifact of the
store: a killed sweep loses at most the shard in flight, and ends with the same bytes. Memory holds one shard's results
and one batch's activations, however many texts there are.
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
"""Results of more bytes are gathered in a file, not in memory."""
NO_ENDING: tuple[tuple[int, ...], ...] = ((),)


class Reader(Protocol):
    """A loaded model, as a sweep runs it."""

    def __call__(self, batch: Any) -> np.ndarray:
        """Results float32 (L, m, D) of a batch of m rows."""

    def flops(self, batch: Any) -> float:
        """Model FLOPs of a batch."""


class SweepSource(Protocol):
    """The items that a model reads."""

    what: str
    """What the items are, for the progress bar."""
    made: dict[str, Any]
    """All that its rows depend on besides the items."""
    rows: int
    """Rows of results of one item."""
    loading: float
    """Seconds of loading what prepares the items."""
    truncated: int
    """Items of which only a part was read."""

    def open(self, items: Sequence[Any], folder: Path) -> Bundles:
        """Prepares the items, on disk in `folder` if large; returns which are read together, and their lengths."""

    def batch(self, bundles: Bundles, numbers: Sequence[int]) -> Any:
        """A batch of bundles, by index."""

    def close(self) -> None:
        """Frees the space of prepared items."""


def large(shape: Sequence[int]) -> bool:
    """Whether float32 results of this shape are gathered in a file of the store, and not in memory."""
    return 4 * int(np.prod(shape)) > IN_MEMORY


@final
class SweepTexts:
    """Texts as a source, each with E endings: row text * E + ending is a text followed by the ids of an ending.

    Args:
        model: whose tokenizer is used.
        endings: E lists of token ids.
        share: whether texts with a common prefix are read as one row.
        continued: whether texts are continued, so that no special token follows them.
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
        assert self._tokens is not None
        text, ending = divmod(row, self.rows)
        return np.concatenate([self._tokens.ids(text), np.array(self._endings[ending], np.int32)])


@final
class Sweep:
    """One model and N items of a source in any order. Close it after use.

    Args:
        kind: of the artifacts in the store.
        model: the model.
        source: prepares the items.
        items: N texts or encoded images.
        store: where results are kept.
        made: all that the results depend on besides the items, their source and the plan.
        load: makes the reader, when it is first needed.
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
        """Whether this process had to compute anything."""

    def run(self) -> Artifact:
        """The index of the sweep: tokens, seconds and FLOPs, and the place of each row in the plan."""
        return self._store.make(self._kind, self.made, self._build)

    def gather(self, index: Artifact, width: int, layers: int = 1) -> np.ndarray:
        """The results, float32 (layers, N * rows, width), in the order of the given items.

        A shard that was damaged meanwhile is computed again.
        """
        rows = np.arange(self._source.rows)
        place = index.arrays["place"][(self._number[:, None] * len(rows) + rows).reshape(-1)]
        shape = (layers, len(place), width)
        on_disk = large(shape)
        out = self._store.scratch(shape) if on_disk else np.empty(shape, np.float32)
        start = 0
        for shard, end in enumerate(index.arrays["ends"].tolist()):
            x = self._shard(shard).arrays["x"]
            here = np.flatnonzero((place >= start) & (place < end))
            for layer in range(layers):
                out[layer, here] = x[layer, place[here] - start]
            forget(x)
            if on_disk:
                forget(out)
            start = end
        return out

    def close(self) -> None:
        """Frees the space of the prepared items."""
        self._source.close()

    def _build(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        begun = time.perf_counter()
        bundles, planned = self._planned()
        tokenising = time.perf_counter() - begun - self._loading
        facts = []
        label = f"reading {len(self._items)} {self._source.what} with {self._model.name}"
        with progress.track(label, float(bundles.lengths.sum())) as bar:
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
        """Results of one shard in the order of the plan, from the store or computed."""
        made = {**self.made, "shard": shard}
        kind = f"{self._kind}-shards"
        return self._store.get(kind, made) or self._store.put(kind, made, *self._compute(shard))

    def _planned(self) -> tuple[Bundles, Plan]:
        """(bundles, their plan)."""
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
