"""Table files as columns of Python values, with the places of their rows: nothing is interpreted here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

from outgrow.core.errors import UserError
from outgrow.tasks.tables.formats import SUFFIXES, is_table, parse, stem


@final
@dataclass(frozen=True)
class TableFile:
    """A table, of a file or of a data frame: columns by name, read when asked for."""

    name: str
    names: tuple[str, ...]
    column: Callable[[str], list]
    lines: Sequence[int | str]
    """Per row its place: line (csv, jsonl) or row number (parquet), counted from 1; position in a frame, from 0."""
    unit: str
    """"line" or "row"."""
    source: str
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Classes in order, for columns whose data set names them."""
    folder: Path = Path()
    """What paths in the table are relative to."""

    def places(self, rows: Sequence[int]) -> str:
        """The rows in words: "lines 3, 7 and 12 more"."""
        shown = ", ".join(str(self.lines[i]) for i in rows[:5])
        more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
        return f"{self.unit}{'s' if len(rows) > 1 else ''} {shown}{more}"

    def with_columns(self, more: Mapping[str, list]) -> TableFile:
        """The table with further columns, or others under the same names."""
        return replace(
            self,
            names=tuple(dict.fromkeys((*self.names, *more))),
            column=lambda name: more[name] if name in more else self.column(name),
        )


def read(source: str | TableFile) -> TableFile:
    """The table in a file of that name; an open one is itself. Raises UserError for a file that cannot be read."""
    if isinstance(source, TableFile):
        return source
    if not is_table(source):
        raise UserError(f"cannot read {source!r}: give a {SUFFIXES} file")
    return read_file(Path(source).expanduser())


def read_file(path: Path) -> TableFile:
    """The table in a file, read as its suffix says (`formats`).

    Raises:
        UserError: It cannot be read; the message has the line.
    """
    data = file_bytes(path)
    found, source = parse(path, data), f"{path.name}, sha256 {hashlib.sha256(data).hexdigest()}"
    if not len(found.lines):
        raise UserError(f"{path} has no rows")
    return TableFile(stem(path), found.names, found.column, found.lines, found.unit, source, folder=path.parent)


def file_bytes(path: Path) -> bytes:
    """What a file holds. Raises UserError where it is none, or cannot be read."""
    if path.exists() and not path.is_file():
        raise UserError(f"{path} is {'a folder' if path.is_dir() else 'no ordinary file'}: give a file")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        near = sorted(p.name for p in path.parent.glob("*" + path.suffix))[:3] if path.parent.is_dir() else []
        raise UserError(f"no file {path}" + (f": its folder has {', '.join(near)}" if near else "")) from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None


def plain(values: list[Any]) -> list[Any]:
    """Cells as a file can hold them: as they are, or where they are nested or of several types as JSON."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1 and not kinds & {list, dict}:
        return values
    return [
        value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        for value in values
    ]


def listed(words: Sequence[str], known: Collection[str] = ()) -> tuple[str, ...]:
    """The names that a parameter was given, blanks or commas between them; a word that is a known name is one name."""
    return tuple(
        name
        for word in words
        for part in ([word] if word in known else word.split(","))
        if (name := part if word in known else part.strip())
    )


def names_in(tasks: Sequence[str]) -> set[str]:
    """The names of all columns of those tasks that are table files."""
    files = [Path(name) for name in tasks if is_table(name)]
    return {column for file in files for column in read_file(file.expanduser()).names}


def columns(table: TableFile, words: Sequence[str], parameter: str) -> tuple[str, ...]:
    """The columns that a parameter names. Raises UserError for one that is not there."""
    names = listed(words, table.names)
    if not names:
        raise UserError(f"{table.name}: {parameter} names no column: the columns are {', '.join(table.names)}")
    for name in names:
        if name not in table.names:
            raise UserError(
                f"{table.name}: no column {name!r} for {parameter}: the columns are {', '.join(table.names)}"
            )
    return tuple(dict.fromkeys(names))
