"""Named arrays in one file (the safetensors layout): written as a stream, read by memory map.

    8 bytes: length of the header | header: JSON {name: {dtype, shape, data_offsets}} | the arrays, one after the other

Any safetensors reader opens these files. Ours maps them, so that of an array larger than memory only the used part is
read, and writes without a second copy in memory, which the library's own numpy writer needs.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from outgrow.core.errors import UserError

CHUNK = 1 << 22
"""Bytes written at a time."""

_NAMES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint64": "U64",
    "uint32": "U32",
    "uint16": "U16",
    "uint8": "U8",
    "bool": "BOOL",
}
_BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E5M2FNUZ": 8,
    "F8_E4M3FNUZ": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "I64": 64,
    "U64": 64,
    "F64": 64,
    "C64": 64,
}
"""Of all dtypes of the layout, those of other writers among them."""
LONGEST_HEADER = 100_000_000
"""Bytes, as every reader of the layout has it."""
_DTYPES = {name: np.dtype(dtype).newbyteorder("<") for dtype, name in _NAMES.items()}


def chunks(arrays: Mapping[str, np.ndarray]) -> Iterator[bytes | memoryview]:
    """The bytes of the file, in order. Raises TypeError, before the first byte, for a dtype that the layout lacks."""
    for name, array in arrays.items():
        if array.dtype.name not in _NAMES:
            raise TypeError(f"array {name!r} has dtype {array.dtype}, which cannot be stored")
    # The widest types first: every array then starts at a multiple of its own width.
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    header, end = {}, 0
    for name in order:
        start, end = end, end + arrays[name].nbytes
        header[name] = {
            "dtype": _NAMES[arrays[name].dtype.name],
            "shape": list(arrays[name].shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little") + text
    for name in order:
        dtype = _DTYPES[_NAMES[arrays[name].dtype.name]]
        array = np.asarray(arrays[name], dtype, order="C")
        if array.size:
            flat = array.reshape(-1).view(np.uint8)
            for start in range(0, len(flat), CHUNK):
                yield flat[start : start + CHUNK].data
                forget(array)


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file, memory-mapped and read-only. Raises UserError for a damaged one."""
    begin, found = header(path)
    file = np.memmap(path, np.uint8, "r")
    arrays = {}
    for name, entry in sorted(found.items()):
        if entry["dtype"] not in _DTYPES:
            raise UserError(
                f"cannot read {path}: array {name!r} is of the type {entry['dtype']}, which is not read here"
            )
        start, end = entry["data_offsets"]
        data = file[begin + start : begin + end].view(np.ndarray)
        arrays[name] = data.view(_DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def header(path: Path) -> tuple[int, dict[str, dict]]:
    """(first byte of the arrays, {name: {dtype, shape, data_offsets}}) of any safetensors file.

    Raises UserError where the header contradicts the file, before anything of it is used.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        begin = file.read(8)
        length = int.from_bytes(begin, "little")
        if len(begin) < 8 or length > size - 8:
            raise _damaged(path, "it ends before its header does")
        if length > LONGEST_HEADER:
            raise _damaged(path, f"its header has {length:,} bytes")
        text = file.read(length)
    try:
        found = json.loads(text.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"its header is no JSON ({type(error).__name__})") from None
    if not isinstance(found, dict):
        raise _damaged(path, "its header is no record")
    found.pop("__metadata__", None)
    at = 0
    for name, entry in sorted(found.items(), key=lambda one: _offsets(path, *one)):
        start, end = entry["data_offsets"]
        bits = _BITS.get(entry["dtype"]) if isinstance(entry.get("dtype"), str) else None
        shape = entry.get("shape")
        if bits is None:
            raise _damaged(path, f"array {name!r} is of the unknown type {str(entry.get('dtype'))[:40]!r}")
        if not isinstance(shape, list) or not all(_whole(axis) for axis in shape):
            raise _damaged(path, f"array {name!r} has the shape {str(shape)[:80]}")
        if 8 * (end - start) != math.prod(shape) * bits:
            raise _damaged(path, f"array {name!r} of shape {str(shape)[:80]} has {end - start:,} bytes")
        if start != at:
            raise _damaged(
                path, f"array {name!r} begins at byte {start:,} of the data, and the one before it ends at {at:,}"
            )
        at = end
    if at != size - 8 - length:
        raise _damaged(path, f"its arrays take {at:,} bytes, and it holds {size - 8 - length:,}")
    return 8 + length, found


def _offsets(path: Path, name: str, entry: object) -> tuple[int, int]:
    """(first byte, one past the last) of an array."""
    at = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not (isinstance(at, list) and len(at) == 2 and all(map(_whole, at)) and at[0] <= at[1]):
        raise _damaged(path, f"its header does not say where array {name[:80]!r} stands")
    return at[0], at[1]


def _whole(value: object) -> bool:
    """Whether a value is a whole number from 0 that a file can have."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 60


def _once(pairs: list[tuple[str, object]]) -> dict:
    """A JSON record with distinct names."""
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _damaged(path: Path, why: str) -> UserError:
    return UserError(f"cannot read {path}: {why}; it is damaged: get it again")


def reserve(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """A writable array of zeros mapped onto an empty file, whose disk space is reserved at once.

    A sparse file would be faster to make, but the process would die of SIGBUS when the disk fills up.
    """
    size = math.prod(shape) * dtype.itemsize
    if not size:
        return np.zeros(shape, dtype)
    if sys.platform == "linux":
        os.posix_fallocate(file.fileno(), 0, size)
    else:
        for start in range(0, size, CHUNK):
            file.write(bytes(min(CHUNK, size - start)))
        file.flush()
    return np.frombuffer(mmap.mmap(file.fileno(), size), dtype).reshape(shape)


def forget(array: np.ndarray) -> None:
    """Frees the memory that a mapped array fills; its values stay in the file. Other arrays are left alone."""
    owner: object = array
    while isinstance(owner, np.ndarray | memoryview):
        owner = owner.base if isinstance(owner, np.ndarray) else owner.obj
    if isinstance(owner, mmap.mmap) and sys.platform != "win32":
        owner.madvise(mmap.MADV_DONTNEED)
