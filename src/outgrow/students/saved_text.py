"""A student of a generation task in a folder: a checkpoint of `transformers`, and how it is asked.

student.json        tokens, stop texts, how prompts are put to it, how it was taught
model.safetensors   and what else a checkpoint has

student = outgrow.load("runs/.../student")
student.predict(["one prompt", "another"])     # the likeliest answers
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from outgrow import models
from outgrow.core.errors import UserError
from outgrow.generation import PLAIN, Prompting, Sampling
from outgrow.models import Model
from outgrow.store import Store, disk, record
from outgrow.students.generator import Writers
from outgrow.tasks.prompting import CHAT

TEXT = "text"
"""What student.json calls the head of a student that generates answers."""
FORMAT = 1
"""Goes up when the same files would mean something else."""
FACTS, CHECKPOINT = "student.json", "model.safetensors"
RECORD = "record.json"
"""What the store says of an artifact."""


@final
@dataclass(frozen=True)
class SavedGenerator:
    """A student that generates answers.

    Args:
        folder: its checkpoint.
        tokens: room for an answer.
        stop: an answer ends before the first of these.
        prompting: how prompts are put to it.
        taught: method, supervisors and number of items, for the record.
    """

    folder: Path
    tokens: int
    stop: tuple[str, ...]
    prompting: Prompting
    taught: Mapping[str, Any]

    def predict(self, prompts: Sequence[str]) -> list[str]:
        """(n,) the likeliest answer to each prompt."""
        if isinstance(prompts, str):
            raise TypeError("prompts: give a list of prompts, not one prompt")
        store = Store.default()
        how = Sampling(tokens=self.tokens, stop=self.stop, prompting=self.prompting)
        return Writers(store, how).likeliest(models.resolve(str(self.folder), store), list(prompts))


def save_text(model: Any, how: Sampling, taught: Mapping[str, Any], folder: Path) -> None:
    """Copy a tuned model's checkpoint; the record has a hash of its weights, so that a damaged copy is recognised.

    Raises:
        UserError: what the method returned is no model.
    """
    if not isinstance(model, Model):
        raise UserError("its method returns answers, not a model")
    (folder / FACTS).unlink(missing_ok=True)

    def fill(part: Path) -> None:
        for file in model.path.iterdir():
            if file.is_file() and file.name != RECORD:
                shutil.copyfile(file, part / file.name)
        facts = {"head": TEXT, "format": FORMAT, "taught": dict(taught), "model": model.name}
        facts |= {"tokens": how.tokens, "stop": how.stop, "prompting": asdict(how.prompting), "sha256": _hash(part)}
        (part / FACTS).write_bytes(record.encode(facts))

    disk.write_all(folder, fill)


def load_text(folder: Path, facts: Mapping[str, Any]) -> SavedGenerator:
    """The student in a folder whose record says that it generates answers. Raises UserError where it is damaged."""
    if facts["format"] != FORMAT:
        raise UserError(f"the student in {folder} was written by another version of outgrow: run the study again")
    if facts["sha256"] != _hash(folder):
        raise UserError(
            f"the student in {folder} is damaged: {CHECKPOINT} is not as it was written: run the study again"
        )
    # Students of before `prompting` were asked plainly, or in chat.
    asked = facts.get("prompting") or {"form": CHAT if facts["chat"] else PLAIN.form}
    return SavedGenerator(folder, facts["tokens"], tuple(facts["stop"]), Prompting(**asked), facts["taught"])


def _hash(folder: Path) -> str:
    return " ".join(disk.sha256(file) for file in sorted(folder.glob("*.safetensors")))
