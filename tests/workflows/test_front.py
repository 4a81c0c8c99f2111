"""Objects where names go: tasks, supervisors, methods, label models, verifiers; one `Study` for both kinds of task."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pandas
import polars as pl
import pytest

import outgrow
import tiny_models
from outgrow.core.errors import UserError
from outgrow.label_models import Belief
from outgrow.supervisors import SUPERVISORS, SupervisorView
from outgrow.tasks import Reading
from outgrow.tasks.source import TASKS
from outgrow.verifiers import Verdict
from outgrow.workflows import front, study, text_study

CLASSES = ("no", "yes")


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))


@pytest.fixture
def asked(monkeypatch):
    """What the studies below are asked for, instead of being run."""
    found = {}

    def of(name: str):
        def made(**given):
            def run(overwrite: bool) -> SimpleNamespace:
                found.update(given, kind=name)
                return SimpleNamespace(path=None)

            return SimpleNamespace(run=run)

        return made

    monkeypatch.setattr(study, "ClassStudy", of("classes"))
    monkeypatch.setattr(text_study, "TextStudy", of("texts"))
    return found


def view(texts: list[str]) -> SupervisorView:
    ids, nothing = np.array(texts), np.zeros(len(texts), np.int64)
    task = outgrow.Task("t", "classify", CLASSES, ids, tuple((text,) for text in texts), nothing, nothing)
    gold = np.full((2, len(texts)), -1)
    return SupervisorView(task, gold, np.ones(len(texts), bool), 0, (0, 1), None, None, "linear")  # type: ignore[arg-type]


def labelled(function, texts=("a", "b", "c")) -> np.ndarray:
    function.__name__ = "mine"
    return SUPERVISORS.of(function).label(view(list(texts)))


def rule(texts):
    return ["yes" if text == "a" else None if text == "b" else "no" for text in texts]


def test_a_generation_task_runs_by_the_same_study(asked):
    outgrow.Study(tasks=["places"], weak="shots:smollm2-135m").run()
    assert asked["kind"] == "texts" and asked["tasks"] == ["places"] and asked["weak"] == ["shots:smollm2-135m"]
    outgrow.Study(tasks=["sudoku:6"]).run()
    assert asked["kind"] == "texts"
    outgrow.Study(tasks=["cities"], seeds=3, label_model="majority").run()
    assert (asked["kind"], asked["seeds"], asked["label_model"]) == ("classes", 3, "majority")


def test_what_is_left_out_is_chosen_by_the_kind_of_study(asked):
    outgrow.Study().run()
    assert asked == {"kind": "classes", "seed": 0, "reading": Reading()}


def test_a_setting_for_classes_alone_is_told(asked):
    with pytest.raises(UserError, match="`label_model` does not apply to generation tasks: leave it out"):
        outgrow.Study(tasks=["places"], label_model="mean").run()
    with pytest.raises(UserError, match="a generation task has models or columns of answers: give a name"):
        outgrow.Study(tasks=["places"], weak=[rule]).run()


def test_objects_are_named_by_their_functions_and_lists_supervise_together(asked):
    def other(texts):
        return texts

    outgrow.Study(tasks=["cities"], weak=[[rule, "tfidf"], other], label_model=rule, methods=["naive", rule]).run()
    assert (asked["weak"], asked["label_model"], asked["methods"]) == (
        ["rule+tfidf", "other"],
        "rule",
        ["naive", "rule"],
    )


def test_an_object_with_the_name_of_a_member_is_one_line(asked):
    def tfidf(texts):
        return texts

    with pytest.raises(UserError, match="there is another supervisor 'tfidf' beside <function"):
        outgrow.Study(tasks=["cities"], weak=[tfidf]).run()
    with pytest.raises(UserError, match="has no name for a method: define it by def"):
        outgrow.Study(tasks=["cities"], methods=[lambda weak, student: student]).run()
    with pytest.raises(UserError, match="3 is no method: mark a function as one"):
        outgrow.Study(tasks=["cities"], methods=[3]).run()


def test_a_supervisor_names_classes_or_gives_probabilities():
    nan = np.nan
    wanted = np.array([[0, 1], [nan, nan], [1, 0]])
    named = lambda texts: rule(texts)  # noqa: E731
    assert np.array_equal(labelled(named), np.stack([wanted] * 2).astype(np.float32), equal_nan=True)
    assert np.array_equal(labelled(lambda texts: wanted), np.stack([wanted] * 2), equal_nan=True)
    assert np.array_equal(labelled(lambda view: np.stack([wanted, wanted])), np.stack([wanted] * 2), equal_nan=True)


def test_a_supervisor_that_takes_the_view_learns_and_one_of_texts_does_not():
    def looks(view):
        return view

    def typed(given: SupervisorView):
        return given

    assert [SUPERVISORS.of(one).learns for one in (looks, typed, dull)] == [True, True, False]


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda texts: ["yes"], "returned 1 labels for 3 texts"),
        (lambda texts: ["perhaps"] * 3, "returned 'perhaps' for item 0: the classes are no, yes"),
        (lambda texts: np.ones((3, 3)) / 3, "returned 3 columns for the classes no, yes"),
        (lambda texts: np.ones((3, 2)), "probabilities are 0 or more and sum to 1"),
        (lambda view: np.ones(3), r"returned an array \(3,\): return \(2, 3, 2\) or \(3, 2\)"),
    ],
)
def test_what_a_supervisor_returns_is_checked(function, says):
    with pytest.raises(UserError, match=says):
        labelled(function)


def test_what_a_method_asks_for_and_cannot_be_is_one_line():
    def misspelt(weak, studnet):
        return weak

    def bare(weak, student, *, power):
        return weak

    with pytest.raises(UserError, match="unknown resource of method misspelt 'studnet': did you mean 'student'"):
        outgrow.Study(tasks=["cities"], methods=[misspelt]).run()
    with pytest.raises(UserError, match=r"bare\.power has no default: give the hyper-parameter one"):
        outgrow.Study(tasks=["cities"], methods=[bare]).run()


def rows(n: int = 240) -> dict[str, list]:
    rng = np.random.default_rng(0)
    liked = rng.random(n) < 0.5
    vote = np.where(rng.random(n) < 0.8, liked, ~liked)
    return {
        "review": [f"film {i} is {'fine' if y else 'dull'}" for i, y in enumerate(liked)],
        "liked": liked.tolist(),
        "v": vote.tolist(),
    }


@pytest.mark.parametrize("library", [pl.DataFrame, pandas.DataFrame])
def test_a_frame_is_read_as_a_file_is(library, tmp_path):
    pl.DataFrame(rows()).write_parquet(tmp_path / "films.parquet")
    reading = Reading(text="review", label="liked", votes=("v",))
    expected, gold = outgrow.tasks.load(str(tmp_path / "films.parquet"), reading)
    with TASKS.lending(outgrow.Task.of(library(rows()), "films", text="review", label="liked")):
        task, found = outgrow.tasks.load("films", Reading(votes=("v",)))
    assert (task.digest, task.texts, task.classes) == (expected.digest, expected.texts, expected.classes)
    assert np.array_equal(found.labels, gold.labels) and np.array_equal(task.votes["v"], expected.votes["v"])


def test_checks_of_files_hold_for_frames():
    with (
        pytest.raises(UserError, match="no column 'rating' for `label`"),
        TASKS.lending(outgrow.Task.of(pl.DataFrame(rows()), "films", text="review", label="rating")),
    ):
        outgrow.tasks.load("films")
    with pytest.raises(UserError, match="unknown option of a data frame 'lable': did you mean 'label'"):
        outgrow.Task.of(pl.DataFrame(rows()), lable="liked")
    with pytest.raises(UserError, match="is a int, no data frame"), TASKS.lending(outgrow.Task.of(3)):
        outgrow.tasks.load("frame")


def halves(weak):
    """Every voice counts the same."""
    spoke = ~np.isnan(weak.probs)
    with np.errstate(invalid="ignore"):
        return Belief.of(np.where(spoke, weak.probs, 0).sum(1) / spoke.sum(1))


def plain(weak, student, *, power: float = 2.0):
    """Sharper labels, a loss of one's own."""
    beliefs = weak.beliefs**power
    loss = lambda logits, targets, progress: -(targets * logits.log_softmax(-1)).sum(-1)  # noqa: E731
    return student.fit(beliefs / beliefs.sum(-1, keepdims=True), loss=loss)


