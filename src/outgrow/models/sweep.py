"""A sweep: every text or image once through a model, in batches of equal length, shard by shard.

The machinery under features and scores. An item is read once, in whatever lists it stands, and so are common prefixes
of neighbours in alphabetical order. Rows are read in order of length, in batches of a fixed number of tokens. A shard
is a run of batches and an artifact of the store: a killed sweep loses at most the shard in flight, and ends with the
same bytes, since batches are planned for the whole list and known rows then left out of them. Memory holds one shard's
results and one batch's activations, however many texts there are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, final

import numpy as np

from outgrow.core import progress
from outgrow.core.seeding import hashed
from outgrow.models import loader, tokens
from outgrow.models.bundles import Batch, Bundles
from outgrow.models.checkpoints import Model
from outgrow.models.index import Known, hashes
from outgrow.models.plan import plan
from outgrow.store import Store, forget, made_of

BATCH_TOKENS = {"cpu": 2048, "accelerator": 32768}
"""On a processor the activations of a batch of this size stay in its cache."""
SHARD_TOKENS = {"cpu": 24576, "accelerator": 1 << 20}
IN_MEMORY = 1 << 28
"""Results of more bytes are gathered in a file, not in memory."""
NO_ENDING: tuple[tuple[int, ...], ...] = ((),)


class Reader(Protocol):
    """A loaded model, as a sweep runs it."""

    def __call__(self, batch: Any) -> np.ndarray:
        """Results float32 (L, m, D) of a batch of m rows."""

    def flops(self, batch: Any) -> np.ndarray:
        """(m,) model FLOPs of the rows of a batch."""


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
    truncated: np.ndarray
    """(N,) bool: items of which only a part is read."""

    def open(self, items: Sequence[Any], folder: Path) -> Bundles:
        """Prepares the items, on disk in `folder` if large; returns which are read together, and their lengths."""

    def batch(self, bundles: Bundles, numbers: Sequence[int], wanted: np.ndarray) -> Any:
        """A batch of bundles, by index, less the rows that are not in `wanted`, bool (N * rows,)."""

    def tokens(self, batch: Any) -> np.ndarray:
        """(m,) tokens of the rows of a batch."""

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
        self.rows, self.loading = len(endings), 0.0
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

    def batch(self, bundles: Bundles, numbers: Sequence[int], wanted: np.ndarray) -> Batch:
        runs = ((b, [row for row in range(bundles.starts[b], bundles.starts[b + 1]) if wanted[row]]) for b in numbers)
        return Batch.of([(int(bundles.shared[b]), [self._ids(row) for row in run]) for b, run in runs if run])

    def tokens(self, batch: Batch) -> np.ndarray:
        return batch.tokens

    def close(self) -> None:
        if self._tokens is not None:
            self._tokens.close()

    def _ids(self, row: int) -> np.ndarray:
        """The ids of a text and its ending."""
        assert self._tokens is not None
        text, ending = divmod(row, self.rows)
        return np.concatenate([self._tokens.ids(text), np.array(self._endings[ending], np.int32)])


@dataclass(frozen=True)
class Swept:
    """Results of N items, and their cost."""

    x: np.ndarray
    """float32 (L, N * rows, D), in the order of the items; memory-mapped if large."""
    seconds: float
    """Seconds of reading, preparing included, whenever it was done."""
    loading: float
    """Seconds of loading this time."""
    flops: float
    tokens: int
    truncated: int
    """Distinct items of which only a part was read."""
    cached: bool
    """Whether nothing had to be computed this time."""


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
        self._hashes = hashes(self._items, source.rows)
        self._kind, self._model, self._source, self._store, self._load = kind, model, source, store, load
        where = loader.place()
        self._made = {
            **made,
            **source.made,
            "model": model.digest,
            "batch_tokens": BATCH_TOKENS[where],
            "shard_tokens": SHARD_TOKENS[where],
        }
        self.digest = made_of({**self._made, source.what: hashed(self._hashes.tobytes().hex())})
        """Digest of all that makes the results."""
        self._reader: Reader | None = None
        self._bundles: Bundles | None = None
        self._loading, self._preparing, self._computed = 0.0, 0.0, False

    def run(self, width: int, layers: int = 1) -> Swept:
        """The results of all items, (layers, N * rows, width); those that are not known are computed and kept.

        A shard that was damaged meanwhile is computed again.
        """
        known = Known(self._store, self._kind, self._made)
        x = None
        while x is None:
            if (known.find(self._hashes) < 0).any():
                with known.alone():
                    known.refresh()
                    self._read(known)
                    known.refresh()
            x = self._gathered(known, (layers, len(self._number) * self._source.rows, width))
        mine = known.find(self._hashes)
        return Swept(
            x,
            seconds=float(known.seconds[mine].sum()),
            loading=self._loading,
            flops=float(known.flops[mine].sum()),
            tokens=int(known.tokens[mine].sum()),
            truncated=int(known.truncated[mine].sum()),
            cached=not self._computed,
        )

    def close(self) -> None:
        """Frees the space of the prepared items."""
        self._source.close()

    def _gathered(self, known: Known, shape: tuple[int, int, int]) -> np.ndarray | None:
        """The known results in the order of the given items; None where a shard is lost."""
        rows = self._source.rows
        place = known.find(self._hashes)[(self._number[:, None] * rows + np.arange(rows)).reshape(-1)]
        if (place < 0).any():
            known.refresh()
            return None
        on_disk = large(shape)
        out = self._store.scratch(shape) if on_disk else np.empty(shape, np.float32)
        order = np.argsort(known.shard[place], kind="stable")
        shards, starts = np.unique(known.shard[place[order]], return_index=True)
        ends = [*starts[1:].tolist(), len(order)]
        for shard, start, end in zip(shards.tolist(), starts.tolist(), ends[: len(shards)], strict=True):
            here, x = order[start:end], known.x(shard)
            if x is None:
                return None
            at = known.row[place[here]]
            for layer in range(shape[0]):
                out[layer, here] = x[layer, at]
            forget(x)
            if on_disk:
                forget(out)
        return out

    def _read(self, known: Known) -> None:
        """Reads what is not known, shard by shard."""
        wanted = known.find(self._hashes) < 0
        if not wanted.any():
            return
        begun = time.perf_counter()
        if self._bundles is None:
            self._bundles = self._source.open(self._items, self._store.root)
            self._loading += self._source.loading
        bundles = self._bundles
        planned = plan(bundles.lengths, self._made["batch_tokens"], self._made["shard_tokens"])
        self._preparing = time.perf_counter() - begun - self._source.loading
        rows = [bundles.texts(planned.order[planned.rows(shard)]) for shard in range(len(planned.batches))]
        new = [int(wanted[part].sum()) for part in rows]
        work = [
            float(bundles.lengths[planned.order[planned.rows(shard)]].sum()) * new[shard] / len(part)
            for shard, part in enumerate(rows)
        ]
        # A shard of a large model takes minutes: the bar moves with every batch of it.
        label = f"reading {sum(new)} {self._source.what} with {self._model.name}"
        with progress.track(label, sum(work)) as bar:
            for shard, part in enumerate(rows):
                if new[shard] and not known.recovered(self._hashes[part[wanted[part]]]):
                    batches = [planned.order[batch].tolist() for batch in planned.batches[shard]]
                    self._compute(known, bundles, batches, wanted, partial(bar.advance, work[shard] / len(batches)))
                else:
                    bar.advance(work[shard])

    def _compute(
        self, known: Known, bundles: Bundles, batches: list[list[int]], wanted: np.ndarray, done: Callable[[], None]
    ) -> None:
        """Reads the wanted rows of one shard and keeps their results."""
        self._computed = True
        if self._reader is None:
            begun = time.perf_counter()
            self._reader = self._load()
            self._loading += time.perf_counter() - begun
        begun = time.perf_counter()
        x, tokens, flops, read = [], [], [], []
        for numbers in batches:
            rows = bundles.texts(np.array(numbers))
            rows = rows[wanted[rows]]
            if len(rows):
                batch = self._source.batch(bundles, numbers, wanted)
                x.append(self._reader(batch))
                tokens.append(self._source.tokens(batch))
                flops.append(self._reader.flops(batch))
                read.append(rows)
            done()
        rows = np.concatenate(read)
        item, ending = np.divmod(rows, self._source.rows)
        entry = {
            "hash": self._hashes[rows],
            "tokens": np.concatenate(tokens),
            "flops": np.concatenate(flops).astype(np.float64),
            "truncated": self._source.truncated[item] & (ending == 0),
        }
        spent = time.perf_counter() - begun + self._preparing
        self._preparing = 0.0
        known.keep(np.concatenate(x, axis=1), entry, spent)
