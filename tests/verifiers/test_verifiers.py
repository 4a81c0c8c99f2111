"""Checks of values, JSON, assignments, claims, sums and proofs."""

import json
import os
import sys
from pathlib import Path

import pytest

from checking import judged
from outgrow.core.errors import UserError
from outgrow.verifiers import Attempt, Verdict, registry
from outgrow.verifiers._extraction import final, json_text
from outgrow.verifiers.arithmetic import _equations, value
from outgrow.verifiers.equal import number
from outgrow.verifiers.sandbox.jobs import LostJob, run_jobs
from outgrow.verifiers.sandbox.programs.sources import SOLVER, Program
from outgrow.verifiers.smt import claim

GSM8K = Path(__file__).parents[3] / "shared" / "data" / "gsm8k_w2s" / "gsm8k_w2s.parquet"


# Equality


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("so\n#### 1,234\nindeed", "1,234"),
        (r"thus \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
        ("The answer is: 7.", "7"),
        ("The answer is 3.5.\n", "3.5"),
        ("Answer: 8 because 2 is prime. Done", "8"),
        ("a\n b \n", "b"),
        ("", ""),
    ],
)
def test_the_final_value_of_an_answer_is_found(answer: str, value: str) -> None:
    assert final(answer) == value


def test_numbers_are_compared_as_numbers_however_they_are_written() -> None:
    for text, same in (
        ("1,000", True),
        ("$1000.", True),
        ("1000.00", True),
        ("2000/2", True),
        ("1e3", True),
        ("1000 dollars", True),
        ("1001", False),
        ("-1000", False),
        ("10,00", None),
    ):
        found = number(text)
        assert (found == 1000 if found is not None else None) is same, text
    assert judged("equal", "#### 72", value=72) == Verdict(True)
    assert judged("equal", "#### 71", value="72") == Verdict(False, "71 is not 72")
    # 1 / 3 = .33333333..., off by 3.3e-9 of 1 / 3: within 1e-6; .3333 is off by 1e-4 of it.
    assert judged("equal", "#### 0.333333333", value="1/3").sound is True
    assert judged("equal", "#### 0.3333", value="1/3").sound is False
    assert judged("equal", "", value="72") == Verdict(None, "no answer")


@pytest.mark.sandbox
def test_expressions_are_compared_as_expressions_and_one_that_hangs_stops_no_other() -> None:
    cases = [
        (r"\boxed{(x+1)^2}", "x^2+2*x+1", True),
        (r"\boxed{x+2}", "x+1", False),
        (r"\boxed{9^{9^{9^{9}}}}", "7", False),
        (r"\boxed{\frac{1}{\sqrt{2}}}", r"\sqrt{2}/2", True),
        (r"\boxed{\{2,1\}}", r"\{1,2\}", True),
        ("__import__('os').system('echo')", "5", None),
    ]
    verdicts = registry()["equal"].run([Attempt("", answer, {"value": value}) for answer, value, _ in cases], seconds=2)
    assert [verdict.sound for verdict in verdicts] == [sound for *_, sound in cases], verdicts
    assert verdicts[2].why == "time"


@pytest.mark.sandbox
def test_a_job_that_hangs_or_falls_is_lost_alone() -> None:
    program = Program(
        "odd.py",
        b"import os\ndef answer(job):\n    while job == 'hang': pass\n    if job == 'fall': os._exit(3)\n    if job == 'raise': 1 / 0\n    return job * 2\n",
    )
    replies = run_jobs(program, "json", [1, "hang", 2, "fall", "raise", 3], "trying", seconds=1)
    assert replies == [
        2,
        LostJob("time"),
        4,
        LostJob("failed: "),
        LostJob("failed: ZeroDivisionError: division by zero"),
        6,
    ]


def test_a_package_that_is_missing_is_told_with_its_install_line() -> None:
    with pytest.raises(UserError, match=r"pip install 'outgrow\[verify\]'"):
        run_jobs(SOLVER, "no_such_package", [1], "trying")


# JSON schema

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "s": {"type": "string", "pattern": "^(a+)+$"}},
    "required": ["a"],
}


def test_json_is_found_in_an_answer() -> None:
    assert json_text('say ```json\n{"a": 1}\n``` done') == '{"a": 1}'
    assert json_text('{"a": {"b": 1}}') == '{"a": {"b": 1}}'
    assert json_text('first {"a": 1} then {"a": {"b": [2]}} so') == '{"a": {"b": [2]}}'
    assert json_text("nothing { here ]") is None
    assert json_text('{"a": NaN}') is None
    assert json_text("[" * 5000) is None


