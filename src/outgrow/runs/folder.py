"""Claims on output folders: a folder holds what its verb was asked, and no other result overwrites it unasked.

    claim(folder, "learn", {"data": content("votes.csv"), "seed": 0})

The same question finds its folder again and goes on. Another one is refused or, with `overwrite`, replaces what a verb
left there; files that no verb wrote are never touched.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from outgrow.core.errors import UserError
from outgrow.core.records import load, parse
from outgrow.runs.schema import write
from outgrow.runs.schema.claim import ClaimFile
from outgrow.store import disk
from outgrow.tasks.tables.files import TableFile

FILE = "claim.json"
LEFT = {
    "run": (
        "study.json",
        "asked.json",
        "summary.json",
        "details.json",
        "cells.parquet",
        "comparison.json",
        "predictions",
        "student",
        "students",
        "tensorboard",
        "report.html",
    ),
    "learn": (
        "learn.json",
        "student.json",
        "student.safetensors",
        "model.safetensors",
        "config.json",
        "suggest.csv",
        "suggest.label-studio.json",
        "suggest.argilla.json",
        "suggest.prodigy.jsonl",
        "study.json",
        "summary.json",
        "details.json",
        "cells.parquet",
        "predictions",
        "tensorboard",
        "report.html",
    ),
    "audit": ("audit.json", "audit.html"),
    "committee": ("committee.json", "answers.parquet", "committee.html", "committees.html"),
    "steer": ("steer.json", "steer.html"),
}
"""What each verb leaves in its folder."""
MAIN = {
    "learn": "learn.json",
    "committee": "committee.json",
    "steer": "steer.json",
    "run": "summary.json",
    "audit": "audit.json",
}
"""The file of each verb that holds its result: `learn` leaves a study's files, too, and a study audit.json."""


def claim(folder: Path, verb: str, asked: Mapping[str, Any], overwrite: bool = False) -> None:
    """Make the folder and record in it what is asked.

    Args:
        folder: the output folder.
        verb: the job that writes into it.
        asked: its arguments, as plain data.
        overwrite: whether another result in the folder may be removed.

    Raises:
        UserError: a file has the folder's name, or the folder holds other files, or another result that may not go.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"`out` = {folder}: there is a file of that name; give a folder")
    ours = ClaimFile(verb, json.loads(json.dumps(asked, sort_keys=True, default=str)))
    with disk.guarded(folder):
        names = {path.name for path in folder.iterdir()} - {FILE} if folder.is_dir() else set()
    known = {name for left in LEFT.values() for name in left}
    if names and (found := claimed(folder)) != ours:
        if found is None and not names & known:
            raise UserError(f"`out` = {folder}: the folder holds other things; give an empty or a new one")
        if not overwrite:
            raise UserError(
                f"`out` = {folder}: the folder holds {_whose(found, ours)}; "
                "give another folder, or `overwrite=True` if it may go"
            )
        with disk.guarded(folder):
            for path in (folder / name for name in sorted(names & known)):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    write(folder / FILE, ours)


def verb_of(folder: Path) -> str:
    """The verb whose result lies in the folder. Raises UserError where there is none."""
    for verb, name in MAIN.items():
        if (folder / name).is_file():
            return verb
    raise UserError(
        f"{folder} is no run folder: it holds no {', '.join(MAIN.values())}; give a folder that outgrow wrote"
    )


def content(path: str | Path | TableFile | None) -> str | None:
    """sha256 of a file; the source of an open table; the name itself of what is none, as of a built-in task."""
    if isinstance(path, TableFile):
        return path.source
    at = None if path is None else Path(path).expanduser()
    return disk.sha256(at) if at is not None and at.is_file() else None if path is None else str(path)


def claimed(folder: Path) -> ClaimFile | None:
    """What was asked in this folder; None where it does not say."""
    path = folder / FILE
    try:
        found = parse(path.read_bytes(), path)
        if isinstance(found, dict) and "version" not in found:
            found = {"verb": found.get("verb"), "asked": {key: found[key] for key in found.keys() - {"verb"}}}
        return load(ClaimFile, found, path)
    except (OSError, UserError):
        return None


def _whose(found: ClaimFile | None, ours: ClaimFile) -> str:
    """What lies there, and in what it differs."""
    if found is None:
        return "a result that does not say what was asked"
    if found.verb != ours.verb:
        return f"what `outgrow {found.verb}` wrote"
    differ = sorted(name for name in {*found.asked, *ours.asked} if found.asked.get(name) != ours.asked.get(name))
    return f"another result of `outgrow {ours.verb}` (with other {', '.join(differ)})"
