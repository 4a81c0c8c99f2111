"""Calculation: the answer's last number is the value of an expression of whole numbers, + - * / and brackets.

    >>> calculation([Attempt("What is 7 + 5?", "7 + 5 = 12", {"expression": "7 + 5"})])
    [Verdict(sound=True, why='', score=None)]

The last word of an answer that has a digit counts, and must be a number as a whole: 1,234, -3, 2.5, 3/4; of "7 + 5 =
12" it is 12. Of a word that may mean more ("5-3", "10%", "3!") it cannot tell.
"""

from __future__ import annotations

import ast
import operator
import re
from fractions import Fraction

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._fields import shown

OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
LONGEST = 1000
"""Characters of an expression."""
_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+|/[0-9]+)?|[-+]?\.[0-9]+")


@verifier()
def calculation(attempts: list[Attempt]) -> list[Verdict]:
    """Compares the answer's last number with the value of shown["expression"]."""
    return [_check(one.answer, shown(one, "expression", str)) for one in attempts]


def _check(answer: str, expression: str) -> Verdict:
    try:
        if len(expression) > LONGEST:
            raise ValueError(f"more than {LONGEST} characters")
        value = _value(ast.parse(expression.strip(), mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError, MemoryError) as error:
        raise UserError(
            f"shown['expression'] is {expression!r:.80}: it must be whole numbers with + - * / and brackets ({error})"
        ) from error
    words = [word for word in answer.replace("−", "-").split() if re.search("[0-9]", word)]
    if not words:
        return Verdict(False, "no number")
    number = (
        words[-1]
        .rpartition("=")[2]
        .strip("$*_`()[]{}\"'")
        .rstrip(".,;:!?" if not re.search(r"[0-9]!", words[-1]) else ".,;:?")
    )
    if len(number) > LONGEST or not _NUMBER.fullmatch(number):
        return Verdict(None, f"cannot read {words[-1]!r:.80}")
    try:
        same = Fraction(number.replace(",", "")) == value
    except ZeroDivisionError:
        return Verdict(False, f"{number:.80} is no number")
    return Verdict(True) if same else Verdict(False, f"{expression:.80} is {value}")


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            return Fraction(number)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATIONS:
            return OPERATIONS[type(op)](_value(left), _value(right))
    raise ValueError(f"not an expression of numbers: {ast.unparse(node)[:80]}")
