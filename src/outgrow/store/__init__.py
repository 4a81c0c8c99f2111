"""Everything expensive is kept under the hash of all that made it: a killed study goes on where it was.

    store = Store.default()
    artifact = store.make("features", {"model": digest, "texts": texts_digest}, build)   # build() -> (arrays, meta)
    artifact.arrays["x"], artifact.meta["seconds"]

An artifact is a folder ROOT/KIND/KEY of files and `record.json`: their sizes and sha256, what the artifact was made
of, and a checksum of the record itself. The folder gets its name in one rename, last of all, so that it is there whole
or not at all.
"""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from outgrow.core import progress
from outgrow.store import container, disk, record
from outgrow.store.container import forget as forget
from outgrow.store.disk import guarded as guarded

made_of = record.key
DATA, RECORD = "data.safetensors", "record.json"
_FRESH = 100_000_000
"""Nanoseconds. The clock of file times is coarse: a file changed this recently may change again under the same time."""
_verified: dict[Path, tuple[int, int, int]] = {}
_cleaned: set[Path] = set()
"""What this process has checked and tidied already; a memo, so that a file is read once for its checksum."""


@dataclass(frozen=True)
class Artifact:
    """Something expensive that was made once."""

    path: Path
    """Its folder."""
    meta: dict
    """The small facts beside the data; what JSON can say."""

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """Memory-mapped, read-only; empty for an artifact of files."""
        file = self.path / DATA
        return container.read(file) if file.exists() else {}


