r"""Equality: the answer's final value (`_extraction.final`) is shown["value"].

Both are read as a whole, as one of these:

    the same text   blanks, Markdown and LaTeX's marks of mathematics aside
    a quantity      a number with or without a unit (`_quantity.py`): equal exactly, to a relative 1e-6 where one was
                    written with a point. A unit that only one of them has is ignored; two are converted, and must
                    measure the same
    a pair          12:30, 2:3: the same two numbers; of equal ratios alone it cannot tell, for a time is no ratio
    words           of letters alone, capitals aside; a letter of a choice, with or without brackets: A, (A), A)
    quantities      between commas, "and" or "or", in any order
    an expression   LaTeX or plain, by math-verify in a sandbox (`sandbox/programs/equality.py`); x = 5 for 5 where only
                    one has x

Unsound: both were read, and differ. Cannot tell: one was not read, they are of different kinds, or their units cannot
be compared.

    >>> equal([Attempt("How far is it?", "The answer is 5 km.", {"value": "5000 m"})])
    [Verdict(sound=True, why='', score=None)]
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._extraction import final
from outgrow.verifiers._fields import shown
from outgrow.verifiers._quantity import Quantity, quantity, same
from outgrow.verifiers.sandbox import limits
from outgrow.verifiers.sandbox.jobs import LostJob, run_jobs
from outgrow.verifiers.sandbox.programs.sources import EQUALITY

LONGEST = 1000
"""Characters of a final value; a longer one is not compared."""

_FUNCTIONS = ["sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "log", "ln", "exp", "sqrt", "pi"]
_SIGNS = str.maketrans({"−": "-", "–": "-", "\u00a0": " ", "\u2009": " ", "\u202f": " ", "’": "'"})
_LATEX = {
    "×": r" \times ",
    "·": r" \cdot ",
    "÷": "/",
    "π": r" \pi ",
    "√": r" \sqrt ",
    "∞": r" \infty ",
    "≤": r" \le ",
    "≥": r" \ge ",
}


@verifier(paper="Kydlicek et al. 2025, math-verify")
def equal(attempts: Sequence[Attempt], *, seconds: int = limits.JOB_SECONDS) -> list[Verdict]:
    """Compares the answer's final value with shown["value"]: a text, a number with its unit, or an expression.

    Args:
        attempts: answers; shown["value"] is a number or a text.
        seconds: on the processor, of one comparison of expressions.
    """
    pairs = []
    for one in attempts:
        value = shown(one, "value", (str, int, float))
        if isinstance(value, bool) or not plain(str(value)):
            raise UserError(f"shown['value'] is {value!r}: it must be a number or a text")
        pairs.append((str(value), final(one.answer)))
    verdicts: dict[tuple[str, str], Verdict] = {}
    jobs: dict[tuple[str, str], tuple[str, str]] = {}
    for pair in dict.fromkeys(pairs):
        value, answer = _unassigned(*map(plain, pair))
        if not answer:
            verdicts[pair] = Verdict(None, "no answer")
        elif max(len(value), len(answer)) > LONGEST:
            verdicts[pair] = Verdict(None, f"a value of more than {LONGEST} letters")
        elif (comparison := _compared(value, answer)) == "":
            jobs[pair] = (_latex(value), _latex(answer))
        else:
            verdicts[pair] = _verdict(pair, comparison)
    distinct = list(dict.fromkeys(jobs.values()))
    found = run_jobs(EQUALITY, "math_verify", distinct, "comparing expressions", seconds=seconds) if distinct else []
    replies = dict(zip(distinct, found, strict=True))
    for pair, job in jobs.items():
        reply = replies[job]
        if isinstance(reply, LostJob):
            verdicts[pair] = Verdict(None if reply.outcome.startswith("failed") else False, reply.outcome)
        elif reply is None:
            verdicts[pair] = Verdict(None, f"cannot read {pair[1]!r:.80} and {pair[0]!r:.80}")
        else:
            verdicts[pair] = _verdict(pair, reply)
    return [verdicts[pair] for pair in pairs]


def _verdict(pair: tuple[str, str], equal: bool | str) -> Verdict:
    """Of (value, answer) and whether they are equal, or why that cannot be told."""
    if isinstance(equal, str):
        return Verdict(None, f"cannot compare {pair[1]!r:.80} with {pair[0]!r:.80}: {equal}")
    return Verdict(equal, "" if equal else f"{pair[1]:.80} is not {pair[0]:.80}")


def _compared(value: str, answer: str) -> bool | str:
    """Whether two values are equal as texts, quantities or words; why that cannot be told; "" for expressions."""
    if _squeezed(value) == _squeezed(answer):
        return True
    gold, other = quantity(value), quantity(answer)
    if gold and other:
        equal = same(gold, other)
        return equal if equal is not None else "their units"
    pairs = [re.fullmatch(r"([0-9]{1,6})\s*:\s*([0-9]{1,6})", text) for text in (value, answer)]
    if pairs[0] and pairs[1]:
        (a, b), (c, d) = (map(int, pair.groups()) for pair in pairs if pair)
        return True if (a, b) == (c, d) else "a time or a ratio" if b and d and a * d == b * c else False
    words = [_words(text) for text in (value, answer)]
    if all(words):
        one, two = (word or "" for word in words)
        if len(one) == len(two) == 1 and one != two and one.lower() == two.lower():
            return "a capital and a small letter"
        return one.lower() == two.lower()
    several = [_quantities(text) for text in (value, answer)]
    if all(several) and max(map(len, several)) > 1:
        return _same_quantities(*several)
    if any(_prose(text) for text in (value, answer)):
        return "words and mathematics"
    return ""


def _same_quantities(value: list[Quantity], answer: list[Quantity]) -> bool | str:
    """Whether they are the same quantities in any order; a reason where that cannot be told."""
    if len(value) != len(answer):
        return False
    left = list(answer)
    for one in value:
        if any(same(one, other) is None for other in left):
            return "their units"
        at = next((at for at, other in enumerate(left) if same(one, other)), None)
        if at is None:
            return False
        del left[at]
    return True


def plain(text: str) -> str:
    """A value without its typesetting: marks of mathematics, fonts, thin spaces, a full stop."""
    text = text.translate(_SIGNS)[: 4 * LONGEST]
    text = re.sub(r"\\\[|\\\]|\\\(|\\\)|\$\$", " ", text)
    text = re.sub(r"(?<!\\)\$([^$]*[^$\s\\])(?<!\\)\$", r"\1", text.strip())
    text = text.replace("\\$", "$").replace("\\%", "%").replace("{,}", ",").replace("\\!", "")
    text = re.sub(r"\\[,;:> ]|~|\\quad|\\qquad", " ", text)
    text = re.sub(r"\\(?:left|right|big|Big|bigg|Bigg|displaystyle)(?![A-Za-z])", "", text)
    text = re.sub(r"\\[dtc]frac(?![A-Za-z])", r"\\frac", text)
    text = re.sub(r"\A\\(?:boxed|fbox)\s*\{(.*)\}\Z", r"\1", text.strip(), flags=re.DOTALL)
    text = re.sub(
        r"\\(?:text|textbf|textit|textrm|mbox|mathrm|mathbf|operatorname)\s*\{\s*([^{}]*?)\s*\}", _unset, text
    )
    text = re.sub(r"\\frac\s*(\d)\s*(\d)(?!\d)", r"\\frac{\1}{\2}", text)
    text = " ".join(text.split())
    return re.sub(r"(?<=[^.])\.$|[,;:]$", "", text).strip()


def _unset(match: re.Match) -> str:
    word = match[1]
    return word if len(word) == 1 else f" {word} "


def _unassigned(value: str, answer: str) -> tuple[str, str]:
    """Both without "x =", where only one of them has it."""
    named = [re.match(r"([A-Za-z](?:_\w)?)\s*=(?!=)\s*(?=[^=<>]+$)", text) for text in (value, answer)]
    if named[0] and not named[1] and "=" not in answer:
        return value[named[0].end() :], answer
    if named[1] and not named[0] and "=" not in value:
        return value, answer[named[1].end() :]
    return value, answer


def _squeezed(text: str) -> str:
    """Without blanks beside a sign."""
    return re.sub(r"(?<!\w)\s+|\s+(?!\w)", "", text)


def _words(text: str) -> str | None:
    """Words of letters alone, or one letter of a choice; None where the text is neither."""
    inner = text.strip("()[]{}.\"' ")
    if re.fullmatch(r"[^\W\d_](?:[^\W\d_]|[-' ](?=[^\W\d_]))+", inner):
        return None if {*re.split(r"[-' ]", inner)} & {*_FUNCTIONS} else " ".join(inner.split())
    choice = re.fullmatch(r"[(\[]?([A-Za-z])[)\].:]?", text)
    return choice[1] if choice else None


def _quantities(text: str) -> list[Quantity]:
    """The quantities that a text lists without brackets; [] where it does not."""
    found = [
        quantity(part) for part in re.split(r"\s*;\s*|,\s+(?:and|or)\s+|\s+(?:and|or)\s+|,(?!\d{3}(?!\d))\s*", text)
    ]
    return [one for one in found if one] if all(found) else []


def _prose(text: str) -> bool:
    """Whether a text has words that are no mathematics, or signs that cannot be read."""
    bare = re.sub(
        r"\\(?:begin|end)\s*\{[a-z]+\}|\\[A-Za-z]+|"
        + "|".join(rf"(?<![A-Za-z]){name}(?![A-Za-z])" for name in _FUNCTIONS),
        " ",
        text,
    )
    return bool(re.search(r"[^\W\d_]{2,}|[?!@#\"]\s|:", bare)) or len(text) > LONGEST


def _latex(text: str) -> str:
    for sign, command in _LATEX.items():
        text = text.replace(sign, command)
    text = (
        re.sub(rf"(?<![\\A-Za-z])({'|'.join(_FUNCTIONS)})(?![A-Za-z])", r"\\\1", text)
        .replace("**", "^")
        .replace("$", "")
    )
    text = re.sub(r"\^\s*\(([^()]*)\)", r"^{\1}", text)
    text = re.sub(r"\\sqrt\s*\(([^()]*)\)", r"\\sqrt{\1}", text)
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text) if not re.match(r"[(\[]|\\\{", text) else text
    return re.sub(r"\s+(?:and|or)\s+", ",", text)


def number(text: str) -> Fraction | None:
    """The number that a text is, with or without a unit; None where it is none."""
    found = quantity(plain(text))
    return found.value if found else None
