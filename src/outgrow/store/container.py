"""Named arrays in one file (the safetensors layout): written as a stream, read by memory map.

    8 bytes: length of the header | header: JSON {name: {dtype, shape, data_offsets}} | the arrays, one after the other

Any safetensors reader opens these files. Ours maps them, so that an array larger than memory costs what is looked at,
and writes without a second copy in memory, which the library's own numpy writer needs.
"""

from __future__ import annotations

import json
import math
import mmap
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

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
_DTYPES = {name: np.dtype(dtype).newbyteorder("<") for dtype, name in _NAMES.items()}


def chunks(arrays: Mapping[str, np.ndarray]) -> Iterator[bytes | memoryview]:
    """The bytes of the file, in order. Raises TypeError, before the first byte, for a dtype that the layout lacks."""
    for name, array in arrays.items():
        if array.dtype.name not in _NAMES:
            raise TypeError(f"array {name!r} has dtype {array.dtype}, which cannot be stored")
    # The widest first: every array then starts at a multiple of its own width.
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
    """The arrays of a file, memory-mapped and read-only."""
    file = np.memmap(path, np.uint8, "r")
    length = int.from_bytes(file[:8].tobytes(), "little")
    header = json.loads(file[8 : 8 + length].tobytes())
    arrays = {}
    for name, entry in sorted(header.items()):
        start, end = entry["data_offsets"]
        data = file[8 + length + start : 8 + length + end].view(np.ndarray)
        arrays[name] = data.view(_DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def reserve(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """A writable array of zeros mapped onto an empty file, whose space on the disk is taken at once.

    A sparse file would be shorter to make, but the process dies of SIGBUS when the disk fills up under it.
    """
    size = math.prod(shape) * dtype.itemsize
    if not size:
        return np.zeros(shape, dtype)
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
    else:
        for start in range(0, size, CHUNK):
            file.write(bytes(min(CHUNK, size - start)))
        file.flush()
    return np.frombuffer(mmap.mmap(file.fileno(), size), dtype).reshape(shape)


def forget(array: np.ndarray) -> None:
    """Let go of the memory that a mapped array fills; its values stay, in the file. Other arrays are left alone."""
    owner: object = array
    while owner is not None and not isinstance(owner, mmap.mmap):
        owner = getattr(owner, "base", None) if isinstance(owner, np.ndarray) else getattr(owner, "obj", None)
    if owner is not None and hasattr(owner, "madvise"):
        owner.madvise(mmap.MADV_DONTNEED)
