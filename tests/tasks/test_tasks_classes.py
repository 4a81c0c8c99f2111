"""What a cell of a column of gold or votes is, in every verb: a class, an abstention, or one line."""

import csv
import json
import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from outgrow import tasks
from outgrow.cli import main
from outgrow.core.errors import UserError
from outgrow.tasks import Reading
from outgrow.tasks.tables import annotators
from outgrow.tasks.tables.classes import ABSTENTIONS, MISSING, find, near
from outgrow.tasks.tables.files import read_file
from outgrow.tasks.task import FREE, Gold, Task
from outgrow.workflows import audit

N = 40
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.0*)?")
FAULTS = Path(__file__).resolve().parents[3] / "shared" / "faults"
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
needs_faults = pytest.mark.skipif(not FAULTS.is_dir(), reason="no ../shared/faults here")


def table(path: Path, columns: dict[str, list]) -> Path:
    """A file with a text an item and these columns, their values over and over."""
    rows = len(columns.get("text", ())) or N
    full = {"text": [f"item {i}" for i in range(rows)]} | {
        name: [values[i % len(values)] for i in range(rows)] for name, values in columns.items()
    }
    if path.suffix == ".jsonl":
        path.write_text(
            "".join(json.dumps({name: values[i] for name, values in full.items()}) + "\n" for i in range(rows))
        )
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file)
            out.writerow(full)
            out.writerows(zip(*full.values(), strict=True))
    else:
        pl.DataFrame(full).write_parquet(path)
    return path


def learned(path: Path, columns: dict[str, list], **flags: object) -> annotators.Annotations:
    """The table as `learn` and a wide `audit` read it, all columns but text, id and label being votes."""
    votes = tuple(name for name in columns if name not in ("text", "id", "label", "split"))
    return annotators.load(str(table(path, columns)), Reading(**{"votes": votes} | flags))  # type: ignore[arg-type]


def refused(path: Path, columns: dict[str, list], **flags: object) -> str:
    with pytest.raises(UserError) as raised:
        learned(path, columns, **flags)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def long(path: Path, rows: list[tuple], **flags: object) -> object:
    """The votes of a long table (item, worker, label[, gold]), as `audit` reads them."""
    names = ("item", "worker", "label", "gold")[: len(rows[0])]
    path.write_text("".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows))
    return audit.read(str(path), Reading(**flags))  # type: ignore[arg-type]


def answers(given: annotators.Annotations, name: str) -> list[str]:
    """What an annotator says in the order of the table, "" where it abstains."""
    votes, out = given.task.votes[name], [""] * len(given.task)
    for at, row in enumerate(given.row):
        out[row] = "" if np.isnan(votes[at]).any() else given.task.classes[int(votes[at].argmax())]
    return out


# abstentions


