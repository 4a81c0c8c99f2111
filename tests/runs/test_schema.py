"""Files of a run: written and read by the same classes, those of earlier versions too; a damaged one is one line."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from outgrow.core.errors import UserError
from outgrow.core.records import VERSION, dump, version_of
from outgrow.metrics.comparison import Comparison, ComparisonFigure, Place
from outgrow.metrics.pgr import SummaryRow
from outgrow.report.learn import read as read_learned
from outgrow.report.learn import render
from outgrow.runs import folder, schema
from outgrow.runs.read import read
from outgrow.runs.schema.claim import ClaimFile
from outgrow.store import record
from outgrow.students import saved, saving
from outgrow.students.student_file import FACTS, VOTES

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
import runs

OLD = Path(__file__).parent / "version0"
"""Files as they were written before they had a version."""


@pytest.mark.parametrize("name", sorted(path.name for path in OLD.glob("*.json")))
def test_a_file_of_before_there_were_versions_opens_and_keeps_what_it_says(name, tmp_path) -> None:
    cls = schema.FILES[name]
    old = schema.read(OLD / name, cls)
    raw = json.loads((OLD / name).read_text(encoding="utf-8"))
    former = {"voters": "annotators"} if name == "learn.json" else {}
    assert {former.get(key, key) for key in raw} <= dump(old).keys()
    assert dump(old)[next(iter(raw))] == raw[next(iter(raw))]
    schema.write(tmp_path / name, old)
    new = json.loads((tmp_path / name).read_text(encoding="utf-8"))
    assert next(iter(new)) == "version" and new.pop("version") == version_of(cls) and new == dump(old)
    assert schema.read(tmp_path / name, cls) == old


def test_a_run_folder_of_before_there_were_versions_is_read_as_one_with_them(tmp_path) -> None:
    old = read(runs.one(tmp_path / "old"))
    new = tmp_path / "new"
    runs.one(new)
    for name in ("study.json", "details.json"):
        schema.write(new / name, schema.read(new / name, schema.FILES[name]))
    schema.write_rows(new / "summary.json", schema.read_rows(new / "summary.json", SummaryRow))
    rows = json.loads((new / "summary.json").read_text(encoding="utf-8"))
    assert all(row["version"] == version_of(SummaryRow) for row in rows)
    assert asdict(read(new)) == asdict(old)


def test_a_learned_student_of_before_there_were_versions_has_its_report(tmp_path) -> None:
    (tmp_path / "learn.json").write_bytes((OLD / "learn.json").read_bytes())
    assert "<h1" in render(read_learned(tmp_path))


def test_annotators_that_were_called_voters_are_read_as_annotators_and_no_later_version_is(tmp_path) -> None:
    raw = json.loads((OLD / "learn.json").read_text(encoding="utf-8"))
    path = tmp_path / "learn.json"
    path.write_text(json.dumps({"version": 1, **raw}))
    old = read_learned(tmp_path)
    assert old["annotators"]["count"] == raw["voters"]["count"]
    wanted = ["annotator" if row["kind"] == "voter" else row["kind"] for row in raw["verdict"].get("rows", [])]
    assert [row["kind"] for row in old["verdict"].get("rows", [])] == wanted
    path.write_text(json.dumps({**old, "version": 4}))
    with pytest.raises(UserError, match=r"learn\.json is of version 4, and this outgrow reads up to 3: update outgrow"):
        read_learned(tmp_path)


def test_a_claim_of_before_there_were_versions_is_known_again(tmp_path) -> None:
    (tmp_path / "learn.json").write_text("{}")
    (tmp_path / folder.FILE).write_text(json.dumps({"data": "a", "seed": 0, "verb": "learn"}))
    assert folder.claimed(tmp_path) == ClaimFile("learn", {"data": "a", "seed": 0})
    folder.claim(tmp_path, "learn", {"data": "a", "seed": 0})
    assert (tmp_path / "learn.json").exists()
    assert json.loads((tmp_path / folder.FILE).read_text())["asked"] == {"data": "a", "seed": 0}


def test_a_student_of_before_there_were_versions_predicts_the_same(tmp_path) -> None:
    arrays = {
        "0.weights": np.ones((1, 4, 2), np.float32),
        "0.centre": np.zeros(4, np.float32),
        "0.turn": np.eye(4, dtype=np.float32),
    }
    objective = {"file": "xent", "class": "Xent", "fields": {}}
    student = saved.SavedStudent(
        classes=("ham", "spam"), reads=VOTES, model=VOTES, digest="", revision="", pooling="", precision="float32",
        head="linear", heads=({"layer": 0, "share": 1.0, "objective": objective},), voters=("a", "b"), template="",
        columns={}, words=(), taught={}, arrays=arrays,
    )  # fmt: skip
    saving.save(student, tmp_path)
    facts = record.decode((tmp_path / FACTS).read_bytes())
    assert facts.pop("version") == VERSION
    (tmp_path / FACTS).write_bytes(record.encode({**{k: v for k, v in facts.items() if k != "reads"}, "format": 2}))
    old = saved.load(tmp_path)
    assert (old.classes, old.heads, old.voters) == (student.classes, student.heads, student.voters)
    assert old.reads == VOTES
    assert old.arrays.keys() == arrays.keys()
    (tmp_path / FACTS).write_bytes(record.encode({**facts, "format": 1}))
    with pytest.raises(UserError, match="another version"):
        saved.load(tmp_path)


def test_a_comparison_is_read_as_it_was_written(tmp_path) -> None:
    figure = ComparisonFigure(0.5, (0.4, 0.6), None, 3, 6)
    place = Place("naive", 6, figure, None, {}, 1.0, 0, 0, None, None, 1e9, {"cities": figure}, {}, 100.0, ("weak",))
    schema.write(tmp_path / "comparison.json", Comparison((), (place,)))
    assert schema.read(tmp_path / "comparison.json", Comparison) == Comparison((), (place,))


@pytest.mark.parametrize(
    ("name", "damage", "says"),
    [
        ("summary.json", lambda rows: rows[2].pop("value"), "summary.json, row 3: no key 'value'"),
        (
            "summary.json",
            lambda rows: rows[0].update(value="high"),
            "row 1: key 'value' is 'high', not a number or null",
        ),
        ("details.json", lambda d: d["pairs"][0].pop("n_test"), "details.json: no key 'pairs.0.n_test'"),
        ("details.json", lambda d: d.update(costs=3), "details.json: key 'costs' is 3, not a list"),
        ("study.json", lambda d: d.update(asked=[]), "study.json: key 'asked' is [], not an object"),
    ],
)
def test_a_damaged_run_folder_is_one_line_with_the_file_and_the_key(name, damage, says, tmp_path) -> None:
    runs.one(tmp_path)
    content = json.loads((tmp_path / name).read_text(encoding="utf-8"))
    damage(content)
    (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UserError) as error:
        read(tmp_path)
    assert says in str(error.value) and "\n" not in str(error.value)
