"""The student that a study keeps: of the first method after naive, or of naive, by its first replicate."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
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
    """Where a student is kept.

    Args:
        folder: its own folder in the run folder.
        methods: the study's methods with their hyper-parameters, naive first.
        columns: by role the columns of the table that the task was read from.
    """

    folder: Path
    methods: Sequence[tuple[Method, Mapping[str, Any]]]
    columns: Mapping[str, str]

    def __call__(self, method: str, cell: StoredCell, fitted: Any) -> None:
        """Save the student of a method's replicate 0, unless a method with precedence has saved one; or say why not."""
        kept = kept_by(self.folder)
        better = kept in self._order and self._order.index(kept) < self._order.index(method)
        if better or not _labels_texts(cell):
            return
        try:
            self._save(method, cell, fitted)
        except UserError as reason:
            progress.say(f"{cell.task.name}: no student of {method} is kept: {reason}")

    def complete(self, cell: StoredCell, ran: Container[str]) -> None:
        """See to it that the student of the first method after naive is kept, of the methods that ran.

        Heads and classifiers are fitted again if the row came from the store; a student that generates answers is kept
        while its row is computed, or not at all.
        """
        if not _labels_texts(cell):
            progress.say(f"{cell.task.name}: no student is kept: it reads images, or two texts at once")
            return
        wanted = [name for name in self._order if name in ran]
        if isinstance(cell, TextCell):
            if kept_by(self.folder) != wanted[0]:
                progress.say(
                    f"{cell.task.name}: no student of {wanted[0]} is kept: its answers came out of the store, and a "
                    "model that generates is kept only while they are computed"
                )
            return
        for name in wanted:
            if kept_by(self.folder) != name:
                method, parameters = next(one for one in self.methods if one[0].name == name)
                cell.forget()
                self(name, cell, method.fit(cell, **parameters))
            if kept_by(self.folder) == name:
                return

    @property
    def _order(self) -> list[str]:
        """The methods by precedence: naive comes last."""
        naive, *others = (method.name for method, _ in self.methods)
        return [*others, naive]

    def _save(self, method: str, cell: StoredCell, fitted: Any) -> None:
        parameters = next(its for one, its in self.methods if one.name == method)
        taught: dict[str, Any] = {"method": method, "parameters": dict(parameters)}
        if isinstance(cell, TextCell):
            taught |= {"supervisors": list(cell.names), "items": len(cell.transfer_items)}
            save_text(fitted, cell.writers.how, taught, self.folder)
        elif isinstance(cell, ClassCell):
            items = int(cell.splits.transfer[0].sum())
            taught |= {"label_model": cell.label_model, "items": items}
            store = cell.spaces.store
            found = saved_student(fitted, cell.task, cell.strong_name, self.columns, cell.names, taught, store)
            save(found, self.folder, fitted)


def _labels_texts(cell: StoredCell) -> bool:
    """Whether an item is one text, which is what a saved student reads."""
    task = cell.task
    return isinstance(cell, TextCell) or (task.kind != "prefer" and task.images is None and len(task.texts[0]) == 1)
