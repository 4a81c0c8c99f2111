r"""Runs in a box: whether two mathematical texts are equal, read by latex2sympy and compared by math-verify.

Both libraries parse by means that can run code, hence the box.

A text is one expression, or several between commas: in any order, unless round or square brackets stand around them,
which must be the same. Every part must be readable as a whole: nothing is picked out of it. Numbers are equal exactly
(to 50 digits), and to a relative 1e-6 where one was written with a point.
"""

import re

import sympy
from latex2sympy2_extended import NormalizationConfig, latex2sympy, normalize_latex
from math_verify import grader, verify

_CONFIG = NormalizationConfig(
    basic_latex=True, units=False, malformed_operators=True, nits=True, boxed="none", equations=False
)
_DEPTH = 4
"""Brackets within brackets."""


def answer(job):
    """(value, answer), both LaTeX -> True, False, or None where either cannot be read."""
    value, other = map(_read, job)
    return None if value is None or other is None else _equal(value, other)


def _read(text, depth=0):
    """(opening bracket, closing bracket, parts), brackets "" where there are none; None where it cannot be read.

    A part is a tuple of the same form, or an expression.
    """
    text = text.strip()
    if depth > _DEPTH or not text:
        return None
    opens, closes, inner = "", "", text
    for start, ends in (("(", ")]"), ("[", ")]"), ("\\{", ("\\}",))):
        end = next((end for end in ends if text.endswith(end)), None)
        if text.startswith(start) and end and _encloses(text, start, end):
            opens, closes, inner = start, end, text[len(start) : len(text) - len(end)]
    parts = _parts(inner)
    if opens != "\\{" and len(parts) == 1:
        expression = _expression(text)
        if expression is None:
            return None
        return "", "", list(expression.args) if isinstance(expression, sympy.FiniteSet) else [expression]
    read: list = []
    for part in parts:
        found = _read(part, depth + 1)
        if found is None:
            return None
        read += found[2] if found[0] == "" else [found]
    return ("", "", read) if opens == "\\{" else (opens, closes, read)


def _encloses(text, start, end):
    """Whether the first bracket is closed by the last."""
    depth = 0
    for at, letter in enumerate(text):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(letter, 0)
        if depth == 0 and at >= len(start) - 1:
            return at == len(text) - 1
    return False


def _parts(text):
    """The text split at commas and semicolons outside of brackets."""
    depth, parts = 0, [""]
    for letter in text:
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(letter, 0)
        if letter in ",;" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _expression(text):
    # latex2sympy takes "2 3" for a sum and ignores a prime.
    if re.search(r"[\d)}]\s+\d|'|\\%|%|#", text):
        return None
    try:
        latex = normalize_latex(text, _CONFIG)
        return latex2sympy(
            latex, is_real=not grader.should_treat_as_complex(latex), convert_degrees=False, normalization_config=None
        )
    except Exception:
        # It raises exceptions of any kind at what it cannot read.
        return None


def _equal(one, other):
    if isinstance(one, tuple) or isinstance(other, tuple):
        if (
            not (isinstance(one, tuple) and isinstance(other, tuple))
            or one[:2] != other[:2]
            or len(one[2]) != len(other[2])
        ):
            return False
        if one[0]:
            return all(map(_equal, one[2], other[2]))
        left = list(other[2])
        for part in one[2]:
            at = next((at for at, candidate in enumerate(left) if _equal(part, candidate)), None)
            if at is None:
                return False
            del left[at]
        return True
    return bool(verify(one, other, timeout_seconds=None, raise_on_error=False))


def _numbers(one, other, float_rounding, numeric_precision):
    """Replaces math-verify's comparison of numbers, by which all small ones are equal."""
    if isinstance(one, sympy.MatrixBase) or isinstance(other, sympy.MatrixBase):
        whole = isinstance(one, sympy.MatrixBase) and isinstance(other, sympy.MatrixBase) and one.shape == other.shape
        return whole and all(
            _numbers(a, b, 0, 0) or grader.sympy_symbolic_eq(a, b)
            for a, b in zip(one.flat(), other.flat(), strict=True)
        )
    one, other = grader.safe_sympy_doit(one), grader.safe_sympy_doit(other)
    if one == other:
        return True
    if (
        one.free_symbols
        or other.free_symbols
        or not (one.is_number and other.is_number)
        or not (one.is_finite and other.is_finite)
    ):
        return False
    rounded = one.has(sympy.Float) or other.has(sympy.Float)
    a, b = sympy.N(one, 50), sympy.N(other, 50)
    return bool(abs(a - b) <= abs(a) * (sympy.Rational(1, 10**6) if rounded else sympy.Rational(1, 10**45)))


grader.sympy_numeric_eq = _numbers
