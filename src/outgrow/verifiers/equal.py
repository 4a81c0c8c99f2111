"""Equality: the answer's final value is the shown one, as a number, else as an expression.

Numbers are compared exactly (fractions) and, where either was written with a point, to a relative 1e-6; what is no number goes to math-verify.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from outgrow.verifiers import Asked, Verdict, verifier
from outgrow.verifiers._asked import shown
from outgrow.verifiers._served import Lost, served
from outgrow.verifiers._text import final

_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d{1,3})?(?:\s*/\s*[-+]?\d+)?")


@verifier(paper="Kydlicek et al. 2025, math-verify")
def equal(asked: Sequence[Asked], *, seconds: int = 5) -> list[Verdict]:
    """Compares the answer's final value with shown["value"]: numbers first, then expressions (LaTeX or plain), within a time limit."""
    pairs = [(str(shown(one, "value", (str, int, float))), final(one.answer)) for one in asked]
    verdicts: dict[tuple[str, str], Verdict] = {}
    for pair in dict.fromkeys(pairs):
        value, said = map(number, pair)
        if not pair[1]:
            verdicts[pair] = Verdict(None, "no answer")
        elif value is not None and said is not None:
            exact = "." not in "".join(pair) and "e" not in "".join(pair).lower()
            same = value == said if exact else abs(value - said) <= abs(value) / 10**6
            verdicts[pair] = Verdict(same, "" if same else f"{pair[1]} is not {pair[0]}")
    rest = [pair for pair in dict.fromkeys(pairs) if pair not in verdicts]
    for pair, reply in zip(rest, served("_equality", "math_verify", rest, "comparing expressions", seconds=seconds) if rest else [], strict=True):
        if isinstance(reply, Lost):
            verdicts[pair] = Verdict(False, reply.outcome)
        elif reply is None:
            verdicts[pair] = Verdict(None, f"cannot read {pair[1]!r:.80}")
        else:
            verdicts[pair] = Verdict(reply, "" if reply else f"{pair[1]:.80} is not {pair[0]:.80}")
    return [verdicts[pair] for pair in pairs]


def number(text: str) -> Fraction | None:
    """The number a text is, without what is usual around one: $, %, a unit of one word, a full stop."""
    text = text.strip().strip("$").replace("\\$", "").replace("\\!", "").replace("−", "-").strip().rstrip(".").strip()
    text = re.sub(r"^[$€£]\s*|\s*%$|\s+[A-Za-z]+$", "", text)
    if not _NUMBER.fullmatch(text) or not re.search(r"\d", text):
        return None
    top, _, bottom = text.replace(",", "").partition("/")
    below = Fraction(bottom.strip()) if bottom else Fraction(1)
    try:
        return Fraction(top.strip()) / below if below else None
    except ValueError:
        return None