@dataclass(frozen=True)
class Store:
    """A folder of artifacts that several processes may use at the same time."""

    root: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", Path(self.root).expanduser().absolute())

    @staticmethod
    def default() -> Store:
        """The folder named by OUTGROW_STORE, or `outgrow` in the user's cache folder."""
        named = os.environ.get("OUTGROW_STORE")
        if named:
            return Store(Path(named))
        caches = "~/Library/Caches" if sys.platform == "darwin" else os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        return Store(Path(caches) / "outgrow")

    def get(self, kind: str, made_of: Mapping) -> Artifact | None:
        """The artifact, checked against its checksums, or None. A damaged one is named, removed and reported as absent.

        Each file is read and checked once a process; again when its time or size has changed.
        """
        folder = self.root / kind / record.key(made_of)
        with guarded(folder):
            try:
                # Held open, so that its number stays its own: what is removed below is what was looked at here.
                handle = os.open(folder, os.O_RDONLY)
            except FileNotFoundError:
                return None
            try:
                facts, damaged = self._examine(folder)
                if damaged is None:
                    return Artifact(folder, facts["meta"])
                mine = self._discard(folder, damaged, os.fstat(handle))
            finally:
                os.close(handle)
        return None if mine else self.get(kind, made_of)

    def put(self, kind: str, made_of: Mapping, arrays: Mapping[str, np.ndarray], meta: Mapping) -> Artifact:
        """Keep arrays and facts. Where another process was faster, its artifact stays and is returned."""

        def write(folder: Path) -> Mapping:
            with (folder / DATA).open("wb") as file:
                for chunk in container.chunks(arrays):
                    file.write(chunk)
            return meta

        return self._put(kind, made_of, write)

    def make(
        self, kind: str, made_of: Mapping, build: Callable[[], tuple[Mapping[str, np.ndarray], Mapping]]
    ) -> Artifact:
        """The artifact; `build` is called where it is absent, by one process at a time."""
        return self._make(kind, made_of, lambda: self.put(kind, made_of, *build()))

    def make_files(self, kind: str, made_of: Mapping, build: Callable[[Path], Mapping]) -> Artifact:
        """Like `make`, for an artifact of files: `build` writes them into the folder it is given, returns the meta."""
        return self._make(kind, made_of, lambda: self._put(kind, made_of, build))

    def records(self, kind: str) -> list[dict[str, Any]]:
        """What each artifact of a kind was made of."""
        found = []
        for file in sorted((self.root / kind).glob(f"[!.]*/{RECORD}")):
            # Another process may remove it meanwhile.
            with suppress(FileNotFoundError):
                found.append(record.decode(file.read_bytes()))
        return [facts["made_of"] for facts in found if facts is not None]

    def drop(self, kind: str, made_of: Mapping) -> None:
        """Remove an artifact that is of no more use; nothing happens where there is none."""
        folder = self.root / kind / record.key(made_of)
        if folder.exists():
            with guarded(folder), disk.temporary(folder.parent) as bin_folder, suppress(FileNotFoundError):
                folder.rename(bin_folder / folder.name)

    def scratch(self, shape: tuple[int, ...], dtype: np.dtype | type = np.float32) -> np.ndarray:
        """A writable array of zeros on the store's disk, for what may be larger than memory.

        It is gone when the last reference is. `forget(array)` lets go of the memory it has come to fill.
        """
        disk.folder(self.root)
        with guarded(self.root), tempfile.TemporaryFile(dir=self.root) as file:
            return container.reserve(file, shape, np.dtype(dtype))

    def _make(self, kind: str, made_of: Mapping, put: Callable[[], Artifact]) -> Artifact:
        artifact = self.get(kind, made_of)
        if artifact is not None:
            return artifact
        with disk.locked(self._folder(kind) / f"{record.key(made_of)}.lock", kind):
            artifact = self.get(kind, made_of)
            return put() if artifact is None else artifact

    def _put(self, kind: str, made_of: Mapping, write: Callable[[Path], Mapping]) -> Artifact:
        key = record.key(made_of)
        final = self._folder(kind) / key
        with guarded(final), disk.temporary(final.parent) as folder:
            facts = {"kind": kind, "key": key, "made_of": record.plain(made_of)}
            facts["meta"] = record.plain(dict(write(folder)))
            facts["files"] = {}
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                name = path.relative_to(folder).as_posix()
                disk.sync(path)
                facts["files"][name] = {"size": path.stat().st_size, "sha256": disk.sha256(path)}
                self._remember(final / name, path.stat())
            (folder / RECORD).write_bytes(record.encode(facts))
            disk.sync(folder / RECORD)
            disk.sync(folder)
            while (found := self.get(kind, made_of)) is None:
                try:
                    folder.rename(final)
                except OSError as error:
                    # Another process was faster between our look and our rename: look again, theirs is as good.
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                        raise
                else:
                    disk.sync(final.parent)
                    return Artifact(final, facts["meta"])
        return found

    def _folder(self, kind: str) -> Path:
        """The folder of a kind, made where absent; what killed writers left in it is removed on the first visit."""
        folder = self.root / kind
        disk.folder(folder)
        if folder not in _cleaned:
            _cleaned.add(folder)
            disk.clean(folder)
        return folder

    def _examine(self, folder: Path) -> tuple[dict, str | None]:
        """The record of an artifact, and the first of its files that is not as it was written."""
        try:
            facts = record.decode((folder / RECORD).read_bytes())
        except FileNotFoundError:
            facts = None
        if facts is None or (facts["kind"], facts["key"]) != (folder.parent.name, folder.name):
            return {}, RECORD
        sound = (self._sound(folder / name, expected) for name, expected in facts["files"].items())
        return facts, next((name for name, good in zip(facts["files"], sound, strict=True) if not good), None)

    def _sound(self, path: Path, expected: Mapping) -> bool:
        try:
            stat = path.stat()
            if _verified.get(path) == _identity(stat):
                return True
            self._remember(path, stat)
            if stat.st_size == expected["size"] and disk.sha256(path) == expected["sha256"]:
                return True
        except FileNotFoundError:
            pass
        _verified.pop(path, None)
        return False

    def _remember(self, path: Path, stat: os.stat_result) -> None:
        """That a file is sound, unless it is so young that a change could hide under the same time."""
        if time.time_ns() - stat.st_mtime_ns > _FRESH:
            _verified[path] = _identity(stat)

    def _discard(self, folder: Path, name: str, looked_at: os.stat_result) -> bool:
        """Remove a damaged artifact; False where another process has done so and put a sound one in its place."""
        # Renamed into a folder of ours first: no other process ever sees half of it.
        with disk.temporary(folder.parent) as bin_folder:
            aside = bin_folder / folder.name
            try:
                folder.rename(aside)
            except FileNotFoundError:
                return True
            if not os.path.samestat(aside.stat(), looked_at):
                with suppress(OSError):
                    aside.rename(folder)
                return False
        progress.say(f"damaged {folder.parent.name} ({folder / name}): removed, will be made again")
        return True


def _identity(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
