"""Every study keeps a student, of the first method after naive, which loads from the run folder."""

from __future__ import annotations

import json
import shutil

import numpy as np
import polars as pl
import pytest
import test_text_methods

import outgrow
import studies
from outgrow import UserError
from outgrow.cli import main
from outgrow.generation.local import Local
from outgrow.runs import schema
from outgrow.store import Store, record
from outgrow.students.student_file import StudentFile
from outgrow.students.student_file import read as read_student
from outgrow.tasks import load
from outgrow.tasks.tables.options import Reading
from outgrow.workflows.predict import predict
from outgrow.workflows.text_study import load as load_text


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTGROW_STORE", str(tmp_path_factory.mktemp("store")))
        studies.short_tunings(patch)
        yield


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A study of classes of two methods: (its folder, its result)."""
    folder = tmp_path_factory.mktemp("classes")
    studies.table(folder)
    return folder, studies.study(folder).run()


def test_the_student_of_a_study_labels_texts_as_it_labelled_the_test_items(ran) -> None:
    folder, result = ran
    assert result.student.taught["method"] == "logconf"
    task, _ = load(str(folder / "table.jsonl"))
    frame = pl.read_parquet(next(result.path.glob("predictions/*/*--*/logconf.parquet"))).filter(
        pl.col("replicate") == 0
    )
    text = dict(zip(task.ids.tolist(), task.texts, strict=True))
    found = outgrow.load(result.path).predict_proba([text[i][0] for i in frame["id"]])
    # Features of a text depend a little on the texts that are read beside it.
    assert np.allclose(found, frame.select("p0", "p1").to_numpy(), atol=1e-2)


def test_a_pool_of_views_labels_texts_by_each_head_on_its_own_pooling(ran, tmp_path) -> None:
    folder, _ = ran
    result = studies.study(folder, methods=("views",), out=tmp_path / "views").run()
    heads = read_student(result.path / "student").heads
    assert {head["pooling"] for head in heads} == {"last", "mean"}
    assert sum(head["share"] for head in heads) == pytest.approx(1, abs=1e-6)
    task, _ = load(str(folder / "table.jsonl"))
    text = dict(zip(task.ids.tolist(), [text for (text,) in task.texts], strict=True))
    file = next(result.path.glob("predictions/*/*--*/views.parquet"))
    frame = pl.read_parquet(file).filter(pl.col("replicate") == 0)
    found = outgrow.load(result.path).predict_proba([text[i] for i in frame["id"]])
    assert np.allclose(found, frame.select("p0", "p1").to_numpy(), atol=1e-2)


def test_a_run_elsewhere_keeps_the_same_student_out_of_the_store(ran) -> None:
    folder, result = ran
    again = studies.study(folder, out=folder / "elsewhere").run()
    assert (again.path / "student" / "student.safetensors").read_bytes() == (
        result.path / "student" / "student.safetensors"
    ).read_bytes()


def test_naive_is_kept_where_the_next_method_is_left_out_and_several_students_are_told_apart(ran) -> None:
    folder, _ = ran
    result = studies.study(folder, weak=["tfidf", "column:vote"], methods=["bootstrap"], out=folder / "two").run()
    kept = sorted((result.path / "students").iterdir())
    assert [outgrow.load(place).taught["method"] for place in kept] == ["naive", "naive"]
    with pytest.raises(UserError, match="holds 2 students: name one of "):
        _ = result.student


def test_predict_labels_a_table_by_the_student_of_a_run_folder(ran) -> None:
    folder, result = ran
    labels = pl.read_parquet(predict(result.path, str(folder / "table.jsonl"), out=folder / "labels.parquet"))
    assert labels.height == 160 and set(labels["label"]) <= {"0", "1"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A study of texts of one method that applies, naive: (its folder, its result)."""
    folder = tmp_path_factory.mktemp("texts")
    test_text_methods.filled(folder)
    return folder, test_text_methods.study(folder, methods=["joint"], seeds=1).run()


def test_the_student_of_a_study_of_texts_answers_prompts_as_it_answered_the_test_items(written) -> None:
    folder, result = written
    task, _ = load_text(str(folder / "places.jsonl"), Reading(scorer="slots"), 0)
    frame = pl.read_parquet(next(result.path.glob("predictions/*/*--*/naive.parquet")))
    prompt = dict(zip(task.ids, task.prompts, strict=True))
    assert result.student.predict([prompt[i] for i in frame["id"]]) == frame["answer"].to_list()
    facts = schema.FILES["student.json"]
    assert read_student(result.path / "student").answers.layout == "slots" and facts is StudentFile


