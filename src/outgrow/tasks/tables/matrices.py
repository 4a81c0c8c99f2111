"""Matrices of votes, a row an item and a column an annotator, as labelling functions write them: .npy, .npz.

A dense matrix abstains with -1. Of a sparse one (`scipy.sparse.save_npz`) what is not stored is class 0 where -1 is
stored, an abstention where 0 is, and a question to the user where neither is.
"""

from __future__ import annotations

import hashlib
import io
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import TypeGuard

import numpy as np

from outgrow.core.errors import UserError
from outgrow.tasks.tables.files import TableFile, file_bytes
from outgrow.tasks.tables.options import Reading

SUFFIXES = (".npy", ".npz")
NAME = "rule"
"""Annotators are called by it and their column's number, from 0."""
DAMAGED = (
    OSError, ValueError, TypeError, EOFError, RuntimeError, LookupError, zipfile.BadZipFile, zlib.error,
    tokenize.TokenError,
)  # fmt: skip


def is_matrix(source: object) -> TypeGuard[str]:
    """Whether it is the name of a file of a matrix."""
    return isinstance(source, str) and Path(source).suffix.lower() in SUFFIXES


def beside(table: TableFile, reading: Reading, source: str) -> tuple[TableFile, Reading]:
    """A table with a column an annotator of a matrix, row by row, which are votes.

    Raises:
        UserError: The matrix cannot be read, or has another number of rows.
    """
    matrix = read_matrix(source, reading)
    if len(matrix.lines) != len(table.lines):
        raise UserError(
            f"{table.name} has {len(table.lines)} rows and {matrix.name} {len(matrix.lines)}: give a row of votes for "
            "every row of the table, in its order"
        )
    return table.with_columns({name: matrix.column(name) for name in matrix.names}), reading.with_votes(matrix.names)


def read_matrix(source: str, reading: Reading) -> TableFile:
    """The matrix as a table with a column an annotator.

    Raises:
        UserError: It is no matrix of whole numbers, or it is not certain what is not stored in it.
    """
    path = Path(source).expanduser()
    data = file_bytes(path)
    name, values = path.stem, _values(path, data, reading)
    if values.ndim != 2 or not values.size:
        shape = "x".join(map(str, values.shape))
        raise UserError(f"{name} is an array of {shape}, no matrix of votes: give (items, annotators)")
    whole = values.dtype.kind in "iub" or (values.dtype.kind == "f" and not (values[~np.isnan(values)] % 1).any())
    if not whole:
        raise UserError(f"{name} holds values of type {values.dtype}: give a whole number a class, and -1 to abstain")
    names = tuple(f"{NAME} {j}" for j in range(values.shape[1]))
    columns = {name: _cells(of) for name, of in zip(names, values.T, strict=True)}
    lines = range(1, len(values) + 1)
    source = f"{path.name}, sha256 {hashlib.sha256(data).hexdigest()}"
    return TableFile(name, names, lambda one: list(columns[one]), lines, "row", source)


def _cells(values: np.ndarray) -> list[int | None]:
    return [None if value != value or value < 0 else int(value) for value in values.tolist()]


def _values(path: Path, data: bytes, reading: Reading) -> np.ndarray:
    try:
        held = np.load(io.BytesIO(data), allow_pickle=False)
        if isinstance(held, np.ndarray):
            return held
        arrays = dict(held)
    except DAMAGED as error:
        raise UserError(
            f"cannot read {path}: {' '.join(str(error).split())}: save it by numpy or scipy.sparse"
        ) from None
    if "format" in arrays:
        return _sparse(path, data, reading)
    if len(arrays) != 1:
        raise UserError(f"{path} holds {len(arrays)} arrays, {', '.join(arrays)}: save the matrix of votes alone")
    return next(iter(arrays.values()))


def _sparse(path: Path, data: bytes, reading: Reading) -> np.ndarray:
    from scipy import sparse

    try:
        matrix = sparse.coo_array(sparse.load_npz(io.BytesIO(data)))
    except DAMAGED as error:
        raise UserError(f"cannot read {path}: {' '.join(str(error).split())}: save it by scipy.sparse") from None
    silent, zero = bool((matrix.data == -1).any()), bool((matrix.data == 0).any())
    if silent == zero and "0" not in (*reading.abstain, *reading.classes):
        raise UserError(
            f"{path} is sparse, and what is not stored could abstain or be class 0: say `abstain` = 0, or name all "
            "classes with `classes`"
        )
    abstains = "0" in reading.abstain or (zero and not silent)
    values = np.full(matrix.shape, -1 if abstains else 0, np.int64)
    values[matrix.coords] = matrix.data
    return values
