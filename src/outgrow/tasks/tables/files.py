"""Table files as columns of Python values, with the places of their rows: nothing is interpreted here."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

from outgrow.core.errors import UserError


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
    name = source
    if Path(name).suffix.lower() not in READERS:
        raise UserError(f"cannot read {name!r}: give a {', '.join(READERS)} file")
    return read_file(Path(name).expanduser())


def read_file(path: Path) -> TableFile:
    """The table in a .parquet, .csv or .jsonl file.

    Raises:
        UserError: It cannot be read; the message has the line.
    """
    data = _bytes(path)
    if not data.strip():
        raise UserError(f"{path} is empty")
    table = READERS[path.suffix.lower()](path, data, f"{path.name}, sha256 {hashlib.sha256(data).hexdigest()}")
    if not len(table.lines):
        raise UserError(f"{path} has no rows")
    return replace(table, folder=path.parent)


def _bytes(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise UserError(f"{path} is {'a folder' if path.is_dir() else 'no ordinary file'}: give a file")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        near = sorted(p.name for p in path.parent.glob("*" + path.suffix))[:3] if path.parent.is_dir() else []
        raise UserError(f"no file {path}" + (f": its folder has {', '.join(near)}" if near else "")) from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None


def _parquet(path: Path, data: bytes, source: str) -> TableFile:
    import polars as pl

    def read(columns: list[str] | None, rows: int | None) -> pl.DataFrame:
        try:
            return pl.read_parquet(io.BytesIO(data), columns=columns, n_rows=rows)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise UserError(f"{path} is damaged or no parquet file: {str(error).splitlines()[0]}") from None

    first = read(None, 0)
    height = len(read(first.columns[:1], None)) if first.columns else 0
    return TableFile(
        name=path.stem,
        names=tuple(first.columns),
        column=lambda name: read([name], None).to_series().to_list(),
        lines=range(1, height + 1),
        unit="row",
        source=source,
    )


def _csv(path: Path, data: bytes, source: str) -> TableFile:
    text = _decoded(path, data)
    head = text.lstrip("\n").partition("\n")[0]
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    rows, lines, start = [], [], 1
    try:
        for row in reader:
            if row:
                rows.append(row)
                lines.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{path} line {start}: {error}; a quote in a field is written twice") from None
    names = tuple(name.strip() for name in rows.pop(0))
    if len(set(names)) < len(names):
        raise UserError(f"{path} names a column twice in its first line: {', '.join(names)}")
    for row, line in zip(rows, lines[1:], strict=True):
        if len(row) != len(names):
            raise UserError(f"{path} line {line} has {len(row)} fields, the first line names {len(names)} columns")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(names, ())
    return TableFile(path.stem, names, lambda name: list(columns[name]), lines[1:], "line", source)


def _jsonl(path: Path, data: bytes, source: str) -> TableFile:
    rows, lines = [], []
    for number, line in enumerate(_decoded(path, data).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path} line {number} is not JSON: {str(error).split(': line')[0]}") from None
        except KeyError as error:
            raise UserError(f"{path} line {number} names {error.args[0]!r} twice: keep one") from None
        if not isinstance(row, dict):
            raise UserError(f"{path} line {number} is no JSON object: give one {{...}} a line")
        rows.append(row)
        lines.append(number)
        if "\\ud" in line.lower() and not _whole(row):
            raise UserError(f"{path} line {number} holds broken Unicode, half of a letter: mend the text")
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    return TableFile(path.stem, names, lambda name: [row.get(name) for row in rows], lines, "line", source)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object of JSON. Raises KeyError where a name comes twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise KeyError(next(name for name in names if names.count(name) > 1))
    return made


def _whole(row: object) -> bool:
    """Whether every text in it is Unicode that can be written."""
    try:
        return bool(json.dumps(row, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        return False


def _decoded(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path} line {line} is not UTF-8 (byte {data[error.start]:#04x}): save the file as UTF-8"
        ) from None


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
    files = [Path(name) for name in tasks if Path(name).suffix.lower() in READERS]
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


READERS: dict[str, Callable[[Path, bytes, str], TableFile]] = {".parquet": _parquet, ".csv": _csv, ".jsonl": _jsonl}
"""Suffix -> what reads such a file: path, its bytes, its source in words."""
