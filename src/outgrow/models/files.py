"""Features from a file in place of a model, for any modality: "features:PATH" goes wherever a model's name does.

    .npz       an array `id` (N,) and one other, (N, D) or (N, L, D): L candidate layers
    .parquet   a column `id` and one other of lists or arrays of those shapes, or D columns of numbers

Rows are joined to items by id; there may be more rows than items. An id is the one in the table's own column of ids, or
the item's in `Task.ids` and in a run's predictions.
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from outgrow.core.errors import UserError
from outgrow.core.seeding import hashed
from outgrow.models.damage import AGAIN, first_line, reading
from outgrow.store import disk

if TYPE_CHECKING:
    from outgrow.tasks.task import Task

PREFIX = "features:"


def named(name: str) -> bool:
    """Whether a name is that of a file of features."""
    return name.startswith(PREFIX)


def find(name: str) -> Path:
    """The file of that name. Raises UserError where there is none, or its suffix is not known."""
    path = Path(name.removeprefix(PREFIX)).expanduser()
    if path.suffix not in READERS:
        raise UserError(
            f"{name!r}: give a .npz file with the arrays id and x, or a .parquet file with a column id; "
            "rows of other files do not name their items"
        )
    if not path.is_file():
        raise UserError(f"{name!r}: no such file")
    return path


def facts(path: Path) -> tuple[str, int, int]:
    """(sha256, L, D) of the file, read again when size or time have changed."""
    stat = path.stat()
    return _facts_at(path, stat.st_size, stat.st_mtime_ns)


def read(path: Path, task: Task) -> np.ndarray:
    """float32 (L, N, D): the rows of the task's N items. Raises UserError where an item has none."""
    if len(task.texts[0]) > 1:
        raise UserError(
            f"{path}: items of task {task.name!r} are pairs, and a row for an item cannot distinguish their two texts: "
            "use a model"
        )
    ids, x = _load(path)
    row = {hashed("id", name): i for i, name in enumerate(ids)} | {name: i for i, name in enumerate(ids)}
    found = [row.get(name, -1) for name in task.ids.tolist()]
    missing = [i for i, at in enumerate(found) if at < 0]
    if missing:
        shown = ", ".join(f"{task.ids[i]} ({''.join(task.texts[i])[:40] or 'an image'!r})" for i in missing[:3])
        among = set(task.ids.tolist())
        strange = [name for name in ids if name not in among and hashed("id", name) not in among]
        raise UserError(
            f"{path}: {len(missing)} of {len(found)} items of task {task.name!r} have no row, the first {shown}; "
            f"its ids that are no item's: {', '.join(strange[:3]) or 'none'}"
        )
    return np.ascontiguousarray(x[found].swapaxes(0, 1))


def rows(name: str) -> tuple[list[str] | None, np.ndarray]:
    """The rows of a file in its own order, of no task: their ids, None of a .npy file, and float32 (N, L, D).

    Raises:
        UserError: there is no such file, or it holds no features.
    """
    path = Path(name).expanduser()
    if path.suffix not in ROWS:
        raise UserError(f"{name!r}: give a {', '.join(ROWS)} file of features")
    if not path.is_file():
        raise UserError(f"no file {path}")
    ids, x = _load(path)
    return None if path.suffix == ".npy" else ids, x


@cache
def _facts_at(path: Path, size: int, changed: int) -> tuple[str, int, int]:
    return disk.sha256(path), *_load(path)[1].shape[1:]


def _load(path: Path) -> tuple[list[str], np.ndarray]:
    """(N ids, features float32 (N, L, D))."""
    ids, x = ROWS[path.suffix](path)
    if ids.dtype.kind not in "USiu" or ids.ndim != 1:
        raise UserError(f"{path}: id is {ids.dtype} of shape {ids.shape}: give one text or whole number a row")
    if x.dtype.kind not in "fiub":
        raise UserError(f"{path}: the features are {x.dtype}, not numbers in rows of one length")
    if x.ndim not in (2, 3) or not x.size:
        raise UserError(f"{path}: the features have shape {x.shape}: give rows x width, or rows x layers x width")
    if len(ids) != len(x):
        raise UserError(f"{path}: {len(ids)} ids for {len(x)} rows of features: give one a row")
    names, counts = np.unique(ids.astype(str), return_counts=True)
    if (counts > 1).any():
        raise UserError(f"{path}: id {names[counts > 1][0]!r} stands {counts.max()} times: give each item one row")
    with np.errstate(over="ignore"):
        x = x.astype(np.float32).reshape(len(x), -1, x.shape[-1])
    bad = ~np.isfinite(x).all((1, 2))
    if bad.any():
        raise UserError(
            f"{path}: {bad.sum()} rows hold NaN or infinite values, the first has the id {str(ids[bad][0])!r}"
        )
    return ids.astype(str).tolist(), x


def _npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with reading(str(path)), zipfile.ZipFile(path), np.load(path) as file:
            arrays = dict(file)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError) as error:
        raise UserError(f"cannot read {path}: {first_line(error)}; {AGAIN}") from None
    return _two(path, "arrays", arrays)


def _parquet(path: Path) -> tuple[np.ndarray, np.ndarray]:
    import polars as pl

    try:
        with reading(str(path)):
            frame = pl.read_parquet(path, glob=False)
    except pl.exceptions.PolarsError as error:
        raise UserError(f"cannot read {path}: {first_line(error)}; {AGAIN}") from None
    columns = {name: frame[name] for name in frame.columns}
    if len(columns) > 2 and "id" in columns:
        ids, x = columns["id"], frame.drop("id").to_numpy()
    else:
        ids, x = _two(path, "columns", columns)
    try:
        x = np.array(x.to_list()) if isinstance(x, pl.Series) else x
    except ValueError:
        raise UserError(f"{path}: the features are lists of unequal lengths: give rows of one length") from None
    return np.array(ids.to_list()), x


def _npy(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with reading(str(path)):
        x = np.load(path)
    return np.arange(len(x) if x.ndim else 0), x


def _two(path: Path, what: str, held: dict) -> tuple:
    """(`id`, the other array)."""
    rest = [name for name in held if name != "id"]
    if "id" not in held or len(rest) != 1:
        raise UserError(
            f"{path} holds the {what} {', '.join(held) or '(none)'}: it needs id, and the features in one other"
        )
    return held["id"], held[rest[0]]


READERS = {".npz": _npz, ".parquet": _parquet}
ROWS = {**READERS, ".npy": _npy}
"""A file of rows that no task's items are joined to need not name them."""
