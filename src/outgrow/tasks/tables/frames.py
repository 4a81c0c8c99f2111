"""Data frames of pandas, polars, pyarrow and whatever else narwhals reads, as tables."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from outgrow.core.errors import UserError
from outgrow.tasks.tables.files import TableFile


def of_frame(frame: Any, name: str = "frame") -> TableFile:
    """The table in a data frame; the place of a row is its position, counted from 0.

    Args:
        frame: A data frame, eager or lazy.
        name: What the table is called in messages, and the task that is made of it.

    Returns:
        The columns as Python values, missing ones None, as a file with the same values would give them.

    Raises:
        UserError: `frame` is no data frame, has no rows, or its columns have no names of their own.

    Example:
        >>> import polars as pl
        >>> table = of_frame(pl.DataFrame({"text": ["good", "bad"], "label": [1, None]}), "reviews")
        >>> table.names, table.column("label"), table.places([1])
        (('text', 'label'), [1, None], 'row 1')
    """
    import narwhals as nw

    try:
        found = nw.from_native(frame)
        whole = found.collect() if isinstance(found, nw.LazyFrame) else found
        columns = {column: _values(whole[column]) for column in _names(frame, whole, name)}
    except nw.exceptions.DuplicateError:
        raise UserError(f"{name} names a column twice: give every column a name of its own") from None
    except TypeError:
        raise UserError(
            f"{name} is a {type(frame).__name__}, no data frame: give one of pandas, polars or pyarrow"
        ) from None
    rows = len(whole)
    if not rows:
        raise UserError(f"{name} has no rows")
    said = hashlib.sha256(repr(columns).encode(errors="surrogatepass")).hexdigest()
    return TableFile(
        name=name,
        names=tuple(columns),
        column=lambda column: list(columns[column]),
        lines=range(rows),
        unit="row",
        source=f"data frame {name}, sha256 {said}",
    )


def opened(source: Any, name: str = "frame") -> str | TableFile:
    """What table readers take: the path of a table as text, or the open table of a data frame.

    Raises:
        UserError: as `of_frame` does.
    """
    return str(source) if isinstance(source, str | Path) else of_frame(source, name)


def _names(frame: Any, whole: Any, name: str) -> list[str]:
    """The names of the columns; pandas allows other things than text."""
    if odd := [column for column in whole.columns if not isinstance(column, str)]:
        raise UserError(f"{name} has a column called {odd[0]!r}, no text: rename it")
    return list(whole.columns)


def _values(series: Any) -> list:
    missing = series.is_null().to_list()
    return [None if no else _plain(value) for value, no in zip(series.to_list(), missing, strict=True)]


def _plain(value: Any) -> Any:
    """A value of Python, whatever array library holds it."""
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value
