"""The value of an expression, worked out again: whole numbers, + - * / and brackets."""

from __future__ import annotations

import ast
import operator
import re
from fractions import Fraction

from outgrow.verifiers import Asked, Verdict, verifier
from outgrow.verifiers._asked import shown

OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


@verifier()
def calculation(asked: list[Asked]) -> list[Verdict]:
    """The last number of the answer is the value of `expression`."""
    return [_check(one.answer, shown(one, "expression", str)) for one in asked]


def _check(answer: str, expression: str) -> Verdict:
    found = re.findall(r"-?\d+(?:\.\d+)?", answer.replace(",", ""))
    if not found:
        return Verdict(False, "no number")
    value = _value(ast.parse(expression, mode="eval").body)
    return Verdict(True) if Fraction(found[-1]) == value else Verdict(False, f"{expression} is {value}")


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() as number):
            return Fraction(number)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATIONS:
            return OPERATIONS[type(op)](_value(left), _value(right))
    raise ValueError(f"not an expression of numbers: {ast.unparse(node)}")
