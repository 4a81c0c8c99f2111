"""Normal forms: what makes two answers the same one, for a vote. None: the answer says nothing that could be voted for."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable

from outgrow.metrics import final_answer

LETTERS = 200_000
"""Letters that looking for the code in an answer may parse, all attempts together: what takes more is compared by its words."""


def number(answer: str) -> str | None:
    """The number that an answer comes to (`finals.py`), as a fraction in lowest terms."""
    found = final_answer.number(answer)
    return None if found is None else f"{found.numerator:x}/{found.denominator:x}"


def marked(answer: str) -> str | None:
    """The number after "####"; an answer without one says nothing."""
    found = final_answer.marked(answer)
    return None if found is None else f"{found.numerator:x}/{found.denominator:x}"


def code(answer: str) -> str | None:
    """A function's body as Python writes it: layout and comments do not count, and what stands after it is left out."""
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
            # Lines up to and with the one at fault do not parse either; line 1 is ours.
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
