"""Recorded answers: how tables are read, how gold chooses its scorer, and lists of columns as in the README."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outgrow import cli
from outgrow.cli import settings
from outgrow.core.errors import UserError
from outgrow.generation import Sampling
from outgrow.generation.candidates import choice
from outgrow.store import Store
from outgrow.tasks.drafts import GenerationDraft, build_generation
from outgrow.tasks.generation import load
from outgrow.tasks.source import TASKS, Dial, generation_source
from outgrow.tasks.tables.files import listed, read_file
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.prompts import Columns, from_table
from outgrow.training.names import named
from outgrow.workflows.committee import committee
from outgrow.workflows.text_study import TextStudy

SHARED = Path(__file__).parents[3] / "shared" / "faults"


@pytest.fixture(autouse=True)
def isolated(tmp_path, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)


def run(tmp_path, rows: list[dict] | str, file: str = "t.csv", answers: tuple[str, ...] = (), **columns) -> dict:
    """The facts of a committee on a table with these rows."""
    path = tmp_path / file
    if isinstance(rows, str):
        path.write_text(rows)
    elif file.endswith(".jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        frame = pl.DataFrame(rows)
        frame.write_parquet(path) if file.endswith(".parquet") else frame.write_csv(path)
    return committee(
        str(path),
        answers=answers,
        columns=Columns(**columns),
        out=tmp_path / "out",
        overwrite=True,
        store=Store(tmp_path / "store"),
    ).facts


def right(facts: dict, choice: str = "single") -> float:
    return next(f["right"]["value"] for f in facts["figures"] if f["choice"] == choice and f["k"] == facts["most"])


def verdicts(yes: object, no: object) -> list[dict]:
    """Three of four answers are right."""
    return [
        {"item": f"q{i}", "model": f"m{j}", "answer": str(i + 10 * (i + j == 3)), "correct": no if i + j == 3 else yes}
        for i in range(4)
        for j in range(2)
        if i + j != 4
    ]


@pytest.mark.parametrize(
    "pair",
    [
        ("1", "0"),
        ("1.0", "0.0"),
        ("true", "false"),
        ("True", "False"),
        ("yes", "no"),
        ("C", "I"),
        ("correct", "incorrect"),
        ("Right", "WRONG"),
    ],
)
def test_verdicts_in_words_mean_what_ones_and_zeros_do(pair, tmp_path):
    facts = run(tmp_path, verdicts(*pair))
    # Seven answers, q2 of m1 wrong and q3 of m0 wrong: items at 1, 1, 1/2, 0.
    assert (
        right(facts) == pytest.approx(2.5 / 4)
        and facts["scorer"] == "correct"
        and facts["compared"]["form"] == "number"
    )


@pytest.mark.parametrize("file", ["t.parquet", "t.jsonl"])
@pytest.mark.parametrize("pair", [(True, False), (1, 0), (1.0, 0.0)])
def test_verdicts_of_any_type_mean_the_same(pair, file, tmp_path):
    assert right(run(tmp_path, verdicts(*pair), file)) == pytest.approx(2.5 / 4)


@pytest.mark.parametrize(
    ("yes", "no", "shown"),
    [
        ("C", "P", "'P'"),
        ("good", "bad", "'good'"),
        ("2", "1", "'2'"),
        ("1", "false", "'false'"),
        ("0.9", "0.1", "'0.9'"),
        ("yes", "0", "'0'"),
        ("1", "-1", "'-1'"),
    ],
)
def test_verdicts_that_say_neither_are_one_line(yes, no, shown, tmp_path):
    with pytest.raises(UserError, match=rf"column 'correct' holds {shown} in line.*: write 1 or 0") as caught:
        run(tmp_path, verdicts(yes, no))
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def table(gold: list, answers: list, more: list | None = None) -> list[dict]:
    return [
        {"prompt": f"Question {i}", "answer": g, "m1": a, "m2": b}
        for i, (g, a, b) in enumerate(zip(gold, answers, more or answers, strict=True))
    ]


@pytest.mark.parametrize(
    ("gold", "answers", "scorer", "want"),
    [
        (["1/2", "3/4", "5"], ["The answer is 3/2.", "It is 1/4", "#### 5"], "number", 1 / 3),
        (["12", "13"], ["The balance is -$12.", "It is −13 euro."], "number", 0),
        (
            ["10", "11"],
            ["#### Step 1: add\n0 + 10 = 10\n#### Step 2: say it\nThe sum is 10.", "The sum is 11."],
            "number",
            1,
        ),
        (["1 000 000", "2 000 000"], ["There are 2 000 000", "2,000,000 of them"], "number", 0.5),
        (["so 20 - 2 = <<20-2=18>>18\n#### 18", "#### 4"], ["18", "It is 5"], "number", 0.5),
        (["A", "B", "C"], ["The answer is A.", "(B) because of this", "A"], "letter", 2 / 3),
        (["b", "c"], ["B", "C) Mars"], "letter", 1),
        (["(A)", "D."], ["A", "D"], "letter", 1),
        (["yes", "no"], ["Yes.", "NO"], "words", 1),
        (["Paris", "New  York"], ["paris", "Newark"], "words", 0.5),
        (["f(a=1)", "none"], ["f(a=1)", "f()"], "words", 0.5),
    ],
)
def test_gold_chooses_what_it_is_compared_by(gold, answers, scorer, want, tmp_path):
    facts = run(tmp_path, table(gold, answers), "t.jsonl", ("m1", "m2"))
    assert facts["scorer"] == scorer == facts["compared"]["form"] and facts["compared"]["by_default"] == [
        "scorer",
        "form",
    ]
    assert right(facts) == pytest.approx(want)


@pytest.mark.parametrize(
    "gold",
    [
        ["5", "6", "seven apples pie", "8"],
        ["5", "10:30", "7", "8"],
        ["Paris", "1984", "Rome", "Oslo"],
        ["A", "5", "B", "7"],
    ],
)
def test_gold_that_is_partly_numbers_is_asked_about_with_its_rows(gold, tmp_path):
    with pytest.raises(
        UserError,
        match=r"of 4 golds \d are numbers; lines? [\d, ]+ holds? (no )?numbers "
        r".*`scorer` = number, letter, words or exact",
    ) as caught:
        run(tmp_path, table(gold, gold), answers=("m1", "m2"))
    assert "\n" not in str(caught.value)
    # Said, it is done: the rows that are no numbers are refused by their own scorer, or left out, or all are words.
    assert right(run(tmp_path, table(gold, gold), answers=("m1", "m2"), scorer="words")) == 1


def test_gold_that_its_own_scorer_calls_wrong_is_refused_with_its_rows_or_left_out_and_counted(tmp_path):
    rows = table(["5", "10:30", "7", "n/a"], ["5", "10:30", "8", "n/a"])
    with pytest.raises(
        UserError, match=r"gold is wrong by its own scorer \(number\) in lines 3, 5 \('10:30'\).*`skip_bad_rows`"
    ):
        run(tmp_path, rows, answers=("m1", "m2"), scorer="number")
    facts = run(tmp_path, rows, answers=("m1", "m2"), scorer="number", skip_bad_rows=True)
    assert (
        facts["items"] == 2
        and facts["counts"] == {"rows": 4, "left out: gold is wrong by its own scorer": 2}
        and right(facts) == 0.5
    )
    for scorer in ("number", "letter"):
        with pytest.raises(UserError, match="wrong by its own scorer"):
            from_table(read_file(tmp_path / "t.csv"), Columns(scorer=scorer), None)
    with pytest.raises(UserError, match="no row is left whose gold its own scorer"):
        run(tmp_path, table(["n/a"], ["5"]), answers=("m1", "m2"), scorer="number", skip_bad_rows=True)


def test_a_source_whose_gold_its_scorer_calls_wrong_is_at_fault():
    def broken(items, seed, dial):
        return build_generation(
            "broken", [GenerationDraft("p", "ten", "n/a")], items, verifier="", scorer="number", tokens=4
        )

    source = generation_source("broken", "", Dial("letters", 1, 3, 1))(broken)
    with (
        TASKS.lending(source),
        pytest.raises(ValueError, match=r"broken: gold is wrong by its own scorer \(number\): 'ten'"),
    ):
        load("broken:2")


LONG = "item,model,answer,gold\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LONG + "q1,m1,5,5\nq1,m2,6,6\nq2,m1,7,7\nq2,m2,7,7\n", r"an item has two golds, in lines 2, 3: give it one"),
        (LONG + "q1,m1,5,A\nq1,m2,6,B\n", r"an item has two golds, in lines 2, 3"),
        (
            "item,model,answer,gold,draw\nq1,m1,5,5,1\nq2,m1,7,7,\n",
            r"column 'draw' holds '' in line 3: number the answers",
        ),
        ("item,model,answer,gold,draw\nq1,m1,5,5,first\n", r"column 'draw' holds 'first' in line 2"),
        (
            "item,model,answer,gold,draw\nq1,m1,5,5,1\nq1,m1,6,5,1\n",
            r"one draw of a model is there twice, and otherwise, in lines 2, 3",
        ),
        ("item,model,answer,gold,prompt\nq1,m1,5,5,One?\nq1,m2,6,5,Two?\n", r"an item has two prompts, in lines 2, 3"),
        (LONG + "q1,m1,5,\n", r"no item, model or gold in line 2"),
    ],
)
def test_what_a_long_table_says_twice_or_not_at_all_is_one_line(text, says, tmp_path):
    with pytest.raises(UserError, match=says) as caught:
        run(tmp_path, text)
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def test_the_same_gold_spelled_twice_and_the_same_draw_twice_count_once(tmp_path):
    text = "item,model,answer,gold,draw\nq1,m1,6,5,10\nq1,m1,5,5.0,2\nq1,m1,5,5.0,2\nq2,m1,7,7,1\n"
    facts = run(tmp_path, text)
    kept = pl.read_parquet(tmp_path / "out" / "answers.parquet").filter(pl.col("prompt") == "q1")
    # Draw 2 stands before draw 10, and once.
    assert kept["answer"].to_list() == ["5", "6"] and right(facts) == pytest.approx(0.75)


def test_ragged_answers_are_scored_an_item_at_a_time(tmp_path):
    facts = run(tmp_path, LONG + "q1,m1,5,5\nq1,m2,6,5\nq2,m1,7,7\nq3,m2,7,7\n")
    assert right(facts) == pytest.approx(2.5 / 3) and right(facts, "coverage") == 1


@pytest.mark.parametrize("answers", [("m1", "m2"), ("m1,m2",), ("m1, m2",), ("m1", "m2,m1")])
def test_columns_of_answers_are_named_with_blanks_or_commas(answers, tmp_path):
    assert [m["name"] for m in run(tmp_path, table(["5", "6"], ["5", "6"]), answers=answers)["members"]] == ["m1", "m2"]


def test_a_column_with_a_comma_in_its_name_is_one_column(tmp_path):
    rows = [{"prompt": "q", "answer": "5", "a,b": "5", "a": "6", "c": "7"}]
    assert [m["name"] for m in run(tmp_path, rows, "t.parquet", ("a,b", "c,a"))["members"]] == ["a,b", "c", "a"]
    assert listed(["a,b", " c ,, d"], ["a,b"]) == ("a,b", "c", "d") and listed(["a b", "x"], []) == ("a b", "x")
    with pytest.raises(UserError, match="`answers` names no column: the columns are prompt"):
        run(tmp_path, rows, "t.parquet", (",",))
    with pytest.raises(UserError, match="no column 'd' for `answers`: the columns are prompt, answer, a,b, a, c"):
        run(tmp_path, rows, "t.parquet", ("a,b", "d"))


def test_votes_of_a_study_are_named_with_blanks_or_commas(tmp_path):
    pl.DataFrame({"question": ["q"], "solution": ["5"], "m,1": ["5"], "m2": ["5"], "m3": ["5"]}).write_csv(
        tmp_path / "t.csv"
    )

    for votes in (("m,1", "m2", "m3"), ("m,1", "m2,m3"), ("m,1", "m2, m3")):
        made = TextStudy(tasks=["t.csv"], seeds=1, student="lora", reading=Reading(votes=votes, scorer="number"))
        assert made.weak == ("column:m,1+column:m2+column:m3",) and made.reading.votes == ("m,1", "m2", "m3")
    assert settings.merge(None, {"methods": ["naive,logconf", "product"]}, Reading(), [])["methods"] == [
        "naive",
        "logconf",
        "product",
    ]


def test_the_values_of_a_split_are_named_with_blanks_or_commas(tmp_path):
    from outgrow.tasks import load as load_file

    rows = [{"text": f"text {i}", "label": str(i % 2), "split": ["a", "b", "c,d", "e"][i % 4]} for i in range(40)]
    pl.DataFrame(rows).write_csv(tmp_path / "t.csv")
    for test, pool in ((("a,b",), ("c,d", "e")), (("a", "b"), ("c,d", "e"))):
        task, _ = load_file("t.csv", Reading(test_values=test, pool_values=pool))
        assert len(task) == 40


def test_the_lines_of_the_command_run_as_printed(tmp_path, capsys):
    pl.DataFrame(
        {
            "question": [f"q{i}" for i in range(4)],
            "answer": ["1", "2", "3", "4"],
            **{f"model_{m}": ["#### 1", "2 + 2 = 4", "3", "9"] for m in "abc"},
        }
    ).write_parquet("answers.parquet")
    for extra in ([], ["--scorer", "equal"], ["--scorer", "exact", "--form", "words"], ["--scorer", "number"]):
        with pytest.raises(SystemExit) as stopped:
            cli.main(
                [
                    "committee",
                    "answers.parquet",
                    "--answers",
                    "model_a,model_b,model_c",
                    "--prompt",
                    "question",
                    "--gold",
                    "answer",
                    "--verifier",
                    "arithmetic",
                    "--overwrite",
                    *extra,
                ]
            )
        assert stopped.value.code == 0
        printed = capsys.readouterr().out
        assert (
            "answers are compared with gold by --scorer " + (extra[1] if extra else "number") in printed
            and "--form " in printed
        )
    assert "--scorer number" in next(Path("runs").rglob("committee.html")).read_text()


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"scorer": "slots"}, "`scorer` = slots has columns of its own"),
        ({"scorer": "sudoku"}, "`scorer` = sudoku checks more than a column"),
        ({"scorer": "arithmetic"}, "`scorer` = arithmetic checks more"),
        ({"scorer": "nix"}, "scorer 'nix': choose one of"),
        ({"form": "nix"}, "unknown form 'nix'"),
        ({"scorer": "json"}, r"wrong by its own scorer \(json\)"),
        ({"gold": "nix"}, "no column 'nix' for `gold`"),
    ],
)
def test_scorers_that_cannot_compare_a_column_of_gold_are_one_line(columns, says, tmp_path):
    with pytest.raises(UserError, match=says) as caught:
        run(tmp_path, table(["5", "6"], ["5", "6"]), answers=("m1", "m2"), **columns)
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def test_containers_are_no_answers_and_no_gold(tmp_path):
    for gold, answer in ((["5"], ["6"]), ("5", ["6"]), ({"a": 1}, "5")):
        with pytest.raises(UserError, match=r"(list|dict) in line 1, not"):
            run(tmp_path, [{"prompt": "q", "answer": gold, "m1": answer, "m2": answer}], "t.jsonl", ("m1", "m2"))
    facts = run(
        tmp_path,
        [{"prompt": "q", "answer": {"a": 1}, "m1": '{"a": 1}', "m2": "{}"}],
        "t.jsonl",
        ("m1", "m2"),
        scorer="json",
    )
    assert right(facts) == 0.5
    assert (
        right(
            run(
                tmp_path,
                [{"prompt": "q", "answer": {"a": 1}, "m1": '{"a":' * 50_000 + "1" + "}" * 50_000}],
                "t.jsonl",
                ("m1",),
                scorer="json",
            )
        )
        == 0
    )


def test_a_tied_majority_is_the_mean_over_the_tied_answers_in_any_order_of_models(tmp_path):
    rows = [{"prompt": f"q{i}", "answer": "1", "x": "1", "y": str(1 + i % 2), "z": str(1 + i % 3)} for i in range(12)]
    # By i mod 6 (y, z): (1,1) (2,2) (1,3) (2,1) (1,2) (2,3): right 1, 0, 1, 1, 1 and, all three apart, 1/3.
    found = [right(run(tmp_path, rows, answers=names), "majority") for names in permutations("xyz")]
    assert found == pytest.approx([(4 + 1 / 3) / 6] * 6)


def test_no_choice_depends_on_the_order_of_answers():
    rng = np.random.default_rng(0)
    n = 6
    for _ in range(50):
        form, standing = rng.integers(-1, 3, (1, n)), rng.integers(0, 3, (1, n)).astype(np.int8)
        said = choice.VerdictTable(standing, rng.choice([0.0, 0.5], (1, n)))
        among, order = rng.random((4, n)) < 0.7, rng.permutation(n)
        among[:, 0] = True
        moved = choice.VerdictTable(standing[:, order], said.score[:, order])
        for one, other in (
            (choice.majority(among, form), choice.majority(among[:, order], form[:, order])),
            (choice.voted(among, said, form), choice.voted(among[:, order], moved, form[:, order])),
            (choice.verified(among, said, form), choice.verified(among[:, order], moved, form[:, order])),
        ):
            assert np.allclose(one[..., order], other) and np.allclose(one.sum(-1), 1)


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/faults")
def test_the_shared_inputs_give_what_they_should(tmp_path):
    def at(file: str, answers: tuple[str, ...] = ()) -> float:
        return right(
            committee(
                str(SHARED / file),
                answers=answers,
                out=tmp_path / "out",
                overwrite=True,
                store=Store(tmp_path / "store"),
            ).facts
        )

    assert {round(at(f"10-recorded-correct-C-I/{name}.csv"), 6) for name in ("ci", "yesno", "one_zero")} == {
        round(91 / 120, 6)
    }
    both = ("m1", "m2")
    assert [
        at(f"11-number-scorer-not-a-number/{name}", both) for name in ("frac.csv", "sign.csv", "headings.jsonl")
    ] == [0, 0, 1]
    letters = pl.read_parquet(SHARED / "exports" / "arc_ans.parquet")
    assert (
        at("exports/arc_ans.parquet") == pytest.approx((letters["answer"] == letters["gold"]).fill_null(False).mean())
        and letters.height == 5860
    )
    for name, says in (
        ("two_golds.csv", "an item has two golds, in lines 2, 3"),
        ("null_draw.parquet", "column 'draw' holds None in row 2"),
    ):
        with pytest.raises(UserError, match=says):
            at(f"18-recorded-two-golds-and-null-draw/{name}")
    assert at("18-recorded-two-golds-and-null-draw/ragged.csv") == pytest.approx(2.5 / 3)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"draw": [1, None, 3]}, "column 'draw' holds None in row 2"),
        ({"draw": ["1", "2", "last"]}, "column 'draw' holds 'last' in row 3"),
        ({"draw": [0.5, 1, 2]}, "column 'draw' holds 0.5 in row 1"),
        ({"logprob": ["-1", "low", "-2"]}, "column 'logprob' holds 'low' in row 2"),
        ({"seed": ["x", "1", "2"]}, "column 'seed' holds 'x' in row 1"),
        ({"model": ["m", None, "m"]}, "column 'model' holds None in row 2"),
        ({"prompt": ["p", None, "p"]}, "column 'prompt' holds None in row 2: mend it$"),
        ({"draw": [1, 2, 2]}, "draw 2 for 'p' is there twice, and otherwise"),
    ],
)
def test_a_file_of_answers_that_lacks_what_it_needs_is_one_line(more, says, tmp_path):
    pl.DataFrame({"prompt": ["p"] * 3, "answer": ["a", "b", "c"], **more}, strict=False).write_parquet(
        tmp_path / "a.parquet"
    )
    with pytest.raises(UserError, match=says) as caught:
        named(f"answers:{tmp_path / 'a.parquet'}", Store(tmp_path / "store"))
    assert "\n" not in str(caught.value)


def test_draws_of_a_file_are_numbers_and_the_same_draw_twice_is_one(tmp_path):
    (tmp_path / "a.jsonl").write_text(
        "".join(
            json.dumps({"prompt": "p", "answer": a, "draw": d}) + "\n"
            for d, a in (("10", "ten"), ("2", "two"), ("2", "two"))
        )
    )
    model = named(f"answers:{tmp_path / 'a.jsonl'}", Store(tmp_path / "store"))
    assert [a.text for a in model.sample(["p"], 2, Sampling(), [])[0]] == ["two", "ten"]
