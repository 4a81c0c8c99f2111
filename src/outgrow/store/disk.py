"""The disk: full, forbidden, or in use by another process."""

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

    The holder removes the lock file; a process that opened it before finds another file, or none, under its name and
    starts again.
    """
    reported = False
    while True:
        with guarded(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not reported:
                    progress.say(f"another process is making {waiting_for}: waiting for it")
                    reported = True
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
    """A new folder in `parent`, locked while this process uses it and removed afterwards unless it was renamed."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=parent))
        # Another process may clean up between the making of the folder and its lock.
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
    """Waits until a file or a folder has reached the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """sha256 (hex) of a file's bytes, read as a stream."""
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
