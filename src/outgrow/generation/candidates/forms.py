"""Normal forms: two answers with the same form are the same in a vote. None: an answer without a form."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable

from outgrow.metrics import final_answer

LETTERS = 200_000
"""Characters that the search for code in an answer may parse in all; beyond that, its words are compared."""


def number(answer: str) -> str | None:
    """An answer's final number (`metrics/final_answer.py`), as a fraction in lowest terms."""
    found = final_answer.number(answer)
    return None if found is None else f"{found.numerator:x}/{found.denominator:x}"


def marked(answer: str) -> str | None:
    """The number after "####"; an answer without one has no form."""
    found = final_answer.marked(answer)
    return None if found is None else f"{found.numerator:x}/{found.denominator:x}"


def code(answer: str) -> str | None:
    """A function's body as Python writes it: without layout, comments, and text behind it."""
    lines = answer.splitlines()
    end, left = len(lines), LETTERS
    while end > 0:
        body = "def f():\n" + "\n".join(lines[:end]) + "\n"
        left -= len(body)
        if left < 0:
            break
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.unparse(ast.parse(body))
        except SyntaxError as error:
            # Lines up to the one with the error do not parse either; line 1 is ours.
            end = min(end, (error.lineno or end + 1) - 1) - 1
        except (ValueError, RecursionError, MemoryError):
            end -= 1
    return final_answer.words(answer)


FORMS: dict[str, Callable[[str], str | None]] = {
    "number": number,
    "marked": marked,
    "letter": final_answer.letter,
    "words": final_answer.words,
    "code": code,
}
