"""Answers that are programs: unit tests, and programs that would rather patch the checker; types."""

from pathlib import Path

import pytest

from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, _extraction, registry
from outgrow.verifiers.sandbox.programs.plain_values import NotPlain, dumps, loads

pytestmark = pytest.mark.sandbox

ADD = "assert add(1, 2) == 3\nassert add(-1, 5) == 4\n"
LOOP = "assert all(map(lambda x: add(x, 1) == x + 1, [1, 2]))\n"
HUMANEVAL = Path(__file__).parents[3] / "shared" / "data" / "humaneval" / "humaneval.parquet"


def judged(program: str, tests: str = ADD, entry_point: str = "add", prompt_code: str = "", **settings) -> Verdict:
    shown = {"entry_point": entry_point, "tests": tests} | ({"prompt_code": prompt_code} if prompt_code else {})
    return registry()["unit_tests"].run([Attempt("", program, shown)], **settings)[0]


def test_a_right_program_is_sound_and_a_wrong_one_says_which_line_failed() -> None:
    assert judged("def add(a, b):\n    return a + b\n") == Verdict(True)
    assert judged("def add(a, b):\n    return 3\n") == Verdict(False, "assert add(-1, 5) == 4")


def test_a_program_that_raises_breaks_off_or_defines_nothing_is_unsound() -> None:
    assert judged("def add(a, b):\n    return a / 0\n") == Verdict(
        False, "ZeroDivisionError: division by zero, at: assert add(1, 2) == 3"
    )
    assert judged("def add(a, b:\n").why.startswith("SyntaxError")
    assert judged("import nothing_of_that_name\n").why.startswith("ModuleNotFoundError")
    assert judged("x = 1\n") == Verdict(False, "NameError: there is no function add")
    assert judged("add = 3\n") == Verdict(False, "NameError: there is no function add")
    assert judged("") == Verdict(False, "NameError: there is no function add")


def test_the_form_with_a_function_check_is_understood() -> None:
    tests = "METADATA = {}\n\ndef check(candidate):\n    assert candidate(2, 2) == 4\n"
    assert judged("def add(a, b):\n    return a + b\n", tests) == Verdict(True)
    assert judged("def add(a, b):\n    return 5\n", tests) == Verdict(False, "assert candidate(2, 2) == 4")


def test_limits_are_the_answers_failure() -> None:
    assert judged("def add(a, b):\n    while True: pass\n", seconds=1) == Verdict(False, "time")
    assert judged("import time\ndef add(a, b):\n    time.sleep(60)\n", seconds=1) == Verdict(False, "time")
    assert judged("def add(a, b):\n    return len(bytearray(10 ** 11))\n") == Verdict(False, "memory")
    assert judged("while True: print('x' * 1000)\n") == Verdict(False, "output")


PATCHES = {
    "exits as if all were well": "import sys\nsys.exit(0)",
    "exits at once": "import os\nos._exit(0)",
    "exits when it is called": "import os\ndef add(a, b):\n    os._exit(0)",
    "prints what success might look like": "print('sound'); print('OK'); print('passed')\nimport os\nos.write(1, b'      13t2;s5:sounds0:')\ndef add(a, b):\n    return 0",
    "writes success to every handle": "import os\nfor n in range(3, 64):\n    try: os.write(n, b'      14t2;s5:sounds0:')\n    except OSError: pass\ndef add(a, b):\n    return 0",
    "patches assert and equality of all built-ins": "import builtins\nbuiltins.AssertionError = type('Never', (Exception,), {})\nbuiltins.isinstance = lambda *a: True\nbuiltins.compile = builtins.exec = lambda *a, **k: None\ndef add(a, b):\n    return 0",
    "is equal to everything": "class Same:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n    def __bool__(self): return True\ndef add(a, b):\n    return Same()",
    "is a number that is equal to everything": "class Same(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\ndef add(a, b):\n    return Same(0)",
    "is a text that is equal to everything": "class Same(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\ndef add(a, b):\n    return Same('x')",
    "defines check": "def check(candidate):\n    pass\ndef add(a, b):\n    return 0",
    "replaces what serves it": "import sys\nmain = sys.modules['__main__'].__dict__\nmain['send'] = lambda handle, value: handle.write(b'sound')\ndef add(a, b):\n    return 0",
    "leaves it to atexit": "import atexit, os\natexit.register(os._exit, 0)\ndef add(a, b):\n    return 0",
    "raises what ends processes": "def add(a, b):\n    raise SystemExit(0)",
    "raises an assertion of its own": "def add(a, b):\n    raise AssertionError('passed')",
    "looks for the tests in files, arguments, frames and input": (
        "import os, sys, gc\nseen = []\nfor top, _, names in os.walk('/in'):\n    for name in names:\n        seen.append(open(os.path.join(top, name)).read())\n"
        "seen += sys.argv + sys.stdin.readlines()\nframe = sys._getframe()\nwhile frame:\n    seen.append(str(frame.f_locals)); frame = frame.f_back\n"
        "seen += [o for o in gc.get_objects() if isinstance(o, str)]\n"
        "def add(a, b):\n    return a + b if 'assert ' + 'a' in str(seen) else 0"
    ),
    "looks for a tracer or a profile of the checker": "import sys\nsys.settrace(lambda *a: None); sys.setprofile(lambda *a: None)\ndef add(a, b):\n    return 0",
    "replies before it is asked, in another frame": "import os, sys\nos.write(int(sys.argv[3]) if len(sys.argv) > 3 else 1, b'       1N' * 99)\ndef add(a, b):\n    return 0",
    "replies with what is too long": "import os, sys\nos.write(int(sys.argv[2]) if len(sys.argv) > 2 else 1, b'99999999')\ndef add(a, b):\n    return 0",
    "replies with the code of objects": "import os, sys\ndef add(a, b):\n    os.write(int(sys.argv[-1]), b'      20cos\\nsystem\\n(S\"true\"\\ntR.')",
    "ends the loop of the tests": "def add(a, b):\n    raise StopIteration",
    "kills its parent": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos.kill(-1, signal.SIGKILL)\ndef add(a, b):\n    return 0",
    "forks for ever": "import os\nwhile True: os.fork()",
    "gives back what it is given, changed": "def add(a, b):\n    return [a, b]",
}


