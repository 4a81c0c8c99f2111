"""Normal forms: what makes two answers the same one, for a vote. None: the answer says nothing that could be voted for."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?|-?\.\d+")


def number(answer: str) -> str | None:
    """The final number: the first after the last "####" where that stands, else the last of the text."""
    _, mark, after = answer.rpartition("####")
    found = _NUMBER.findall(after if mark else answer)
    if not found:
        return None
    try:
        return str(Decimal((found[0] if mark else found[-1]).replace(",", "")).normalize())
    except InvalidOperation:
        return None


def marked(answer: str) -> str | None:
    """The number after the last "####"; an answer without one says nothing."""
    return number(answer) if "####" in answer else None


def words(answer: str) -> str | None:
    """The text, in small letters, runs of blanks as one."""
    return " ".join(answer.lower().split()) or None


def code(answer: str) -> str | None:
    """A function's body as Python writes it: layout and comments do not count, and what stands after it is left out."""
    lines = answer.splitlines()
    for end in range(len(lines), 0, -1):
        try:
            return ast.unparse(ast.parse("def f():\n" + "\n".join(lines[:end]) + "\n"))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return words(answer)


FORMS: dict[str, Callable[[str], str | None]] = {"number": number, "marked": marked, "words": words, "code": code}