@pytest.mark.parametrize(
    "word",
    [
        "",
        " ",
        "-1",
        "-1.0",
        "-1.",
        " -1 ",
        "\u22121",
        "NA",
        "N/A",
        "none",
        "None",
        "NULL",
        "nan",
        "NaN",
        "skip",
        "SKIP",
        "?",
        "Abstain",
        "<NA>",
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_every_spelling_of_an_abstention_is_one_in_every_kind_of_file(tmp_path: Path, word: str, suffix: str) -> None:
    given = learned(tmp_path / f"t{suffix}", {"a": ["ham", "spam", word], "b": ["spam", "ham"]})
    assert given.task.classes == ("ham", "spam")
    assert answers(given, "a")[:6] == ["ham", "spam", "", "ham", "spam", ""]


@pytest.mark.parametrize("value", [-1, -1.0, None, float("nan"), "-1", "-1.0"])
def test_minus_one_as_an_integer_a_float_or_text_abstains_beside_numbers(tmp_path: Path, value: object) -> None:
    votes = [0, 1, value] if not isinstance(value, str) else ["0", "1", value]
    for suffix in (".jsonl", ".parquet"):
        given = learned(
            tmp_path / f"t{suffix}", {"label": [0, 1], "a": pl.Series(votes, strict=False).to_list(), "b": [1, 0]}
        )
        assert given.task.classes == ("0", "1") and answers(given, "a")[:3] == ["0", "1", ""]


@pytest.mark.parametrize("label", [-1, -1.0, "-1", "-1.0", "NA", "skip", None, ""])
def test_abstentions_of_a_long_table_are_no_votes(tmp_path: Path, label: object) -> None:
    rows = [(i, w, i % 2) for i in range(6) for w in "ab"] + [(0, "c", label), (1, "c", 1)]
    evidence = long(tmp_path / "v.jsonl", rows)
    assert evidence.votes.classes == ("0", "1") and len(evidence.votes.item) == 13


@pytest.mark.parametrize("label", [-1, -1.0, "-1", "", "skip"])
def test_abstentions_of_a_table_of_votes_beside_the_items_are_no_votes(tmp_path: Path, label: object) -> None:
    items = table(tmp_path / "t.csv", {"id": [f"{i:03d}" for i in range(N)]})
    rows = [
        {"item": f"{i:03d}", "worker": w, "label": i % 2 if w != "c" or i % 4 else label}
        for i in range(N)
        for w in "abc"
    ]
    (tmp_path / "v.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = annotators.load(str(items), Reading(), str(tmp_path / "v.jsonl"))
    assert given.task.classes == ("0", "1")
    assert [answers(given, "worker c").count(name) for name in ("", "0", "1")] == [10, 10, 20]


def test_words_of_the_user_abstain_in_columns_and_long_tables(tmp_path: Path) -> None:
    given = learned(
        tmp_path / "t.csv", {"a": ["ham", "spam", "Dunno"], "b": ["spam", "ham", "unsure"]}, abstain=("dunno", "unsure")
    )
    assert given.task.classes == ("ham", "spam") and answers(given, "b")[2] == "" == answers(given, "a")[2]
    evidence = long(
        tmp_path / "v.jsonl",
        [(i, w, "xy"[i % 2]) for i in range(4) for w in "ab"] + [(9, "a", "pass")],
        abstain=("pass",),
    )
    assert evidence.votes.classes == ("x", "y") and len(evidence.votes.item) == 8


@pytest.mark.parametrize("word", ["none", "skip", "abstain", "?", "skipped"])
def test_an_abstention_that_gold_calls_a_class_is_a_class(tmp_path: Path, word: str) -> None:
    given = learned(tmp_path / "t.csv", {"label": [word, "mild"], "a": [word, "mild", "", "NA"]})
    assert given.task.classes == tuple(sorted((word, "mild"))) and answers(given, "a")[:4] == [word, "mild", "", ""]


def test_an_abstention_in_another_case_than_a_class_is_asked_about(tmp_path: Path) -> None:
    columns = {"label": ["none", "mild"], "a": ["none", "mild", "None"]}
    assert "none of mild, none in lines 4, 7, 10" in refused(tmp_path / "t.csv", columns)
    assert answers(learned(tmp_path / "t.csv", columns, classes=("none", "mild")), "a")[2] == "none"
    assert (
        answers(
            learned(tmp_path / "t.csv", {"label": ["ham", "spam"], "a": ["HAM", "spam"]}, classes=("ham", "spam")), "a"
        )[0]
        == "ham"
    )
    assert (
        answers(learned(tmp_path / "t.csv", {"label": ["ham", "spam"], "a": ["eggs", "spam"]}, abstain=("EGGS",)), "a")[
            0
        ]
        == ""
    )


@pytest.mark.parametrize("word", ["-1", "NA", "nan", "none", "?"])
def test_an_abstention_that_is_asked_for_as_a_class_is_a_class(tmp_path: Path, word: str) -> None:
    given = learned(tmp_path / "t.csv", {"label": [word, "x"], "a": [word, "x", ""]}, classes=(word, "x"))
    assert given.task.classes == (word, "x") and answers(given, "a")[:3] == [word, "x", ""]
    assert sorted(np.bincount(given.gold.labels)) == [20, 20]


@pytest.mark.parametrize("word", MISSING)
def test_what_software_writes_for_a_missing_value_is_asked_about_in_gold(tmp_path: Path, word: str) -> None:
    columns = {"label": ["x", "y", word], "a": ["x", "y", "x"]}
    assert f"holds {word!r} in lines 4, 7, 10" in refused(tmp_path / "t.csv", columns) and "`abstain`" in refused(
        tmp_path / "t.csv", columns
    )
    unknown = learned(tmp_path / "t.csv", columns, abstain=(word,))
    assert unknown.task.classes == ("x", "y") and (unknown.gold.labels < 0).sum() == 13
    asked = learned(tmp_path / "t.csv", columns, classes=("x", "y", word))
    assert (asked.gold.labels >= 0).all()


@quick
@given(
    st.lists(
        st.sampled_from([*ABSTENTIONS, "-1", "-1.0", "-1.00", "", " ", *map(str.upper, ABSTENTIONS)]),
        min_size=1,
        max_size=8,
    )
)
def test_more_spellings_of_abstentions_never_change_the_classes(tmp_path: Path, words: list[str]) -> None:
    given = learned(tmp_path / "t.csv", {"a": ["ham", "spam", *words], "b": ["spam", "ham"]})
    assert given.task.classes == ("ham", "spam")
    assert answers(given, "a") == [
        "ham" if i % (len(words) + 2) == 0 else "spam" if i % (len(words) + 2) == 1 else "" for i in range(N)
    ]


# hidden gold


def loaded(path: Path, columns: dict[str, list], **flags: object) -> tuple[Task, Gold]:
    return tasks.load(str(table(path, columns)), Reading(**flags))  # type: ignore[arg-type]


@pytest.mark.parametrize("hidden", [-1, -1.0, None, "-1", "", "?!"])
def test_a_test_split_without_gold_is_said_and_test_items_are_drawn_from_the_others(
    tmp_path: Path, hidden: object, capsys
) -> None:
    label = [hidden if i % 2 else str(i // 2 % 2) for i in range(N)]
    task, gold = loaded(tmp_path / "t.jsonl", {"label": label, "split": ["train", "test"]}, abstain=("?!",))
    assert task.classes == ("0", "1") and np.bincount(gold.labels).tolist() == [10, 10] and (task.side == FREE).all()
    assert (
        "the test split has no gold in column 'label'; test items are drawn from the other rows"
        in capsys.readouterr().err
    )
    assert task.counts["rows left out: in the test split, whose gold is unknown"] == 20


@pytest.mark.parametrize("hidden", [-1, -1.0, "-1", "-1.0"])
def test_minus_one_among_training_labels_is_no_class_of_a_study(tmp_path: Path, hidden: object) -> None:
    with pytest.raises(UserError, match=r"a label that means unknown \(`classes` makes it a class\) in lines 3, 6, 9"):
        loaded(tmp_path / "t.jsonl", {"label": [0, 1, hidden]})
    task, _ = loaded(tmp_path / "t.jsonl", {"label": [0, 1, hidden]}, classes=("-1", "0", "1"))
    assert task.classes == ("-1", "0", "1")


def test_a_test_split_that_was_asked_for_needs_gold(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="missing label"):
        loaded(tmp_path / "t.jsonl", {"label": [0, None, 1, None], "split": ["train", "test"]}, test_values=("test",))


def test_questions_whose_test_answers_are_hidden_take_test_items_from_the_others(tmp_path: Path) -> None:
    rows = [
        {
            "question": f"q{i}",
            "choices": ["a", "b", "c"],
            "answer": -1 if i % 2 else i // 2 % 3,
            "split": "test" if i % 2 else "train",
        }
        for i in range(N)
    ]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task, _ = tasks.load(str(tmp_path / "t.jsonl"))
    assert task.counts["questions"] == 20


# the classes


@pytest.mark.parametrize("cell", ["ham ", " ham", "\tham", "ham\u00a0", " ham "])
def test_blanks_around_a_class_are_nothing(tmp_path: Path, cell: str) -> None:
    given = learned(tmp_path / "t.csv", {"a": ["ham", "spam", cell], "b": ["spam", "ham"]})
    assert given.task.classes == ("ham", "spam") and answers(given, "a")[2] == "ham"


NEAR = [
    ("ham", "HAM"),
    ("ham", "Ham"),
    ("caf\u00e9", "cafe\u0301"),
    ("not spam", "not_spam"),
    ("not spam", "Not-Spam"),
    ("1", "01"),
    ("1", "+1"),
    ("true", "1"),
    ("stra\u00dfe", "STRASSE"),
    ("ham", "\u200bham"),
    ("spam", "\uff53pam"),
    ("1", "01.0"),
    ("a b", "a  b"),
]


@pytest.mark.parametrize(("one", "other"), NEAR)
def test_names_that_differ_in_spelling_alone_are_one_line_until_the_classes_are_named(
    tmp_path: Path, one: str, other: str
) -> None:
    columns = {"a": [one, "zzz", one, "zzz", other], "b": ["zzz", one, one, other]}
    line = refused(tmp_path / "t.csv", columns)
    assert "differ in spelling alone" in line and "in line" in line and "`classes`" in line
    merged = learned(tmp_path / "t.csv", columns, classes=(one, "zzz"))
    assert merged.task.classes == (one, "zzz") and answers(merged, "a")[:5] == [one, "zzz", one, "zzz", one]
    apart = learned(tmp_path / "t.csv", columns, classes=(one, other, "zzz"))
    assert answers(apart, "a")[4] == other


@pytest.mark.parametrize(("one", "other"), NEAR[:6])
def test_near_names_are_one_line_in_gold_in_a_study_and_in_long_tables(tmp_path: Path, one: str, other: str) -> None:
    with pytest.raises(UserError, match="differ in spelling alone"):
        loaded(tmp_path / "t.csv", {"label": [one, other, "zzz" if not one.isdigit() else "7"]})
    with pytest.raises(UserError, match="differ in spelling alone"):
        long(
            tmp_path / "v.jsonl",
            [(i, w, [one, other, "7" if one.isdigit() else "zzz"][i % 3]) for i in range(6) for w in "ab"],
        )


@pytest.mark.parametrize("cell", ["HAM", "eggs", "0", "hamm", "h a m"])
def test_a_vote_that_gold_does_not_name_is_one_line_with_the_value_and_the_flags(tmp_path: Path, cell: str) -> None:
    columns = {"label": ["ham", "spam"], "a": ["ham", "spam", cell]}
    line = refused(tmp_path / "t.csv", columns)
    assert (
        "none of ham, spam in lines 4, 7, 10, 13, 16 and 8 more: mend them, or leave them empty to abstain "
        f"(there: {cell!r}; `classes`" in line
    )
    with pytest.raises(UserError, match="none of ham, spam"):
        tasks.load(str(tmp_path / "t.csv"), Reading(votes=("a",)))
    with pytest.raises(UserError, match="none of ham, spam"):
        long(
            tmp_path / "v.jsonl",
            [(i, w, ["ham", "spam", cell][i % 3], ["ham", "spam"][i % 2]) for i in range(6) for w in "ab"],
        )


def test_votes_and_gold_of_different_names_are_one_line(tmp_path: Path) -> None:
    assert "none of no, yes" in refused(tmp_path / "t.csv", {"label": ["yes", "no"], "a": [1, 0], "b": [0, 1]})


@pytest.mark.parametrize("rare", ["hma", "uncertain", "2", "spam?", "eggs"])
def test_a_class_that_one_annotator_alone_votes_is_one_line(tmp_path: Path, rare: str) -> None:
    columns = {"a": ["ham", "spam"], "b": ["spam", "ham", "ham", rare], "c": ["ham", "spam"]}
    line = refused(tmp_path / "t.csv", columns)
    assert f"{rare!r} is what only b votes, in lines 5, 9, 13" in line and f"`abstain` = {rare}" in line
    assert learned(tmp_path / "t.csv", columns, abstain=(rare,)).task.classes == ("ham", "spam")
    assert learned(tmp_path / "t.csv", columns, classes=("ham", "spam", rare)).task.classes == ("ham", "spam", rare)
    with pytest.raises(UserError, match="only worker b votes"):
        long(tmp_path / "v.jsonl", [(i, w, ["ham", "spam"][i % 2]) for i in range(4) for w in "abc"] + [(9, "b", rare)])


def test_all_classes_of_a_single_annotator_stand(tmp_path: Path) -> None:
    assert learned(tmp_path / "t.csv", {"a": ["x", "y", "z", "", "x"]}).task.classes == ("x", "y", "z")


@pytest.mark.parametrize(
    "scores", [["1", "2", "3", "4", "5"], [0, 1, 2], ["1", "3", "10"], [-5, 0, 5], ["1.0", "2.0", "3.0"]]
)
def test_scores_do_not_become_classes_unasked(tmp_path: Path, scores: list) -> None:
    columns = {"a": scores, "b": scores[::-1]}
    names = [str(int(float(score))) for score in scores]
    assert f"the votes are the numbers {' '.join(names)}, classes or scores" in refused(tmp_path / "t.csv", columns)
    assert learned(tmp_path / "t.csv", columns, classes=tuple(names)).task.classes == tuple(names)
    assert learned(tmp_path / "t.csv", columns | {"label": scores}).task.classes == tuple(names)
    with pytest.raises(UserError, match="classes or scores"):
        long(tmp_path / "v.jsonl", [(i, w, scores[i % len(scores)]) for i in range(10) for w in "ab"])


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        ({"classes": ("x", "x")}, "name every class once"),
        ({"classes": ("1", "1.0")}, "name every class once"),
        ({"classes": ("x", " ")}, "a class needs a name"),
        ({"classes": ("x", "y"), "abstain": ("X",)}, "'x' is both in `classes` and in `abstain`"),
    ],
)
def test_flags_that_contradict_themselves_are_one_line(tmp_path: Path, flags: dict, line: str) -> None:
    columns = {"label": ["x", "y"], "a": ["x", "y"]}
    assert line in refused(tmp_path / "t.csv", columns, **flags)
    with pytest.raises(UserError, match=line):
        long(tmp_path / "v.jsonl", [(0, "a", "x"), (1, "a", "y")], **flags)


# containers, dates, numbers of every width

CONTAINERS = [
    "[ 0  1 -1]",
    "[0. 1.]",
    "{'ham': 0.9}",
    '{"label": "ham"}',
    "b'ham'",
    'b"ham"',
    "(0, 1)",
    "array([0, 1])",
    "np.int64(1)",
    "tensor(1)",
    "np.str_('ham')",
    "['ham' 'spam']",
]


@pytest.mark.parametrize("cell", CONTAINERS)
def test_a_container_as_text_is_no_class(tmp_path: Path, cell: str) -> None:
    for suffix in (".csv", ".jsonl"):
        line = refused(tmp_path / f"t{suffix}", {"a": ["ham", cell], "b": ["ham", "spam"]})
        assert "write one class a cell, or a list of classes as JSON" in line and "lines 3, 5" in line.replace(
            "lines 2, 4", "lines 3, 5"
        )
    with pytest.raises(UserError, match="is no label: it holds"):
        loaded(tmp_path / "t.csv", {"label": ["ham", cell]})
    with pytest.raises(UserError, match="write one class a cell"):
        long(tmp_path / "v.jsonl", [(0, "a", "ham"), (1, "a", cell)])


@pytest.mark.parametrize("cell", ["[0, 1, -1]", "[0, 1, None]", "['0', '1', '']", '["0", "1", null]', "[0, 1.0, -1.0]"])
def test_lists_as_json_or_python_writes_them_hold_an_annotator_an_entry(tmp_path: Path, cell: str) -> None:
    given = learned(tmp_path / "t.csv", {"label": [0, 1], "a": [cell]})
    assert [answers(given, f"a[{j}]")[0] for j in range(3)] == ["0", "1", ""]


@pytest.mark.parametrize("value", [b"ham", date(2020, 1, 1), {"label": "ham"}, ["ham"]])
def test_values_that_are_no_single_value_are_one_line(tmp_path: Path, value: object) -> None:
    for name in ("label", "a"):
        columns = {"label": ["ham", "spam"], "a": ["ham", "spam"]} | {name: [value]}
        if (name, value) == ("a", ["ham"]):
            assert answers(learned(tmp_path / "t.parquet", columns), "a[0]")[0] == "ham"
        else:
            assert "write one class a cell" in refused(tmp_path / "t.parquet", columns)


@pytest.mark.parametrize(
    "dtype", [pl.Int8, pl.Int64, pl.UInt8, pl.UInt64, pl.Float32, pl.Float64, pl.Boolean, pl.String, pl.Categorical]
)
def test_columns_of_every_width_hold_two_classes(tmp_path: Path, dtype: type[pl.DataType]) -> None:
    values = pl.Series([0, 1]) if dtype not in (pl.String, pl.Categorical) else pl.Series(["0", "1"])
    frame = pl.DataFrame(
        {"text": [f"item {i}" for i in range(N)], "label": values.cast(dtype).gather([i % 2 for i in range(N)])}
    )
    frame.with_columns(a=pl.col("label"), b=pl.col("label").reverse()).write_parquet(tmp_path / "t.parquet")
    given = annotators.load(str(tmp_path / "t.parquet"), Reading(votes=("a", "b")))
    assert given.task.classes == (("false", "true") if dtype == pl.Boolean else ("0", "1"))
    assert np.bincount(given.gold.labels).tolist() == [20, 20]


TYPES = {
    "duration": pl.Series([timedelta(1), timedelta(2)]),
    "time": pl.Series([time(1), time(2)]),
    "datetime": pl.Series([datetime(2020, 1, 1), datetime(2020, 1, 2)]),
    "binary": pl.Series([b"a", b"b"]),
    "struct": pl.Series([{"a": 1}, {"a": 2}]),
    "binaries": pl.Series([[b"a"], [b"b"]]),
    "null": pl.Series([None, None]),
    "enum": pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"])),
    "decimal": pl.Series([Decimal("1.5"), Decimal("2.5")]),
    "wide": pl.Series([1, 2], dtype=pl.Int128),
    "nulls": pl.Series([[None], [None]]),
    "lists": pl.Series([[1, 2], None]),
    "nan": pl.Series([float("nan"), 1.0]),
    "inf": pl.Series([float("inf"), 0.0]),
    "array": pl.Series([[1, 2], [2, 1]], dtype=pl.Array(pl.Int8, 2)),
    "nested": pl.Series([[[1]], [[2]]]),
    "largest": pl.Series([2**64 - 1, 0], dtype=pl.UInt64),
    "half": pl.Series([0.0, 1.0], dtype=pl.Float32),
    "bool": pl.Series([True, None]),
}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("other", ["enum", "half", "lists", "binary"])
def test_no_type_of_a_parquet_file_ends_in_a_traceback(tmp_path: Path, kind: str, other: str) -> None:
    one, two, at = TYPES[kind], TYPES[other], [i % 2 for i in range(N)]
    text = [f"item {i}" for i in range(N)]
    items, cast, named = (tmp_path / f"{name}.parquet" for name in ("items", "cast", "named"))
    pl.DataFrame({"text": text, "label": one.gather(at), "v": two.gather(at), "w": two.gather(at[::-1])}).write_parquet(
        items
    )
    pl.DataFrame(
        {"item": one.gather(at), "worker": text, "label": two.gather(at), "gold": one.gather(at)}
    ).write_parquet(cast)
    pl.DataFrame({"id": one.gather(at), "text": text}).write_parquet(named)
    for read in (
        lambda: annotators.load(str(items), Reading(votes=("v", "w"))),
        lambda: tasks.load(str(items), Reading(votes=("v",))),
        lambda: audit.read(str(cast), Reading()),
        lambda: annotators.load(str(named), Reading(), str(cast)),
    ):
        try:
            read()
        except UserError as error:
            assert "\n" not in str(error)


ODD = [
    0,
    1,
    -1,
    2,
    0.5,
    1.0,
    True,
    False,
    None,
    "",
    "0",
    "1",
    "-1.0",
    "01",
    "ham",
    "spam",
    "HAM",
    "ham ",
    "None",
    "nan",
    "?",
    "[0, 1]",
    "[0 1]",
    "[1, None]",
    "{}",
    "b'x'",
    [0, 1],
    [0.2, 0.8],
    ["ham", None],
    [],
    {},
    10**30,
    1e300,
    "9" * 400,
    "e\u0301",
    "\u00e9",
    "\u200b",
    "[" * 200,
    "[01]",
    "['a' 'b']",
    "1.5",
    "\u0661",
    "\u00b2",
    "\x00",
    "[nan]",
    [[1]],
    "-",
    "_",
    "true",
    "inf",
]


@quick
@given(
    st.lists(st.sampled_from(ODD), min_size=1, max_size=4),
    st.lists(st.sampled_from(ODD), min_size=1, max_size=4),
    st.booleans(),
)
def test_no_odd_cell_ends_in_a_traceback(tmp_path: Path, one: list, other: list, named: bool) -> None:
    columns = {"label": one, "v": other, "w": other[::-1]}
    path = str(table(tmp_path / "t.jsonl", columns))
    reading = Reading(votes=("v", "w"), classes=("ham", "spam") if named else ())
    rows = [
        {"item": str(i % 9), "worker": "ab"[i % 2], "label": other[i % len(other)], "gold": one[i % len(one)]}
        for i in range(N)
    ]
    (tmp_path / "v.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for read in (
        lambda: annotators.load(path, reading),
        lambda: tasks.load(path, reading),
        lambda: audit.read(str(tmp_path / "v.jsonl"), replace(reading, votes=())),
        lambda: annotators.reread(read_file(Path(path)), reading, None, ("v", "w"), ("ham", "spam")),
    ):
        try:
            read()
        except UserError as error:
            assert "\n" not in str(error)


def test_decimals_are_the_numbers_they_are(tmp_path: Path) -> None:
    given = learned(
        tmp_path / "t.parquet", {"label": [Decimal("0.00"), Decimal("1.00")], "a": [0.0, 1.0], "b": ["1", "0"]}
    )
    assert given.task.classes == ("0", "1") and answers(given, "a")[:2] == ["0", "1"]


@pytest.mark.parametrize(("names"), [("01", "02"), ("007", "008"), ("1a", "1b"), ("1.5", "2.5"), ("0x1", "0x2")])
def test_classes_keep_the_text_that_they_are(tmp_path: Path, names: tuple[str, str]) -> None:
    for suffix in (".csv", ".jsonl", ".parquet"):
        given = learned(tmp_path / f"t{suffix}", {"label": [*names], "a": [*names], "b": [*names[::-1]]})
        assert given.task.classes == names and answers(given, "b")[:2] == [*names[::-1]]


@quick
@example("[1, 2]")
@example("-1")
@example("9" * 5000)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1, max_size=12))
def test_any_text_survives_as_a_class_or_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    columns = {"label": [name, "zebra"], "a": [name, "zebra", "zebra"]}
    for suffix, flags in ((".csv", {}), (".jsonl", {}), (".jsonl", {"classes": (name, "zebra")})):
        try:
            given = learned(tmp_path / f"t{suffix}", columns, **flags)
        except UserError as error:
            assert "\n" not in str(error)
        else:
            kept = name.strip() if not WHOLE.fullmatch(name.strip()) else str(int(float(name)))
            assert set(given.task.classes) == {kept, "zebra"}
            assert answers(given, "a")[:3] == [kept, "zebra", "zebra"]


@quick
@given(st.text(max_size=8), st.text(max_size=8))
def test_being_near_does_not_depend_on_case_blanks_or_normal_form(one: str, other: str) -> None:
    assert near(one.upper().lower()) == near(near(one.upper().lower()))
    names = tuple(dict.fromkeys(name for name in (one.strip(), other.strip()) if name))
    for name in names:
        assert find(name, names, Reading(classes=names)) in (name, str(name))


# values of two meanings


@pytest.mark.parametrize("names", [("ham", "spam"), ("no", "yes"), ("neg", "pos"), ("1", "2"), ("A", "B")])
def test_a_probability_of_classes_without_an_order_is_asked_about(tmp_path: Path, names: tuple[str, str]) -> None:
    columns = {"label": [*names], "p": [0.9, 0.25]}
    assert f"holds fractions, probabilities of {names[0]} or {names[1]}: say the order with `classes`" in refused(
        tmp_path / "t.csv", columns
    )
    for order in (names, names[::-1]):
        given = learned(tmp_path / "t.csv", columns, classes=order)
        first = given.row.tolist().index(0)
        assert np.allclose(given.task.votes["p"][first], [0.1, 0.9])
    assert "say the order" in refused(tmp_path / "t.jsonl", {"label": [*names], "p": [[0.9, 0.1], [0.2, 0.8]]})


def test_probabilities_of_0_and_1_are_of_1(tmp_path: Path) -> None:
    given = learned(tmp_path / "t.csv", {"label": [0, 1], "p": [0.25, 0.75]})
    assert np.allclose(given.task.votes["p"][given.row.tolist().index(0)], [0.75, 0.25])


@pytest.mark.parametrize("column", ["gpt_ham", "ham", "p(ham)", "Answer.ham", "prob-HAM"])
def test_a_column_of_probabilities_that_is_called_like_another_class_is_one_line(tmp_path: Path, column: str) -> None:
    columns = {"label": ["ham", "spam"], column: [0.9, 0.25]}
    assert "is called like the class 'ham', but a fraction is the probability of the last class, 'spam'" in refused(
        tmp_path / "t.csv", columns, classes=("ham", "spam")
    )
    assert learned(tmp_path / "t.csv", columns, classes=("spam", "ham")).task.classes == ("spam", "ham")


@pytest.mark.parametrize("column", ["gpt_confidence", "Certainty", "p_correct", "how sure", "confidence"])
def test_how_sure_a_vote_is_does_not_become_the_probability_of_a_class(tmp_path: Path, column: str) -> None:
    columns = {"label": [0, 1], column: [0.9, 0.75]}
    assert "how sure a vote is or the probability of '1'" in refused(tmp_path / "t.csv", columns)
    assert learned(tmp_path / "t.csv", columns, classes=("0", "1")).task.classes == ("0", "1")


def test_probabilities_of_classes_that_nothing_names_are_one_line(tmp_path: Path) -> None:
    assert "probabilities of classes that nothing names: say `classes`" in refused(
        tmp_path / "t.csv", {"p": [0.9, 0.25]}
    )
    assert "probabilities of classes that nothing names: say `classes`" in refused(
        tmp_path / "t.jsonl", {"p": [[0.9, 0.1]]}
    )


@pytest.mark.parametrize("lists", [[[1, 0], [0, 1]], [[1.0, 0.0]], ["[1, 0]", "[0, 1]"], [[0, 1], None]])
def test_lists_that_are_whole_probabilities_or_two_annotators_are_one_line(tmp_path: Path, lists: list) -> None:
    assert "probabilities or votes of 2 annotators" in refused(tmp_path / "t.jsonl", {"label": [0, 1], "a": lists})


def test_lists_on_choices_and_pairs_that_could_be_either_are_one_line(tmp_path: Path) -> None:
    questions = {"question": [f"q{i}" for i in range(N)], "choices": [["a", "b", "c"]], "answer": [0, 1, 2]}
    pairs = {"chosen": [f"good {i}" for i in range(N)], "rejected": [f"bad {i}" for i in range(N)]}
    for columns, lists, line in (
        (questions, [[0, 0, 1], [1, 0, 0]], "probabilities or votes of 3 annotators"),
        (pairs, [[0, 1], [1, 0]], "probabilities or votes of 2 annotators"),
        (pairs, [[0.2, 0.8]], "write the probability of the chosen text alone"),
    ):
        rows = {name: values for name, values in columns.items()} | {"v": lists}
        path = tmp_path / "t.jsonl"
        path.write_text(
            "".join(
                json.dumps({name: values[i % len(values)] for name, values in rows.items()}) + "\n" for i in range(N)
            )
        )
        with pytest.raises(UserError, match=line):
            tasks.load(str(path), Reading(votes=("v",)))


@pytest.mark.parametrize("answer", [[1, 2], ["1", "2", "3"], [2], [3, 2, 1]])
def test_indices_without_a_0_are_asked_about(tmp_path: Path, answer: list) -> None:
    path = table(
        tmp_path / "t.jsonl",
        {"question": [f"q{i}" for i in range(N)], "choices": [["a", "b", "c", "d"]], "answer": answer},
    )
    with pytest.raises(UserError, match="none of them 0: they could count from 0 or from 1"):
        tasks.load(str(path), Reading(question="question", choices="choices"))


@pytest.mark.parametrize(
    ("coded", "plain"),
    [
        ([1, 2], [0, 1]),
        ([1, 1, 2], [0, 0, 1]),
        (["1", "2"], ["0", "1"]),
        ([1.0, 2.0], [0.0, 1.0]),
        ([1, 2, -1], [0, 1, -1]),
        ([0, 1, 2], [0, 1, "tie"]),
        ([1], [0]),
    ],
)
def test_verdicts_that_may_count_from_1_are_asked_about(tmp_path: Path, coded: list, plain: list) -> None:
    names = {"item": list(range(N)), "judge": ["j"]}
    path = table(tmp_path / "t.jsonl", names | {"forward": coded, "swapped": coded, "gold": coded})
    with pytest.raises(
        UserError,
        match=r"a tie or the second option counted from 1: write the option|no verdict is 0, so that 1 could be",
    ):
        audit.read(str(path), Reading())
    path = table(tmp_path / "t.jsonl", names | {"forward": plain, "swapped": plain, "gold": plain})
    said = audit.read(str(path), Reading()).judgements
    assert said.forward.tolist()[0] == 0 and said.forward.tolist() == said.gold.tolist()


def test_a_choice_may_look_like_a_list_and_be_voted_for(tmp_path: Path) -> None:
    rows = [
        {"question": f"q{i}", "choices": ["[1, 2]", "(3, 4)"], "answer": "(3, 4)" if i % 2 else "[1, 2]", "v": "[1, 2]"}
        for i in range(N)
    ]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task, gold = tasks.load(str(tmp_path / "t.jsonl"), Reading(votes=("v",)))
    assert (task.votes["v"].argmax(-1) == gold.labels).mean() == 0.5


@pytest.mark.parametrize("silent", [None, "", " "])
def test_copies_of_open_answers_count_once_and_empty_ones_are_like_no_other(tmp_path: Path, silent: object) -> None:
    rows = [(i, w, f"answer {i}") for i in range(60) for w in "ab"]
    evidence = long(
        tmp_path / "v.jsonl",
        [*rows, (0, "a", "answer 0"), (60, "a", silent), (60, "b", silent), (61, "a", "-1"), (61, "b", "[0, 1]")],
    )
    assert len(evidence.votes.item) == 124 and len(evidence.votes.classes) == 64
    assert len(set(evidence.votes.label[-4:].tolist())) == 4


# the kept inputs


@pytest.mark.shared_data
@needs_faults
def test_minus_one_as_a_float_is_read_as_an_empty_cell() -> None:
    reading = Reading(votes=("lf0", "lf1", "lf2"), label="gold")
    one, other = (
        annotators.load(str(FAULTS / "01-abstain-minus-one-point-zero" / f"votes{name}.csv"), reading)
        for name in ("", "_empty")
    )
    assert one.task.classes == other.task.classes == ("0", "1")
    assert all(np.array_equal(one.task.votes[name], other.task.votes[name], equal_nan=True) for name in reading.votes)


@pytest.mark.shared_data
@needs_faults
def test_hidden_test_gold_is_no_class(capsys) -> None:
    path = str(FAULTS / "02-hidden-gold-minus-one" / "glue_like.parquet")
    assert annotators.load(path, Reading(text="sentence", votes=("rule_a", "rule_b", "rule_c"))).task.classes == (
        "0",
        "1",
    )
    task, gold = tasks.load(path, Reading(text="sentence"))
    assert task.classes == ("0", "1") and len(task) == 60 and (gold.labels >= 0).all()
    assert "the test split has no gold" in capsys.readouterr().err


@pytest.mark.shared_data
@needs_faults
def test_kept_tables_are_read_right_or_refused_in_one_line() -> None:
    three = ("anna", "bob", "cy")
    messy = str(FAULTS / "exports" / "messy.csv")
    with pytest.raises(UserError, match="differ in spelling alone: where they are one class say `classes` = ham spam"):
        annotators.load(messy, Reading(votes=three))
    assert annotators.load(messy, Reading(votes=three, classes=("ham", "spam"))).task.classes == ("ham", "spam")
    with pytest.raises(UserError, match="numbers 1 2 3 4 5, classes or scores"):
        annotators.load(str(FAULTS / "exports" / "judge.csv"), Reading(votes=("gpt", "claude", "small")))
    likely = str(FAULTS / "exports" / "probcols.csv")
    with pytest.raises(UserError, match="'gpt_ham' holds fractions and is called like the class 'ham'"):
        annotators.load(likely, Reading(votes=("gpt_ham", "claude_ham"), classes=("ham", "spam")))
    assert list(annotators.load(likely, Reading(votes=("gpt_ham", "gpt_spam"))).task.votes) == ["gpt"]
    with pytest.raises(UserError, match="write one class a cell, or a list of classes as JSON"):
        annotators.load(str(FAULTS / "06-numpy-repr-votes" / "numpy.csv"), Reading(votes=("weak",)))
    assert (
        len(annotators.load(str(FAULTS / "06-numpy-repr-votes" / "pylist.csv"), Reading(votes=("weak",))).task.votes)
        == 3
    )
    with pytest.raises(UserError, match=r"holds '2' in lines .* a tie or the second option counted from 1"):
        audit.read(str(FAULTS / "13-verdicts-coded-1-2" / "one_two.csv"), Reading())


@pytest.mark.shared_data
@needs_faults
@pytest.mark.parametrize("path", sorted(FAULTS.glob("28-parquet-dtypes/*.parquet")), ids=lambda path: path.stem)
def test_kept_columns_of_every_type_are_two_classes_or_one_line(path: Path) -> None:
    try:
        given = annotators.load(str(path), Reading(votes=("v", "v2")))
    except UserError as error:
        assert "\n" not in str(error)
        assert path.stem in (
            "binary",
            "date",
            "fixed_list",
            "list_of_one",
            "list_of_struct",
            "na_words",
            "nan_words",
            "struct",
        )
    else:
        assert len(given.task.classes) == 2
        assert given.task.classes == ("01", "02") or path.stem != "leading_zero"


def test_the_flag_reaches_every_verb_that_reads_votes(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "t.csv", {"label": ["x", "y"], "a": ["x", "y", "pass"], "b": ["y", "x", "Pass"]})
    for verb in ("audit", "learn", "run"):
        with pytest.raises(SystemExit) as stopped:
            main(
                [
                    verb,
                    "t.csv",
                    "--votes",
                    "a",
                    "--abstain",
                    "pass",
                    "--strong",
                    "nowhere-at-all",
                    *(["--seeds", "1"] if verb == "run" else []),
                ]
            )
        assert stopped.value.code == 2 and "none of" not in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["audit", "t.csv", "--votes", "a,b", "--abstain", "pass", "--out", "found"])
    assert stopped.value.code == 0