def test_predict_writes_answers_beside_all_columns_and_goes_on_where_it_was(written, tmp_path, monkeypatch) -> None:
    folder, result = written
    table = pl.read_ndjson(folder / "places.jsonl")
    out = predict(result.path, str(folder / "places.jsonl"), out=tmp_path / "a.csv")
    found = pl.read_csv(out)
    assert found.columns == ["row", "text", "slots", "answer"] and found["text"].equals(table["text"])
    assert [json.loads(cell) for cell in found["slots"]] == table["slots"].to_list()
    answers = result.student.predict([f"{text}\nSlots:\n" for text in table["text"]])
    assert found["answer"].fill_null("").to_list() == answers

    def stops(*given, **more):
        raise AssertionError("nothing is asked of the model twice")

    monkeypatch.setattr(Local, "sample", stops)
    assert predict(result.path, str(folder / "places.jsonl"), out=tmp_path / "b.csv").read_bytes() == out.read_bytes()


def test_a_run_elsewhere_trains_the_kept_student_of_texts_once_more(written, capsys) -> None:
    folder, result = written
    again = test_text_methods.study(folder, methods=["joint"], seeds=1, out=folder / "elsewhere").run()
    assert "the student of naive and its supervisors are trained once more, to be kept" in capsys.readouterr().err
    one, two = (place / "student" / "model.safetensors" for place in (result.path, again.path))
    assert one.read_bytes() == two.read_bytes()
    assert (result.path / "summary.json").read_bytes() == (again.path / "summary.json").read_bytes()
    assert not list(Store.default().root.glob("tuned/*/record.json"))


def test_what_is_wrong_with_a_student_of_texts_or_its_table_is_one_line(written, tmp_path, capsys) -> None:
    folder, result = written
    student = shutil.copytree(result.path / "student", tmp_path / "student")

    def told(table: str = str(folder / "places.jsonl")) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["predict", str(student), table, "--out", str(tmp_path / "a.parquet")])
        assert ended.value.code == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        return line

    (tmp_path / "t.csv").write_text("sentence\nthe city\n")
    assert "no column 'text'" in told(str(tmp_path / "t.csv"))
    facts, whole = record.decode((student / "student.json").read_bytes()), (student / "student.json").read_bytes()
    (student / "student.json").write_bytes(record.encode({**facts, "version": 99}))
    assert "is of version 99" in told()
    old = {key: facts["answers"][key] for key in ("tokens", "stop")} | {"chat": False}
    old |= {key: facts[key] for key in ("head", "taught", "model", "sha256")}
    (student / "student.json").write_bytes(record.encode({**old, "format": 2}))
    assert "was written by another version of outgrow" in told()
    (student / "student.json").write_bytes(record.encode({**old, "format": 1}))
    assert outgrow.load(student).predict(["the city"]) == result.student.predict(["the city"])
    (student / "student.json").write_bytes(whole)
    weights = student / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0\0")
    assert "model.safetensors is not as it was written" in told()


def test_a_student_that_cannot_be_kept_is_named_in_the_summary_and_the_next_one_is_kept(ran, capsys) -> None:
    folder, _ = ran

    @outgrow.method(paper="none")
    def floor_again(weak):
        """Repeat the floor."""
        return Repeated(weak.beliefs)

    def summary(place: str) -> bytes:
        return (
            studies.study(folder, methods=[floor_again], out=folder / place).run().path / "summary.json"
        ).read_bytes()

    first = summary("repeated")
    assert "the student of floor_again is not kept: its method makes a Repeated" in capsys.readouterr().err
    reasons = {row["method"]: row.get("not_kept") for row in json.loads(first)}
    assert reasons.pop("floor_again").startswith("its method makes a Repeated, which cannot be saved")
    assert set(reasons.values()) == {None}
    assert outgrow.load(folder / "repeated").taught["method"] == "naive"
    assert summary("repeated") == first and summary("elsewhere again") == first


class Repeated:
    """A student of its own kind."""

    def __init__(self, beliefs: np.ndarray) -> None:
        self.beliefs = np.nan_to_num(beliefs, nan=0.5)

    def predict(self, mask: np.ndarray | None = None) -> np.ndarray:
        return self.beliefs if mask is None else self.beliefs[:, mask]
