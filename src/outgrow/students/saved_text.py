"""A student of a generation task in a folder: a checkpoint of `transformers`, and how it is asked.

student.json        tokens, stop texts, how prompts are put to it, how it was taught
model.safetensors   and what else a checkpoint has

student = outgrow.load("runs/.../student")
student.predict(["one prompt", "another"])     # the likeliest answers
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from outgrow import models
from outgrow.core.errors import UserError
from outgrow.generation import Sampling
from outgrow.models import Model
from outgrow.store import Store, disk
from outgrow.students import student_file
from outgrow.students.generator import Writers
from outgrow.students.student_file import FACTS, TEXT, AnswerSettings, StudentFile

RECORD = "record.json"
"""What the store says of an artifact."""


@final
@dataclass(frozen=True)
class SavedGenerator:
    """A student that generates answers.

    Args:
        folder: its checkpoint.
        answers: how it is asked.
        columns: by role the columns of the table that taught it.
        taught: method, supervisors and number of items, for the record.
    """

    folder: Path
    answers: AnswerSettings
    columns: Mapping[str, str]
    taught: Mapping[str, Any]

    def predict(self, prompts: Any) -> list[str]:
        """The likeliest answers, by greedy decoding; kept in the store as they come.

        Args:
            prompts: n texts, as those that taught it were, or a data frame with their column.

        Returns:
            n answers.
        """
        from outgrow.students import frames

        store, asked = Store.default(), self.answers
        how = Sampling(tokens=asked.tokens, stop=asked.stop, prompting=asked.prompting)
        prompts = list(frames.items_of(self, prompts))
        return Writers(store, how).likeliest(models.resolve(str(self.folder), store), prompts)

    def save(self, folder: Path | str) -> Path:
        """Write the student, with its model card where it has one, into a new folder that `outgrow.load` reads.

        Raises:
            UserError: the folder holds something.
        """
        from outgrow.students import saving

        return saving.copy(self, Path(folder))


def save_text(
    model: Any,
    answers: AnswerSettings,
    columns: Mapping[str, str],
    supervisors: Sequence[str],
    taught: Mapping[str, Any],
    folder: Path,
) -> None:
    """Copy a tuned model's checkpoint into a folder; the record is written last.

    Args:
        model: what the method returned.
        answers: how it is asked.
        columns: by role the columns of the table that taught it.
        supervisors: those who taught it.
        taught: method, supervisors and number of items, for the record.
        folder: where the student is kept.

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
        facts = StudentFile(
            head=TEXT,
            classes=(),
            model=model.name,
            digest=model.digest,
            revision=model.revision,
            pooling="",
            precision="",
            heads=(),
            voters=tuple(supervisors),
            template="",
            columns=dict(columns),
            words=(),
            taught=dict(taught),
            answers=answers,
            sha256=student_file.digest(part, TEXT),
        )
        (part / FACTS).write_bytes(student_file.encode(facts))

    disk.write_all(folder, fill)
