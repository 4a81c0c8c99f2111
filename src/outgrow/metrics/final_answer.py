"""Final answers: the number, the letter or the words that a text comes to, for everything that compares answers.

A number is read exactly (`Fraction`), by the same rules for answers and for gold:

    written     12  -12  1,234.5  1 234.5  1'234  1.234,5  12,5  .5  1e-3  6.02 x 10^23  10^2  3/4  2 1/2  1.5 million
    comma       groups thousands before groups of three digits; a single comma is a decimal point otherwise; 1,2,3 is no
                number
    point       a single one is a decimal point; several before groups of three digits, or one before a comma, group
                thousands
    blank       groups thousands between groups of three digits
    sign        a minus touches its number (or the currency sign before it) and follows no digit, letter or closing
                bracket; with a blank in between it is one after "is", "to", "by", = : and an opening bracket
    ignored     $, %, a unit after the number, Markdown or LaTeX around it: 50% is 50, and 5 km is 5
    no number   10:30, 1/2/2024, 2024-05-01, 10 am, 3x, 5k, 5 bn, 3 + 4, "Total - 5", 1,2,3; more than DIGITS digits, or
                beyond 10^DIGITS

The number of a text is the first of these that exists:

    marked      the first "#### 18", where the text after the mark begins with a number; a heading ("#### Step 1",
                "#### 1. Add") does not count, but the last mark is the answer, number or not, if no text follows
    boxed       the content of the last \\boxed{}
    said        the text after the last "answer is" or "answer:", if that clause has a single number
    last        the last number of the text; brackets after other numbers, "of which ..." and "including ..." are asides
    spelled     the whole text, if it is a number in English words

A text whose number, so found, cannot be read ("It opens at 10:30") has none, whatever other numbers it contains.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction

DIGITS = 1000
"""Most digits of a number, and the largest power of ten."""

_SIGNS = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "‒": "-",
        "﹣": "-",
        "－": "-",
        "×": "x",
        "⁄": "/",
        "’": "'",
        "٫": ".",
        "٬": ",",
        "，": ",",
        "．": ".",
        "％": "%",
    }
)
_UNSEEN = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_LATEX = (
    (re.compile(r"\\left(?![A-Za-z])|\\right(?![A-Za-z])|\\!|\\displaystyle(?![A-Za-z])"), ""),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\[dtc]?frac *(?:\{(-?[\d.,]+)\}|(\d)) *(?:\{([\d.,]+)\}|(\d))"), "\x1f\\1\\2/\\3\\4"),
    (re.compile(r"\\(?:text|textbf|mathrm|mathbf|mbox) ?\{"), " {"),
    (re.compile(r"\^\{(-?\d{1,9})\}"), r"^\1"),
    (re.compile(r"\\(?:times|cdot)(?![A-Za-z])"), "x"),
    (re.compile(r"\\[,;: ]|~"), " "),
    (re.compile(r"\\([$%])"), r"\1"),
    (re.compile(r"(?<=\d)\*\*(?=\d)"), "^"),
    (re.compile(r"\*\*|__|`"), ""),
)

_CORE = r"(?:[1-9]\d{0,2}(?: \d{3})+(?!\d)(?:[.,]\d+)?|\d(?:[\d,.'_]*\d)?|(?<![\w.])\.\d+)"
_NUMBER = re.compile(
    rf"(?P<sign>(?<![\w)\]}}%.$€£¥₹-])[-+](?=[$€£¥₹] ?[\d.]|[\d.]))?(?P<money>[$€£¥₹] ?(?P<inner>[-+](?=[\d.]))?)?"
    rf"(?P<core>{_CORE})"
    rf"(?P<rest>(?: (?P<top>\d{{1,9}}) ?/ ?(?P<under>\d{{1,9}})(?!\d|[,.:/]\d))| ?/ ?(?P<below>{_CORE}))?"
    r"(?:[eE](?P<ten>[-+]?\d{1,9})(?!\w|\.\d)"
    r"| ?[x*] ?10\^\(?(?P<power>[-+]?\d{1,9})\)?|\^\(?(?P<raised>[-+]?\d{1,9})\)?)?"
    r"(?P<scale>(?:[ -](?:hundred|thousand|million|billion|trillion)s?\b){1,3})?",
    re.IGNORECASE,
)
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_WRITTEN = (
    (re.compile(r"\d+"), "", ""),
    (re.compile(r"\d{1,3}(?:['_]\d{3})+(?:\.\d+)?"), "'_", ""),
    (re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?"), ",", ""),
    (re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+,\d+|[1-9]\d{0,2}(?:\.\d{3}){2,}"), ".", ","),
    (re.compile(r"\d*\.\d+"), "", ""),
    (re.compile(r"\d+,\d+"), "", ","),
    (re.compile(r"[1-9]\d{0,2}(?: \d{3})+(?:[.,]\d+)?"), " ", ","),
)
"""Patterns of digits, the signs that group them, and the sign of their decimal point if it is not a point."""
_AFTER = re.compile(r"(?:[ ]?(?:√|π|\\sqrt|\\pi)|[ ]?[xyznijkXYZ](?![\w'])|[A-Za-z]+\d|[:/^][\d(]|-\d)")
"""Text after a number that is only part of something else."""
_UNITS = "mgshlvawnjfcµ"
"""Units of one letter, which may touch their number."""
_UNIT = re.compile(r"[\s%°$€£¥₹).\]!*]*(?:[A-Za-z°$€£¥₹][\w./^°²³-]*)?(?: [A-Za-z][\w.-]*){0,2}[\s%°$€£¥₹).\]!*]*")
_MONEY = re.compile(r"[\s({\[*\\$€£¥₹~≈]|USD?|EUR|GBP|Rs\.?")
"""Text allowed before a number that is the whole text."""
_DASH = re.compile(r"(?:(?P<minus>(?:[=:({]|\bis|\bto|\bby) ?)|(?P<line>(?:^|\n) *)|(?<!-))-[ ]+[$€£¥₹]?$")
"""A minus that does not touch its number: a sign after these, and a list item at the start of a line."""
_SHORT = {"bn", "mn", "mio", "mrd", "am", "pm"}
"""Letters that change the meaning of the number before them."""
_MARK = re.compile(r"(?<!#)####(?!#)([^\n]*)")
_LEAD = re.compile(
    r"[\s*_:=~≈>]*(?:(?:the )?(?:final )?answer(?: is)?[\s:]*"
    r"|(?:about|approximately|approx\.?|around|roughly|nearly)\s+)?(?:[A-Za-z] ?= ?)?",
    re.IGNORECASE,
)
_LISTED = re.compile(r"\s*\d{1,3}[.):] +\S|\s*\d{1,3}\)")
_ANSWER = re.compile(r"answer(?: is|:| =)[ \t]*:?([^\n]*)", re.IGNORECASE)
_CLAUSE = re.compile(r"[.,;!?](?=\s|$)|\s(?:because|since|so|which|as)\s")
_ASIDE = re.compile(r"\([^()]*\)|\b(?:of which|of whom|including)\b[^.;\n]*", re.IGNORECASE)
_WORDS_TO_19 = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_ONES = {word: value for value, word in enumerate(_WORDS_TO_19.split())}
_TENS = dict(
    zip(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], range(20, 100, 10), strict=True)
)


def number(answer: str) -> Fraction | None:
    """The number of an answer, in time linear in the text; None if there is none that can be read.

    Example:
        >>> number("5 apples and 7 pears make $1,012.50 in all.")
        Fraction(2025, 2)
    """
    text = _plain(answer)
    told, found = _marked(text)
    if told:
        return found
    if (inside := _boxed(text)) is not None:
        return _whole(inside.rpartition("=")[2])
    said = _ANSWER.findall(text)
    if said:
        clause = _CLAUSE.split(said[-1].strip(), maxsplit=1)[0].rpartition("=")[2]
        numbers = list(_numbers(clause))
        if len(numbers) == 1:
            return _read(clause, numbers[0])
        if not numbers and (spelled := _spelled(clause)) is not None:
            return spelled
    return _last(text)


def marked(answer: str) -> Fraction | None:
    """The number after "####"; None if there is none."""
    return _marked(_plain(answer))[1]


def whole(text: str) -> bool:
    """Whether a text is a number and nothing else, except for signs that are ignored and one word of a unit."""
    plain = _plain(text)
    if "####" in plain or "\\boxed" in plain:
        return number(text) is not None
    if len(plain) > 4 * DIGITS or _whole(plain) is None:
        return False
    words = [
        word for word in re.findall(r"(?<!\S)[^\s\d]*[A-Za-z]\S*", plain) if word.lower().rstrip("s") not in _SCALES
    ]
    return len(words) <= 1 or _spelled(plain) is not None  # 10 Downing Street


def letter(answer: str) -> str | None:
    """The letter that an answer names, as a capital; None if there is none.

    Example:
        >>> [letter(text) for text in ("(b)", "B) Mars", "#### B", "The answer is B.", "Mars")]
        ['B', 'B', 'B', 'B', None]
    """
    text = _plain(answer).strip()
    mark = _MARK.search(text)
    for part in ([mark[1]] if mark else []) + [inside for inside in [_boxed(text)] if inside is not None]:
        if alone := _ALONE.fullmatch(part):
            return alone[1].upper()
    if said := _NAMED.findall(text):
        return said[-1].upper()
    if begun := _ALONE.fullmatch(text) or _BEGUN.match(text):
        return next(part for part in begun.groups() if part).upper()
    last = _ALONE.fullmatch(text.rpartition("\n")[2])
    return last[1].upper() if last else None


_ALONE = re.compile(r"[\s\"'*({\[$]*([A-Za-z])[\s\"'*)}\]$.:,]*")
_BEGUN = re.compile(r"[\"'*]*(?:[(\[]([A-Za-z])[)\]]|([A-Z])[).:])(?=\s|$)")
_NAMED = re.compile(
    r"\b(?i:answer is|answer:|option|choice)[\s:*]*[(\[\"']?([A-Za-z])"
    r"(?=,(?!\s*[A-Za-z]\b)|[)\].;:\"'*]|\s*$|\s+(?:because|since|as)\b)",
    re.MULTILINE,
)


def words(answer: str) -> str | None:
    """The text without case, runs of blanks, a full stop at the end and differences in the encoding of accents."""
    text = " ".join(unicodedata.normalize("NFC", answer).casefold().split())
    return text.removesuffix(".").rstrip() or None


def _plain(text: str) -> str:
    """The text in plain signs: digits, minus signs, blanks and fractions of any script, without LaTeX and Markdown."""
    if not text.isascii():
        text = re.sub(
            "(?<=[0-9)])[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda raised: "^" + raised[0].translate(_RAISED), _UNSEEN.sub("", text)
        ).translate(_SIGNS)
        text = "".join(sign if sign.isascii() else _ascii(sign) for sign in text)
    for pattern, by in _LATEX:
        text = pattern.sub(by, text)
    # 2\frac{1}{2} is two and a half, -\frac{1}{2} less than nothing.
    return re.sub(r"(?<=\d)\x1f", " ", text).replace("\x1f", "")


def _ascii(sign: str) -> str:
    kind = unicodedata.category(sign)
    if kind == "Nd":
        return str(unicodedata.digit(sign))
    if kind == "No" and "⁄" in (fraction := unicodedata.normalize("NFKC", sign)):
        return "\x1f" + fraction.replace("⁄", "/")
    return " " if kind == "Zs" else sign


def _marked(text: str) -> tuple[bool, Fraction | None]:
    """Whether a mark names the answer, and its number if it has one."""
    marks, end = list(_MARK.finditer(text)), len(text.rstrip())
    for mark in marks:
        line = mark[1].rpartition("=")[2]
        start = _LEAD.match(line).end()  # type: ignore[union-attr]
        first = _NUMBER.match(line, start)
        if first and (mark.end() >= end or not _LISTED.match(line)):
            return True, _read(line, first)
    if marks and marks[-1].end() >= end:
        return True, _whole(marks[-1][1].rpartition(":")[2].rpartition("=")[2])
    return False, None


def _boxed(text: str) -> str | None:
    """The content of the last \\boxed{}."""
    at = text.rfind("\\boxed{")
    if at < 0:
        return None
    depth, start = 1, at + len("\\boxed{")
    for end in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if depth == 0:
            return text[start:end]
    return text[start:]


def _whole(text: str) -> Fraction | None:
    """The number of a text that is a number as a whole, without units."""
    numbers = list(_numbers(text))
    if len(numbers) != 1:
        return None if numbers else _spelled(text)
    before, after = text[: numbers[0].start()], text[numbers[0].end() :]
    alone = (
        len(after) <= 100 and _UNIT.fullmatch(after.replace("{", "").replace("}", "")) and not _MONEY.sub("", before)
    )
    return _read(text, numbers[0]) if alone else None


def _last(text: str) -> Fraction | None:
    """The last number of a text, one in an aside only if there is no other."""
    spans = [aside.span() for aside in _ASIDE.finditer(text)]
    last: re.Match[str] | None = None
    last_of_all: re.Match[str] | None = None
    before: re.Match[str] | None = None
    at = 0
    for number in _numbers(text):
        while at < len(spans) and spans[at][1] <= number.start():
            at += 1
        if at == len(spans) or number.start() < spans[at][0]:
            before, last = last, number
        last_of_all = number
    found = last or last_of_all
    if found is None:
        return _spelled(text)
    if before is not None and re.fullmatch(
        r"[ ]*[+*x÷][ ]*|[ ]+-[ ]+", text[before.end() : found.start()], re.IGNORECASE
    ):
        return None  # "3 + 4" was not worked out
    if re.search(r"\d[:/^]$|\d-\d{1,9}-$", text[max(found.start() - 12, 0) : found.start()]):
        return None  # 10:30, 1/2/2024, 2024-05-01
    return _read(text, found)


def _numbers(text: str) -> Iterator[re.Match[str]]:
    """Matches of numbers, readable or not, without names (x2, COVID-19) and ordinals (2nd)."""
    for found in _NUMBER.finditer(text):
        start = found.start("core")
        if not re.search(r"[A-Za-z_]-?$", text[max(start - 2, 0) : start]) and not re.match(
            r"(?:st|nd|rd|th)\b", text[found.end() : found.end() + 3]
        ):
            yield found


def _read(text: str, found: re.Match[str]) -> Fraction | None:
    """The exact number at a match; None if it is part of something else, or too long."""
    after = text[found.end() : found.end() + 24]
    touching = re.match(r"[A-Za-zµ]+", after) or re.match(r" (?:bn|am|pm)\b", after)
    if _AFTER.match(after) or re.search(r"√$|sqrt[{(]$", text[max(found.start() - 6, 0) : found.start()]):
        return None
    if touching and (
        touching[0].strip().lower() in _SHORT or (len(touching[0]) == 1 and touching[0].lower() not in _UNITS)
    ):
        return None
    if re.match(r" ?[+*÷](?= ?[\d$(])| - ?\d| x \d", after):
        return None
    dash = _DASH.search(text[max(found.start() - 16, 0) : found.start()])
    if dash and dash["minus"] is None and dash["line"] is None:
        return None  # "Total - 5": a dash or a minus
    value, below = _decimal(found["core"]), _decimal(found["below"]) if found["below"] else Fraction(1)
    ten = int(found["ten"] or found["power"] or 0) + sum(
        _SCALES[word.rstrip("s")] for word in re.findall(r"[a-z]+", (found["scale"] or "").lower())
    )
    if value is None or not below or abs(ten) > DIGITS:
        return None
    if found["top"]:
        if not int(found["under"]) or value.denominator != 1:
            return None
        value += Fraction(int(found["top"]), int(found["under"]))
    value /= below
    if found["raised"]:
        power = int(found["raised"])
        if (not value and power < 0) or abs(power) * (len(found["core"]) + len(found["below"] or "")) > DIGITS:
            return None
        value **= power
    value *= Fraction(10) ** ten
    negative = "-" in (found["sign"] or "") + (found["inner"] or "") or bool(dash and dash["minus"])
    return -value if negative else value


def _decimal(text: str) -> Fraction | None:
    """The number of a digit pattern; None for other arrangements of digits, and for too many."""
    if len(text) > DIGITS:
        return None
    for pattern, groups, point in _WRITTEN:
        if pattern.fullmatch(text):
            for sign in groups:
                text = text.replace(sign, "")
            return Fraction(text.replace(point, ".") if point else text)
    return None


def _spelled(text: str) -> Fraction | None:
    """A whole number in English words: "forty-two", "minus three hundred and five thousand"."""
    if len(text) > 200:
        return None
    said = re.sub(r"[^a-z ]+", " ", text.lower()).split()
    negative = said[:1] in (["minus"], ["negative"])
    total = part = 0
    for word in said[negative:]:
        if word in _ONES:
            part += _ONES[word]
        elif word in _TENS:
            part += _TENS[word]
        elif word == "hundred" and part:
            part *= 100
        elif word in _SCALES and part:
            total, part = total + part * 10 ** _SCALES[word], 0
        elif word != "and" or not (total or part):
            return None
    return (-1 if negative else 1) * Fraction(total + part) if said[negative:] else None
