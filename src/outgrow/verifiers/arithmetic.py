"""Arithmetic: every "a op b = c" in the answer's text, <<a op b = c>> too, is calculated again.

    >>> arithmetic([Attempt("How many?", "She had 3 * 4 = 13 eggs.")])
    [Verdict(sound=False, why='3 * 4 is not 13', score=None)]

A partial check: one wrong equation makes the answer wrong, right ones show little. Judged are equations whose sides are
fully read:

    side        sums, differences, products and quotients (+ - * x × · / ÷) of numbers and round brackets, $ before a
                number, % after
    number      72, 1,234, 0.5, .5, 3 1/2 (0900 is a time); a unit may follow a result: = 24 clips, = 100 cm, = 12/hour

An equation is skipped where a neighbour of a side may belong to it: another sign (^ ! | \\cdot mod //), a term with a
letter ("S + 30 = 50", "2x"), a unit within ("20 feet / 10 = 2", "5 feet 3 + 2 = 5"), a word that continues it ("half of
20 + 4", "1 and 1/4", "= 3 remainder 2", "= 5 million"), a time (10:30), a percentage added to a number. Not called
wrong: a result with decimals that may be rounded or cut off; a whole result less than 1 away from a quotient, which may
be rounded or leave a remainder; a / b / c, which may mean a / (b / c); a calculation that runs on ("5 * 10 = 50 + 3 =
53").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import final

from outgrow.core import progress
from outgrow.verifiers import Attempt, Verdict, verifier

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+)"
    r"|(?P<equals>(?<![!<>=:~≈≠])={1,2}(?![=<>~]))|(?P<times>(?<=\d)[xX](?=\d)|(?<= )[xX](?= ))"
    r"|(?P<sign>[-+*/()×÷·−–%])|(?P<word>\\?[^\W\d_]+)|(?P<line>\n)|(?P<other>\S)",
)
_PLAIN = {"×": "*", "·": "*", "x": "*", "X": "*", "÷": "/", "−": "-", "–": "-"}
_LONGEST = 60
"""Tokens of a side; a longer one is skipped."""
_DIGITS = 40
"""Digits of a number; a side with a longer one is skipped."""
_CONTINUES = frozenset(
    [
        "of",
        "and",
        "or",
        "mod",
        "modulo",
        "rem",
        "remainder",
        "r",
        "plus",
        "minus",
        "times",
        "over",
        "by",
        "per",
        "than",
        "negative",
        "half",
        "twice",
        "double",
        "triple",
        "root",
        "log",
        "ln",
        "exp",
        "sin",
        "cos",
        "tan",
        "sqrt",
        "max",
        "min",
        "abs",
        "gcd",
        "lcm",
        "power",
        "choose",
        "floor",
        "ceil",
        "factorial",
        "point",
        "with",
        "left",
        "hundred",
        "thousand",
        "million",
        "billion",
        "trillion",
        "dozen",
        "percent",
        "x",
        "squared",
        "cubed",
        "to",
    ]
)
"""Words that make another number of a number beside them."""
_ENDS = frozenset(".,;:?)\"'>]}")
_OPENS = frozenset("\"'<>([{")


@final
@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


@verifier(paper="Cobbe et al. 2021, arXiv 2110.14168 (their calculations, checked)")
def arithmetic(attempts: Sequence[Attempt]) -> list[Verdict]:
    """Calculates every "a op b = c" in the answer again: a wrong one makes it unsound; without any it cannot tell."""
    verdicts = []
    with progress.track("checking arithmetic", len(attempts)) as bar:
        for one in attempts:
            verdicts.append(_verdict(one.answer))
            bar.advance()
    return verdicts


def _verdict(answer: str) -> Verdict:
    checked = False
    for left, right in _equations(answer):
        same = _same(left, right)
        if same is False:
            return Verdict(False, f"{' '.join(left)} is not {' '.join(right)}")
        checked = checked or same is True
    return Verdict(True) if checked else Verdict(None, "no arithmetic in the text that can be judged")


def _equations(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """The two sides of every = that are fully read, one of them more than a number."""
    text = re.sub(r"\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*(?![\d(])", r"\1", text).replace("\\$", "$").replace("$", " ")
    tokens = [_Token(str(m.lastgroup), m[0], m.start(), m.end()) for m in _TOKEN.finditer(text)]
    for at, token in enumerate(tokens):
        if token.kind != "equals":
            continue
        low, high = at, at + 1
        while low > 0 and tokens[low - 1].kind in ("number", "sign", "times"):
            low -= 1
        while high < len(tokens) and tokens[high].kind in ("number", "sign", "times"):
            high += 1
        if max(at - low, high - at - 1) > 2 * _LONGEST:
            continue
        # A bracket around the whole line.
        while (
            low < at and tokens[low].text == "(" and sum((t.text == "(") - (t.text == ")") for t in tokens[low:at]) > 0
        ):
            low += 1
        left, right = tokens[low:at], _without_unit(tokens, at + 1, high)
        if not left or not right or not _begins(tokens, low) or not _ends(tokens, at + 1 + len(right), high):
            continue
        if high < len(tokens) and tokens[high].kind == "equals" and _runs_on(left, right):
            continue
        one, two = _plain(left), _plain(right)
        # "Week 2 = 35 + 35": a number after a word may be a name.
        named = low > 0 and tokens[low - 1].kind == "word"
        if (len(left) > 2 or (len(right) > 2 and not named)) and value(one) is not None and value(two) is not None:
            yield one, two


def _plain(tokens: Sequence[_Token]) -> list[str]:
    """Tokens as `value` takes them: a % that touches its number is a part of it."""
    found: list[str] = []
    for at, token in enumerate(tokens):
        if token.text == "%" and found and tokens[at - 1].kind == "number" and tokens[at - 1].end == token.start:
            found[-1] += "%"
        else:
            found.append(_PLAIN.get(token.text, token.text))
    return found


def _begins(tokens: Sequence[_Token], low: int) -> bool:
    """Whether no token before a side belongs to it."""
    first = tokens[low]
    if first.text not in "(-−–" and first.kind != "number":
        return False
    if first.text in "-−–" and tokens[low + 1].start > first.end:
        # A dash, a bullet or the rest of a term.
        return False
    if low == 0 or tokens[low - 1].kind in ("equals", "line"):
        return True
    before = tokens[low - 1]
    apart = before.end < first.start
    if before.kind == "word":
        if not apart or before.text.startswith("\\") or len(before.text) == 1 or before.text.lower() in _CONTINUES:
            return False
        # "5 feet 3 + 2": a unit.
        return low == 1 or tokens[low - 2].kind not in ("number", "sign", "times")
    if before.text in ".,;:?!":
        return apart
    return before.text in _OPENS


def _ends(tokens: Sequence[_Token], end: int, high: int) -> bool:
    """Whether no token behind the right side belongs to it."""
    if end != high:
        # A "/" before a unit, or a bracket around words, was removed.
        return True
    if high == len(tokens) or tokens[high].kind in ("equals", "line"):
        return True
    last, after = tokens[high - 1], tokens[high]
    if after.text.lower() == "and":
        # 1 and 1/4, but not .67 and 2 / 3 = .66.
        mixed = [token.text if token.kind == "sign" else token.kind for token in tokens[high + 1 : high + 4]] == [
            "number",
            "/",
            "number",
        ]
        return last.end < after.start and not (mixed and last.text.isdigit())
    if after.kind == "word":
        return (
            last.end < after.start
            and not after.text.startswith("\\")
            and len(after.text) > 1
            and after.text.lower() not in _CONTINUES
        )
    apart = high + 1 == len(tokens) or tokens[high + 1].start > after.end or tokens[high + 1].kind == "line"
    return after.text in _ENDS and (apart or after.text not in ".,;:?")


def _without_unit(tokens: Sequence[_Token], low: int, high: int) -> Sequence[_Token]:
    """The right side without "/" of "12/hour" or "(" of "24 (clips)" or brackets that were opened before it."""
    found = list(tokens[low:high])
    word = tokens[high] if high < len(tokens) and tokens[high].kind == "word" else None
    if (
        word
        and len(found) == 2
        and found[1].text in "/("
        and not word.text.startswith("\\")
        and word.text.lower() not in _CONTINUES
    ):
        return found[:1] if len(word.text) > 1 or found[1].text == "(" else found
    while found and found[-1].text == ")" and sum((t.text == "(") - (t.text == ")") for t in found) < 0:
        found.pop()
    return found


def _runs_on(left: Sequence[_Token], right: Sequence[_Token]) -> bool:
    """Whether a middle side continues from the result before it: 5 * 10 = 50 + 3 = 53."""
    if len(right) < 3 or right[0].kind != "number":
        return False
    one, two = value(_plain(left)), value(_plain(right[:1]))
    return one is not None and one == two != value(_plain(right))


def _same(left: Sequence[str], right: Sequence[str]) -> bool | None:
    """Whether the sides are equal up to rounding; None where a whole result may leave a remainder."""
    one, two = value(left), value(right)
    assert one is not None and two is not None
    if len(left) <= 2 < len(right):
        left, right, one, two = right, left, two, one
    lone = len(right) <= 2
    # 2 / 3 may be given as .66 or .67.
    decimals = right[-1].rstrip("%").partition(".")[2] if lone else ""
    slack = Fraction(1, 10 ** len(decimals)) if decimals else Fraction(0)
    if lone and right[-1].endswith("%"):
        near = abs(one - two) <= slack / 100 or abs(one - 100 * two) <= slack
        apart = min(abs(one - two) * 100, abs(one - 100 * two))
    else:
        apart = abs(one - two)
        near = apart <= slack
    if not near and (
        (lone and not decimals and "/" in left and apart < 1) or _divides_twice(left) or _divides_twice(right)
    ):
        return None
    return near


def _divides_twice(side: Sequence[str]) -> bool:
    """Whether a side has a / b / c, which may mean a / (b / c)."""
    return any(side[at] == "/" == side[at + 2] for at in range(1, len(side) - 2))


def value(side: Sequence[str]) -> Fraction | None:
    """The value of an expression in tokens; None where it is no expression."""
    rest = list(side[::-1])
    if len(rest) > _LONGEST or any(len(token) > _DIGITS or re.match("0[0-9]", token) for token in rest):
        return None
    try:
        result, _ = _sum(rest)
    except (IndexError, ValueError, ZeroDivisionError):
        return None
    return None if rest else result


def _sum(rest: list[str]) -> tuple[Fraction, bool]:
    """(value, whether it is a percentage) of the tokens at the end of `rest`, which are removed."""
    result, percent = _product(rest)
    while rest and rest[-1] in "+-":
        sign = rest.pop()
        other, too = _product(rest)
        if percent is not too:
            raise ValueError("a percentage and a number: of what?")
        result = result + other if sign == "+" else result - other
    return result, percent


def _product(rest: list[str]) -> tuple[Fraction, bool]:
    result, percent = _factor(rest)
    while rest and rest[-1] in "*/":
        sign = rest.pop()
        other, _ = _factor(rest)
        result, percent = (result * other if sign == "*" else result / other), False
    return result, percent


def _factor(rest: list[str]) -> tuple[Fraction, bool]:
    token = rest.pop()
    if token == "-":
        result, percent = _factor(rest)
        return -result, percent
    if token == "(":
        found = _sum(rest)
        if rest.pop() != ")":
            raise ValueError("no closing bracket")
        return found
    number = Fraction(token.replace(",", "").rstrip("%")) / (100 if token.endswith("%") else 1)
    if token.isdigit() and len(rest) > 2 and rest[-1].isdigit() and rest[-2] == "/" and rest[-3].isdigit():
        part = Fraction(int(rest[-1]), int(rest[-3]))
        del rest[-3:]
        if part >= 1:
            raise ValueError("no mixed number")
        number += part
    return number, token.endswith("%")
