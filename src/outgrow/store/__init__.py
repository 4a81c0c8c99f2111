"""The store: everything expensive is kept under the hash of all that made it, so that a killed study resumes.

    store = Store.default()
    artifact = store.make("features", {"model": digest, "texts": texts_digest}, build)   # build() -> (arrays, meta)
    artifact.arrays["x"], artifact.meta["seconds"]

An artifact is a folder ROOT/KIND/KEY of files and `record.json`: their sizes and sha256, what the artifact was made of,
and a checksum of the record itself; a kind may have families, KIND/FAMILY. The folder gets its name in one rename, last
of all, so that it is there whole or not at all.
"""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
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
"""Nanoseconds. File times are coarse: a file that changed this recently may change again under the same time."""
_verified: dict[Path, tuple[int, int, int]] = {}
_cleaned: set[Path] = set()
"""Files that this process has checked and folders that it has cleaned: a file is read once for its checksum."""


@dataclass(frozen=True)
class Artifact:
    """Something expensive that was computed once."""

    path: Path
    """Its folder."""
    meta: dict[str, Any]
    """Small facts beside the data, of JSON types."""

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
        """The store in the folder OUTGROW_STORE, or in `outgrow` in the user's cache folder."""
        named = os.environ.get("OUTGROW_STORE")
        if named:
            return Store(Path(named))
        if sys.platform == "darwin":
            caches = "~/Library/Caches"
        elif sys.platform == "win32":
            caches = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
        else:
            caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        return Store(Path(caches) / "outgrow")

    def get(self, kind: str, made_of: Mapping) -> Artifact | None:
        """The artifact, checked against its checksums, or None.

        A damaged one is reported, removed and absent. Each file is read and checked once a process, again when its time
        or size has changed.

        Args:
            kind: folder of the artifact.
            made_of: all that the artifact depends on, of JSON types.
        """
        folder = self.root / kind / record.key(made_of)
        with guarded(folder):
            try:
                # Only the folder that was checked here is removed below.
                with disk.held(folder) as looked_at:
                    facts, damaged = self._examine(folder)
                    if damaged is None:
                        return Artifact(folder, facts["meta"])
                    mine = self._discard(folder, damaged, looked_at)
            except FileNotFoundError:
                return None
        return None if mine else self.get(kind, made_of)

    def put(self, kind: str, made_of: Mapping, arrays: Mapping[str, np.ndarray], meta: Mapping) -> Artifact:
        """Keeps arrays and facts; where another process was faster, its artifact stays and is returned."""

        def write(folder: Path) -> Mapping:
            with (folder / DATA).open("wb") as file:
                for chunk in container.chunks(arrays):
                    file.write(chunk)
            return meta

        return self._put(kind, made_of, write)

    def make(
        self, kind: str, made_of: Mapping, build: Callable[[], tuple[Mapping[str, np.ndarray], Mapping]]
    ) -> Artifact:
        """The artifact; where it is absent, `build` makes (arrays, meta), in one process at a time."""
        return self._make(kind, made_of, lambda: self.put(kind, made_of, *build()))

    def make_files(self, kind: str, made_of: Mapping, build: Callable[[Path], Mapping]) -> Artifact:
        """Like `make`, for an artifact of files: `build` writes them into the given folder and returns the meta."""
        return self._make(kind, made_of, lambda: self._put(kind, made_of, build))

    def records(self, kind: str) -> list[dict[str, Any]]:
        """`made_of` of each artifact of a kind."""
        found = []
        for file in sorted((self.root / kind).glob(f"[!.]*/{RECORD}")):
            # Another process may remove it meanwhile.
            with suppress(FileNotFoundError):
                found.append(record.decode(file.read_bytes()))
        return [facts["made_of"] for facts in found if facts is not None]

    def every(self, kind: str) -> list[Artifact]:
        """The sound artifacts of a kind, in the order of their keys."""
        return [found for made in self.records(kind) if (found := self.get(kind, made)) is not None]

    def locked(self, kind: str) -> AbstractContextManager[None]:
        """Held while artifacts of a kind are made of one another: by one process at a time."""
        return disk.locked(self._folder(kind) / "all.lock", kind)

    def drop(self, kind: str, made_of: Mapping) -> None:
        """Removes an artifact, if there is one."""
        self.remove(self.root / kind / record.key(made_of))

    def remove(self, folder: Path) -> None:
        """Removes the artifact in that folder, if there is one."""
        if folder.exists():
            with guarded(folder), disk.temporary(folder.parent) as bin_folder, suppress(FileNotFoundError):
                folder.rename(bin_folder / folder.name)

    def scratch(self, shape: tuple[int, ...], dtype: np.dtype | type = np.float32) -> np.ndarray:
        """A writable array of zeros on the store's disk, which may be larger than memory.

        It disappears with its last reference. `forget(array)` frees the memory that it fills.
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
            files: dict[str, dict[str, Any]] = {}
            facts: dict[str, Any] = {"kind": kind, "key": key, "made_of": record.plain(made_of)}
            facts["meta"] = record.plain(dict(write(folder)))
            facts["files"] = files
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                name = path.relative_to(folder).as_posix()
                disk.sync(path)
                files[name] = {"size": path.stat().st_size, "sha256": disk.sha256(path)}
                self._remember(final / name, path.stat())
            (folder / RECORD).write_bytes(record.encode(facts))
            disk.sync(folder / RECORD)
            disk.sync(folder)
            while (found := self.get(kind, made_of)) is None:
                try:
                    folder.rename(final)
                except OSError as error:
                    # Another process was faster between our check and our rename: its artifact is as good.
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                        raise
                else:
                    disk.sync(final.parent)
                    return Artifact(final, facts["meta"])
        return found

    def _folder(self, kind: str) -> Path:
        """The folder of a kind; remains of killed processes are removed on the first visit."""
        folder = self.root / kind
        disk.folder(folder)
        if folder not in _cleaned:
            _cleaned.add(folder)
            disk.clean(folder)
        return folder

    def _examine(self, folder: Path) -> tuple[dict, str | None]:
        """(record of an artifact, its first damaged file or None)."""
        try:
            facts = record.decode((folder / RECORD).read_bytes())
        except FileNotFoundError:
            facts = None
        if facts is None or f"{facts['kind']}/{facts['key']}" != folder.relative_to(self.root).as_posix():
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
        """Notes that a file is sound, unless it is so young that a change could have the same time."""
        if time.time_ns() - stat.st_mtime_ns > _FRESH:
            _verified[path] = _identity(stat)

    def _discard(self, folder: Path, name: str, looked_at: os.stat_result) -> bool:
        """Removes a damaged artifact; False where another process has already put a sound one in its place."""
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
        kind = folder.parent.relative_to(self.root).as_posix()
        progress.say(f"damaged {kind} ({folder / name}): removed, will be made again")
        return True


def _identity(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
