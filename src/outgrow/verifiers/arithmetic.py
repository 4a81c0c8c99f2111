"""Arithmetic consistency: every "a op b = c" in the text, <<a op b = c>> too, is worked out again.

A partial check: one that is wrong shows that the answer is, all right says little. A side is left out that a letter goes into ("S + 30 = 50",
"20 feet / 10 = 2") or that stands after "of" or "and" ("half of 20 + 4 = 12", "1 and 1/4 = 5/4"). A result with decimals may be rounded or cut off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from outgrow import progress
from outgrow.verifiers import Asked, Verdict, verifier

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?%?|\.\d+%?"
_SIGN = r"[-+*/()×÷·−–]|[xX](?=\s*\$?[\d.(])"
_TOKEN = re.compile(f"{_NUMBER}|{_SIGN}")
_RUN = re.compile(rf"(?:{_NUMBER}|{_SIGN}|=|[ \t$\\])+")
_PLAIN = str.maketrans({"×": "*", "·": "*", "x": "*", "X": "*", "÷": "/", "−": "-", "–": "-"})
_LONGEST = 60
"""Tokens of a side; what is longer is no solution's line."""


@verifier(paper="Cobbe et al. 2021, arXiv 2110.14168 (their calculations, checked)")
def arithmetic(asked: Sequence[Asked]) -> list[Verdict]:
    """Works out every "a op b = c" in the answer's text again: one that is wrong makes it unsound, with none it cannot tell."""
    verdicts = []
    with progress.track("working out arithmetic", len(asked)) as bar:
        for one in asked:
            verdicts.append(_verdict(one.answer))
            bar.advance()
    return verdicts


def _verdict(answer: str) -> Verdict:
    checked = False
    for left, right in _equations(answer):
        if not _same(left, right):
            return Verdict(False, f"{' '.join(left)} is not {' '.join(right)}")
        checked = True
    return Verdict(True) if checked else Verdict(None, "no arithmetic in the text")


def _equations(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """Neighbouring sides of an = that can both be worked out, one of them more than a number."""
    for run in _RUN.finditer(text):
        if "=" not in run[0]:
            continue
        sides = [[token.translate(_PLAIN) for token in _TOKEN.findall(side)] for side in run[0].split("=")]
        before, after = text[max(run.start() - 20, 0) : run.start()], text[run.end() : run.end() + 1]
        if sides[0] and _goes_on(before, run[0], sides[0][0]):
            sides[0] = []
        if sides[-1] and after.isalpha():
            if sides[-1][-1] in "/(":
                sides[-1].pop()
            elif not run[0][-1].isspace():
                sides[-1] = []
        for at, (left, right) in enumerate(pairwise(sides)):
            # "Week 2 = 35 + 35": the number that opens a run may be a name.
            worth = len(left) > 2 or (at and len(right) > 2)
            if worth and value(left) is not None and value(right) is not None:
                yield left, right


def _goes_on(before: str, run: str, first: str) -> bool:
    """Whether a side began before its first token: in a letter's term, in a time of day, after "of" or "and"."""
    if first in "+*/":
        return True
    if first == "-":
        return not re.match(r"[\s$\\]+[-−–]\$?[\d.(]", run) and bool(before.strip())
    return bool(re.search(r"\b(?:of|and)$", before, re.IGNORECASE)) or (bool(re.search(r"[\w:]$", before)) and not run[0].isspace())


def _same(left: Sequence[str], right: Sequence[str]) -> bool:
    one, two = value(left), value(right)
    assert one is not None and two is not None
    # 2 / 3 may be given as .66 or .67; a whole number is meant as it stands.
    decimals = right[-1].rstrip("%").partition(".")[2] if len(right) <= 2 else ""
    slack = Fraction(1, 10 ** len(decimals)) if decimals else Fraction(0)
    if right[-1].endswith("%"):
        return abs(one - two) <= slack / 100 or abs(one - 100 * two) <= slack
    return abs(one - two) <= slack


def value(side: Sequence[str]) -> Fraction | None:
    """Of an expression in tokens; None where it is none."""
    rest = list(side[::-1])
    if len(rest) > _LONGEST:
        return None
    try:
        result = _sum(rest)
    except (IndexError, ValueError, ZeroDivisionError):
        return None
    return None if rest else result


def _sum(rest: list[str]) -> Fraction:
    result = _product(rest)
    while rest and rest[-1] in "+-":
        result = result + _product(rest) if rest.pop() == "+" else result - _product(rest)
    return result


def _product(rest: list[str]) -> Fraction:
    result = _factor(rest)
    while rest and rest[-1] in "*/":
        result = result * _factor(rest) if rest.pop() == "*" else result / _factor(rest)
    return result


def _factor(rest: list[str]) -> Fraction:
    token = rest.pop()
    if token == "-":
        return -_factor(rest)
    if token == "(":
        result = _sum(rest)
        if rest.pop() != ")":
            raise ValueError("no closing bracket")
        return result
    return Fraction(token.replace(",", "").rstrip("%")) / (100 if token.endswith("%") else 1)
