"""What an answer comes to: numbers that are read exactly, letters, words; and code, in time linear in the text."""

from __future__ import annotations

import ast
import time
import unicodedata
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outgrow.generation.candidates.forms import FORMS
from outgrow.metrics import final_answer
from outgrow.metrics import text as written

SAME = [
    ("The answer is 1/2.", "1/2"),
    ("#### 3/4", "0.75"),
    ("The change is -$5.", "-5"),
    ("It fell to −5 degrees.", "-5"),
    ("It is - $5", "-5"),
    ("$-5", "-5"),
    ("There are 2 000 of them.", "2000"),
    ("12\u202f500", "12500"),
    ("12{,}500", "12500"),
    ("\\boxed{9{,}500}", "9500"),
    ("6.02 \\times 10^{23}", "6.02e23"),
    ("1.5 million", "1500000"),
    ("**Answer: 42**", "42"),
    ("42%", "42"),
    ("So 3 to 5 people, i.e. 3-5", "5"),
    ("The total is 72 clips, altogether.", "72"),
    ("72,", "72"),
    ("The sum is 18, of which 3 are red.", "18"),
    ("I get 18 (see step 3).", "18"),
    ("#### 18\n\nQuestion: next\n#### 4", "18"),
    ("1.000,50 euro", "1000.5"),
    ("$29.00", "29"),
    ("٤٢", "42"),
    ("10^2", "100"),
    ("2 1/2", "2.5"),
    ("2½", "2.5"),
    ("-\\frac12", "-0.5"),
    ("The answer is 42!", "42"),
    ("(42)", "42"),
    ("forty-two", "42"),
    ("#### 18 apples from 3 trees", "18"),
    ("#### about $1,234.50", "1234.5"),
    ("#### 5/8 of 16 = 10", "10"),
    ("12,5", "12.5"),
    ("5²", "25"),
    ("+5", "5"),
    (".5", "0.5"),
    ("1e-3", "0.001"),
    ("#### Step 1: add\n3 + 4 = 7\n#### Step 2: the answer\nThe total is 7.", "7"),
    ("#### 1. Add\n#### 2. Multiply\nThe total is 9 apples.", "9"),
    ("18 apples in the 2nd basket", "18"),
    ("\\boxed{x = -3}", "-3"),
    ("1'000'000", "1000000"),
    ("5 km", "5"),
    ("0,5", "1/2"),
    ("007", "7"),
    ("#### Total: 42", "42"),
]
OTHER = [
    ("The answer is 3/2.", "1/2"),
    ("#### 1/3", "#### 1/2"),
    ("The change is -$5.", "5"),
    ("It fell to −5 degrees.", "5"),
    ("There are 1 000 000 of them.", "2 000 000"),
    ("\\boxed{9{,}500}", "1500"),
    ("3e5 particles", "1e5"),
    ("#### Step 1: add\n3 + 4 = 7\n#### Step 2: the answer\nThe total is 7.", "2"),
    ("3,4", "34"),
    ("1,2,3", "123"),
    ("1,2,3", "1,23"),
    ("5 million", "5"),
    ("1.5", "15"),
    ("1.234", "1234"),
    ("-1/2", "1/2"),
    ("50%", "0.5"),
]
NONE = [
    "",
    " ",
    "none",
    "n/a",
    "It opens at 10:30.",
    "from 9 to 10:30",
    "1/2/2024",
    "2024-05-01",
    "192.168.0.1",
    "3x",
    "3 x",
    "2 i",
    "5k",
    "$5k",
    "5 bn",
    "3 + 4",
    "3 - 4",
    "5√2",
    "√5",
    "A4",
    "COVID-19",
    "1,00,000",
    "1..2",
    "#### none",
    "3 + 4 = 7\n#### unknown",
    "\\boxed{\\text{none}}",
    "1/0",
    "0^-1",
    "9^999999",
    "1e99999",
    "Total - 5",
    "10 am",
    "\x00",
    "\ud800",
]


@pytest.mark.parametrize(("answer", "key"), SAME)
def test_two_spellings_of_a_number_are_that_number(answer: str, key: str) -> None:
    assert final_answer.number(answer) == final_answer.number(key) is not None
    assert written.right("number", answer, key) and FORMS["number"](answer) == FORMS["number"](key)


