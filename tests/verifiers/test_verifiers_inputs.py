"""Verifiers on malformed, empty, huge and wrongly typed inputs: a verdict or one line, never sound."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checking import judged
from outgrow.core.errors import UserError
from outgrow.metrics import calls
from outgrow.metrics import text as written
from outgrow.tasks import generation
from outgrow.tasks.tables.prompts import Columns
from outgrow.verifiers import Attempt, Verdict, _extraction, registry, verifier
from outgrow.verifiers.arithmetic import value

# Arithmetic: what is not wholly understood is left out

LEFT_OUT = [
    "10 - 2^2 + 1 = 7",
    "10^3 + 5 = 1005",
    "2**3 + 1 = 9",
    "17 / 5 = 3 remainder 2",
    "17 ÷ 5 = 3 R 2",
    "10 / 3 = 3 with 1 left over",
    "3! + 4 = 10",
    "3 + 4! = 27",
    "3 + 4 = 7!",
    "50% of 20 = 10",
    "20% + 5 = 25",
    "100 - 20% = 80",
    "10:30 + 2 = 12:30",
    "100 / 3 = 33",
    "sqrt(16) + 2 = 6",
    "log(100) + 1 = 3",
    "2³ + 1 = 9",
    "4 + 5 ≠ 10",
    "5 + 5 != 11",
    "3 + 4 >= 6",
    "|3 - 5| + 1 = 3",
    "[3 + 4] * 2 = 14",
    "{3 + 4} * 2 = 14",
    r"\frac{1}{2} + 1 = 1.5",
    r"6 \times 7 = 42",
    r"3 \cdot 4 + 1 = 13",
    "5 mod 3 + 1 = 3",
    "7 // 2 = 3",
    "7 % 2 = 1",
    "9 % 4 + 1 = 2",
    "9%4 + 1 = 2",
    "1e3 + 1 = 1001",
    "5 feet 3 + 2 = 5",
    "June 5 - 3 = June 2",
    "2 + 3 = 5 million",
    "2x (3 + 1) = 16",
    "3 + 4 = 7 or 8",
    "half 20 + 4 = 14",
    "= 5",
    "=",
    "5 =",
    "1,2 + 3 = 5",
    "2 + 3 = 7,5",
    "5 times 3 + 2 = 17",
    "½ + 1 = 1.5",
    "- 5 + 3 = 8",
    "x 5 + 3 = 9",
    "9" * 100 + " + 1 = 2",
    "1 + " * 200 + "1 = 3",
    "(" * 100 + "1 + 1" + ")" * 99 + " = 3",
    "1 / 0 = 5",
    "25 / 1/3 = 75",
    "٣ + ٤ = ٨",
]


@pytest.mark.parametrize("text", LEFT_OUT)
def test_a_side_that_is_not_wholly_understood_is_not_called_wrong(text: str) -> None:
    assert judged("arithmetic", text).sound is None


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("3 + 4 == 7", True),
        ("7 = 3 + 4", True),
        ("8 = 3 + 4", False),
        ("2 + 2 = 4 = 2 * 2", True),
        ("3 1/2 + 1/2 = 4", True),
        ("**3 + 4 = 7**", True),
        ("1,000 + 1 = 1,001", True),
        ("1.000 + 1 = 1.001", False),
        ("x = 5 + 3 = 8", True),
        ("x = 5 + 3 = 9", False),
        ("3x4 = 12", True),
        ("10 × 10 = 100 cm", True),
        ("$3.50 × 2 = $7", True),
        ("$12/hour: 60 / 5 = 12/hour", True),
        ("5–3 = 2", True),
        ("3 + 5 = 8.5 rounded to 9", False),
        ("100% - 20% = 80%", True),
        ("2 / 3 = 0.67", True),
        ("2 / 3 = 0.7", True),
        ("2 / 3 = 0.5", False),
        ("(48 / 2 = 24)", True),
        ("48/2 = <<48/2=24>>24 clips", True),
        ("10 / 4 = 2.6", True),
        ("10 / 4 = 3.5", False),
        ("10 / 3 = 5", False),
    ],
)
def test_what_is_understood_is_worked_out(text: str, sound: bool) -> None:
    assert judged("arithmetic", text).sound is sound


EXPRESSIONS = st.recursive(
    st.integers(0, 999).map(str),
    lambda inner: st.builds(
        lambda a, sign, b, brackets: f"({a} {sign} {b})" if brackets else f"{a} {sign} {b}",
        inner,
        st.sampled_from("+-*/×÷−·"),
        inner,
        st.booleans(),
    ),
    max_leaves=8,
)
PLAIN = str.maketrans("×·÷−", "**/-")


@settings(max_examples=300, deadline=None)
@given(
    EXPRESSIONS,
    st.sampled_from(
        [
            "{} = {}",
            "So {} = {}.",
            "<<{}={}>>",
            "$${} = {}$$",
            "**{} = {}**",
            "We get {} = {} apples, and more.",
            "{} == {}",
        ]
    ),
)
def test_a_true_equation_in_a_documented_form_is_never_unsound_and_a_false_one_never_sound(
    expression: str, way: str
) -> None:
    import re

    python = re.sub(r"\d+", lambda m: f"Fraction({m[0]})", expression.translate(PLAIN))
    try:
        right = eval(python, {"Fraction": Fraction})
    except ZeroDivisionError:
        right = None
    if right is None:
        assert judged("arithmetic", way.format(expression, 5)).sound is not True
        return
    result = str(right) if right >= 0 else f"-{-right}"
    assert judged("arithmetic", way.format(expression, result)).sound is not False
    wrong = right + 2
    assert judged("arithmetic", way.format(expression, str(wrong))).sound is not True


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="0123456789+-*/()=.,%x \n^!:$", max_size=80))
def test_no_line_of_signs_is_a_traceback(text: str) -> None:
    assert judged("arithmetic", text).sound in (True, False, None)
    assert value(list(text)) is None or isinstance(value(list(text)), Fraction)


# Calculation


@pytest.mark.parametrize(
    ("answer", "sound"),
    [
        (" 12", True),
        ("7 + 5 = 12", True),
        ("12.", True),
        ("**12**", True),
        ("12.0", True),
        ("24/2", True),
        ("3/12", False),
        ("13", False),
        ("", False),
        ("twelve", False),
        ("15-3", None),
        ("12%", None),
        ("4!", None),
        ("12,3", None),
        ("1/0", False),
        ("9" * 5000, None),
        ("12x", None),
    ],
)
def test_the_last_number_of_an_answer_is_read_whole(answer: str, sound: bool | None) -> None:
    assert judged("calculation", answer, expression="7 + 5").sound is sound


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "1 +",
        "1 / 0",
        "2 ** 9",
        "x + 1",
        "True + 1",
        "1.5 + 2",
        "(" * 5000,
        "1 + " * 2000 + "1",
        "__import__('os')",
        "1\0",
    ],
)
def test_an_expression_that_is_none_is_one_line(expression: str) -> None:
    with pytest.raises(UserError, match=r"shown\['expression'\] is .*"):
        judged("calculation", "5", expression=expression)


# Sudoku, clauses, fillers

PUZZLE = "a 2 3 4\n3 4 1 2\n2 1 4 3\n4 3 2 1"


@pytest.mark.parametrize(
    ("answer", "sound"),
    [
        ("a=1", True),
        ("a = 1", True),
        ("a=2, no: a=1", True),
        ("a=1.", True),
        ("a=2", False),
        ("a=1.5", False),
        ("a=-1", False),
        ("a=11", False),
        ("aa=1", False),
        ("b=1", False),
        ("", False),
        ("a", False),
        ("a=", False),
        ("a=1/2", False),
        ("A=1", False),
        ("a=" + "1" * 100000, False),
        ("a=١", False),
        ("\x00", False),
    ],
)
def test_a_sudoku_is_solved_or_not(answer: str, sound: bool) -> None:
    assert judged("sudoku", answer, puzzle=PUZZLE).sound is sound


@pytest.mark.parametrize(
    "puzzle",
    [
        "",
        " ",
        "a b",
        "1 2 3",
        "A 2 3 4\n3 4 1 2\n2 1 4 3\n4 3 2 1",
        "5 2 3 4\n3 4 1 2\n2 1 4 3\n4 3 2 1",
        "ab 2 3 4\n3 4 1 2\n2 1 4 3\n4 3 2 1",
        "a " * 80,
    ],
)
def test_a_puzzle_that_is_none_is_one_line(puzzle: str) -> None:
    with pytest.raises(UserError, match=r"shown\['puzzle'\] is"):
        judged("sudoku", "a=1", puzzle=puzzle)


@pytest.mark.parametrize(
    ("answer", "sound"),
    [
        ("A=1 B=0", True),
        ("A = 1, B = 0.", True),
        ("A=0 B=0", False),
        ("A=1", False),
        ("A=1.5 B=0", False),
        ("A=10 B=0", False),
        ("A=true B=false", False),
        ("", False),
        ("AA=1 BB=0", False),
        ("A=1 B=0 " * 20000, True),
        ("A==1 B=0", False),
    ],
)
def test_an_assignment_keeps_the_clauses_or_not(answer: str, sound: bool) -> None:
    assert judged("clauses", answer, variables=["A", "B"], clauses=[[1, 2], [-2]]).sound is sound


@pytest.mark.parametrize(
    ("variables", "given"),
    [
        ([], []),
        (["A"], []),
        ([], [[1]]),
        (["A"], [[0]]),
        (["A"], [[2]]),
        (["A"], [[True]]),
        (["A"], [["A"]]),
        (["A"], [1]),
        ([1], [[1]]),
        (["A", "A"], [[1]]),
        ([""], [[1]]),
        (["A"], [[1.0]]),
    ],
)
def test_clauses_that_are_none_are_one_line(variables: list, given: list) -> None:
    with pytest.raises(UserError, match=r"shown\['(variables|clauses)'\] is"):
        judged("clauses", "A=1", variables=variables, clauses=given)


@pytest.mark.parametrize(
    ("answer", "sound"),
    [
        ("date: monday", True),
        ("none", True),
        ("date: friday", False),
        ("monday", False),
        ("date:", False),
        (": monday", False),
        ("", None),
        (" ; ;", None),
        ("x: " + "y" * 100_000, False),
    ],
)
def test_slots_are_filled_from_the_sentence_or_not(answer: str, sound: bool | None) -> None:
    assert judged("fillers", answer, sentence="wake me on monday").sound is sound


def test_a_field_that_is_missing_or_of_the_wrong_type_is_one_line() -> None:
    fields = {
        "calculation": "expression",
        "sudoku": "puzzle",
        "fillers": "sentence",
        "signature": "functions",
        "schema": "schema",
        "equal": "value",
        "smt": "smt",
        "lean": "lean",
        "unit_tests": "entry_point",
        "clauses": "variables",
    }
    for name, field in fields.items():
        with pytest.raises(UserError, match="this check needs shown"):
            judged(name, "1")
        with pytest.raises(UserError, match=f"shown.'{field}'. is .*: it must be"):
            judged(name, "1", **{field: 3j})


# Calls of functions

TIME = {"name": "get_time", "description": "Gives the time."}
WAYS = {
    "none": TIME,
    "null": TIME | {"parameters": None},
    "empty": TIME | {"parameters": {}},
    "of OpenAI": {"type": "function", "function": TIME | {"parameters": {"type": "object", "properties": {}}}},
    "of the leaderboard": TIME | {"parameters": {"type": "dict", "properties": {}, "required": []}},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_function_without_parameters_is_read_however_it_is_declared(way: str) -> None:
    assert judged("signature", "get_time()", functions=[WAYS[way]]) == Verdict(True)
    assert judged("signature", "get_time(x=1)", functions=[WAYS[way]]) == Verdict(False, "get_time takes no x")


def taking(**said: object) -> list[dict]:
    return [{"name": "set_it", "parameters": {"type": "dict", "properties": {"x": said}, "required": ["x"]}}]


@pytest.mark.parametrize(
    ("said", "good", "bad"),
    [
        ({"type": ["string", "null"]}, ["'a'", "None", "null"], ["1", "[1]"]),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, ["'a'", "1"], ["1.5", "True"]),
        ({"oneOf": [{"type": "array"}, {"type": "boolean"}]}, ["[1]", "True"], ["1"]),
        ({"type": "object"}, ["{'a': 1}"], ["'a'"]),
        ({}, ["1", "'a'", "None"], []),
        ({"type": "a type of nobody's"}, ["1", "'a'"], []),
    ],
)
def test_types_that_are_several_are_each_allowed(said: dict, good: list[str], bad: list[str]) -> None:
    for text in good:
        assert judged("signature", f"set_it(x={text})", functions=taking(**said)).sound is True, text
    for text in bad:
        assert judged("signature", f"set_it(x={text})", functions=taking(**said)).sound is False, text


@pytest.mark.parametrize(
    "functions",
    [
        [],
        [1],
        [{}],
        [{"name": ""}],
        [{"name": 3}],
        [{"name": "get-time"}],
        [{"name": "class"}],
        [TIME, TIME],
        [TIME | {"parameters": 3}],
        [TIME | {"parameters": {"properties": ["x"]}}],
        [TIME | {"parameters": {"properties": {"x": 1}}}],
        [TIME | {"parameters": {"properties": {"x y": {}}}}],
        [TIME | {"parameters": {"properties": {}, "required": ["x"]}}],
        [TIME | {"parameters": {"properties": {"x": {"type": 5}}}}],
        [TIME | {"parameters": {"properties": {"x": {"anyOf": [1]}}}}],
        [TIME | {"description": 5}],
    ],
)
def test_declarations_that_are_none_are_one_line(functions: list) -> None:
    with pytest.raises(UserError, match=r"shown\['functions'\] cannot be read: "):
        judged("signature", "get_time()", functions=functions)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "(",
        "get_time",
        "get_time(1)",
        "get_time(**x)",
        "get_time()()",
        "[get_time(), 3]",
        "f(x={1, [2]})",
        "f(x=" + "[" * 5000,
        "f(x=" + "9" * 5000 + ")",
        "\x00",
        "\ud800",
        "get-time()",
        "1 + 1",
        "lambda: 0",
        "f(x={[]: 1})",
        "f(x=-'a')",
        "get_time()\nget_time()",
        "[]",
    ],
)
def test_what_is_no_call_is_unsound(answer: str) -> None:
    assert judged("signature", answer, functions=[TIME]).sound is False


def test_arguments_with_the_name_of_a_keyword_are_read() -> None:
    assert calls.read("book(class='first', n=1)") == [calls.Call("book", {"class": "first", "n": 1})]
    assert calls.read("[f(from='a', to='class='), g(lambda=1,\n  in=[True])]") == [
        calls.Call("f", {"from": "a", "to": "class="}),
        calls.Call("g", {"lambda": 1, "in": [True]}),
    ]
    assert calls.read("f(x=lambda=1)") is None


def test_many_calls_that_fit_one_another_are_paired_without_trying_every_order() -> None:
    gold = [{"f": {"x": [1, 2]}}] * 12 + [{"f": {"x": [3]}}]
    assert calls.allowed([calls.Call("f", {"x": 1})] * 12 + [calls.Call("f", {"x": 3})], gold)
    assert not calls.allowed([calls.Call("f", {"x": 1})] * 13, gold)
    # Each takes what the other leaves: 1 or 2, and 1 alone.
    assert calls.allowed(
        [calls.Call("f", {"x": 1}), calls.Call("f", {"x": 2})], [{"f": {"x": [1, 2]}}, {"f": {"x": [1]}}]
    )


def rows(folder: Path, functions: list, truth: list) -> Path:
    path = folder / "calls.jsonl"
    lines = [
        {"question": [[{"role": "user", "content": f"Case {i}?"}]], "functions": functions, "ground_truth": truth}
        for i in range(12)
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


@pytest.mark.parametrize(
    ("functions", "truth", "answer"),
    [([way], [{"get_time": {}}], "get_time()") for way in WAYS.values()]
    + [
        (taking(type=["string", "null"]), [{"set_it": {"x": ["a"]}}], "set_it(x='a')"),
        (taking(anyOf=[{"type": "string"}, {"type": "integer"}]), [{"set_it": {"x": ["a"]}}], "set_it(x='a')"),
        (
            [{"name": "book", "parameters": {"properties": {"class": {"type": "string"}}}}],
            [{"book": {"class": ["first"]}}],
            "book(class='first')",
        ),
    ],
)
def test_gold_of_a_table_of_calls_is_right_by_its_own_scorer(
    tmp_path: Path, functions: list, truth: list, answer: str
) -> None:
    task, gold = generation.load(str(rows(tmp_path, functions, truth)), columns=Columns(scorer="calls"))
    assert set(gold.answers) == {answer}
    assert all(written.right("calls", said, key) for said, key in zip(gold.answers, gold.keys, strict=True))
    assert registry()["signature"].run([Attempt(task.prompts[0], gold.answers[0], task.shown[0])]) == [Verdict(True)]


@pytest.mark.parametrize(
    ("functions", "truth", "why"),
    [
        (taking(type="string"), [{"set_it": {"x": []}}], "no value is allowed for x of set_it"),
        (
            [{"name": "get-time"}],
            [{"get-time": {}}],
            "the function 'get-time' has a name that no call can be written with",
        ),
        ([TIME], [{"get time": {}}], "the function 'get time' has a name that no call can be written with"),
        (taking(type="string"), [{"set_it": {"x-y": ["a"]}}], "the argument 'x-y' of set_it has a name"),
        ([TIME, TIME], [{"get_time": {}}], "two functions get_time"),
        (
            [TIME | {"parameters": {"properties": {"x": "string"}}}],
            [{"get_time": {}}],
            "the argument x of get_time is 'string'",
        ),
        ([{"description": "x"}], [{"get_time": {}}], "a function without a name"),
    ],
)
def test_a_row_whose_call_cannot_be_written_is_refused_in_one_line(
    tmp_path: Path, functions: list, truth: list, why: str
) -> None:
    with pytest.raises(UserError, match=f"calls: {why}.*, in line 1: mend the row, or leave it out"):
        generation.load(str(rows(tmp_path, functions, truth)), columns=Columns(scorer="calls"))


# Code in answers

BODY = "def f(n):\n    return list(range(n))\n"
FOUND = {
    "~~~": f"~~~python\n{BODY}~~~",
    "longer marks": f"````python\n{BODY}````",
    "indented": "1. Solution:\n   ```python\n" + "".join(f"   {line}\n" for line in BODY.splitlines()) + "   ```",
    "a fence within a fence": f"~~~python\n{BODY}# ```\n~~~",
    "a title": f'```python3 title="a.py"\n{BODY}```',
    "a shell before": f"```\n$ pip install x\n```\nthen\n```python\n{BODY}```",
    "usage after": f"```python\n{BODY}```\nUse:\n```python\nprint(f(3))\n```",
    "prose before": f"Sure! Here's the function:\n\n{BODY}",
    "prose after": f"{BODY}\nThis returns the list.",
    "prose on both sides": f"Here's one:\n\nimport os\n{BODY}\nThat's it, isn't it?\nBye.",
    "an equation before": f"n = 3\nThat is an example.\n{BODY}",
    "never closed": f"```python\n{BODY}",
    "windows": f"```python\r\n{BODY}```\r\n".replace("\n", "\r\n").replace("\r\r", "\r"),
}


@pytest.mark.parametrize("way", FOUND)
def test_code_is_found_however_it_is_set(way: str) -> None:
    space: dict = {}
    exec(_extraction.code(FOUND[way], "f"), space)
    assert space["f"](3) == [0, 1, 2]


def test_earlier_fences_give_helpers_and_nothing_that_runs() -> None:
    helper = "```python\nimport math\nN = 1\ndef helper(n):\n    return list(range(n))\n```\nand\n```python\ndef f(n):\n    return helper(n)\n```"
    space: dict = {}
    exec(_extraction.code(helper, "f"), space)
    assert space["f"](2) == [0, 1]
    assert "print" not in _extraction.code(f"```python\nprint(g())\n```\n```python\n{BODY}```", "f")
    assert "return 1" not in _extraction.code(f"```\ndef g(): return 1\nx = g()\n```\n```python\n{BODY}```", "f")


def test_finding_code_takes_time_in_line_with_its_length() -> None:
    import time

    began = time.process_time()
    for text in (
        "def f(n):\n" * 20_000,
        "x = 1\nIt is.\n" * 5000 + "def f(): pass\n?",
        "```\n~~~\n" * 30_000,
        "def f(n): return 1\nnot code\n" * 5000,
    ):
        _extraction.code(text, "f")
    assert time.process_time() - began < 20


# Unit tests

LIST = "def check(candidate):\n    assert list(candidate(3)) == [0, 1, 2]\n"
UNCOVERED = {
    "a generator": ("def f(n):\n    for i in range(n):\n        yield i", LIST),
    "a range": ("def f(n):\n    return range(n)", LIST),
    "a map": ("def f(n):\n    return map(int, range(n))", LIST),
    "keys": ("def f(n):\n    return {i: 0 for i in range(n)}.keys()", LIST),
    "a named tuple": (
        "from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef f(n):\n    return P(n, n)",
        "assert f(2).x == 2",
    ),
    "a Counter": (
        "from collections import Counter\ndef f(n):\n    return Counter('aab')",
        "assert f(2).most_common(1) == [('a', 2)]",
    ),
    "a Decimal": ("from decimal import Decimal\ndef f(n):\n    return Decimal(n)", "assert f(2) == 2"),
    "a Fraction": ("from fractions import Fraction\ndef f(n):\n    return Fraction(n, 2)", "assert f(1) == .5"),
    "a date": (
        "import datetime\ndef f(n):\n    return datetime.date(2020, 1, n)",
        "import datetime\nassert f(1) == datetime.date(2020, 1, 1)",
    ),
    "a coroutine": ("async def f(n):\n    return n", "import asyncio\nassert asyncio.run(f(3)) == 3"),
    "an object": ("class A:\n    x = 2\ndef f(n):\n    return A()", "assert f(1).x == 2"),
    "a dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\ndef f(n):\n    return A(n)",
        "assert f(1).x == 1",
    ),
    "an object within": ("def f(n):\n    return [n, object()]", "assert f(1)[0] == 1"),
    "a function": ("def f(n):\n    return lambda: n", "assert f(1)() == 1"),
    "one list twice": ("def f(a, b):\n    a.append(1)\n    return b", "x = []\nassert f(x, x) == [1]"),
    "the argument itself": ("def f(a):\n    return a", "x = [1]\nassert f(x) is x"),
    "too deep": ("def f(n):\n    x = []\n    for _ in range(5000): x = [x]\n    return x", "f(1)"),
    "too long": ("def f(n):\n    return 'x' * (5 << 20)", "assert len(f(1)) == 5 << 20"),
    "nothing that a test could catch": (
        "def f(n):\n    return object()",
        "try:\n    f(1)\nexcept BaseException:\n    pass\n",
    ),
    "tests without end": ("def f(n):\n    return n", "f(1)\nwhile True: pass"),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("what", UNCOVERED)
def test_what_is_no_plain_value_cannot_be_told(what: str) -> None:
    program, tests = UNCOVERED[what]
    verdict = registry()["unit_tests"].run([Attempt("", program, {"entry_point": "f", "tests": tests})], seconds=2)[0]
    assert verdict.sound is None and verdict.why


@pytest.mark.sandbox
def test_subclasses_pass_where_their_plain_part_does_and_an_equality_of_ones_own_is_unsound() -> None:
    run = registry()["unit_tests"].run
    counter = "from collections import Counter\ndef f(n):\n    return Counter('aab')"
    assert run([Attempt("", counter, {"entry_point": "f", "tests": "assert f(1) == {'a': 2, 'b': 1}"})]) == [
        Verdict(True)
    ]
    same = "class L(list):\n    def __eq__(self, other): return True\ndef f(n):\n    return L([9])"
    assert run([Attempt("", same, {"entry_point": "f", "tests": "assert f(1) == [1]"})])[0].sound is False
    whole = "class A:\n    def __eq__(self, other): return True\ndef f(n):\n    return A()"
    assert run([Attempt("", whole, {"entry_point": "f", "tests": "assert f(1) == 1"})]) == [
        Verdict(False, "it returned a A, which says itself what it is equal to, at: assert f(1) == 1")
    ]
    given = "class A:\n    def __eq__(self, other): return True\n"
    assert (
        run(
            [
                Attempt(
                    "",
                    "def f(n):\n    return A()",
                    {"entry_point": "f", "tests": "assert f(1) == A()", "prompt_code": given},
                )
            ]
        )[0].sound
        is None
    )


@pytest.mark.sandbox
@pytest.mark.parametrize("name", ["", "a b", "f()", "f\0", "1f", "f" * 1000])
def test_a_function_that_has_no_name_is_one_line(name: str) -> None:
    with pytest.raises(UserError, match=r"shown\['entry_point'\] is"):
        judged("unit_tests", "", entry_point=name, tests="")


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "answer", ["", "\0", "\ud800", "def f(", "(" * 10_000, "x" * 1_000_000, "```\n", "f = 3", "class f: pass\n" * 3]
)
def test_odd_programs_are_never_sound(answer: str) -> None:
    assert judged("unit_tests", answer, entry_point="f", tests="assert f(1) == 1").sound is not True


# Types

BAD = "x: int = 'a'"
HUSHED = [
    f"{BAD}  # type: ignore",
    f"{BAD}  #type:ignore",
    f"{BAD}  # type: ignore[assignment]",
    f"{BAD}  # # type: ignore",
    f"{BAD}  # ty# type: ignorepe: ignore",
    f"# mypy: ignore-errors\n{BAD}",
    f"# # mypy: mypy: ignore-errors\n{BAD}",
    f"'''\n# mypy: ignore-errors\n'''\n{BAD}",
    f"f'''\n# mypy: ignore-errors\n{{1}}'''\n{BAD}",
    f"y = '\\\n# mypy: ignore-errors'\n{BAD}",
    f"# type: ignore\n{BAD}",
    f"# coding: latin-1\n# mypy: ignore-errors\n{BAD}",
    f"{BAD} # type: int # type: ignore",
    f"y = 1\r# mypy: ignore-errors\r\n{BAD}",
    "x: int = (  # type: ignore\n    'a')",
    f"\ufeff# mypy: ignore-errors\n{BAD}",
]
LESS = [
    f"from typing import TYPE_CHECKING\nif not TYPE_CHECKING:\n    {BAD}",
    "from typing import no_type_check\n@no_type_check\ndef f() -> int:\n    return 'a'",
    "from typing import Any\nx: Any = 'a'\ny: int = x",
    "from typing import cast\ny = cast(int, 'a')",
    "import typing as t\nx: t.Any = 1",
    "from typing import Any as T\nx: T = 1",
    f"import sys\nif sys.platform == 'win32':\n    {BAD}",
    f"import sys\nif sys.version_info < (3,):\n    {BAD}",
    f"assert False\n{BAD}",
    "from typing import *\nx: 'Any' = 1",
    f"MYPY = False\nif not MYPY:\n    {BAD}",
    "def f() -> int:\n    return 1\n    return 'a'",
    "",
    "# nothing",
]


@pytest.mark.sandbox
def test_a_program_does_not_talk_mypy_out_of_its_errors() -> None:
    verdicts = registry()["types"].run(
        [
            Attempt("", text)
            for text in [
                *HUSHED,
                *LESS,
                "x = []  # type: list[int]\n",
                "def f(x: int) -> int:\n    return x  # type: ignore\n",
            ]
        ]
    )
    assert [(text, verdict.sound) for text, verdict in zip(HUSHED, verdicts, strict=False)] == [
        (text, False) for text in HUSHED
    ]
    less = verdicts[len(HUSHED) : -2]
    assert [(text, verdict.sound) for text, verdict in zip(LESS, less, strict=True)] == [(text, None) for text in LESS]
    assert [verdict.sound for verdict in verdicts[-2:]] == [True, True]


# Schemas and proofs


@pytest.mark.sandbox
def test_schemas_that_cannot_be_used_are_one_line_and_deep_values_cannot_be_told() -> None:
    for wrong in ({"$ref": "http://localhost/none"}, {"$ref": "#/nowhere"}, {"type": 5}, {"pattern": "("}):
        with pytest.raises(UserError, match=r"shown\['schema'\] is no JSON schema: "):
            judged("schema", '"text"', schema=wrong)
    for wrong in ("", "{", "[1"):
        with pytest.raises(UserError, match=r"shown\['schema'\] is .*: it must be JSON"):
            judged("schema", "{}", schema=wrong)
    for answer in ("", "[" * 100_000, "{" * 500 + "}" * 500, "9" * 5000, "\ud800", "NaN"):
        assert judged("schema", answer, schema={"type": "object"}).sound is not True, answer[:20]
    assert judged("schema", "{'a': [1, 2]}", schema={"type": "array"}) == Verdict(False, "no JSON in the answer")
    assert judged("schema", "[" * 900 + "]" * 900, schema={"type": "array", "items": {"$ref": "#"}}).sound is not True
    assert judged("schema", "{}", schema={"$ref": "#"}).sound is not True


@pytest.mark.sandbox
def test_nothing_follows_from_a_contradiction_or_from_nothing() -> None:
    assert judged(
        "smt", "(> x 5)", smt="(declare-const x Int)(assert (> x 1))(assert (< x 1))", asks="claim"
    ) == Verdict(None, "what is known contradicts itself")
    assert judged("smt", "x = 5", smt="(declare-const x Int)").sound is None
    assert judged("smt", "x = 5", smt="(declare-const x Int)(assert (or true (= x 1)))").sound is True
    known = "(declare-const x Int)(assert (> x 1))"
    for answer in ("", "x = ", "x = 1/0", "x = " + "9" * 5000 + "y", "(" * 5000, "\0", "x = true", "x", "y = 5"):
        assert judged("smt", answer, smt=known).sound is not True, answer[:20]
        assert judged("smt", answer, smt=known, asks="claim").sound is not True, answer[:20]


# What a verifier is promised


def test_a_verifier_that_needs_what_nobody_hands_out_is_refused_at_once() -> None:
    def thorough(attempts, store):
        """Checks."""

    def empty():
        """Checks."""

    with pytest.raises(
        TypeError,
        match="verifier thorough needs attempts, store: it can have attempts, model, verdicts, attempts first",
    ):
        verifier()(thorough)
    with pytest.raises(TypeError, match="verifier empty needs nothing"):
        verifier()(empty)
    assert {need for one in registry().values() for need in one.needs} == {"attempts", "model", "verdicts"}


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "answer",
    [
        "",
        " ",
        "\0",
        "\ud800",
        "a" * 200_000,
        "(" * 5000,
        "[" * 5000,
        "```",
        "#" * 5000,
        "1" * 5000,
        "\\boxed{" * 500,
        "= " * 5000,
        "none\n" * 1000,
    ],
)
def test_no_answer_at_all_is_a_traceback_for_any_check_without_a_model(answer: str) -> None:
    shown = {
        "calculation": {"expression": "7 + 5"},
        "sudoku": {"puzzle": PUZZLE},
        "clauses": {"variables": ["A"], "clauses": [[1]]},
        "fillers": {"sentence": "wake me"},
        "signature": {"functions": [TIME]},
        "equal": {"value": "12"},
        "arithmetic": {},
        "schema": {"schema": {"type": "object"}},
        "lean": {"lean": "theorem x : 1 = 1 := by"},
    }
    for name, one in shown.items():
        assert registry()[name].run([Attempt("", answer, one)])[0].sound is not True, name
