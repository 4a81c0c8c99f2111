"""Images in a table: their encoded bytes, a record {bytes, path}, or a path, which is relative to the table's file."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from outgrow.core.extras import needs
from outgrow.tasks.images import decoded
from outgrow.tasks.tables.files import TableFile
from outgrow.tasks.tables.values import blank


def read(table: TableFile, column: str, rows: Sequence[int]) -> tuple[dict[int, bytes], dict[str, list[int]]]:
    """The encoded images of the rows, and what is wrong with those that have none: bad rows by reason."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a strange tag in a sound image is nobody's concern
        return _read(table, column, rows)


def _read(table: TableFile, column: str, rows: Sequence[int]) -> tuple[dict[int, bytes], dict[str, list[int]]]:
    values, found = table.column(column), {}
    bad: dict[str, list[int]] = {f"missing {column}": [], "no image file": [], "an image that cannot be decoded": []}
    missing, absent, broken = bad.values()
    for i in rows:
        value = values[i]
        if isinstance(value, dict):
            value = value.get("bytes") or value.get("path")
        if isinstance(value, str) and value.strip():
            try:
                value = (table.folder / Path(value.strip()).expanduser()).read_bytes()
            except (OSError, ValueError):
                absent.append(i)
                continue
        if blank(value) or value == b"":
            missing.append(i)
        elif isinstance(value, bytes) and _sound(value):
            found[i] = value
        else:
            broken.append(i)
    return found, bad


def _sound(data: bytes) -> bool:
    needs("PIL", "images", "an image needs")
    from PIL import Image

    try:
        decoded(data, glance=True)
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError):
        return False
    return True