@pytest.mark.parametrize(("answer", "key"), OTHER)
def test_two_numbers_are_not_the_same_whatever_digits_they_share(answer: str, key: str) -> None:
    assert None is not final_answer.number(answer) != final_answer.number(key) or final_answer.number(answer) is None
    assert not written.right("number", answer, key) and FORMS["number"](answer) != FORMS["number"](key)


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_number_is_none_and_never_right_even_by_itself(text: str) -> None:
    assert final_answer.number(text) is None and not final_answer.whole(text) and FORMS["number"](text) is None
    assert not written.right("number", text, text)


def grouped(digits: str, by: str) -> str:
    """Digits in groups of three."""
    head = len(digits) % 3 or 3
    return by.join([digits[:head], *(digits[i : i + 3] for i in range(head, len(digits), 3))])


@st.composite
def spelled(draw, value: Fraction) -> str:
    """A number with a finite decimal expansion, as somebody may write it."""
    whole, rest = divmod(abs(value.numerator) * 10**6 // value.denominator, 10**6)
    by, point = draw(
        st.sampled_from([("", "."), (",", "."), (" ", "."), ("\u202f", "."), ("'", "."), ("{,}", "."), (".", ",")])
    )
    decimals = f"{rest:06d}".rstrip("0")
    if not decimals and by == "." and whole < 10**6:
        by = ","  # 1.234 alone is a decimal
    if len(decimals) == 3 and whole < 1000:
        point = "."  # 1,234 alone is more than a thousand
    text = grouped(str(whole), by) + (point + decimals if decimals else "")
    if draw(st.booleans()):
        text = f"{abs(value.numerator)}/{value.denominator}" if value.denominator > 1 else text
    minus = draw(st.sampled_from("-−–")) if value < 0 else ""
    money = draw(st.sampled_from(["", "", "$", "€"]))
    unit = draw(st.sampled_from(["", "", " apples", "%", " km"]))
    around = draw(
        st.sampled_from(
            [
                "{}",
                "#### {}",
                "So it is {}.",
                "The answer is {}.",
                "**{}**",
                "\\boxed{{{}}}",
                "x = {}",
                "3 of 4 take it, and the result is {}",
                "#### Step 1: read\nHm.\n#### Step 2: say\nIt is {}.",
            ]
        )
    )
    return around.format(minus + money + text + unit)


RATIONALS = st.builds(lambda n, p: Fraction(n, 10**p), st.integers(-(10**9), 10**9), st.integers(0, 4))


@settings(max_examples=400, deadline=None)
@given(st.data(), RATIONALS)
def test_any_two_spellings_of_a_rational_are_equal_and_are_it(data, value: Fraction) -> None:
    one, other = data.draw(spelled(value)), data.draw(spelled(value))
    assert final_answer.number(one) == final_answer.number(other) == value, (one, other)
    assert FORMS["number"](one) == FORMS["number"](other)


@settings(max_examples=300, deadline=None)
@given(st.data(), RATIONALS, RATIONALS)
def test_spellings_of_two_rationals_are_never_equal(data, one: Fraction, other: Fraction) -> None:
    said, key = data.draw(spelled(one)), data.draw(spelled(other))
    assert written.right("number", said, key) is (one == other)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.text("0123456789.,/-+ $%()#^xe\n{}\\√½²'_:=", max_size=60)))
