r"""A number with its unit, as a final value states it: read as a whole, or not at all.

    number      72   -3.5   .5   1,234   1 234   1{,}234   2/3   \frac{2}{3}   1 1/2   1\frac{1}{2}   1e3
                1.5 \times 10^{3}
                5 million   five
    unit        $5   5 km   20 m/s   3 square feet   50%   45^\circ   12 apples    (before or after it; a word or two)

Units of `UNITS` are converted (5 km is 5000 m). Another word is what is counted ("apples"), unless it is a name of
mathematics or a joining word. A single letter is a unit only beside one of the same kind: "5 m" may be five times m.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import final

LONGEST = 200
"""Characters of a quantity; a longer text is none."""

SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
WORDS = {word: n for n, word in enumerate(_ONES)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
WORDS |= {f"{ten}-{one}": 10 * t + o for t, ten in enumerate(_TENS, 2) for o, one in enumerate(_ONES[1:10], 1)}

UNITS: dict[str, tuple[str, Fraction]] = {}
"""Name of a unit -> (what it measures, its size in the base unit of that kind)."""
for _kind, _names in {
    "length": "mm|millimeter 1/1000, cm|centimeter 1/100, m|meter 1, km|kilometer 1000, inch|inches 127/5000, "
    "ft|foot|feet 381/1250, yd|yard 1143/1250, mi|mile 201168/125",
    "mass": "mg|milligram 1/1000000, g|gram 1/1000, kg|kilogram 1, ton|tonne 1000, oz|ounce 45359237/1600000000, "
    "lb|lbs|pound 45359237/100000000",
    "time": "ms|millisecond 1/1000, s|sec|second 1, min|minute 60, h|hr|hour 3600, day 86400, week 604800",
    "time in months": "month 1, yr|year 12",
    "volume": "ml|milliliter 1/1000, L|l|liter 1, gal|gallon 473176473/125000000, cup 473176473/2000000000",
    "money of the dollar": "$|dollar|usd 1, ¢|cent 1/100",
    "money of the euro": "€|euro|eur 1",
    "money of the pound": "£|gbp 1",
    "angle": "°|deg|degree 1, rad|radian 0",
    "share": "%|percent 1",
    "speed": "mph 1397/3125, kmh|kph 5/18",
}.items():
    for _part in _names.split(", "):
        _words, _factor = _part.rsplit(" ", 1)
        UNITS |= {_word: (_kind, Fraction(_factor)) for _word in _words.split("|")}

_UNSURE = ({"time", "time in months"}, {"mass", "money of the pound"})
"""Kinds that cannot be compared and may mean the same: months and days, the two meanings of pound."""

_NO_UNIT = frozenset(
    [
        "pi",
        "tau",
        "sin",
        "cos",
        "tan",
        "cot",
        "sec",
        "csc",
        "arcsin",
        "arccos",
        "arctan",
        "log",
        "ln",
        "exp",
        "sqrt",
        "mod",
        "max",
        "min",
        "gcd",
        "lcm",
        "and",
        "or",
        "not",
        "to",
        "than",
        "plus",
        "minus",
        "times",
        "over",
        "of",
        "is",
        "are",
        "by",
        "per",
        "between",
        "about",
        "from",
        "with",
        "without",
        "remainder",
        "rem",
        "left",
        "squared",
        "cubed",
        "factorial",
        "if",
        "where",
        "for",
        "modulo",
        "divided",
        "equals",
        "point",
        "half",
        "quarter",
        "third",
    ]
)
"""Words that connect numbers, and names of mathematics: a text with one of them is no plain quantity."""

_GROUPED = r"\d{1,3}(?:,\d{3})+(?!\d)|\d{1,3}(?:[ ]\d{3})+(?!\d)|\d+"
_NUMBER = re.compile(
    rf"""(?P<sign>[-+]?)\s*(?P<money>[$€£]?)\s*(?P<inner>-?)\s*
    (?:
      (?P<whole>{_GROUPED})?\s*\\frac\s*\{{\s*(?P<itop>-?\d+)\s*\}}\s*\{{\s*(?P<ibottom>\d+)\s*\}}
    | (?P<mixed>\d+)\s(?P<mtop>\d+)\s*/\s*(?P<mbottom>\d+)
    | (?P<top>(?:{_GROUPED})?(?:\.\d+)?)(?:[eE](?P<exponent>[-+]?\d{{1,3}})(?![\d.]))?
      (?:\s*(?:\\times|\\cdot|[×x*])\s*10\s*\^\s*(?:\{{\s*(?P<power>-?\d{{1,3}})\s*\}}|(?P<plain>-?\d{{1,3}})))?
      (?:\s*/\s*(?P<bottom>[-+]?\d+)(?![\d.]))?
    )(?P<rest>.*)""",
    re.VERBOSE | re.ASCII,
)


@final
@dataclass(frozen=True)
class Quantity:
    """An exact number and its unit."""

    value: Fraction
    pointed: bool
    """Whether it was written with a point or an exponent, and so may be rounded."""
    unit: str = ""
    """The kind of a known unit ("length", with powers: "length^2 time^-1"), else its words; "" without a unit."""
    factor: Fraction = Fraction(1)
    """Size of the unit in the base unit of its kind."""
    known: bool = False
    """Whether the unit is one of `UNITS`."""
    letter: bool = False
    """Whether the unit is written in single letters (m, m/s), which may be variables."""


def quantity(text: str) -> Quantity | None:
    """The quantity that a text is; None where it is more or less than one number with or without a unit."""
    text = text.strip()
    if not text or len(text) > LONGEST:
        return None
    word = text.lower().split()
    if word[0] in WORDS:
        text = f"{WORDS[word[0]]} {' '.join(text.split()[1:])}"
    match = _NUMBER.fullmatch(text)
    if match is None or (match["sign"] and match["inner"]):
        return None
    value = _value(match)
    if value is None:
        return None
    rest = match["rest"]
    scale = re.fullmatch(rf"\s*-?({'|'.join(SCALES)})s?\b(.*)", rest, re.IGNORECASE)
    if scale:
        value, rest = value * SCALES[scale[1].lower()], scale[2]
    if "-" in (match["sign"], match["inner"]):
        value = -value
    pointed = match["top"] is not None and ("." in match["top"] or match["exponent"] is not None)
    unit = _unit(rest)
    if unit is None or (match["money"] and unit[0] and unit != UNITS[match["money"]]):
        return None
    kind, factor = unit
    if match["money"]:
        kind, factor = UNITS[match["money"]]
    known = bool(kind) and (bool(match["money"]) or _known(rest) is not None)
    return Quantity(value, pointed, kind, factor, known, _letters(rest) and not match["money"])


def same(gold: Quantity, answer: Quantity) -> bool | None:
    """Whether two quantities are equal; None where their units cannot be compared.

    A unit that only one of them has is ignored; beside a plain number, n% may be n or n/100.
    """
    pointed = gold.pointed or answer.pointed
    if gold.unit and answer.unit:
        if gold.unit != answer.unit:
            return False if gold.known and answer.known and {gold.unit, answer.unit} not in _UNSURE else None
        if gold.factor == answer.factor:
            return near(gold.value, answer.value, pointed)
        if 0 in (gold.factor, answer.factor):
            return None
        return near(gold.value * gold.factor, answer.value * answer.factor, pointed)
    for one, other in ((gold, answer), (answer, gold)):
        if one.letter and not other.unit:
            return None
    shares = [
        Fraction(1, 100) if one.unit == "share" and one.unit != other.unit else Fraction(1)
        for one, other in ((gold, answer), (answer, gold))
    ]
    return near(gold.value, answer.value, pointed) or near(gold.value * shares[0], answer.value * shares[1], pointed)


def near(gold: Fraction, answer: Fraction, pointed: bool) -> bool:
    """Whether two numbers are equal; to a relative 1e-6 where one of them is `pointed`, and so may be rounded."""
    return gold == answer or (pointed and abs(gold - answer) <= abs(gold) / 10**6)


def _value(match: re.Match) -> Fraction | None:
    def whole(name: str) -> int:
        return int(re.sub("[ ,]", "", match[name]))

    try:
        if match["itop"] is not None:
            part = Fraction(int(match["itop"]), int(match["ibottom"]))
            if match["whole"] is None:
                return part
            return whole("whole") + part if 0 <= part < 1 else None
        if match["mixed"] is not None:
            part = Fraction(int(match["mtop"]), int(match["mbottom"]))
            return int(match["mixed"]) + part if part < 1 else None
        if not re.search(r"\d", match["top"]):
            return None
        value = Fraction(re.sub("[ ,]", "", match["top"]))
        value *= Fraction(10) ** (int(match["exponent"] or 0) + int(match["power"] or match["plain"] or 0))
        return value / int(match["bottom"]) if match["bottom"] is not None else value
    except ZeroDivisionError:
        return None


def _unit(rest: str) -> tuple[str, Fraction] | None:
    """(kind, factor) of the unit after a number, ("", 1) for none; None where the text is no unit."""
    if not rest.strip():
        return "", Fraction(1)
    known = _known(rest)
    if known is not None:
        return known
    words = rest.lower().split()
    if not rest[0].isspace() or len(words) > 3 or not all(re.fullmatch(r"[a-z]{2,}", word) for word in words):
        return None
    if _NO_UNIT & set(words) or set(SCALES) & set(words) or set(WORDS) & set(words):
        return None
    return " ".join(word if word.endswith("ss") else word.removesuffix("s") for word in words), Fraction(1)


def _letters(rest: str) -> bool:
    return bool(re.search("[A-Za-z]", rest)) and not re.search(r"[A-Za-z]{2}|[$€£¢%°\\]", rest)


def _known(rest: str) -> tuple[str, Fraction] | None:
    """(kind, factor) of known units with powers and quotients: m^2, km/h, miles per hour, square feet; else None."""
    text = re.sub(r"\^\s*\{?\s*\\circ\s*\}?|\\degree|º", "°", rest).strip()
    text = re.sub(r"\s+per\s+", "/", text).replace("²", "^2").replace("³", "^3")
    powers: dict[str, int] = {}
    factor = Fraction(1)
    for at, part in enumerate(text.split("/")):
        match = re.fullmatch(
            r"(?:(square|sq|cubic|cu)\.?\s+)?([A-Za-z]+|[$€£¢%°])\.?\s*(?:\^\s*\{?\s*([23])\s*\}?|\s+(squared|cubed))?",
            part.strip(),
        )
        found = match and _named(match[2])
        if not match or not found:
            return None
        word = match[1] or match[4]
        power = int(match[3] or (1 if word is None else 2 if word.startswith("sq") else 3)) * (-1 if at else 1)
        powers[found[0]] = powers.get(found[0], 0) + power
        if found[1] == 0 and power != 1:
            return None
        factor *= found[1] ** power
    left = {kind: power for kind, power in powers.items() if power}
    if left == {"length": 1, "time": -1}:
        return "speed", factor
    if left == {"length": 3}:
        return "volume", factor * 1000
    return " ".join(kind if power == 1 else f"{kind}^{power}" for kind, power in sorted(left.items())), factor


def _named(word: str) -> tuple[str, Fraction] | None:
    for name in (word, word.lower()):
        small = name.replace("metre", "meter").replace("litre", "liter")
        for form in (small, small.removesuffix("s"), small.removesuffix("es")):
            # One letter is a unit only in its own case: M is no metre.
            if form in UNITS and (len(form) > 1 or form == word):
                return UNITS[form]
    return None
