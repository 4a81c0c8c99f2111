"""The text in the bytes of a file: UTF-8, UTF-16 by its mark or its zero bytes, else Windows-1252, which is said."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from outgrow.core.errors import UserError
from outgrow.core.progress import say

MARKS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
"""Byte-order marks, the longer one first: it begins as the next one does."""
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_LETTERS = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
"""Letters of UTF-8 that are longer than a byte."""


def decoded(path: Path, data: bytes) -> str:
    """The text of a file; where it is not UTF-8, a line says what it was read as.

    Raises:
        UserError: It is UTF-8 with a broken letter, or no text of a known encoding; the message has the line.
    """
    coding = next((coding for mark, coding in MARKS if data.startswith(mark)), None) or _by_zeros(data)
    if coding is not None:
        try:
            text = data.decode(coding)
        except UnicodeDecodeError:
            raise UserError(f"{path} is damaged: it begins as {coding.upper()} and is none throughout") from None
        say(f"{path.name} is {coding.upper()}: read as that")
        return text
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _western(path, data, error)


def _by_zeros(data: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of Western text is zero."""
    even, odd = data[::2].count(0), data[1::2].count(0)
    if len(data) % 2 or max(even, odd) < len(data) / 5 or min(even, odd) > len(data) / 50:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _western(path: Path, data: bytes, error: UnicodeDecodeError) -> str:
    """The text as Windows-1252, of which Latin-1 is a part. Raises UserError where it is none."""
    line = data.count(b"\n", 0, error.start) + 1
    place = f"{path} line {line} is not UTF-8 (byte {data[error.start]:#04x})"
    if error.end == len(data) and error.reason == "unexpected end of data":
        raise UserError(f"{place}: the file ends within a letter, it is cut off: get it again")
    if _LETTERS.search(data):
        raise UserError(f"{place}, and other letters are: mend that line, or save the file as UTF-8")
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    if not text or _CONTROL.search(data):
        raise UserError(f"{place}: save the file as UTF-8")
    shown = text.split("\n")[line - 1].strip()
    at = next(i for i, letter in enumerate(shown) if ord(letter) > 127)
    say(
        f"{path.name} is not UTF-8 (line {line}): read as Windows-1252 (Latin-1), where it holds "
        f"{shown[max(0, at - 12) : at + 12]!r}; where that is wrong save the file as UTF-8"
    )
    return text
