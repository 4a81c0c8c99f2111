"""student.json: what a folder says of its student, written and read by one dataclass, whatever the student reads.

    write(folder, StudentFile(...))
    facts = read(folder)          # after the files of weights have been compared with their sha256

A file of before there were versions has a `format` in the place of its `version`: 2 of a student that labels, 1 of one
that generates answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

from outgrow.core import records
from outgrow.core.errors import UserError
from outgrow.models import hub
from outgrow.store import disk, record
from outgrow.tasks.prompting import CHAT, PLAIN_FORM, Prompting

FACTS, ARRAYS, CHECKPOINT = "student.json", "student.safetensors", "model.safetensors"
CARD = "README.md"
"""The model card."""
FORMATS = {True: 1, False: 2}
"""By whether the student generates answers the `format` of before there were versions."""
VOTES = "votes"
"""The model name of a student that reads votes."""
CONVNET, TEXT = "convnet", "text"
"""The `head` of a network from scratch, and of a student that generates answers."""
WEIGHTS = {
    "linear": (ARRAYS,),
    "mlp": (ARRAYS,),
    "lora": (CHECKPOINT,),
    "full": (CHECKPOINT,),
    CONVNET: ("convnet.json", "convnet.safetensors"),
}
"""By head the files beside student.json; a student that generates answers may have its checkpoint in several."""
Reads = Literal["texts", "pairs", "images", "images and texts", "features", "votes"]


@final
@dataclass(frozen=True, kw_only=True)
class AnswerSettings:
    """How a student that generates answers is asked."""

    tokens: int
    """At most so many tokens of an answer."""
    stop: tuple[str, ...]
    """An answer ends before the first of these."""
    prompting: Prompting
    """How prompts are put to it."""
    layout: str = "prompt"
    """How a row of a table becomes a prompt: "prompt", a column of prompts, or a layout of `tables.structures`."""


@final
@dataclass(frozen=True, kw_only=True)
class StudentFile:
    """student.json: a student without its weights."""

    head: str
    """"linear", "mlp", "lora", "full", "convnet" or "text"."""
    reads: Reads = "texts"
    classes: tuple[str, ...]
    """Empty of a student that generates answers."""
    model: str
    """The checkpoint's name; what pins its bytes."""
    digest: str
    revision: str
    pooling: str
    """Of every head, where its record does not say its own."""
    precision: str
    heads: tuple[dict[str, Any], ...]
    """Of each head its layer, how texts are pooled there, the share of its log odds, and its loss."""
    voters: tuple[str, ...]
    """The supervisors or annotators."""
    template: str
    """How columns become the text that the model reads, and which column plays which role."""
    columns: dict[str, str]
    words: tuple[str, ...]
    taught: dict[str, Any]
    answers: AnswerSettings | None = records.absent()
    sha256: str
    """Of the files of weights, blanks between several."""


def write(folder: Path, facts: StudentFile) -> None:
    """Write the record, which makes the files beside it a student."""
    disk.write(folder / FACTS, encode(facts))


def encode(facts: StudentFile) -> bytes:
    """The record as it is written, with a checksum of its own."""
    return record.encode({"version": records.VERSION, **records.dump(facts)})


def digest(folder: Path, head: str) -> str:
    """sha256 of the files of weights in a folder, blanks between several."""
    return " ".join(disk.sha256(folder / name) for name in weight_files(folder, head))


def weight_files(folder: Path, head: str) -> list[str]:
    """Names of the files of weights of a kind of student."""
    if head == TEXT:
        return sorted(path.name for path in folder.glob("*.safetensors")) or [CHECKPOINT]
    return list(WEIGHTS[head])


def files(folder: Path) -> list[str]:
    """Names of the files of the student in a folder and of its card, the record last; of nothing of the run around it.

    Raises:
        UserError: as of `read`.
    """
    head = read(folder).head
    weights = weight_files(folder, head)
    own_checkpoint = head == TEXT or CHECKPOINT in weights
    there = sorted(path.name for path in folder.iterdir() if path.is_file())
    return [
        *(name for name in there if name in (CARD, *weights) or (own_checkpoint and hub.wanted(name))),
        FACTS,
    ]


def read(folder: Path) -> StudentFile:
    """The record in a folder.

    Raises:
        UserError: there is no student, a file is not as it was written, or the record is of another version.
    """
    try:
        facts = record.decode((folder / FACTS).read_bytes())
        if facts is None:
            raise _damaged(folder, FACTS)
        known = records.load(StudentFile, _versioned(folder, facts), folder / FACTS)
        files, wanted = weight_files(folder, known.head), known.sha256.split(" ")
        found = [disk.sha256(folder / name) for name in files]
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"no student in {folder}: give the folder that `outgrow learn` or `outgrow run` wrote "
            f"({FACTS}, and its weights)"
        ) from None
    if len(found) != len(wanted):
        raise _damaged(folder, CHECKPOINT)
    for name, one, other in zip(files, found, wanted, strict=True):
        if one != other:
            raise _damaged(folder, name)
    return known


def kept_by(folder: Path) -> str | None:
    """The method that taught the student in a folder; None where there is no student."""
    try:
        facts = record.decode((folder / FACTS).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    return None if facts is None else facts["taught"].get("method")


def _damaged(folder: Path, name: str) -> UserError:
    return UserError(
        f"the student in {folder} is damaged: {name} is not as it was written; "
        "run the command again that made it, into another folder"
    )


def _versioned(folder: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The record with what earlier versions did not say."""
    reads = {} if "reads" in facts else {"reads": VOTES if facts["model"] == VOTES else "texts"}
    if "version" in facts:
        return {**facts, **reads}
    if facts["format"] != FORMATS[facts["head"] == TEXT]:
        raise UserError(
            f"the student in {folder} was written by another version of outgrow: run the command again that made it"
        )
    if facts["head"] != TEXT:
        return {**facts, **reads}
    words = dict.fromkeys(("digest", "revision", "pooling", "precision", "template"), "")
    lists: dict[str, Any] = {name: [] for name in ("classes", "heads", "voters", "words")}
    # Students of before `prompting` were asked plainly, or in chat.
    asked = facts.get("prompting") or {"form": CHAT if facts["chat"] else PLAIN_FORM}
    answers = {"tokens": facts["tokens"], "stop": facts["stop"], "prompting": asked}
    return {**words, **lists, "columns": {}, **facts, **reads, "answers": answers}
