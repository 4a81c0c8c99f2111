"""The disk: full, forbidden, or in use by another process."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from outgrow.core import progress
from outgrow.core.errors import UserError

TEMPORARY, LOCK = ".tmp-", ".lock"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_FOLDER = {errno.ENOTDIR, errno.EEXIST}


def full(error: Exception) -> bool:
    """Whether an error is that of a full disk; of the system's error, libraries in Rust keep only the text."""
    return (isinstance(error, OSError) and error.errno in _FULL) or "os error 28" in str(error)


def mended(error: Exception, path: Path) -> UserError | None:
    """The UserError of a failed write to `path`; None where the disk is not the reason."""
    number = error.errno if isinstance(error, OSError) else None
    named = error.filename if isinstance(error, OSError) else None
    if named and path.parent not in Path(named).parents:
        path = Path(named)
    if full(error):
        return UserError(f"disk full at {path}: free some space, or use a larger disk (OUTGROW_STORE, `out`)")
    if number in _FORBIDDEN:
        return UserError(
            f"{path}: {os.strerror(number).lower()}: allow it, or use your own folder (OUTGROW_STORE, `out`)"
        )
    if number in _NO_FOLDER:
        return UserError(f"{path} has a file where a folder must be: remove it, or use another folder (OUTGROW_STORE)")
    return None


def folder(path: Path) -> None:
    """Makes a folder and those above it. Raises UserError where that is not possible."""
    with guarded(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except FileNotFoundError as error:
            raise UserError(f"cannot make the folder {path}: {error.strerror}: set OUTGROW_STORE to another") from None


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turns the errors of a full disk, a missing permission and a file in the way into a UserError."""
    try:
        yield
    except Exception as error:
        problem = mended(error, path)
        if problem is None:
            raise
        raise problem from error


@contextmanager
def locked(path: Path, waiting_for: str) -> Iterator[None]:
    """Holds a lock that other processes respect and that the system frees when its holder dies.

    The holder removes the lock file; a process that opened it before finds that it has no name any more and starts
    again.
    """
    lock = FileLock(path)
    with guarded(path):
        try:
            lock.acquire(blocking=False)
        except Timeout:
            progress.say(f"another process is making {waiting_for}: waiting for it")
            lock.acquire()
    with _released(lock, path):
        yield


@contextmanager
def _released(lock: BaseFileLock, path: Path) -> Iterator[None]:
    """Removes the file of a lock that is held here, and frees the lock."""
    try:
        yield
    finally:
        # Windows removes no open file: there it goes once the lock is free, unless another process has it open.
        if sys.platform != "win32":
            path.unlink(missing_ok=True)
        lock.release()
        if sys.platform == "win32":
            with suppress(OSError):
                path.unlink()


def busy(path: Path) -> bool:
    """Whether a living process holds the lock of that file."""
    lock = FileLock(path, blocking=False)
    try:
        with lock:
            return False
    except Timeout:
        return True


@contextmanager
def temporary(parent: Path) -> Iterator[Path]:
    """A new folder in `parent`, locked while this process uses it and removed afterwards unless it was renamed."""
    folder = parent / f"{TEMPORARY}{secrets.token_hex(4)}"
    path = _lock_of(folder)
    lock = FileLock(path)
    lock.acquire()
    with _released(lock, path):
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _lock_of(folder: Path) -> Path:
    """The lock of a temporary folder. It lies beside the folder, which may be renamed."""
    return folder.with_name(f"{folder.name}{LOCK}")


def write(path: Path, content: str | bytes | Callable[[Path], object]) -> None:
    """Write a file whole: under a temporary name in its folder, to the disk, and in one step under its own name.

    A reader finds the earlier file or the new one, never a part. The folder is made where it is missing.

    Args:
        path: the file.
        content: text (written as UTF-8), bytes, or a function that writes the file at the path it is given.

    Raises:
        UserError: where the disk is full, or the path forbidden.
    """
    folder(path.parent)
    part = path.with_name(f"{path.name}.part")
    with guarded(path):
        try:
            if callable(content):
                content(part)
            else:
                part.write_bytes(content.encode() if isinstance(content, str) else content)
            sync(part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def write_all(into: Path, fill: Callable[[Path], object]) -> None:
    """Write several files as `write` does one: `fill` makes them in a temporary folder, then each moves to `into`.

    The one that `fill` wrote last, such as a record that makes the others valid, moves last.
    """
    folder(into)
    clean(into)
    with guarded(into), temporary(into) as part:
        fill(part)
        for path in sorted(part.iterdir(), key=lambda path: (path.stat().st_mtime_ns, path.name)):
            sync(path)
            path.replace(into / path.name)


def clean(parent: Path) -> None:
    """Removes temporary folders of killed processes in `parent`; those of living ones are locked and stay."""
    for name in sorted({path.name.removesuffix(LOCK) for path in parent.glob(f"{TEMPORARY}*")}):
        path = _lock_of(parent / name)
        lock = FileLock(path, blocking=False)
        try:
            lock.acquire()
        except (OSError, Timeout):
            continue
        with _released(lock, path):
            shutil.rmtree(parent / name, ignore_errors=True)


def sync(path: Path) -> None:
    """Waits until a file or a folder has reached the disk."""
    if sys.platform == "win32":
        # Windows opens no folder, and flushes what was opened for writing.
        if path.is_dir():
            return
        flags = os.O_RDWR
    else:
        flags = os.O_RDONLY
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def held(folder: Path) -> Iterator[os.stat_result]:
    """Facts of a folder, whose number stays its own meanwhile where the system opens folders.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    if sys.platform == "win32":
        yield os.stat(folder)
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield os.fstat(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """sha256 (hex) of a file's bytes, read as a stream."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
