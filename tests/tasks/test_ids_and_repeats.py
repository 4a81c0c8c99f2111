"""Ids are text and never collide; a vote that is cast again counts once, or is one line."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outgrow import tasks
from outgrow.core.errors import UserError
from outgrow.tasks import Reading
from outgrow.tasks.tables import annotators
from outgrow.tasks.tables.files import read_file
from outgrow.tasks.tables.values import id_name
from outgrow.workflows import audit
from outgrow.workflows.learn import learn, predict

FAULTS = Path(__file__).resolve().parents[3] / "shared" / "faults"
WRITE = {".csv": "write_csv", ".jsonl": "write_ndjson", ".parquet": "write_parquet"}
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
needs_faults = pytest.mark.skipif(not FAULTS.is_dir(), reason="no ../shared/faults here")
ids = st.text(st.sampled_from("0123456789.-+eEaAxX_/ \u00e9"), min_size=1, max_size=5).map(str.strip).filter(bool)


def written(path: Path, columns: dict[str, list]) -> Path:
    getattr(pl.DataFrame(columns), WRITE[path.suffix])(path)
    return path


def votes_of(names: list[str], label=lambda i, w: i % 2) -> dict[str, list]:
    cast = [(name, w, label(i, w)) for i, name in enumerate(names) for w in "ab"]
    return {column: [row[k] for row in cast] for k, column in enumerate(("item", "worker", "label"))}


def joined(
    folder: Path, names: list, votes: dict[str, list], suffix: str = ".csv", **flags: object
) -> annotators.Annotations:
    items = written(folder / f"t{suffix}", {"id": names, "text": [f"item {i}" for i in range(len(names))]})
    return annotators.load(str(items), Reading(**flags), str(written(folder / f"v{suffix}", votes)))  # type: ignore[arg-type]


def no_join(folder: Path, names: list, votes: dict[str, list], suffix: str = ".csv") -> str:
    with pytest.raises(UserError) as raised:
        joined(folder, names, votes, suffix)
    assert "\n" not in str(raised.value)
    return str(raised.value)


# ids


@pytest.mark.parametrize(
    "pair",
    [("7", "07"), ("007", "7"), ("1", "1.0"), ("1e3", "1000"), ("a", "A"), ("-1", "-01"), ("+1", "1"), ("1_0", "10")],
)
@pytest.mark.parametrize("suffix", WRITE)
def test_ids_that_differ_as_text_are_two_items_in_every_join(
    tmp_path: Path, pair: tuple[str, str], suffix: str
) -> None:
    names = [*pair, *(f"n{i}" for i in range(4))]
    votes = {"item": [*names, *names], "worker": ["a"] * 6 + ["b"] * 6, "label": ["x", "y"] * 6}
    task = joined(tmp_path, names, votes, suffix).task
    assert len(task) == 6 and all((~pl.Series(v[:, 0]).is_nan()).all() for v in task.votes.values())
    evidence = audit.read(str(tmp_path / f"v{suffix}"), Reading())
    assert evidence.ids == tuple(names) and len(evidence.votes.item) == 12


@quick
@given(st.lists(ids, min_size=4, max_size=9, unique=True))
def test_ids_round_trip_through_every_kind_of_file_and_join(tmp_path: Path, names: list[str]) -> None:
    for suffix in WRITE:
        evidence = joined(tmp_path, names, votes_of(names), suffix)
        assert [id_name(value) for value in read_file(tmp_path / f"t{suffix}").column("id")] == names
        for at, row in enumerate(evidence.row):
            assert all(evidence.task.votes[f"worker {w}"][at].argmax() == row % 2 for w in "ab")
        assert audit.read(str(tmp_path / f"v{suffix}"), Reading()).ids == tuple(names)


def test_numbers_of_numeric_columns_are_the_ids_that_text_spells(tmp_path: Path) -> None:
    items = written(
        tmp_path / "t.parquet", {"id": [float(i) for i in range(6)], "text": [f"item {i}" for i in range(6)]}
    )
    votes = written(tmp_path / "v.csv", votes_of([str(i) for i in range(6)]))
    assert len(annotators.load(str(items), Reading(), str(votes)).task.votes) == 2


@pytest.mark.parametrize(("have", "asked"), [("007", "7"), ("7", "7.0"), ("a", "A"), ("01", "1"), ("x-1", "x_1")])
def test_a_join_that_fails_shows_ids_of_both_sides(tmp_path: Path, have: str, asked: str) -> None:
    line = no_join(tmp_path, [have, "k"], votes_of([asked, "k"]))
    assert (
        f"2 votes are for items that are not in t (item {asked}, ...), where they are called {have}, k, ...: "
        "mend column 'id'" in line
    )


@pytest.mark.parametrize("twin", [" 7", "7 ", "7"])
def test_items_whose_ids_are_the_same_are_one_line(tmp_path: Path, twin: str) -> None:
    assert "id '7' stands twice, in lines 2, 3" in no_join(tmp_path, ["7", twin], votes_of(["7"]))


@pytest.mark.parametrize("column", ["item", "worker"])
@pytest.mark.parametrize("value", [None, "", " "])
def test_votes_without_an_item_or_a_worker_are_one_line(tmp_path: Path, column: str, value: object) -> None:
    votes = votes_of(["a", "b"])
    votes[column][1] = value
    assert "no item or no worker in line" in no_join(tmp_path, ["a", "b"], votes, ".jsonl")
    with pytest.raises(UserError, match="no item or no worker in line"):
        audit.read(str(tmp_path / "v.jsonl"), Reading())


@pytest.mark.parametrize("suffix", WRITE)
def test_ids_go_into_the_labels_as_they_are(tmp_path: Path, suffix: str) -> None:
    names = [f"{i:03d}" for i in range(30)]
    path = written(tmp_path / f"t{suffix}", {"id": names, "a": ["x", "y", ""] * 10, "b": ["y", "x", "x"] * 10})
    student = learn(
        str(path), reading=Reading(votes=("a", "b")), strong="votes", method="naive", out=tmp_path / "student"
    )
    for out in (".csv", ".jsonl", ".parquet"):
        labels = read_file(predict(student, str(path), out=tmp_path / f"labels{out}"))
        assert labels.column("id") == names


def test_ids_of_several_types_go_into_the_labels_as_text(tmp_path: Path) -> None:
    rows = [{"id": i if i % 2 else f"0{i}", "a": "xy"[i % 2], "b": "xy"[i % 2]} for i in range(30)]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    student = learn(
        str(tmp_path / "t.jsonl"),
        reading=Reading(votes=("a", "b")),
        strong="votes",
        method="naive",
        out=tmp_path / "student",
    )
    assert read_file(predict(student, str(tmp_path / "t.jsonl"), out=tmp_path / "l.csv")).column("id")[:4] == [
        "00",
        "1",
        "02",
        "3",
    ]


@pytest.mark.shared_data
@needs_faults
@pytest.mark.parametrize(("file", "workers"), [("votes.csv", 3), ("votes_silent.csv", 6)])
def test_zeros_before_an_id_tell_items_apart(file: str, workers: int) -> None:
    folder = FAULTS / "09-leading-zero-ids"
    data = annotators.load(str(folder / "items.csv"), Reading(), str(folder / file))
    spoke = sum((~pl.Series(v[:, 0]).is_nan()).to_numpy().astype(int) for v in data.task.votes.values())
    right = [(v.argmax(-1) == data.gold.labels)[v[:, 0] == v[:, 0]] for v in data.task.votes.values()]
    assert len(data.task) == 120 and len(data.task.votes) == workers and (spoke == 3).all()
    assert sum(r.sum() for r in right) / sum(map(len, right)) == pytest.approx(0.9, abs=0.02)
    assert len(audit.read(str(folder / file), Reading()).ids) == 120


# votes and golds that stand twice


def long(path: Path, rows: list[tuple], **flags: object):
    names = ("item", "worker", "label", "gold")[: len(rows[0])]
    path.write_text("".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows))
    return audit.read(str(path), Reading(**flags))  # type: ignore[arg-type]


PLAIN = [(f"i{i}", w, i % 2) for i in range(6) for w in "ab"]
ITEMS = [f"i{i}" for i in range(6)]


@pytest.mark.parametrize("again", [1, 1.0, "1", " 1", "1.0"])
def test_a_vote_that_is_cast_again_counts_once_in_every_verb(tmp_path: Path, again: object) -> None:
    evidence = long(tmp_path / "v.jsonl", [*PLAIN, ("i1", "a", again), ("i1", "a", again)])
    assert len(evidence.votes.item) == 12 and evidence.votes.classes == ("0", "1")
    items = written(tmp_path / "t.csv", {"id": ITEMS, "text": ITEMS})
    assert len(annotators.load(str(items), Reading(), str(tmp_path / "v.jsonl")).task.votes) == 2


@pytest.mark.parametrize("again", [0, 0.0, "0", False, " 0"])
def test_another_vote_of_an_annotator_on_an_item_is_one_line_in_every_verb(tmp_path: Path, again: object) -> None:
    rows = [*((i, w, str(label)) for i, w, label in PLAIN), ("i1", "a", again)]
    said = (
        "a worker votes on an item again, and otherwise, in line 13: "
        "keep one vote, or let the first count with `skip_bad_rows`"
    )
    flags = {"classes": ("0", "1")}
    with pytest.raises(UserError, match=re.escape(said)):
        long(tmp_path / "v.jsonl", rows, **flags)
    items = written(tmp_path / "t.csv", {"id": ITEMS, "text": ITEMS})
    with pytest.raises(UserError, match=re.escape(said)):
        annotators.load(str(items), Reading(classes=("0", "1")), str(tmp_path / "v.jsonl"))
    evidence = long(tmp_path / "v.jsonl", rows, skip_bad_rows=True, **flags)
    assert len(evidence.votes.item) == 12
    assert (
        len(
            annotators.load(str(items), Reading(skip_bad_rows=True, classes=("0", "1")), str(tmp_path / "v.jsonl")).task
        )
        == 6
    )


@pytest.mark.parametrize("nothing", [None, "", -1, "-1.0", -1.0])
def test_an_abstention_beside_a_vote_of_the_same_annotator_is_no_second_vote(tmp_path: Path, nothing: object) -> None:
    rows = [("i1", "a", nothing), *PLAIN, ("i2", "b", nothing)]
    assert len(long(tmp_path / "v.jsonl", rows).votes.item) == 12
    items = written(tmp_path / "t.csv", {"id": ITEMS, "text": ITEMS})
    assert len(annotators.load(str(items), Reading(), str(tmp_path / "v.jsonl")).task.votes) == 2


@pytest.mark.parametrize("golds", [(0, 1), ("0", "1"), (0.0, 1.0), (1, 0), ("no", "yes")])
def test_two_golds_of_an_item_are_one_line(tmp_path: Path, golds: tuple) -> None:
    rows = [(i, w, golds[label], golds[label]) for i, w, label in PLAIN]
    rows[3] = (*rows[3][:3], golds[0])
    with pytest.raises(UserError, match="an item has two golds, in line"):
        long(tmp_path / "v.jsonl", rows)
    beside = {"id": [*ITEMS, "i1"], "gold": [*(golds[i % 2] for i in range(6)), golds[0]]}
    with pytest.raises(UserError, match="an item has two golds, in row 7"):
        audit.read(str(tmp_path / "v.jsonl"), Reading(), gold_table=str(written(tmp_path / "g.parquet", beside)))


@pytest.mark.parametrize("golds", [(1, 1.0), ("1", 1), (1, None), (1, -1), ("1.0", "1")])
def test_a_gold_that_is_told_again_or_is_unknown_is_no_second_one(tmp_path: Path, golds: tuple) -> None:
    rows = [(i, w, label, golds[w == "b"] if label else 0) for i, w, label in PLAIN]
    assert long(tmp_path / "v.jsonl", rows).gold.tolist() == [0, 1, 0, 1, 0, 1]


# a row an annotation


def annotated(path: Path, **more: list) -> Path:
    rows = [(i, w) for i in range(20) for w in "abc"]
    return written(
        path,
        {
            "text": [f"item {i}" for i, _ in rows],
            "annotator": [w for _, w in rows],
            "sentiment": ["xy"[i % 2] for i, _ in rows],
        }
        | more,
    )


MORE = [
    {},
    {"id": [i // 3 for i in range(60)]},
    {"id": list(range(60))},
    {"item": [i // 3 for i in range(60)]},
    {"label": ["x", "y"] * 30},
]
"""Columns beside those of the annotations."""


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("flags", [{}, {"id": "none"}])
def test_a_table_with_a_row_an_annotation_is_grouped_by_item(tmp_path: Path, more: dict, flags: dict) -> None:
    path = annotated(tmp_path / "t.parquet", **more)
    given = annotators.load(str(path), Reading(votes=("sentiment",), **flags))
    assert len(given.task) == 20 and list(given.task.votes) == ["worker a", "worker b", "worker c"]


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("flags", [{}, {"id": "none"}])
def test_a_table_with_a_row_an_annotation_is_no_table_of_items(tmp_path: Path, more: dict, flags: dict) -> None:
    path = annotated(tmp_path / "t.parquet", **more)
    wide = Reading(votes=("sentiment",), format="wide", **flags)
    for load, reading in ((annotators.load, wide), (tasks.load, replace(wide, format=None))):
        if load is tasks.load and "label" not in more:
            continue
        with pytest.raises(UserError) as raised:
            load(str(path), reading)
        assert (
            "60 rows hold 20 items, a row an annotation as it seems (the same in rows 1, 2, 3, 4, 5 and 55 more)"
            in str(raised.value)
        )
        assert "`votes_table` (item, worker, label)" in str(
            raised.value
        ) and "`columns` = item=...,worker=...,label=..." in str(raised.value)


def test_a_study_of_a_row_an_annotation_is_refused_as_well(tmp_path: Path) -> None:
    path = annotated(tmp_path / "t.parquet")
    with pytest.raises(UserError, match="60 rows hold 20 items"):
        tasks.load(str(path), Reading(label="sentiment"))


def test_the_remedies_for_a_row_an_annotation_work(tmp_path: Path) -> None:
    path = annotated(tmp_path / "t.parquet", row=list(range(60)))
    assert len(annotators.load(str(path), Reading(votes=("sentiment",), id="row")).task) == 60
    evidence = audit.read(str(path), Reading(), columns=["item=text,worker=annotator,label=sentiment"])
    assert len(evidence.ids) == 20 and len(evidence.votes.item) == 60


@pytest.mark.shared_data
@needs_faults
@pytest.mark.parametrize(
    ("file", "flags", "columns"),
    [
        ("labelstudio.csv", {"votes": ("sentiment",)}, "item=id,worker=annotator,label=sentiment"),
        (
            "mturk.csv",
            {"votes": ("Answer.category.label",), "text": "Input.text"},
            "item=Input.id,worker=WorkerId,label=Answer.category.label",
        ),
    ],
)
def test_exports_of_labelling_tools_are_read_as_votes(file: str, flags: dict, columns: str) -> None:
    path = str(FAULTS / "exports" / file)
    for load in (annotators.load, lambda path, reading: audit.read(path, reading)):
        with pytest.raises(UserError, match="1800 rows hold 596 items, a row an annotation"):
            load(path, Reading(format="wide", **flags))
    given = annotators.load(path, Reading(skip_bad_rows=True, **flags))
    assert len(given.task) == 600 and len(given.task.classes) == 2
    told = audit.read(path, Reading(skip_bad_rows=True), columns=[columns])
    alone = audit.read(path, Reading(skip_bad_rows=True, **flags))
    for evidence in (told, alone):
        assert len(evidence.ids) == 600 and len(evidence.votes.classes) == 2
    assert np.array_equal(told.votes.item, alone.votes.item) and np.array_equal(told.votes.label, alone.votes.label)