@pytest.mark.sandbox
def test_json_keeps_to_its_schema_or_says_where_not() -> None:
    answers = [
        '{"a": 1}',
        '{"a": "x"}',
        "none",
        '{"b": 1}',
        json.dumps({"a": 1, "s": "a" * 40 + "!"}),
        '{"a": 1, "s": "aa"}',
    ]
    verdicts = registry()["schema"].run([Attempt("", answer, {"schema": SCHEMA}) for answer in answers], seconds=1)
    assert [verdict.sound for verdict in verdicts] == [True, False, False, False, False, True]
    assert [verdict.why for verdict in verdicts][1:5] == [
        "$.a: 'x' is not of type 'integer'",
        "no JSON in the answer",
        "$: 'a' is a required property",
        "time",
    ]
    with pytest.raises(UserError, match="no JSON schema"):
        judged("schema", "{}", schema={"type": 3})
    with pytest.raises(UserError, match=r"needs shown\['schema'\], and the item shows nothing"):
        judged("schema", "{}")


# SMT

SUM = "(declare-const x Int)(declare-const y Int)(assert (= (+ x y) 10))(assert (= (- x y) 2))"


@pytest.mark.sandbox
def test_values_are_sound_where_they_make_every_assertion_true() -> None:
    colour = "(declare-datatypes ((Colour 0)) (((Red) (Green))))(declare-const c Colour)(declare-const p Bool)(declare-const r Real)(assert (and p (not (= c Red)) (= (* 2 r) 1.0)))"
    cases = [
        (SUM, "x = 6, y = 4", True),
        (SUM, "first x = 1\nbut no: x: 6 and y: 4.", True),
        (SUM, "x = 6\ny = 5", False),
        (SUM, "x = 6", False),
        (SUM, "x = 6.5, y = 3.5", False),
        (SUM, "x = z, y = 4", False),
        (SUM, "I do not know", None),
        (colour, "c = Green, p = True, r = 1/2", True),
        (colour, "c = Green, p = true, r = 0.5", True),
        (colour, "c = Red, p = true, r = 0.5", False),
    ]
    verdicts = registry()["smt"].run([Attempt("", answer, {"smt": known}) for known, answer, _ in cases])
    assert [verdict.sound for verdict in verdicts] == [sound for *_, sound in cases], verdicts
    assert verdicts[2].why == "does not hold: x + y == 10"


@pytest.mark.sandbox
def test_a_claim_is_sound_where_its_negation_cannot_be_satisfied() -> None:
    fermat = "(declare-const a Int)(declare-const b Int)(declare-const c Int)(assert (and (> a 0) (> b 0) (> c 0)))"
    cases = [
        (SUM, "(> x y)", True),
        (SUM, "I say\n```\n(= (* x y) 24)\n```", True),
        (SUM, "(< x y)", False),
        (SUM, "(> x nothing)", False),
        (SUM, "true) (assert false", None),
        (fermat, "(not (= (+ (* a a a) (* b b b)) (* c c c)))", None),
    ]
    verdicts = registry()["smt"].run(
        [Attempt("", answer, {"smt": known, "asks": "claim"}) for known, answer, _ in cases], seconds=2
    )
    assert [verdict.sound for verdict in verdicts] == [sound for *_, sound in cases], verdicts


def test_a_claim_is_one_term_and_brings_no_command_along() -> None:
    assert claim("so\n(> x (+ y 1))") == "(> x (+ y 1))"
    assert claim("p") == "p"
    for text in ("(a) (b)", "a b", "(a", "a)", "(a) ; c", "(|a| b)", "", '(= s "x")'):
        assert claim(text) is None, text


@pytest.mark.sandbox
def test_smt_says_what_is_wrong_with_an_item() -> None:
    with pytest.raises(UserError, match="cannot be read by z3"):
        judged("smt", "x = 1", smt="(assert")
    with pytest.raises(UserError, match="'asks'"):
        judged("smt", "x = 1", smt=SUM, asks="what")


# Arithmetic


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("48 / 2 = 24 clips, so 48 + 24 = 72.", True),
        ("48 / 2 = 25 clips", False),
        ("She has $<<18*8=144.00>>144.00 and 1,000 - 1 = 999", True),
        ("<<18*8=145>>", False),
        ("2 / 3 = 0.67 and 2 / 3 = .66 and 10 / 4 = 2.5", True),
        ("10 / 3 = 3", None),
        ("10 / 3 = 5", False),
        ("20% x 50 = 10, 5 / 20 = 25%, 3 × 4 ÷ 2 − 1 = 5", True),
        ("2 * (3 + 4) = 2 * 7 = 14", True),
        ("2 * (3 + 4) = 2 * 7 = 15", False),
        ("-5 + 3 = -2", True),
        ("S + 30 + 46 = 103, so S - 3 = 5 and 2x + 3 = 5", None),
        ("Week 2 = 35 + 36 hours; at 6:00 + 48 = 6:48; half of 20 + 4 = 12; 1 and 1/4 = 1.25", None),
        ("20 feet / 10 feet/second = 2 seconds", None),
        ("no numbers at all", None),
        ("1 / 0 = 5", None),
        ("2^3 = 8, 5! = 120", None),
    ],
)
def test_every_sum_in_a_text_is_worked_out_again(text: str, sound: bool | None) -> None:
    assert judged("arithmetic", text).sound is sound, list(_equations(text))


