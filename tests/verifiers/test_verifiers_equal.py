"""Equality of final values: every documented spelling of a value is that value, and no other."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, registry
from outgrow.verifiers._extraction import final
from outgrow.verifiers._quantity import quantity, same
from outgrow.verifiers.equal import _compared, plain


def judged(answer: str, value: str | float) -> bool | None:
    return registry()["equal"].run([Attempt("", answer, {"value": value})])[0].sound


RIGHT = [
    ("42", "The answer is **42**."),
    ("42", "**Answer:** 42"),
    ("42", "**Final Answer: 42**"),
    ("42", "__42__"),
    ("42", "*42*"),
    ("42", "`42`"),
    ("7", "#### Step 1\nadd\n#### Final answer\n7"),
    ("7", "## Answer\n\n7"),
    ("7", "### Answer: 7"),
    ("7", "**Answer:**\n\n7"),
    ("72", "so\n#### 72"),
    ("1000", "1 000"),
    ("1000000", "1 000 000"),
    ("1000000", "1,000,000"),
    ("1000", r"1\,000"),
    ("1000", "1{,}000"),
    ("1234.5", "1,234.5"),
    ("5000000", "5 million"),
    ("24", "two dozen"),
    ("5", "five"),
    ("1500", r"1.5 \times 10^3"),
    ("1500", "1.5e3"),
    ("100", "1e2"),
    ("5 km", "5000 m"),
    ("2 hours", "120 minutes"),
    ("5 km", "5 kilometers"),
    ("20 m/s", "72 km/h"),
    ("3 m^2", "3 square meters"),
    ("1 ft", "12 inches"),
    ("50", "50%"),
    ("0.5", "50%"),
    (r"45^\circ", "45"),
    (r"\$5", "5 dollars"),
    ("42", r"\boxed{42\text{ cm}}"),
    ("7", "The answer is: $7$ dollars."),
    ("12", "12 apples"),
    ("1.5", "1 1/2"),
    ("1.5", r"1\frac{1}{2}"),
    ("-12", "-$12"),
    ("-5", "−5"),
    ("5", "The answer is 5, not 6"),
    ("3", r"\boxed 3"),
    ("3", r"\fbox{3}"),
    ("A", "The answer is A) because"),
    ("A", "(A)"),
    ("Monday", "monday"),
    ("no", "The answer is no."),
    ("x=5", "5"),
    ("5", "x = 5"),
    ("1,2", "2, 1"),
    ("1 and 2", "2 or 1"),
    (r"19, 46, \text{ and } 82", "82, 19 and 46"),
    ("2", 2),
    ("0.5", 0.5),
    ("12:00", "12:00"),
    ("9:05", "09:05"),
    ("5", "5, not 6"),
]
WRONG = [
    ("5 km", "5 m"),
    ("2 hours", "2 minutes"),
    ("5 km", "5 kg"),
    ("5", "5 million"),
    ("5000000", "5"),
    ("5", "-5"),
    ("-12", "$12"),
    ("3", "3 or 4"),
    ("12", "12 apples and 3 pears"),
    ("1,2,3", "123"),
    ("1000000", "2 000 000"),
    ("3/2", "1/2"),
    ("3/2", "2"),
    ("Monday", "Tuesday"),
    ("A", "B"),
    ("yes", "no"),
    ("0", "0.0000001"),
    ("0.0000001", "0.0000002"),
    ("1e-10", "0"),
    ("7", "#### Step 7\nso\n#### Final answer\n8"),
    ("50", "5%"),
    ("1.5", "1 1/3"),
    ("12:00", "1:00"),
    ("2:3", "3:2"),
    ("5", "6, not 5"),
]


@pytest.mark.parametrize(("value", "answer"), RIGHT)
def test_a_right_value_is_sound_however_it_is_written(value: str, answer: str) -> None:
    assert _compared(*_pair(value, answer)) is True


@pytest.mark.parametrize(("value", "answer"), WRONG)
def test_another_value_is_not(value: str, answer: str) -> None:
    assert _compared(*_pair(value, answer)) is False


def _pair(value: str, answer: str) -> tuple[str, str]:
    from outgrow.verifiers.equal import _unassigned

    return _unassigned(plain(str(value)), plain(final(str(answer))))


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("5", "5 m"),
        ("5 apples", "5 pears"),
        ("2024", "March 2024"),
        ("5 months", "150 days"),
        ("X", "x"),
        ("1:10", "2:20"),
        ("7", "between 6 and 8"),
        ("7", "not 6 but 7"),
        ("7", ""),
        ("7", "9" * 2000),
    ],
)
def test_what_could_mean_two_things_cannot_be_told(value: str, answer: str) -> None:
    assert judged(answer, value) is None


@pytest.mark.sandbox
def test_expressions_are_read_whole_and_small_numbers_are_not_all_equal() -> None:
    cases = [
        (r"\frac{1}{2004!}", r"\frac{1}{2006!}", False),
        (r"\frac{1}{2004!}", r"\frac{1}{2004!} ", True),
        (r"\frac{1}{2^{99}}", r"\frac{1}{2^{98}}", False),
        (r"\frac{1}{2^{99}}", "2^{-99}", True),
        (r"1 - \frac{1}{\mathrm{e}}", r"1 + \frac{1}{\mathrm{e}}", False),
        ("2", "2 i", False),
        ("3", "3 x", False),
        ("2", "2 pi", False),
        ("2 pi", r"2\pi", True),
        ("2", r"2\pi", False),
        ("2", r"\sqrt{4}", True),
        ("2", "sqrt(4)", True),
        ("720", "6!", True),
        ("6", "6!", False),
        ("(0,1)", "(0, 1.5)", False),
        ("(0,1)", "[0,1]", False),
        ("[0,1)", "(0,1]", False),
        ("(1,2)", "(2,1)", False),
        ("(3,1)", "(2,1)", False),
        ("(1,2)", "(1, 2)", True),
        (r"(\pi, 1)", r"(2\pi, 1)", False),
        (r"\{1,2\}", r"\{2,1\}", True),
        (r"\{1,2\}", r"\{2,3\}", False),
        (r"\pm 2021", "2021", False),
        (r"\pm 2", "2, -2", True),
        ("n=2,3,4", "n=1,2,3", False),
        ("3*x-1*y+13=0", "3x+4y+14=0", False),
        ("x^2+1", "1+x^2", True),
        ("x > 3", "x < 3", False),
        ("2x", "x^2", False),
        (r"\infty", r"-\infty", False),
        ("1/3", "0.3333", False),
        (r"\frac{1}{3}x", "0.5x", False),
        ("(x+1)^2", "x**2 + 2*x + 1", True),
        ("dog + 1", "god + 1", None),
        ("5", "2 3", None),
        ("6", "5'", None),
        ("x", r"\frac{1}{", None),
        ("10^{100}", "10^{100}", True),
        ("9**9**9", "9**9**9", True),
        ("2^3", "8", True),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}1\\3\end{pmatrix}", False),
    ]
    verdicts = registry()["equal"].run(
        [Attempt("", rf"\boxed{{{answer}}}", {"value": value}) for value, answer, _ in cases]
    )
    assert [(case[:2], verdict.sound) for case, verdict in zip(cases, verdicts, strict=True)] == [
        (case[:2], case[2]) for case in cases
    ]


@pytest.mark.parametrize("value", ["", " ", True, "$$", None, [1], {"a": 1}])
def test_a_value_that_is_none_is_one_line(value: object) -> None:
    with pytest.raises(UserError, match=r"shown\['value'\] is"):
        judged("5", value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "answer",
    [
        "\\boxed{",
        "####",
        "#### ",
        "**",
        "$",
        "\\",
        "{" * 5000,
        "(" * 5000,
        "\0",
        "\ud800",
        "1" * 100_000,
        "-" * 5000,
        "answer is",
        "1e999",
        "1/0",
        "\\frac" * 500,
    ],
)
def test_odd_answers_are_never_sound(answer: str) -> None:
    assert judged(answer, "5") is not True


def test_a_long_answer_is_read_in_time_in_line_with_its_length() -> None:
    import time

    began = time.process_time()
    for text in (
        "*" * 100_000,
        "**a " * 30_000,
        "\\boxed{" * 20_000,
        "answer is " * 20_000,
        "1 " * 60_000,
        "```\n" * 30_000,
        "a, " * 40_000,
    ):
        judged(text, "5")
    assert time.process_time() - began < 20


NUMBERS = st.fractions(min_value=-(10**9), max_value=10**9, max_denominator=1000)


def spelled(number: Fraction, way: int) -> str:
    """A number in one of the documented ways."""
    sign, size = ("-" if number < 0 else ""), abs(number)
    top, bottom = size.numerator, size.denominator
    if bottom == 1:
        plain = str(top)
        return [
            plain,
            f"{top:,}",
            f"{top:,}".replace(",", " "),
            f"{top:,}".replace(",", "{,}"),
            f"{plain}.0",
            f"**{plain}**",
            f"${plain}$",
            rf"\boxed{{{plain}}}",
            f"#### {plain}",
        ][way].replace(str(top)[0], sign + str(top)[0], 1)
    return [
        f"{sign}{top}/{bottom}",
        rf"{sign}\frac{{{top}}}{{{bottom}}}",
        rf"$\dfrac{{{sign}{top}}}{{{bottom}}}$",
        rf"\boxed{{{sign}\frac{{{top}}}{{{bottom}}}}}",
    ][way % 4]


@settings(max_examples=300, deadline=None)
@given(NUMBERS, NUMBERS, st.integers(0, 8), st.integers(0, 8))
def test_a_number_is_equal_to_itself_in_every_spelling_and_to_no_other(
    one: Fraction, other: Fraction, way: int, another: int
) -> None:
    value, said = plain(final(spelled(one, way))), plain(final(spelled(one, another)))
    assert _compared(value, said) is True
    # Spelled with ".0" numbers are equal to a relative 1e-6.
    if one != other and abs(one - other) > abs(one) / 10**6:
        assert _compared(value, plain(final(spelled(other, another)))) is not True


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 10**6),
    st.sampled_from(["km", "m", "hours", "minutes", "kg", "dollars", "%", "apples", "m/s"]),
    st.sampled_from(["km", "m", "hours", "minutes", "kg", "dollars", "%", "apples", "m/s"]),
)
def test_the_same_number_of_two_units_is_equal_where_the_units_are(number: int, one: str, other: str) -> None:
    gold, said = quantity(f"{number} {one}"), quantity(f"{number} {other}")
    assert gold is not None and said is not None
    assert (same(gold, said) is True) == (one == other)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_no_text_at_all_is_a_traceback(text: str) -> None:
    assert _compared(plain("5"), plain(final(text))) in (True, False) or isinstance(
        _compared(plain("5"), plain(final(text))), str
    )
    assert quantity(text) is None or isinstance(quantity(text).value, Fraction)
