"""Generation tasks: items that are answered in free text. Gold lies in an object of its own.

task, gold = load("sudoku:6")       a source (`source.py`) and where its dial stands, or a table of prompts and answers
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from outgrow.core.errors import UserError, unknown
from outgrow.metrics import text as scorers
from outgrow.tasks.prompting import AUTO
from outgrow.tasks.source import generation_sources
from outgrow.tasks.tables.files import TableFile, read
from outgrow.tasks.tables.formats import is_table
from outgrow.tasks.tables.prompts import Columns, from_table
from outgrow.tasks.task import GenerationGold, GenerationTask


def load(
    name: str | TableFile,
    items: int | None = None,
    seed: int = 0,
    columns: Columns | None = None,
    votes: Sequence[str] = (),
    prompting: str = AUTO,
) -> tuple[GenerationTask, GenerationGold]:
    """The generation task of a name, or of a table with a column of prompts and one of answers.

    Args:
        name: NAME or NAME:DIAL of a built-in one, a table file, or an open table.
        items: At most so many items.
        seed: Names the items of generated tasks.
        columns: Which columns of a table play which role.
        votes: Columns of a table with recorded answers.
        prompting: Form of the prompts: auto, chat or plain (`prompting.py`).

    Raises:
        UserError: One line, for what the user can mend.

    Example:
        >>> task, gold = load("arithmetic:1", items=3)
        >>> len(task), task.scorer, len(gold.answers)
        (3, 'number', 3)
    """
    task, gold = _named(name, items, seed, columns, votes)
    return replace(task, prompting=replace(task.prompting, form=prompting)), gold


def _named(
    name: str | TableFile, items: int | None, seed: int, columns: Columns | None, votes: Sequence[str]
) -> tuple[GenerationTask, GenerationGold]:
    if items is not None and items < 1:
        raise UserError(f"`items` = {items}: give a number above 0")
    if isinstance(name, TableFile) or is_table(name):
        return from_table(read(name), columns or Columns(), items, votes)
    plain, colon, turned = name.partition(":")
    known = {s.name: s for s in generation_sources()}
    if plain not in known:
        raise unknown("generation task", plain, known)
    source = known[plain]
    if source.dial is None:
        if colon:
            raise UserError(f"task {name!r}: {plain} has nothing to set: leave {colon + turned!r} out")
        return _right(source.load(items, seed))
    dial = source.dial
    if colon and not (turned.isdecimal() and dial.low <= int(turned) <= dial.high):
        raise UserError(f"task {name!r}: after the colon stands the number of {dial.what}, {dial.low} to {dial.high}")
    return _right(source.load(items, seed, int(turned) if colon else dial.default))


def _right(made: tuple[GenerationTask, GenerationGold]) -> tuple[GenerationTask, GenerationGold]:
    """The task. Raises ValueError where its scorer calls its gold wrong: its source is at fault, not its user."""
    task, gold = made
    for answer, key in zip(gold.answers, gold.keys, strict=True) if task.scorer in scorers.SCORERS else ():
        if not scorers.right(task.scorer, answer, key):
            raise ValueError(f"{task.name}: gold is wrong by its own scorer ({task.scorer}): {answer!r:.60}")
    return made
