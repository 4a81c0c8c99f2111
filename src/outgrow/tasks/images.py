"""Images in a table: their encoded bytes, a record {bytes, path}, or a path, which is relative to the table's file."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from outgrow.tasks.table import TableFile
from outgrow.tasks.values import blank

if TYPE_CHECKING:
    from PIL.Image import Image

GLANCE = (64, 64)
"""A JPEG is checked at about this size, which reads all of it in a fraction of the time."""


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


def decoded(data: bytes, glance: bool = False) -> Image:
    """An image in RGB. Raises OSError and other errors where its bytes are damaged or none of an image."""
    from PIL import Image

    image = Image.open(io.BytesIO(data))
    if glance:
        image.draft("RGB", GLANCE)
        image.load()
        return image
    return image.convert("RGB")


def squares(images: Sequence[bytes], side: int) -> np.ndarray:
    """uint8 (n, 3, side, side): the images, each stretched to a square."""
    out = np.empty((len(images), 3, side, side), np.uint8)
    for at, data in enumerate(images):
        image = decoded(data)
        image = image if image.size == (side, side) else image.resize((side, side), resample=2)
        out[at] = np.asarray(image).transpose(2, 0, 1)
    return out


def _sound(data: bytes) -> bool:
    from PIL import Image

    try:
        decoded(data, glance=True)
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError):
        return False
    return True