def test_no_text_raises_and_equality_is_what_the_forms_say(text: str) -> None:
    for name, form in FORMS.items():
        assert form(text) is None or isinstance(form(text), str), name
    found = final_answer.number(text)
    assert found is None or written.right("number", text, text)
    assert not final_answer.whole(text) or found is not None
    assert final_answer.letter(text) in (None, *"ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def test_a_number_with_one_word_of_a_unit_is_a_number_as_a_whole_and_an_address_is_none() -> None:
    assert all(
        map(
            final_answer.whole,
            (
                "72",
                "72 clips",
                "$1.5 million",
                "5 km/h",
                "1.5 million people",
                "three hundred and five",
                "so it is 18\n#### 18",
                "\\boxed{7}",
            ),
        )
    )
    assert not any(
        map(
            final_answer.whole,
            ("10 Downing Street", "Apollo 11", "July 4", "The answer is 5", "3-5", "12 or 13", "none", ""),
        )
    )


LONG = 200_000
HOSTILE = [
    "1" * LONG,
    "1," * LONG,
    "1 000 " * LONG,
    "1/" * LONG,
    "1e" * LONG,
    "1 1/1" * (LONG // 4),
    "#### " * LONG,
    "#### 1.\n" * (LONG // 4),
    "#### a\n" * (LONG // 4),
    "(" * LONG,
    "\\boxed{" * (LONG // 4),
    "answer is " * (LONG // 4),
    "of which " * (LONG // 4),
    "-" * LONG,
    "$" * LONG,
    "`" * LONG,
    "**" * LONG,
    "1-" * (LONG // 2),
    "option A " * (LONG // 4),
    " " * LONG,
    "#### 1" + " a" * LONG,
    "#### a" + "." * LONG,
    "²" * LONG,
    "½" * (LONG // 2),
    "`\n" * LONG,
    "x = (\n" * (LONG // 4),
    "try:\n" + "  pass\n" * (LONG // 4),
    "'''\n" * (LONG // 4),
]


@pytest.mark.parametrize("text", HOSTILE, ids=[f"{text[:8]!r}" for text in HOSTILE])
def test_reading_a_long_hostile_answer_takes_no_more_than_seconds(text: str) -> None:
    began = time.process_time()
    for form in FORMS.values():
        form(text)
    # Linear: about a second for the slowest; quadratic in 200,000 would be hours.
    assert time.process_time() - began < 20


def test_a_number_of_thousands_of_digits_is_none_and_one_of_hundreds_is_exact() -> None:
    assert final_answer.number("9" * 5000) is None and not written.right("number", "9" * 5000, "9" * 5000)
    assert final_answer.number("1" + "0" * 900) == 10**900 and final_answer.number("1e900") == 10**900


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("B", "B"),
        ("(b)", "B"),
        ("B.", "B"),
        ("**B**", "B"),
        ("B) Mars", "B"),
        ("A. Mars", "A"),
        ("The answer is B.", "B"),
        ("the answer is (C) Mars", "C"),
        ("Answer: D\nbecause", "D"),
        ("#### C", "C"),
        ("\\boxed{A}", "A"),
        ("Let me think\nB", "B"),
        ("option b.", "B"),
        ("A good idea", None),
        ("I think B", None),
        ("A, C", None),
        ("answer is A, C", None),
        ("The answer is A or B", None),
        ("none", None),
        ("", None),
        ("5", None),
    ],
)
def test_the_letter_that_an_answer_names(answer: str, letter: str | None) -> None:
    assert final_answer.letter(answer) == letter == FORMS["letter"](answer)


def test_words_are_the_same_in_any_case_with_any_blanks_and_however_accents_are_written() -> None:
    nfd = unicodedata.normalize("NFD", "Café")
    assert final_answer.words(f" {nfd}\u00a0au  lait.\n") == final_answer.words("CAFÉ AU LAIT") == "café au lait"
    assert written.right("words", "Yes.", "yes") and not written.right("words", "", "")
    assert written.right("exact", f"{nfd}  a", "Café a") and not written.right("exact", "café a", "Café a")


def slow_code(answer: str) -> str | None:
    """The longest beginning that parses, tried line by line."""
    lines = answer.splitlines()
    for end in range(len(lines), 0, -1):
        try:
            return ast.unparse(ast.parse("def f():\n" + "\n".join(lines[:end]) + "\n"))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return final_answer.words(answer)


LINES = st.sampled_from(
    [
        "    x = 1",
        "    return x",
        "    if x:",
        "        y = (",
        "        2)",
        '    """',
        "    try:",
        "        pass",
        "    except E:",
        "words of all kinds",
        "```",
        "",
        "  odd",
        "    # one",
        "    z = [1,\n2]",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=14))
def test_code_is_the_longest_beginning_that_parses_as_tried_line_by_line(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert FORMS["code"](text) == slow_code(text)


def test_code_parses_no_more_letters_than_it_may(monkeypatch) -> None:
    read = []
    parse = ast.parse
    monkeypatch.setattr(ast, "parse", lambda text: read.append(len(text)) or parse(text))
    for text in ("    try:\n" + "        pass\n" * 3000, "    x = (\n" * 3000, "a b\n" * 20_000):
        read.clear()
        FORMS["code"](text)
        assert sum(read) <= 200_000
