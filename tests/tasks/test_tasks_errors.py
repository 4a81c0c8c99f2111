"""What a user can get wrong about a task: one clear line each, with the place and the flag."""

import json
from pathlib import Path

import polars as pl
import pytest

from outgrow import tasks
from outgrow.core.errors import UserError
from outgrow.tasks import Reading
from outgrow.tasks.tables.formats import SUFFIXES

GOOD = [{"text": f"item {i}", "label": i % 2} for i in range(30)]
QUESTIONS = [{"question": f"q{i}", "choices": ["a", "b", "c"], "answer": i % 3} for i in range(30)]
PAIRS = [{"chosen": f"good {i}", "rejected": f"bad {i}"} for i in range(30)]


def says(name: object, reading: Reading | None = None) -> str:
    """The line that loading ends with."""
    with pytest.raises(UserError) as raised:
        tasks.load(str(name), reading)
    line = str(raised.value)
    assert "\n" not in line
    return line


def lines(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


def with_row(rows: list[dict], number: int, **values: object) -> list[dict]:
    return [r | values if i == number else r for i, r in enumerate(rows)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.jsonl"


def test_an_unknown_task_names_the_nearest_one() -> None:
    assert says("citys") == "unknown task 'citys': did you mean 'cities'?"


def test_a_file_that_is_not_there_names_its_neighbours(tmp_path: Path) -> None:
    lines(tmp_path / "train.jsonl", GOOD)
    assert says(tmp_path / "trian.jsonl") == f"no file {tmp_path / 'trian.jsonl'}: its folder has train.jsonl"


@pytest.mark.parametrize("name", ["t.xls", "t.txt", "t.csv.bz2", "t.gz", "some/where"])
def test_other_kinds_of_file_are_refused(name: str) -> None:
    assert says(name) == f"cannot read '{name}': give a {SUFFIXES} file, or hub:OWNER/NAME"


def test_flags_of_tables_do_nothing_for_built_in_tasks() -> None:
    assert "`label` is for tables" in says("cities", Reading(label="y"))


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("t.csv", b"", "is empty"),
        ("t.jsonl", b"\n \n", "is empty"),
        ("t.parquet", b"", "is empty"),
        ("t.csv", b"text,label\n", "has no rows"),
        ("t.csv", b"text,label\na,1\nb\n", "line 3 has 1 fields, the first line names 2 columns"),
        ("t.csv", b'text,label\n"a\nb",1\n\nc,0,9\n', "line 5 has 3 fields, the first line names 2 columns"),
        ("t.csv", b'text,label\na,1\n"b,0\n', "line 3: unexpected end of data"),
        ("t.csv", b"text,text\na,1\n", "names a column twice in its first line: text, text"),
        ("t.csv", b"text,label\na,1\nb\x81,0\n", "line 3 is not UTF-8 (byte 0x81): save the file as UTF-8"),
        ("t.jsonl", b'{"text": "\xc3\xa9"}\n{"text": "b\xe9"}\n', "line 2 is not UTF-8 (byte 0xe9), and other"),
        ("t.jsonl", b'{"text": "a", "label": 1}\n\n{"text": }\n', "line 3 is not JSON: Expecting value"),
        ("t.jsonl", b"[1, 2]\n", "line 1 is no JSON object: give one {...} a line"),
        ("t.parquet", b"PAR1 and then nothing", "is damaged or no parquet file"),
    ],
)
def test_a_broken_file_is_named_with_the_line(tmp_path: Path, name: str, content: bytes, line: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert f"{tmp_path / name} {line}" in says(tmp_path / name)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_a_truncated_parquet_file_is_named(tmp_path: Path, share: float) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame(GOOD).write_parquet(path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert f"{path} is damaged or no parquet file" in says(path)


def test_no_damage_to_a_parquet_file_ends_in_a_traceback(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.parquet", tmp_path / "t.parquet"
    pl.DataFrame(GOOD).write_parquet(whole)
    data = whole.read_bytes()
    expected, _ = tasks.load(str(whole))
    for place in range(0, len(data), 7):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        try:
            task, _ = tasks.load(str(path))
        except UserError as error:
            assert "\n" not in str(error)
        else:
            assert len(task) <= len(expected)


@pytest.mark.parametrize(
    ("rows", "reading", "line"),
    [
        (GOOD, Reading(label="gold"), "no column 'gold' for `label`: the columns are text, label"),
        (GOOD, Reading(group="author"), "no column 'author' for `group`: the columns are text, label"),
        (GOOD, Reading(votes=("rule",)), "no column 'rule' for `votes`: the columns are text, label"),
        (
            [{"text": "a", "y": 1}],
            None,
            "no column 'label' for the layout 'classify': name yours with `label`; the columns are text, y",
        ),
        (
            [{"body": "a", "label": 1}],
            None,
            "no column 'text' or 'question' or 'image' for the layout 'classify': "
            "name yours with `text` or `question` or `image`",
        ),
        (
            [{"chosen": "a", "worse": "b"}],
            None,
            "no column 'rejected' for the layout 'prefer': name yours with `rejected`",
        ),
        (
            [{"question": "a", "choices": ["b", "c"]}],
            None,
            "no column 'answer' for the layout 'choose': name yours with `answer`",
        ),
        (
            GOOD,
            Reading(label="label", chosen="text"),
            "contradictory flags `label` = label `chosen` = text: classify takes `text`/`question`/`image` `label`",
        ),
        (GOOD, Reading(text="text", label="text"), "`text` and `label` name the same column 'text': give one each"),
        (PAIRS, Reading(classes=("a", "b")), "`classes` is for the layout 'classify'"),
        (
            GOOD,
            Reading(test_values=("test",)),
            "`test_values` and `pool_values` need a column with the split: name it with `split`",
        ),
        (
            GOOD,
            Reading(votes=("label",)),
            "contradictory flags: column 'label' holds the gold, it cannot be in `votes`",
        ),
        (
            [r | {"question": "q"} for r in GOOD],
            None,
            "both 'text' and 'question' could be the text: say which with `text`, `question` or `template`",
        ),
        (
            [r | PAIRS[0] for r in GOOD],
            None,
            "fit more than one layout: say which with `label` (classify) or `rejected` (prefer)",
        ),
        ([r | {"label": 1} for r in QUESTIONS], None, "say which with `label` (classify) or `choices` (choose)"),
        (GOOD, Reading(template="{txt}"), "`template` has a field {txt} that is no column: known are label, text"),
        (
            GOOD,
            Reading(template="{text} {label}"),
            "`template` has the field {label}, which holds the gold: leave it out",
        ),
        (
            QUESTIONS,
            Reading(template="{question} {answer} {choice}"),
            "{answer}, which holds the gold: leave it out; {choice} is the text to judge",
        ),
        (QUESTIONS, Reading(template="{question}"), "`template` lacks the field {choice}"),
        (GOOD, Reading(template="{text"), "`template` = '{text': expected '}' before end of string"),
        (GOOD, Reading(template="{text!r}"), "a field is a column's name in braces and nothing else"),
        (GOOD, Reading(template="plain"), "has no {column} field"),
        (GOOD, Reading(items=0), "`items` = 0: give a number above 0"),
        ([r | {"label": 1} for r in GOOD], None, "every one of 30 items is of one class (1): give at least two"),
        (
            [r | {"label": i} for i, r in enumerate(GOOD)],
            None,
            "column 'label' has 30 values in 30 rows: name the label with `label`",
        ),
        (
            [r | {"label": i / 7} for i, r in enumerate(GOOD)],
            None,
            "column 'label' is no label: it holds 0.14285714285714285 in line 2",
        ),
        ([r | {"text": ["a"]} for r in GOOD], None, "column 'text' holds a list in line 1, not text"),
        (with_row(GOOD, 4, text="a\ud800"), None, "line 5 holds broken Unicode"),
        (
            [r | {"context": "same"} for r in GOOD],
            None,
            "30 of 30 rows have the same context or text, which makes them one group: name another column with `group`",
        ),
        (
            [r | {"group": "same"} for r in GOOD],
            None,
            "30 of 30 rows have the same group, which makes them one group: "
            "name another column with `group`, or ignore the column with `group` = none",
        ),
    ],
)
def test_columns_and_flags_that_do_not_fit_are_explained(
    path: Path, rows: list, reading: Reading | None, line: str
) -> None:
    assert line in says(lines(path, rows), reading)


@pytest.mark.parametrize(
    ("rows", "reading", "line"),
    [
        (with_row(GOOD, 3, text=""), None, "missing text in line 4"),
        (with_row(GOOD, 3, label=None), None, "missing label in line 4"),
        (
            with_row(GOOD, 3, label="maybe"),
            None,
            "labels maybe among others that are numbers (`classes` allows) in line 4",
        ),
        (
            with_row([r | {"label": "ab"[r["label"]]} for r in GOOD], 7, label=2),
            None,
            "labels 2 among others that are words",
        ),
        (with_row(GOOD, 3, label=7), Reading(classes=("0", "1")), "labels that are none of the classes 0, 1 in line 4"),
        (with_row(QUESTIONS, 3, question=None), None, "missing question in line 4"),
        (with_row(QUESTIONS, 3, choices=["a", "a"]), None, "fewer than two different choices in line 4"),
        (with_row(QUESTIONS, 3, choices=["a", ""]), None, "fewer than two different choices in line 4"),
        (with_row(QUESTIONS, 3, choices="a, b"), None, "fewer than two different choices in line 4"),
        (with_row(QUESTIONS, 3, answer=None), None, "missing answer in line 4"),
        (
            with_row(QUESTIONS, 3, answer=3),
            None,
            "answer that is none of the choices (an index counts from 0) in line 4",
        ),
        (with_row(PAIRS, 3, rejected=None), None, "missing rejected in line 4"),
        (with_row(PAIRS, 3, rejected=" good 3"), None, "chosen and rejected are the same in line 4"),
        (with_row([r | {"t": "x"} for r in GOOD], 3, t=""), Reading(template="{t}"), "empty text in line 4"),
        (with_row([r | {"id": i} for i, r in enumerate(GOOD)], 3, id=None), None, "missing id in line 4"),
    ],
)
def test_bad_rows_are_listed_or_left_out_and_counted(
    path: Path, rows: list, reading: Reading | None, line: str
) -> None:
    said = says(lines(path, rows), reading)
    assert line in said and said.endswith("mend them, or go on without them with `skip_bad_rows`")
    reading = Reading(**{**vars(reading or Reading()), "skip_bad_rows": True})
    task, _ = tasks.load(str(path), reading)
    counted = {name: n for name, n in task.counts.items() if name.startswith("rows left out")}
    assert list(counted.values()) == [1] and task.counts["rows"] == 30
    assert line.startswith(next(iter(counted)).removeprefix("rows left out: ").split(" (")[0])


def test_many_bad_rows_are_listed_by_their_first_few(path: Path) -> None:
    rows = [r | ({"text": None} if i % 2 else {}) for i, r in enumerate(GOOD)]
    assert "missing text in lines 2, 4, 6, 8, 10 and 10 more" in says(lines(path, rows))


def test_a_csv_row_is_known_by_its_line_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('text,label\n"two\nlines",0\n\nthree,1\n,1\n')
    assert "missing text in line 6" in says(path)


def test_a_parquet_row_is_known_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame(with_row(GOOD, 3, label=None)).write_parquet(path)
    assert "missing label in row 4" in says(path)


def test_no_row_left_is_an_error_even_where_bad_rows_are_skipped(path: Path) -> None:
    said = says(lines(path, [r | {"text": ""} for r in GOOD]), Reading(skip_bad_rows=True))
    assert "no row is left" in said and "missing text" in said


def test_an_id_that_stands_twice_is_shown_with_both_lines(path: Path) -> None:
    rows = with_row([r | {"id": f"n{i}"} for i, r in enumerate(GOOD)], 9, id="n2")
    assert "id 'n2' stands twice, in lines 3, 10: make it unique, or do without with `id` = none" in says(
        lines(path, rows)
    )


@pytest.mark.parametrize(
    ("values", "reading", "line"),
    [
        (
            "ab",
            Reading(),
            "column 'split' has the values a (15), b (15): "
            "say which are test with `test_values`, or ignore the column with `split` = none",
        ),
        (["test", "b"], Reading(), "say which are pool with `pool_values`"),
        (
            ["test", "train"],
            Reading(test_values=("tset",)),
            "no 'tset' in column 'split' for `test_values`: its values are test (15), train (15)",
        ),
        (
            ["test", "train"],
            Reading(test_values=("test",), pool_values=("test",)),
            "contradictory flags: 'test' is both in `test_values` and in `pool_values`",
        ),
    ],
)
def test_a_split_that_cannot_be_guessed_is_asked_for(path: Path, values: list, reading: Reading, line: str) -> None:
    assert line in says(lines(path, [r | {"split": values[i % 2]} for i, r in enumerate(GOOD)]), reading)


def test_a_pool_that_shares_all_its_groups_with_the_test_split_is_an_error(path: Path) -> None:
    rows = [r | {"group": i // 2, "split": ("train", "test")[i % 2]} for i, r in enumerate(GOOD)]
    assert "every pool row shares its group with the test split: name another `group`" in says(lines(path, rows))


@pytest.mark.parametrize(
    ("rows", "values", "line"),
    [
        (GOOD, [1, "x"], "votes in column 'v' that are none of 0, 1 in lines 2, 4, 6, 8, 10 and 10 more: mend them"),
        (GOOD, [0.5, 1.5], "votes in column 'v' that are none of 0, 1"),
        (GOOD, [[0.5, 0.5], [0.5, 0.6]], "votes in column 'v' that are none of 0, 1"),
        (GOOD, [[1, 0], [1]], "column 'v' for `votes`: every row needs a list of the same length"),
        (QUESTIONS, [0, 5], "votes in column 'v' that are none of the row's choices in lines 2, 4"),
        (PAIRS, ["chosen", "left"], "votes in column 'v' that are none of rejected, chosen"),
    ],
)
def test_votes_that_are_no_classes_are_listed(path: Path, rows: list, values: list, line: str) -> None:
    assert line in says(lines(path, [r | {"v": values[i % 2]} for i, r in enumerate(rows)]), Reading(votes=("v",)))


def test_an_answer_that_could_be_an_index_or_a_text_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("question,choices,answer\n" + "".join(f'q{i},"[1, 0]",{i % 2}\n' for i in range(30)))
    assert "column 'answer' could hold the text or the index of a choice: write letters A, B" in says(path)