def dull(texts):
    return [not text.endswith("dull") if len(text) % 3 else None for text in texts]


def test_a_study_of_objects_runs_from_end_to_end(tmp_path):
    model = str(tiny_models.save(tmp_path / "model", encoder=True))
    asked = front.Study(
        tasks=[outgrow.Task.of(pl.DataFrame(rows()), "films", text="review", label="liked")],
        weak=[[dull, "column:v"]],
        strong=model,
        methods=["naive", plain],
        label_model=halves,
        parameters={"plain": {"power": 3}},
        seeds=2,
        out=tmp_path / "run",
    )
    summary = asked.run().summary
    assert summary["weak"].unique().to_list() == ["dull+column:v"] and summary["task"].unique().to_list() == ["films"]
    assert {"naive", "plain", "label-model:halves"} <= set(summary["method"])
    record = json.loads((tmp_path / "run" / "study.json").read_text())
    assert record["resolved"]["methods"]["plain"] == {"power": 3.0}
    assert asked.run().cells.equals(asked.run(overwrite=True).cells)


def sure(attempts):
    """Long answers."""
    return [Verdict(len(one.answer) > 1) for one in attempts]


def test_a_committee_takes_a_function_as_its_verifier(tmp_path):
    table = [
        {"item": f"q{i}", "model": m, "answer": a, "gold": f"{i}0"}
        for i in range(12)
        for m, a in (("a", f"{i}0"), ("b", "7"))
    ]
    pl.DataFrame(table).write_csv(tmp_path / "answers.csv")
    result = outgrow.committee(tmp_path / "answers.csv", verifier=[sure], out=tmp_path / "committee")
    assert '"sure"' in (tmp_path / "committee" / "committee.json").read_text() and result.facts


def test_learning_takes_a_function_as_its_method(tmp_path):
    pl.DataFrame(rows()).rename({"review": "text"}).drop("liked").with_columns(w=pl.col("v")).write_parquet(
        tmp_path / "films.parquet"
    )
    model = str(tiny_models.save(tmp_path / "model", encoder=True))
    found = outgrow.learn(
        tmp_path / "films.parquet",
        method=plain,
        strong=model,
        reading=Reading(votes=("v", "w")),
        out=tmp_path / "student",
    )
    student = found.student
    assert student.taught["method"] == "plain" and student.predict_proba(["film 3 is fine"]).shape == (1, 2)
