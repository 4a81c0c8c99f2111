"""The disk as the user meets it: full, forbidden, or held by another process."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from outgrow.core import progress
from outgrow.core.errors import UserError

TEMPORARY = ".tmp-"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_FOLDER = {errno.ENOTDIR, errno.EEXIST}


def full(error: Exception) -> bool:
    """Whether the disk is full. Libraries written in Rust wrap the system's error and keep only its words."""
    return (isinstance(error, OSError) and error.errno in _FULL) or "os error 28" in str(error)


def mended(error: Exception, path: Path) -> UserError | None:
    """What to tell the user about a failed write to `path`; None where it is a bug, not the disk."""
    number = error.errno if isinstance(error, OSError) else None
    named = getattr(error, "filename", None)
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
    """Make a folder, and those above it, where they are missing. Raises UserError where that cannot be."""
    with guarded(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except FileNotFoundError as error:
            raise UserError(f"cannot make the folder {path}: {error.strerror}: set OUTGROW_STORE to another") from None


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turns a full disk, a missing permission and a file in the way into one line for the user."""
    try:
        yield
    except Exception as error:
        told = mended(error, path)
        if told is None:
            raise
        raise told from error


@contextmanager
def locked(path: Path, waiting_for: str) -> Iterator[None]:
    """Holds a lock that other processes respect and that the system gives back when its holder dies.

    The lock file is removed by its holder; whoever opened it before then finds another file, or none, under its name
    and starts again.
    """
    said = False
    while True:
        with guarded(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not said:
                    progress.say(f"another process is making {waiting_for}: waiting for it")
                    said = True
                fcntl.flock(handle, fcntl.LOCK_EX)
            if _same(handle, path):
                try:
                    yield
                finally:
                    path.unlink(missing_ok=True)
                return
        finally:
            os.close(handle)


@contextmanager
def temporary(parent: Path) -> Iterator[Path]:
    """A new folder in `parent`, locked while its writer lives and removed afterwards unless it was renamed."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=parent))
        # A cleaner may come between the making of the folder and its lock.
        try:
            handle = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _same(handle, folder):
                os.chmod(folder, 0o777 & ~_umask())
                yield folder
                return
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(handle)


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
    """Several files as `write` writes one: `fill` puts them into a temporary folder, and each then takes its place in `into`."""
    folder(into)
    clean(into)
    with guarded(into), temporary(into) as part:
        fill(part)
        for path in sorted(part.iterdir()):
            sync(path)
            path.replace(into / path.name)


def clean(parent: Path) -> None:
    """Remove what killed writers left in `parent`; folders of living writers are locked and stay."""
    for folder in parent.glob(f"{TEMPORARY}*"):
        try:
            handle = os.open(folder, os.O_RDONLY)
        except OSError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(handle)


def sync(path: Path) -> None:
    """Wait until a file or a folder has reached the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """Of a file's bytes, read as a stream."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _same(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _umask() -> int:
    value = os.umask(0)
    os.umask(value)
    return value