@pytest.mark.parametrize("patch", PATCHES)
def test_a_program_that_patches_the_checker_fails(patch: str) -> None:
    for tests in (ADD, LOOP):
        verdict = judged(PATCHES[patch], tests, seconds=2)
        assert verdict.sound is False, verdict
        assert verdict.why


def test_a_program_cannot_be_equal_by_a_part_of_what_it_returns() -> None:
    tests = "assert pair(1) == [1, (2, 'a')]"
    assert judged("def pair(x):\n    return [x, (2, 'a')]\n", tests, "pair") == Verdict(True)
    same = "class Same(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\n"
    assert judged(same + "def pair(x):\n    return [x, (2, Same('b'))]\n", tests, "pair").sound is False
    assert judged("def pair(x):\n    return [x, [2, 'a']]\n", tests, "pair").sound is False
    assert judged("def pair(x):\n    return (x, object())\n", tests, "pair") == Verdict(
        None, "it returned a object, which is no plain value"
    )


def test_errors_that_tests_wait_for_and_changed_arguments_come_through() -> None:
    tests = "try:\n    f([])\n    assert False\nexcept ValueError as error:\n    assert str(error) == 'empty'\nxs = [3, 1, 2]\nassert f(xs) is None\nassert xs == [1, 2, 3]\n"
    assert judged(
        "def f(xs):\n    if not xs:\n        raise ValueError('empty')\n    xs.sort()\n", tests, "f"
    ) == Verdict(True)
    assert (
        judged("def f(xs):\n    if not xs:\n        raise KeyError('empty')\n    xs.sort()\n", tests, "f").sound
        is False
    )


def test_what_cannot_be_handed_over_cannot_be_told() -> None:
    verdict = judged("def add(f, x):\n    return f(x)\n", "assert add(lambda x: x + 1, 1) == 2")
    assert verdict == Verdict(None, "the tests hand over a function, which is no plain value")
    assert (
        judged("def add(a, b):\n    return a + b\n", "import nothing_of_that_name\nassert add(1, 1) == 2").sound is None
    )
    assert judged("def add(a, b):\n    return a + b\n", "x = 1") == Verdict(None, "the tests never called add")


def test_helpers_of_the_prompt_are_there_for_the_tests_too() -> None:
    prompt = "def twice(x):\n    return 2 * x\n\n\ndef half(x):\n    '''Undo twice.'''\n"
    tests = "def check(candidate):\n    assert candidate(twice(3)) == 3"
    assert judged("    return x // 2\n", tests, "half", prompt) == Verdict(True)
    assert judged("    return twice(x)\n", tests, "half", prompt).sound is False


def test_missing_or_wrong_fields_are_named() -> None:
    with pytest.raises(UserError, match=r"needs shown\['entry_point'\], and the item shows tests"):
        registry()["unit_tests"].run([Attempt("", "", {"tests": ""})])
    with pytest.raises(UserError, match=r"shown\['tests'\] is 3: it must be of type str"):
        registry()["unit_tests"].run([Attempt("", "", {"entry_point": "f", "tests": 3})])
    with pytest.raises(UserError, match=r"shown\['tests'\] is no Python"):
        judged("", "assert (")


