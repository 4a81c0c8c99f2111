"""Bytes of a table file as columns, by the suffix of its name; `.gz` may follow each of them.

.parquet     columns                                  .jsonl .ndjson   an object a line
.csv .tsv    a first line of names                    .json            an array of objects, or an object of them
.xlsx        the one sheet that holds something       .zip             several such files, `file` says which
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path, PurePosixPath
from typing import Any, final

from outgrow.core.errors import UserError
from outgrow.tasks.tables.decoding import decoded

PACKED = ".gz"
DAMAGED = (OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error)
"""What reading an archive ends in where it is cut off, packed in an unknown way or locked."""
FILE = "file"
"""The column that says which of several files in a .zip a row is of."""


@final
@dataclass(frozen=True)
class RawTable:
    """What a file holds: names of columns, the values of each, and the places of rows (see `TableFile`)."""

    names: tuple[str, ...]
    column: Callable[[str], list]
    lines: Sequence[int | str]
    unit: str


def suffix(name: str | Path) -> str:
    """The suffix that says how a file is read, in lower case, without that of `gzip`.

    Example:
        >>> suffix("votes.CSV.gz"), suffix("votes.jsonl"), suffix("votes")
        ('.csv', '.jsonl', '')
    """
    path = Path(name)
    return Path(path.stem).suffix.lower() if path.suffix.lower() == PACKED else path.suffix.lower()


def stem(path: Path) -> str:
    """The name of a file without its suffixes."""
    return Path(path.stem).stem if path.suffix.lower() == PACKED else path.stem


def is_table(name: str | Path) -> bool:
    """Whether a file of that name is read as a table."""
    return suffix(name) in READERS


def parse(path: Path, data: bytes) -> RawTable:
    """The table in the bytes of a file of that name. Raises UserError where it is damaged; the message has the line."""
    if path.suffix.lower() == PACKED:
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(f"{path} is damaged or not packed by gzip: {error}") from None
    if not data.strip():
        raise UserError(f"{path} is empty")
    return READERS[suffix(path)](path, data)


def _parquet(path: Path, data: bytes) -> RawTable:
    import polars as pl

    def read(columns: list[str] | None, rows: int | None) -> pl.DataFrame:
        try:
            return pl.read_parquet(io.BytesIO(data), columns=columns, n_rows=rows)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise UserError(f"{path} is damaged or no parquet file: {str(error).splitlines()[0]}") from None

    first = read(None, 0)
    height = len(read(first.columns[:1], None)) if first.columns else 0
    names = tuple(first.columns)
    return RawTable(names, lambda name: read([name], None).to_series().to_list(), range(1, height + 1), "row")


def _csv(path: Path, data: bytes) -> RawTable:
    text = decoded(path, data)
    head = text.lstrip("\n").partition("\n")[0]
    return _separated(path, text, max(",;\t", key=head.count), csv.QUOTE_MINIMAL)


def _tsv(path: Path, data: bytes) -> RawTable:
    """Fields are quoted as in CSV or not at all: the second is taken where the first does not fit the lines.

    Raises UserError where both fit and give other rows.
    """
    text = decoded(path, data)
    try:
        plain = _separated(path, text, "\t", csv.QUOTE_NONE)
    except UserError:
        return _separated(path, text, "\t", csv.QUOTE_MINIMAL)
    try:
        quoted = _separated(path, text, "\t", csv.QUOTE_MINIMAL)
    except UserError:
        return plain
    if quoted.lines != plain.lines:
        line = min(set(plain.lines) ^ set(quoted.lines))
        raise UserError(
            f"{path} line {line} is a row, or goes on with a field that was quoted before: write a quote in a field "
            "twice, or save the file as .csv"
        )
    return quoted


def _separated(path: Path, text: str, delimiter: str, quoting: Any) -> RawTable:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=True)
    rows, lines, start = [], [], 1
    try:
        for row in reader:
            if row:
                rows.append(row)
                lines.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{path} line {start}: {error}; a quote in a field is written twice") from None
    names = tuple(name.strip() for name in rows.pop(0)) if rows else ()
    if len(set(names)) < len(names):
        raise UserError(f"{path} names a column twice in its first line: {', '.join(names)}")
    for row, line in zip(rows, lines[1:], strict=True):
        if len(row) != len(names):
            raise UserError(f"{path} line {line} has {len(row)} fields, the first line names {len(names)} columns")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(names, ())
    return RawTable(names, lambda name: list(columns[name]), lines[1:], "line")


def _jsonl(path: Path, data: bytes) -> RawTable:
    text = decoded(path, data)
    if text.lstrip().startswith("[{") or text.strip().startswith("[\n"):
        return _array(path, text)
    return _lines(path, text)


def _lines(path: Path, text: str) -> RawTable:
    rows, lines = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        row = _parsed(f"{path} line {number}", line)
        if not isinstance(row, dict):
            raise UserError(f"{path} line {number} is no JSON object: give one {{...}} a line")
        rows.append(row)
        lines.append(number)
    return _objects(rows, lines, "line")


def _json(path: Path, data: bytes) -> RawTable:
    """An array or an object; objects a line under the name of the former are read, too."""
    text = decoded(path, data)
    first = text.lstrip().partition("\n")[0].strip()
    if first.startswith("{") and first.endswith("}") and text.strip() != first:
        return _lines(path, text)
    return _array(path, text)


def _array(path: Path, text: str) -> RawTable:
    found = _parsed(str(path), text)
    if isinstance(found, dict):
        found = _rows_of(path, found)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise UserError(f"{path} holds no array of JSON objects: give [{{...}}, ...], one object an item")
    return _objects(found, range(1, len(found) + 1), "row")


def _rows_of(path: Path, found: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of an object of columns, or of an object of objects, whose names are ids."""
    values = list(found.values())
    if values and all(isinstance(value, list) for value in values):
        if len({len(value) for value in values}) > 1:
            raise UserError(f"{path} holds columns of different lengths: give every row a value, or null")
        return [dict(zip(found, row, strict=True)) for row in zip(*values, strict=True)]
    if not values or not all(isinstance(value, dict) for value in values):
        raise UserError(f"{path} holds one JSON object, no table: give [{{...}}, ...], one object an item")
    inner = {name for value in values for name in value}
    if all(name.isdecimal() for name in inner) and not all(name.isdecimal() for name in found):
        order = sorted(inner, key=int)
        return [{name: found[name].get(at) for name in found} for at in order]
    return [{"id": name, **value} for name, value in found.items()]


