"""Every study keeps a student, of the first method after naive, which loads from the run folder."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import test_text_methods

import outgrow
import studies
from outgrow import UserError
from outgrow.students import generator
from outgrow.tasks import load
from outgrow.tasks.tables.options import Reading
from outgrow.workflows.text_study import load as load_text


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTGROW_STORE", str(tmp_path_factory.mktemp("store")))
        patch.setattr(generator, "READ", 0)
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
    found = outgrow.load(result.path).predict([text[i][0] for i in frame["id"]])
    # Features of a text depend a little on the texts that are read beside it.
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
    from outgrow.workflows.predict import predict

    folder, result = ran
    labels = pl.read_parquet(predict(result.path, str(folder / "table.jsonl"), out=folder / "labels.parquet"))
    assert labels.height == 160 and set(labels["label"]) <= {"0", "1"}


def test_the_student_of_a_study_of_texts_answers_prompts_as_it_answered_the_test_items(tmp_path) -> None:
    test_text_methods.filled(tmp_path)
    result = test_text_methods.study(tmp_path, methods=["joint"], seeds=1).run()
    task, _ = load_text(str(tmp_path / "places.jsonl"), Reading(scorer="slots"), 0)
    frame = pl.read_parquet(next(result.path.glob("predictions/*/*--*/naive.parquet")))
    prompt = dict(zip(task.ids, task.prompts, strict=True))
    assert result.student.predict([prompt[i] for i in frame["id"]]) == frame["answer"].to_list()
