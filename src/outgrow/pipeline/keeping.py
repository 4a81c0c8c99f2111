"""The student that a study keeps: of the first method after naive, or of naive, by its first replicate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.methods import Method
from outgrow.pipeline.cell import StoredCell
from outgrow.pipeline.class_cell import ClassCell
from outgrow.pipeline.text_cell import TextCell
from outgrow.students.saved import kept_by, save
from outgrow.students.saved_text import save_text
from outgrow.students.saving import saved_student


@final
@dataclass(frozen=True)
class Keeper:
    """Where a student is kept, and of which method.

    Args:
        folder: its own folder in the run folder.
        method: name of the method.
        parameters: the method's hyper-parameters.
        columns: by role the columns of the table that the task was read from.
    """

    folder: Path
    method: str
    parameters: Mapping[str, Any]
    columns: Mapping[str, str]

    def __call__(self, cell: StoredCell, fitted: Any) -> None:
        """Save the student of replicate 0, or say why it cannot be saved."""
        try:
            self._save(cell, fitted)
        except UserError as reason:
            progress.say(f"{cell.task.name}: no student is kept: {reason}")

    def complete(self, cell: StoredCell, ran: Sequence[tuple[Method, Mapping[str, Any]]]) -> None:
        """See to it that the student of the first method after naive is kept, of those that were not left out.

        Heads and classifiers are fitted again where the row came out of the store; a student that generates answers is kept
        while its row is computed, or not at all.
        """
        method, parameters = ran[min(1, len(ran) - 1)]
        keeper = replace(self, method=method.name, parameters=parameters)
        if isinstance(cell, ClassCell) and not keeper.done:
            keeper(cell, method.fit(cell, **parameters))

    @property
    def done(self) -> bool:
        """Whether the folder holds a student of this method."""
        return kept_by(self.folder) == self.method

    def _save(self, cell: StoredCell, fitted: Any) -> None:
        taught: dict[str, Any] = {"method": self.method, "parameters": dict(self.parameters)}
        if isinstance(cell, TextCell):
            taught |= {"supervisors": list(cell.names), "items": len(cell.transfer_items)}
            save_text(fitted, cell.writers.how, taught, self.folder)
        elif isinstance(cell, ClassCell):
            if cell.task.kind == "prefer" or not cell.task.texts[0] or cell.task.images:
                raise UserError("it reads images, or two texts at once, and a saved student labels single texts")
            items = int(cell.splits.transfer[0].sum())
            taught |= {"label_model": cell.label_model, "items": items}
            store = cell.spaces.store
            found = saved_student(fitted, cell.task, cell.strong_name, self.columns, cell.names, taught, store)
            save(found, self.folder, fitted)