def _objects(rows: Sequence[dict[str, Any]], lines: Sequence[int], unit: str) -> RawTable:
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    return RawTable(names, lambda name: [row.get(name) for row in rows], lines, unit)


def _parsed(place: str, text: str) -> Any:
    """What a text holds as JSON. Raises UserError where it is none, names something twice or is broken Unicode."""
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        line = f" line {error.lineno}" if "\n" in text.strip() else ""
        told = error.msg.removesuffix(" at")
        raise UserError(f"{place}{line} is not JSON: {told} (character {error.colno:,} of the line)") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{place} is not JSON: {error}") from None
    except KeyError as error:
        raise UserError(f"{place} names {error.args[0]!r} twice: keep one") from None
    if "\\ud" in text.lower() and not _whole(found):
        raise UserError(f"{place} holds broken Unicode, half of a letter: mend the text")
    return found


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object of JSON. Raises KeyError where a name comes twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise KeyError(next(name for name in names if names.count(name) > 1))
    return made


def _whole(found: object) -> bool:
    """Whether every text in it is Unicode that can be written."""
    try:
        return bool(json.dumps(found, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        return False


def _xlsx(path: Path, data: bytes) -> RawTable:
    try:
        import openpyxl
    except ImportError:
        raise UserError(f"{path}: reading .xlsx takes openpyxl: pip install 'outgrow[xlsx]'") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            sheets = {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
    except (*DAMAGED, LookupError, TypeError, AttributeError, SyntaxError) as error:
        raise UserError(f"{path} is damaged or no .xlsx file: {' '.join(str(error).split())}") from None
    full = {title: rows for title, rows in sheets.items() if any(any(map(_filled, row)) for row in rows)}
    if len(full) != 1:
        held = f"{len(full)} sheets with content ({', '.join(full)})" if full else "no sheet with content"
        raise UserError(f"{path} has {held}: keep one sheet, or save it as .csv")
    ((_, rows),) = full.items()
    width = max(map(len, rows))
    padded = [(*row, *[None] * (width - len(row))) for row in rows]
    kept = [(at, row) for at, row in enumerate(padded, 1) if any(map(_filled, row))]
    names = tuple("" if cell is None else str(cell).strip() for cell in kept[0][1])
    used = [at for at, name in enumerate(names) if name or any(_filled(row[at]) for _, row in kept[1:])]
    named = [names[at] for at in used]
    if "" in named or len(set(named)) < len(named):
        raise UserError(f"{path}: its first row must name every column, each by a name of its own: {', '.join(named)}")
    columns = {names[at]: [_cell(row[at]) for _, row in kept[1:]] for at in used}
    return RawTable(tuple(named), lambda name: list(columns[name]), [at for at, _ in kept[1:]], "row")


def _filled(cell: object) -> bool:
    return cell is not None and str(cell).strip() != ""


def _cell(cell: object) -> object:
    return cell.isoformat() if isinstance(cell, date | datetime | time) else cell


def _zip(path: Path, data: bytes) -> RawTable:
    """The rows of all tables in an archive, one after another."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = {name: archive.read(name) for name in sorted(archive.namelist()) if _readable(name)}
    except DAMAGED as error:
        raise UserError(f"{path} is damaged or no .zip file: {error}") from None
    tables = {name: parse(path / name, held) for name, held in inside.items() if held.strip()}
    if not tables:
        raise UserError(f"{path} holds no table: put {', '.join(sorted(READERS.keys() - {'.zip'}))} files into it")
    names = dict.fromkeys(name for table in tables.values() for name in table.names)
    rows = {name: len(table.lines) for name, table in tables.items()}
    of_file = [stem(Path(PurePosixPath(name).name)) for name, count in rows.items() for _ in range(count)]
    lines = [f"{line} of {name}" for name, table in tables.items() for line in table.lines]

    def column(name: str) -> list:
        if name == FILE and name not in names:
            return list(of_file)
        parts = (table.column(name) if name in table.names else [None] * rows[of] for of, table in tables.items())
        return [value for part in parts for value in part]

    return RawTable((*names, *(() if FILE in names else (FILE,))), column, lines, "line")


def _readable(name: str) -> bool:
    """Whether a member of an archive is a table: none of what archivers add, and no archive."""
    path = PurePosixPath(name)
    return is_table(path.name) and suffix(path.name) != ".zip" and not any(p[:2] in ("._", "__") for p in path.parts)


READERS: dict[str, Callable[[Path, bytes], RawTable]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".json": _json,
    ".ndjson": _jsonl,
    ".tsv": _tsv,
    ".xlsx": _xlsx,
    ".zip": _zip,
}
"""Suffix -> what reads such a file: its path, and its bytes."""
SUFFIXES = ", ".join(READERS)
"""Them in words, for messages."""
