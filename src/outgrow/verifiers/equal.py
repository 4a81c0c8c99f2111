r"""Equality: the answer's final value (`_text.final`) is the shown one. Each is read wholly, in one of these ways, or it cannot be told:

    the same text   blanks, Markdown and the marks of LaTeX's mathematics aside
    a quantity      a number with or without a unit (`_quantity.py`): exactly equal, to a relative 1e-6 where one was written with a point. A unit that only
                    one of them has is left out; two are converted, and what they measure must be the same
    a pair          12:30, 2:3: the same two numbers; of the same ratio alone it cannot be told, for a time is none
    words           of letters alone, capitals aside; a letter to choose by, with or without brackets: A, (A), A)
    quantities      between commas, "and" or "or", in any order
    an expression   LaTeX or plain, by math-verify in a sandbox (`_equality.py`); x = 5 for 5 where only one names it

Unsound: both were read, and differ. Cannot tell: one was not, they are of different ways, or their units cannot be compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, verifier
from outgrow.verifiers._asked import shown
from outgrow.verifiers._quantity import Quantity, quantity, same
from outgrow.verifiers._served import Lost, served
from outgrow.verifiers._text import final

LONGEST = 1000
"""Letters of a final value; what is longer is none."""

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
def equal(asked: Sequence[Attempt], *, seconds: int = 5) -> list[Verdict]:
    """Compares the answer's final value with shown["value"]: as text, a number with its unit, words, or an expression (LaTeX or plain), within a time limit."""
    pairs = []
    for one in asked:
        value = shown(one, "value", (str, int, float))
        if isinstance(value, bool) or not plain(str(value)):
            raise UserError(f"shown['value'] is {value!r}: it must be a number or a text")
        pairs.append((str(value), final(one.answer)))
    verdicts: dict[tuple[str, str], Verdict] = {}
    jobs: dict[tuple[str, str], tuple[str, str]] = {}
    for pair in dict.fromkeys(pairs):
        value, said = _unassigned(*map(plain, pair))
        if not said:
            verdicts[pair] = Verdict(None, "no answer")
        elif max(len(value), len(said)) > LONGEST:
            verdicts[pair] = Verdict(None, f"a value of more than {LONGEST} letters")
        elif isinstance(told := _told(value, said), bool):
            verdicts[pair] = Verdict(told, "" if told else f"{pair[1]:.80} is not {pair[0]:.80}")
        elif told:
            verdicts[pair] = Verdict(None, f"cannot compare {pair[1]!r:.80} with {pair[0]!r:.80}: {told}")
        else:
            jobs[pair] = (_latex(value), _latex(said))
    distinct = list(dict.fromkeys(jobs.values()))
    replies = dict(
        zip(
            distinct,
            served("_equality", "math_verify", distinct, "comparing expressions", seconds=seconds) if distinct else [],
            strict=True,
        )
    )
    for pair, job in jobs.items():
        reply = replies[job]
        if isinstance(reply, Lost):
            verdicts[pair] = Verdict(None if reply.outcome.startswith("failed") else False, reply.outcome)
        elif reply is None:
            verdicts[pair] = Verdict(None, f"cannot read {pair[1]!r:.80} and {pair[0]!r:.80}")
        else:
            verdicts[pair] = Verdict(reply, "" if reply else f"{pair[1]:.80} is not {pair[0]:.80}")
    return [verdicts[pair] for pair in pairs]


def _told(value: str, said: str) -> bool | str:
    """Whether they are equal, as far as texts, quantities and words tell; why not where that cannot be told, "" where they may be expressions."""
    if _squeezed(value) == _squeezed(said):
        return True
    gold, other = quantity(value), quantity(said)
    if gold and other:
        equal = same(gold, other)
        return equal if equal is not None else "their units"
    pairs = [re.fullmatch(r"([0-9]{1,6})\s*:\s*([0-9]{1,6})", text) for text in (value, said)]
    if pairs[0] and pairs[1]:
        (a, b), (c, d) = (map(int, pair.groups()) for pair in pairs if pair)
        return True if (a, b) == (c, d) else "a time or a ratio" if b and d and a * d == b * c else False
    words = [_worded(text) for text in (value, said)]
    if all(words):
        one, two = (word or "" for word in words)
        if len(one) == len(two) == 1 and one != two and one.lower() == two.lower():
            return "a capital and a small letter"
        return one.lower() == two.lower()
    several = [_listed(text) for text in (value, said)]
    if all(several) and max(map(len, several)) > 1:
        return _paired(*several)
    if any(_prose(text) for text in (value, said)):
        return "words and mathematics"
    return ""


def _paired(value: list[Quantity], said: list[Quantity]) -> bool | str:
    if len(value) != len(said):
        return False
    left = list(said)
    for one in value:
        if any(same(one, other) is None for other in left):
            return "their units"
        at = next((at for at, other in enumerate(left) if same(one, other)), None)
        if at is None:
            return False
        del left[at]
    return True


def plain(text: str) -> str:
    """A value without what only sets it: marks of mathematics, fonts, thin spaces, a full stop."""
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


def _unassigned(value: str, said: str) -> tuple[str, str]:
    """Without the name of the one variable, where only one of them has it."""
    named = [re.match(r"([A-Za-z](?:_\w)?)\s*=(?!=)\s*(?=[^=<>]+$)", text) for text in (value, said)]
    if named[0] and not named[1] and "=" not in said:
        return value[named[0].end() :], said
    if named[1] and not named[0] and "=" not in value:
        return value, said[named[1].end() :]
    return value, said


def _squeezed(text: str) -> str:
    """Without blanks that part nothing."""
    return re.sub(r"(?<!\w)\s+|\s+(?!\w)", "", text)


def _worded(text: str) -> str | None:
    """A text of words of letters alone, or one letter to choose by; None where it is neither."""
    inner = text.strip("()[]{}.\"' ")
    if re.fullmatch(r"[^\W\d_](?:[^\W\d_]|[-' ](?=[^\W\d_]))+", inner):
        return None if {*re.split(r"[-' ]", inner)} & {*_FUNCTIONS} else " ".join(inner.split())
    choice = re.fullmatch(r"[(\[]?([A-Za-z])[)\].:]?", text)
    return choice[1] if choice else None


def _listed(text: str) -> list[Quantity]:
    """The quantities that a text lists without brackets; [] where it does not."""
    found = [
        quantity(part) for part in re.split(r"\s*;\s*|,\s+(?:and|or)\s+|\s+(?:and|or)\s+|,(?!\d{3}(?!\d))\s*", text)
    ]
    return [one for one in found if one] if all(found) else []


def _prose(text: str) -> bool:
    """Whether it has words that are no mathematics, or signs that nothing here reads."""
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
