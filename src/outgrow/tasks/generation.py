"""Tasks of kind `generate`: items that are answered in words. Gold lies in an object of its own.

A source is one file in this folder with a function

    @writing("sudoku", "fill a small grid", dial=Dial("blanks", 1, 10, 4))
    def sudoku(items: int | None, seed: int, dial: int) -> tuple[GenerationTask, GenerationGold]: ...

that is found by walking the folder; `load("sudoku:6")` turns the dial. A source without a dial is called without one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from outgrow.core.errors import UserError, unknown
from outgrow.metrics import text as scorers
from outgrow.tasks.tables.files import READERS, read_file
from outgrow.tasks.tables.prompts import Columns, from_table
from outgrow.tasks.task import GenerationGold, GenerationTask


@final
@dataclass(frozen=True)
class Dial:
    """How hard a generated task is."""

    what: str
    low: int
    high: int
    default: int


@final
@dataclass(frozen=True)
class GenerationSource:
    """One way to get items that are answered in words."""

    name: str
    what: str
    """One line for `outgrow list tasks`."""
    load: Callable[..., tuple[GenerationTask, GenerationGold]]
    dial: Dial | None


_sources: dict[str, GenerationSource] = {}


def writing(name: str, what: str, dial: Dial | None = None) -> Callable[[Callable], Callable]:
    """Registers the decorated function as a source of tasks that are answered in words."""

    def register(load: Callable) -> Callable:
        _sources[name] = GenerationSource(name, what, load, dial)
        return load

    return register


def sources() -> list[GenerationSource]:
    """All sources, by name."""
    from outgrow.tasks.source import walk

    walk()
    return sorted(_sources.values(), key=lambda s: s.name)


def load(
    name: str, items: int | None = None, seed: int = 0, columns: Columns | None = None, votes: Sequence[str] = ()
) -> tuple[GenerationTask, GenerationGold]:
    """The task of that name, NAME or NAME:DIAL, or of a table file with a column of prompts and one of answers.

    votes: columns of the table with answers that somebody gave.

    Raises UserError, one line, for what the user can mend.
    """
    if items is not None and items < 1:
        raise UserError(f"--items {items}: give a number above 0")
    if Path(name).suffix.lower() in READERS:
        return from_table(read_file(Path(name).expanduser()), columns or Columns(), items, votes)
    plain, colon, turned = name.partition(":")
    known = {s.name: s for s in sources()}
    if plain not in known:
        raise unknown("task that is answered in words", plain, known)
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
    """The task. Raises ValueError where its scorer calls its gold wrong: such a source is at fault, not its user."""
    task, gold = made
    for answer, key in zip(gold.answers, gold.keys, strict=True) if task.scorer in scorers.SCORERS else ():
        if not scorers.right(task.scorer, answer, key):
            raise ValueError(f"{task.name}: gold is wrong by its own scorer ({task.scorer}): {answer!r:.60}")
    return made