def test_expressions_are_worked_out_as_python_does() -> None:
    from fractions import Fraction

    import numpy as np

    rng = np.random.default_rng(3)
    for _ in range(300):
        tokens = [str(rng.integers(1, 30))]
        for _ in range(rng.integers(0, 6)):
            tokens += [str(rng.choice(list("+-*/"))), str(rng.integers(1, 30))]
            if rng.random() < 0.3:
                tokens = ["(", *tokens, ")"]
        assert value(tokens) == eval(" ".join(f"Fraction({token})" if token.isdigit() else token for token in tokens))
    for broken in (["1", "+"], ["(", "1"], ["1", "2"], ["*"], [], ["1"] + ["+", "1"] * 40):
        assert value(broken) is None
    assert value(["1", "/", "3"]) == Fraction(1, 3)


@pytest.mark.shared_data
@pytest.mark.skipif(not GSM8K.exists(), reason="no ../shared/data here")
def test_solutions_with_wrong_sums_are_seldom_right() -> None:
    import polars as pl

    rows = pl.read_parquet(GSM8K).filter(pl.col("split") == "train_w2s")[:1500]
    verdicts = registry()["arithmetic"].run([Attempt("", text) for text in rows["weak_llama2_7b"]])
    right = [
        number(final(text)) == number(answer)
        for text, answer in zip(rows["weak_llama2_7b"], rows["answer"], strict=True)
    ]
    unsound = [r for r, verdict in zip(right, verdicts, strict=True) if verdict.sound is False]
    assert len(unsound) > 100
    assert sum(unsound) / len(unsound) < 0.12 < 0.3 < sum(right) / len(right)


# Lean

PREFIX = """#!/bin/sh
echo "{prefix}"
"""
FAKE = f"""#!/python/bin/python3
import os, re, sys
assert not os.path.exists({str(Path.cwd())!r})
text = open(sys.argv[1]).read()
name = re.findall(r"#print axioms (\\S+)", text)[0]
if "rfl" not in text:
    print("Answer.lean:2:2: error: unsolved goals"); sys.exit(1)
while "hang" in text: pass
if "packages" in text: print(os.environ["LEAN_PATH"], file=sys.stderr)
print(f"'{{name}}' depends on axioms: [propext, {{'myAxiom' if 'classical' in text else 'Quot.sound'}}]" if "exact" in text else f"'{{name}}' does not depend on any axioms")
"""
THEOREM = "import Mathlib\n\ntheorem two : 1 + 1 = 2 := by\n"


@pytest.fixture
def a_lean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    prefix = tmp_path / "tool chain"
    (prefix / "bin").mkdir(parents=True)
    for path, text in ((tmp_path / "lean", PREFIX.format(prefix=prefix)), (prefix / "bin" / "lean", FAKE)):
        path.write_text(text)
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return prefix


@pytest.mark.sandbox
def test_lean_judges_tactics_and_the_axioms_they_rest_on(a_lean: Path) -> None:
    cases = [
        ("rfl", True, ""),
        ("```lean\ntheorem two : 1 + 1 = 2 := by\n  rfl\n```", True, ""),
        ("exact rfl", True, ""),
        ("classical exact rfl", False, "rests on myAxiom"),
        ("simp", False, "2:2: error: unsolved goals"),
        ("sorry -- rfl", False, "uses sorry"),
        ("rfl\n#eval 1", False, "uses #eval"),
        ('rfl\nmacro "#print" "axioms" i:ident : command => `(#eval 1)', False, "uses macro"),
        ("", False, "no proof"),
    ]
    verdicts = registry()["lean"].run([Attempt("", answer, {"lean": THEOREM}) for answer, *_ in cases])
    for (answer, sound, why), verdict in zip(cases, verdicts, strict=True):
        assert (verdict.sound, verdict.why) == (sound, why), answer
    assert registry()["lean"].run([Attempt("", "rfl -- hang", {"lean": THEOREM})], seconds=1) == [
        Verdict(False, "time")
    ]


def test_without_lean_it_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert judged("lean", "rfl", lean=THEOREM) == Verdict(None, "no lean on PATH")
    with pytest.raises(UserError, match="must end in a theorem's ':= by'"):
        judged("lean", "rfl", lean="theorem two : 1 = 1")


# All of them


def test_every_verifier_has_a_line_and_says_what_it_needs() -> None:
    known = registry()
    assert {
        "arithmetic",
        "compare",
        "critic",
        "equal",
        "lean",
        "schema",
        "smt",
        "types",
        "unit_tests",
        "weaver",
    } <= set(known)
    for one in known.values():
        assert one.line and one.needs[0] == "attempts", one.name


def test_nothing_heavy_is_imported_to_list_them() -> None:
    import subprocess

    text = "import sys\nfrom outgrow.verifiers import registry\nregistry()\nprint({'torch', 'z3', 'mypy', 'sympy', 'jsonschema', 'transformers', 'scipy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout == "set()\n"