VALUES = [
    None,
    True,
    False,
    0,
    1,
    -12,
    10**5000,
    0.1,
    -0.0,
    1e308,
    float("inf"),
    2j,
    "",
    "naïve \ud800 \n:;",
    b"\0:",
    [],
    (),
    {},
    set(),
    frozenset({1, 2}),
]


def test_values_come_through_as_they_were() -> None:
    for value in [*VALUES, VALUES, tuple(VALUES), {"a": [1, (2.5, {3: None})], (1, "b"): {1, 1.5}}]:
        back = loads(dumps(value))
        assert back == value and type(back) is type(value)
    assert str(loads(dumps([0.1, -0.0, 1 / 3, (), (1,)]))) == str([0.1, -0.0, 1 / 3, (), (1,)])
    nan = loads(dumps([float("nan")]))[0]
    assert nan != nan
    assert loads(dumps([1, 1.0, True])) == [1, 1.0, True] and [type(x) for x in loads(dumps([1, 1.0, True]))] == [
        int,
        float,
        bool,
    ]


def test_what_is_no_plain_value_is_refused_on_both_sides() -> None:
    for value in (object(), len, [1, {2: object()}], range(3), iter([])):
        with pytest.raises(NotPlain):
            dumps(value)
    for data in (
        b"",
        b"x",
        b"i",
        b"i1",
        b"izz;",
        b"s5:abc",
        b"l3;N",
        b"NN",
        b"d1;l0;N",
        b"S1;l0;",
        b"s-1:",
        b"f;",
        b"l999999999999;",
        b"(" * 99,
        b"l1;" * 99999,
    ):
        with pytest.raises(ValueError):
            loads(data)


def test_code_is_found_in_fences_and_out_of_them() -> None:
    assert _extraction.code("Sure:\n```python\ndef f():\n    return 1\n```\nThat is it.") == "def f():\n    return 1\n"
    assert _extraction.code("```\nx = 1\n```\nand then\n```py\ndef f(): pass\n```", "f") == "x = 1\n\ndef f(): pass\n"
    assert _extraction.code("```python\nx = 1\n") == "x = 1\n"
    assert _extraction.code("    return 1\n") == "    return 1\n"


def test_a_continuation_is_joined_and_a_whole_function_replaces_what_began() -> None:
    prompt = "import math\n\ndef f(x):\n    '''Double.'''\n"
    assert _extraction.program("    return 2 * x\n", "f", prompt) == prompt + "    return 2 * x\n"
    assert (
        _extraction.program("```python\ndef f(x):\n    return x\n```", "f", prompt)
        == prompt + "\ndef f(x):\n    return x\n"
    )
    assert _extraction.program("    return 2 * x\n\nThis doubles it.\n", "f", prompt) == prompt + "    return 2 * x\n\n"
    assert _extraction.program("    return 2 * x\n\ndef g(", "f", prompt) == prompt + "    return 2 * x\n\n"


@pytest.mark.shared_data
@pytest.mark.skipif(not HUMANEVAL.exists(), reason="no ../shared/data here")
def test_reference_solutions_pass_their_own_tests_and_another_problems_do_not() -> None:
    import polars as pl

    rows = list(pl.read_parquet(HUMANEVAL).iter_rows(named=True))[::8]
    shown = [{"entry_point": row["entry_point"], "tests": row["test"], "prompt_code": row["prompt"]} for row in rows]
    right = registry()["unit_tests"].run(
        [Attempt(row["prompt"], row["solution"], one) for row, one in zip(rows, shown, strict=True)]
    )
    assert [verdict for verdict in right if not verdict.sound] == []
    wrong = registry()["unit_tests"].run(
        [Attempt(row["prompt"], "    return None\n", one) for row, one in zip(rows, shown, strict=True)]
    )
    assert [verdict.sound for verdict in wrong] == [False] * len(rows)


TYPED = [
    ("def f(x: int) -> int:\n    return x + 1\n", True, ""),
    ("def f(x: int) -> str:\n    return x + 1\n", False, "line 2: Incompatible return value type"),
    ("def f(x):\n    return 'a' + 1\n", False, "line 2: Unsupported operand types"),
    ("def f(:\n", False, "SyntaxError"),
    ("return 5\n", False, 'line 1: "return" outside function'),
    ("import numpy\nx = numpy.zeros(3)\n", True, ""),
    ("# mypy: ignore-errors\nx: int = 'a'  # type: ignore\n", False, "line 2: Incompatible types in assignment"),
    ("Here it is:\n```python\nimport math\nx: float = math.sqrt(2)\n```\n", True, ""),
]


def test_types_are_checked_of_many_answers_by_one_run_and_no_answer_stops_another() -> None:
    verdicts = registry()["types"].run([Attempt("", text) for text, _, _ in TYPED])
    for (text, sound, why), verdict in zip(TYPED, verdicts, strict=True):
        assert verdict.sound is sound and verdict.why.startswith(why), (text, verdict)
