"""Damaged files of a model: one line names the file, whatever error a library raises over it."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from outgrow.core.errors import UserError
from outgrow.store import disk

AGAIN = "it is damaged, or not what its name says: get it again"
SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of the scalar types of a GGUF file, by number."""
STRING, ARRAY = 8, 9
DEEP = 4
"""Levels of arrays within arrays in a GGUF file."""


def _broken() -> tuple[type[BaseException], ...]:
    """Errors that libraries raise over a damaged file."""
    from huggingface_hub.errors import StrictDataclassError
    from jinja2 import TemplateError
    from safetensors import SafetensorError

    return (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        AssertionError,
        EOFError,
        OSError,
        ImportError,
        RuntimeError,
        MemoryError,
        struct.error,
        SafetensorError,
        StrictDataclassError,
        TemplateError,
    )


@contextmanager
def reading(what: str, do: str = AGAIN) -> Iterator[None]:
    """Turns a library's error over a damaged file into a UserError that names `what` cannot be read and what to `do`.

    For the one call that opens the file. The errors of a full disk and of a full accelerator stay as they are.
    """
    try:
        yield
    except UserError:
        raise
    except BaseException as error:
        # Libraries written in Rust raise `Exception` itself, and a class of their own that does not derive from it.
        broken = isinstance(error, _broken()) or type(error) is Exception or type(error).__name__ == "PanicException"
        full = type(error).__name__ == "OutOfMemoryError" or (isinstance(error, Exception) and disk.full(error))
        if full or not broken:
            raise
        raise UserError(f"cannot read {what}: {first_line(error)}; {do}") from error


def first_line(error: BaseException) -> str:
    """The first sentence of an error's text, shortened."""
    line = re.split(r"(?<=[.:])\s|\n", str(error).strip() or type(error).__name__)[0].rstrip(".:")
    return line if len(line) <= 200 else line[:200] + "..."


def check_gguf(path: Path) -> None:
    """Raises UserError where the head of a GGUF file contradicts its size; the library would notice late, if ever."""
    with path.open("rb") as file:
        head = _GgufHead(path, file, path.stat().st_size)
        if head.take(4) != b"GGUF":
            raise head.wrong("it does not begin with GGUF")
        version = head.number(4)
        if version not in (2, 3):
            raise head.wrong(f"its version is {version:,}, and versions 2 and 3 are known")
        tensors, facts = head.count("tensors"), head.count("facts")
        blocks = 0
        for _ in range(facts):
            name, kind = head.string(), head.number(4)
            value = head.value(kind)
            if name.endswith(b".block_count"):
                blocks = value if isinstance(value, int) else 0
        if blocks > tensors:
            raise head.wrong(f"it says that it has {blocks:,} blocks, and holds {tensors:,} arrays")
        for _ in range(tensors):
            head.string()
            if (axes := head.number(4)) > 4:
                raise head.wrong(f"an array has {axes:,} axes")
            head.take(8 * axes + 12)


class _GgufHead:
    """Reads the head of a GGUF file front to back."""

    def __init__(self, path: Path, file: BinaryIO, size: int):
        self._path, self._file, self._left = path, file, size

    def wrong(self, why: str) -> UserError:
        return UserError(f"cannot read {self._path}: {why}; {AGAIN}")

    def take(self, size: int) -> bytes:
        if size > self._left:
            raise self.wrong("it ends before what it says it holds")
        self._left -= size
        return self._file.read(size)

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def count(self, what: str) -> int:
        """A number of things that follow, each of at least a byte."""
        found = self.number(8)
        if found > self._left:
            raise self.wrong(f"it says that it holds {found:,} {what}, more than there are bytes")
        return found

    def string(self) -> bytes:
        return self.take(self.number(8))

    def value(self, kind: int, deep: int = 0) -> int | None:
        """Reads a value of this type: a number; None for any other, whose bytes are skipped."""
        if kind in SCALARS:
            return int.from_bytes(self.take(SCALARS[kind]), "little")
        if kind == STRING:
            self.string()
        elif kind == ARRAY and deep < DEEP:
            of, many = self.number(4), self.count("values")
            if of in SCALARS:
                self.take(many * SCALARS[of])
            else:
                for _ in range(many):
                    self.value(of, deep + 1)
        else:
            raise self.wrong(f"a fact is of type {kind:,}, which is not known")
        return None
