"""What a store holds, and what of it may go: by kind, by age, or the oldest until the rest is small enough."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import final

from outgrow.core.errors import UserError, unknown
from outgrow.store import RECORD, Store, disk

KEY = re.compile(r"[0-9a-f]{64}")
"""The name of an artifact's folder."""
LOCKS = re.compile(rf"({KEY.pattern}|all|{re.escape(disk.TEMPORARY)}[0-9a-f]+){re.escape(disk.LOCK)}")
"""Names of the store's own locks: its folder may hold files of others, such as uv.lock."""


@final
@dataclass(frozen=True)
class Kept:
    """An artifact as a folder."""

    kind: str
    """The first folder of its path: families of a kind count together."""
    path: Path
    size: int
    """Bytes."""
    made: float
    """Seconds since the epoch."""


def kept(store: Store) -> list[Kept]:
    """Every artifact, the oldest first."""
    found = []
    for place, folders, files in os.walk(store.root):
        path = Path(place)
        if RECORD in files and KEY.fullmatch(path.name):
            # Another process may remove it meanwhile.
            with suppress(FileNotFoundError):
                size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
                made = (path / RECORD).stat().st_mtime
                found.append(Kept(path.relative_to(store.root).parts[0], path, size, made))
            folders.clear()
        folders[:] = [name for name in folders if not name.startswith(disk.TEMPORARY)]
    return sorted(found, key=lambda one: (one.made, one.path))


def chosen(
    found: Sequence[Kept], kinds: Collection[str] = (), before: float | None = None, at_most: int | None = None
) -> list[Kept]:
    """The artifacts that are to go.

    Args:
        found: those of a store, the oldest first.
        kinds: these kinds alone; all where it is empty.
        before: seconds since the epoch; those alone that were made earlier.
        at_most: bytes that may stay in the store; the oldest of the others go until no more is left.

    Raises:
        UserError: the store holds nothing of a kind.
    """
    known = {one.kind for one in found}
    for kind in kinds:
        if kind not in known:
            raise unknown("kind of artifact in the store", kind, known)
    able = [one for one in found if (not kinds or one.kind in kinds) and (before is None or one.made < before)]
    if at_most is None:
        return able
    total, out = sum(one.size for one in found), []
    for one in able:
        if total <= at_most:
            break
        total -= one.size
        out.append(one)
    return out


def remove(store: Store, gone: Sequence[Kept]) -> None:
    """Remove artifacts, and what killed processes left beside them.

    Raises:
        UserError: a process is making an artifact in this store.
    """
    for lock in sorted(store.root.rglob(f"*{disk.LOCK}")):
        if LOCKS.fullmatch(lock.name) and disk.busy(lock):
            kind = lock.parent.relative_to(store.root).as_posix()
            raise UserError(f"another process is making {kind} in {store.root}: prune when it has ended")
    for one in gone:
        store.remove(one.path)
    for folder in {one.path.parent for one in gone}:
        disk.clean(folder)
