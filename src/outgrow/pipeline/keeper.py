"""The student that a study keeps: of the first method after naive, or of naive, by its first replicate."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.methods import Method
from outgrow.pipeline.cell import StoredCell
from outgrow.pipeline.class_cell import ClassCell
from outgrow.pipeline.text_cell import TextCell
from outgrow.students.saved_text import save_text
from outgrow.students.saving import save, saved_student
from outgrow.students.student_file import AnswerSettings, kept_by
from outgrow.tasks.tables.structures import PROMPTS


@final
@dataclass(frozen=True)
class Keeper:
    """Where a student is kept.

    Args:
        folder: its own folder in the run folder.
        methods: the study's methods with their hyper-parameters, naive first.
        columns: by role the columns of the table that the task was read from.
        refused: by method why its student cannot be kept, as far as this process has tried.
    """

    folder: Path
    methods: Sequence[tuple[Method, Mapping[str, Any]]]
    columns: Mapping[str, str]
    refused: dict[str, str] = field(default_factory=dict)

    def __call__(self, method: str, cell: StoredCell, fitted: Any) -> None:
        """Save the student of a method's replicate 0, unless a method with precedence has saved one; or say why not."""
        kept = kept_by(self.folder)
        if kept in self._order and self._order.index(kept) < self._order.index(method):
            return
        try:
            self._save(method, cell, fitted)
        except UserError as reason:
            self.refused[method] = str(reason)
            progress.say(f"{cell.task.name}: the student of {method} is not kept: {reason}")

    def complete(self, cell: StoredCell, ran: Container[str]) -> dict[str, str]:
        """See to it that the student of the first method after naive is kept, of the methods that ran.

        Where the row came out of the store the student is fitted again: of a generation task its supervisors too.

        Returns:
            By method why its student is not kept, of those that come before the one that is.
        """
        wanted = [name for name in self._order if name in ran]
        for number, name in enumerate(wanted):
            if kept_by(self.folder) != name and name not in self.refused:
                self._again(name, cell)
            if kept_by(self.folder) == name:
                wanted = wanted[:number]
                break
        return {name: self.refused[name] for name in wanted if name in self.refused}

    @property
    def _order(self) -> list[str]:
        """The methods by precedence: naive comes last."""
        naive, *others = (method.name for method, _ in self.methods)
        return [*others, naive]

    def _again(self, name: str, cell: StoredCell) -> None:
        if isinstance(cell, TextCell):
            progress.say(
                f"{cell.task.name}: the student of {name} and its supervisors are trained once more, to be kept: their "
                "answers came out of the store, which does not hold the models"
            )
        method, parameters = next(one for one in self.methods if one[0].name == name)
        cell.forget()
        self(name, cell, method.fit(cell, **parameters))
        cell.finish()

    def _save(self, method: str, cell: StoredCell, fitted: Any) -> None:
        parameters = next(its for one, its in self.methods if one.name == method)
        taught: dict[str, Any] = {"method": method, "parameters": dict(parameters)}
        if isinstance(cell, TextCell):
            task = cell.task
            layout = task.scorer if task.scorer in PROMPTS else "prompt"
            asked = AnswerSettings(tokens=task.tokens, stop=task.stop, prompting=task.prompting, layout=layout)
            columns = {role: name for role, name in self.columns.items() if role == "prompt"}
            taught |= {"supervisors": list(cell.names), "items": len(cell.transfer_items)}
            save_text(fitted, asked, columns, cell.names, taught, self.folder)
        elif isinstance(cell, ClassCell):
            items = int(cell.splits.transfer[0].sum())
            taught |= {"label_model": cell.label_model, "items": items}
            pool, store = ~cell.test, cell.spaces.store
            found = saved_student(fitted, cell.task, cell.strong_name, self.columns, cell.names, taught, store, pool)
            save(found, self.folder, fitted)
