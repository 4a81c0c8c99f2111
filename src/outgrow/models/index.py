"""Results of a model that the store has, found by the hash of what was read, whatever list it was read in.

    shard    artifact of KIND-shards: x (L, n, D) of n rows that were read one after the other, and their entry
    entry    artifact of KIND/FAMILY: of the same n rows the hashes, and what reading them took

The entries of a family, all that one model with one choice of layers has read, are its index: 33 bytes a row. A row
stays as it was first read; other company in its batch might have given it other last digits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, final

import numpy as np

from outgrow.store import Artifact, Store, made_of

ENTRY = {"hash": np.uint64, "tokens": np.int64, "flops": np.float64, "truncated": np.bool_}
"""Arrays of an entry, (n,); hashes are (n, 2)."""


def hashes(items: Sequence[str | bytes], rows: int) -> np.ndarray:
    """uint64 (N * rows, 2): the hash of each row of each item."""
    digests = b"".join(hashlib.sha256(_bytes(item)).digest()[:16] for item in items)
    each = np.frombuffer(digests, np.uint64).reshape(-1, 2).repeat(rows, 0)
    each[:, 1] += np.tile(np.arange(rows, dtype=np.uint64), len(items))
    return each


def _bytes(item: str | bytes) -> bytes:
    return item if isinstance(item, bytes) else item.encode("utf-8", "surrogatepass")


def _sortable(given: np.ndarray) -> np.ndarray:
    """(n,) texts of 16 bytes of hashes (n, 2)."""
    return np.ascontiguousarray(given).view("S16").reshape(len(given))


@final
class Known:
    """The rows of one family.

    Args:
        store: where they are kept.
        kind: of artifact.
        made: all that a row depends on besides its item.
    """

    def __init__(self, store: Store, kind: str, made: Mapping[str, Any]):
        self._store, self._shards, self._made = store, f"{kind}-shards", dict(made)
        self._family = f"{kind}/{made_of(made)[:16]}"
        self.refresh()

    def refresh(self) -> None:
        """Looks again at what is there."""
        entries = self._store.every(self._family)
        self.shards = [str(entry.meta["shard"]) for entry in entries]
        sizes = [len(entry.arrays["hash"]) for entry in entries]
        self.shard = np.repeat(np.arange(len(sizes)), sizes)
        self.row = np.concatenate([np.zeros(0, np.int64), *map(np.arange, sizes)])
        columns = {
            name: np.concatenate([np.zeros((0, 2) if name == "hash" else 0, kind), *(e.arrays[name] for e in entries)])
            for name, kind in ENTRY.items()
        }
        self.tokens, self.flops, self.truncated = columns["tokens"], columns["flops"], columns["truncated"]
        self._hash = _sortable(columns["hash"])
        work = np.bincount(self.shard, self.flops, len(sizes))
        spent = np.array([float(entry.meta["seconds"]) for entry in entries])
        self.seconds = self.flops * (spent / np.maximum(work, 1))[self.shard]
        self._order = np.argsort(self._hash, kind="stable")

    def find(self, wanted: np.ndarray) -> np.ndarray:
        """(n,) the place of rows by their hashes (n, 2), -1 where one is not known."""
        if not len(self._order):
            return np.full(len(wanted), -1)
        named = _sortable(wanted)
        at = np.searchsorted(self._hash, named, sorter=self._order)
        place = self._order[np.minimum(at, len(self._order) - 1)]
        return np.where(self._hash[place] == named, place, -1)

    def x(self, shard: int) -> np.ndarray | None:
        """(L, n, D) of one shard, or None where it was lost: then its rows are no longer known."""
        found = self._store.get(self._shards, self._made | {"rows": self.shards[shard]})
        if found is None:
            self._store.drop(self._family, {"rows": self.shards[shard]})
            self.refresh()
            return None
        return found.arrays["x"]

    def keep(self, x: np.ndarray, entry: Mapping[str, np.ndarray], seconds: float) -> None:
        """Keeps the results (L, n, D) of n rows, their entry, and the seconds that they took."""
        rows = hashlib.sha256(entry["hash"].tobytes()).hexdigest()
        made = self._made | {"rows": rows}
        self._enter(rows, self._store.put(self._shards, made, {"x": x, **entry}, {"seconds": seconds}))

    def recovered(self, wanted: np.ndarray) -> bool:
        """Whether a shard of exactly these rows (n, 2) is there without its entry; it gets a new one."""
        rows = hashlib.sha256(wanted.tobytes()).hexdigest()
        found = self._store.get(self._shards, self._made | {"rows": rows})
        if found is not None:
            self._enter(rows, found)
        return found is not None

    def alone(self) -> AbstractContextManager[None]:
        """Held by the one process that adds rows."""
        return self._store.locked(self._family)

    def _enter(self, rows: str, shard: Artifact) -> None:
        arrays = {name: shard.arrays[name] for name in ENTRY}
        self._store.put(self._family, {"rows": rows}, arrays, {"shard": rows, "seconds": shard.meta["seconds"]})
