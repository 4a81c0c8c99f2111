"""A saved student, with its model card, as a repository of the Hugging Face hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.models.upload import upload
from outgrow.students import student_file
from outgrow.students.saved import found_in
from outgrow.students.student_file import CARD


@final
@dataclass(frozen=True)
class PushedStudent:
    """A student on the hub."""

    repository: str
    url: str
    public: bool
    files: tuple[str, ...]


def push(folder: Path | str, repository: str, *, public: bool = False) -> PushedStudent:
    """Put a saved student and its model card on the hub; of the run around it nothing goes along.

    Args:
        folder: the student's, or that of the run that kept it.
        repository: OWNER/NAME, made where there is none.
        public: everybody may read it; without it only its owner can.

    Raises:
        UserError: there is no student or no card, or the hub refuses.

    Example:
        >>> push("nowhere", "owner/name")
        Traceback (most recent call last):
        ...
        outgrow.core.errors.UserError: no student in nowhere: give the folder that `outgrow learn` ... wrote ...
    """
    place = found_in(Path(folder))
    names = student_file.files(place)
    if CARD not in names:
        raise UserError(f"{place} has no model card ({CARD}): run the command again that made the student")
    if "license: unknown" in (place / CARD).read_text(encoding="utf-8").partition("\n---")[0]:
        progress.say(f"the licence is unknown: name it in the first lines of {place / CARD}")
    url = upload(place, names, repository, public)
    return PushedStudent(repository, url, public, tuple(names))
