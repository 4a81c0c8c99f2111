"""Students and label models as estimators of scikit-learn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas
import polars as pl
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import outgrow
import tiny_models
from outgrow import label_models
from outgrow.core.errors import UserError
from outgrow.label_models._votes import Votes
from outgrow.methods import RESOURCES
from outgrow.sklearn import LabelModelTransformer, WeakToStrongClassifier
from outgrow.sklearn.student import EstimatorCell

ESTIMATORS = [WeakToStrongClassifier(), LabelModelTransformer(), LabelModelTransformer("majority")]


@parametrize_with_checks(ESTIMATORS)
@pytest.mark.filterwarnings("ignore:votes for .* count as abstentions:UserWarning")
def test_an_estimator_passes_every_check_of_scikit_learn(estimator, check) -> None:
    check(estimator)


def world(items: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features in which a class is two standard deviations from the other, three annotators, gold."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(2, size=items)
    votes = np.where(rng.random((items, 3)) < 0.75, gold[:, None], 1 - gold[:, None])
    return rng.normal(size=(items, 4)) + gold[:, None], votes, gold


def test_a_classifier_learns_from_the_votes_of_several_annotators_who_may_abstain() -> None:
    x, votes, gold = world()
    words, heard = np.array(["ham", "spam"], object)[votes], np.random.default_rng(1).random(votes.shape) < 0.8
    spoken = np.where(heard, words, None)
    found = WeakToStrongClassifier().fit(x, spoken)
    assert found.classes_.tolist() == ["ham", "spam"]
    right = (found.predict(x) == np.array(["ham", "spam"])[gold]).mean()
    assert right > (votes == gold[:, None]).mean(0).max(), "the student is ahead of the best annotator"
    numbers = WeakToStrongClassifier(abstain=-1).fit(x, np.where(heard, votes, -1))
    assert np.array_equal(numbers.predict_proba(x), found.predict_proba(x)) and numbers.classes_.tolist() == [0, 1]
    framed = WeakToStrongClassifier().fit(x, pl.DataFrame(spoken, schema=["a", "b", "c"], orient="row"))
    assert np.array_equal(framed.predict_proba(x), found.predict_proba(x))
    assert framed.student_.voters == ("a", "b", "c")


def test_weak_probabilities_teach_as_the_votes_that_they_stand_for() -> None:
    x, votes, _ = world()
    by_votes = WeakToStrongClassifier(label_model="mean").fit(x, votes)
    asked = {"weak": "probabilities", "classes": ["no", "yes"], "label_model": "mean"}
    several = WeakToStrongClassifier(**asked).fit(x, np.eye(2)[votes])
    assert np.allclose(several.predict_proba(x), by_votes.predict_proba(x))
    one = WeakToStrongClassifier(**asked).fit(x, np.eye(2)[votes].mean(1))
    assert np.allclose(one.predict_proba(x), by_votes.predict_proba(x), atol=1e-5)
    assert set(one.predict(x)) == {"no", "yes"}


def test_an_estimator_is_searched_and_piped_as_others_are() -> None:
    x, votes, gold = world(200)
    grid = {"weaktostrongclassifier__method": ["naive", "logconf"], "weaktostrongclassifier__student": ["linear"]}
    piped = make_pipeline(StandardScaler(), WeakToStrongClassifier())
    found = GridSearchCV(piped, grid, cv=2).fit(x, votes[:, 0])
    assert found.best_score_ > 0.5 and found.score(x, gold) > 0.75


def test_every_resource_of_a_method_is_there_or_known_to_be_missing() -> None:
    names = set(dir(EstimatorCell)) | set(EstimatorCell.__dataclass_fields__)
    assert set(RESOURCES) <= names


def last(weak, student, *, power: float = 1.0):
    """A method of the user's own."""
    sharp = weak.beliefs**power
    return student.fit(sharp / sharp.sum(-1, keepdims=True))


def test_methods_may_be_functions_and_have_hyper_parameters() -> None:
    x, votes, _ = world()
    plain, own = (
        WeakToStrongClassifier(method=method, parameters=given).fit(x, votes)
        for method, given in ((last, {"power": 1.0}), ("naive", None))
    )
    assert np.array_equal(plain.predict_proba(x), own.predict_proba(x))
    sharp = WeakToStrongClassifier(method=last, parameters={"power": 4.0}).fit(x, votes)
    assert not np.allclose(sharp.predict_proba(x), own.predict_proba(x))
    assert sharp.student_.taught["parameters"] == {"power": 4.0}


def test_a_classifier_of_texts_reads_them_with_the_model_that_is_named(tmp_path: Path) -> None:
    model = str(tiny_models.save(tmp_path / "model", encoder=True))
    rng = np.random.default_rng(0)
    spam = rng.random(120) < 0.5
    texts = [f"{'true' if one else 'false'} paris {i}" for i, one in enumerate(spam)]
    votes = pandas.DataFrame({name: np.where(rng.random(120) < 0.8, spam, ~spam) for name in "ab"})
    found = WeakToStrongClassifier(model).fit(texts, votes)
    assert found.classes_.tolist() == [False, True]
    assert (found.predict(pandas.Series(texts)) == spam).mean() > 0.9
    saved = outgrow.load(found.student_.save(tmp_path / "student"))
    assert np.array_equal(saved.predict_proba(texts), found.predict_proba(texts))
    with pytest.raises(ValueError, match="the student was taught on texts: give a list of texts"):
        found.predict(np.zeros((3, 2)))


@pytest.mark.parametrize(
    ("asked", "y", "told"),
    [
        ({"student": "lora"}, [0, 1], "`student` = 'lora': give linear or mlp; `outgrow.learn` fine-tunes"),
        ({"weak": "vote"}, [0, 1], "`weak` = 'vote': give votes or probabilities"),
        ({"method": "naiv"}, [0, 1], "unknown method 'naiv': did you mean 'naive'?"),
        ({"method": "improve"}, [0, 1], "method 'improve' lacks .*: take another `method`, or outgrow.learn"),
        ({"label_model": "bayes"}, [0, 1], "unknown label model 'bayes': did you mean 'bayesian'?"),
        ({}, [1, 1], "the votes name 1 class: give votes for two classes or more"),
        ({}, np.full((2, 2), np.nan), "the votes name 0 class"),
        ({}, np.array([["a", 1], ["b", 2]], object), "votes mix texts and numbers: give labels of one type"),
        ({}, np.array([[0.2, 0.8], [0.5, 0.5]]), "votes hold 0.2, no label"),
        ({}, np.zeros((2, 2, 2)), "votes are an array of 3 dimensions: give items x annotators"),
        ({"weak": "probabilities"}, np.full((2, 2), 0.6), "a row of weak probabilities is not >= 0 with the sum 1"),
        ({"weak": "probabilities"}, [0.6, 0.4], "weak probabilities are items x classes, or"),
        (
            {"weak": "probabilities", "classes": "abc"},
            np.full((2, 2), 0.5),
            "classes name 3, and the .* have 2",
        ),
    ],
)
def test_what_cannot_be_learned_is_one_line(asked, y, told) -> None:
    with pytest.raises((UserError, ValueError), match=told) as error:
        WeakToStrongClassifier(**asked).fit(np.zeros((2, 3)), y)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["majority", "bayesian", "dawid_skene"])
def test_a_transformer_gives_the_beliefs_of_the_label_model(name: str) -> None:
    votes = world(60)[1]
    item, annotator = np.nonzero(np.ones_like(votes))
    table = Votes.table(item, annotator, votes.ravel())
    wanted = label_models.find(name)(table).probs[0]
    found = LabelModelTransformer(name).fit(votes)
    assert np.allclose(found.transform(votes), wanted, atol=1e-6)
    assert np.array_equal(found.predict(votes), found.classes_[wanted.argmax(1)])
    assert np.array_equal(found.predict_proba(votes[:7]), found.transform(votes)[:7])


def test_votes_that_were_never_seen_together_are_read_by_bayes_rule() -> None:
    votes = np.array([[0, 0]] * 6 + [[1, 1]] * 3)
    found = LabelModelTransformer("majority").fit(votes)
    # Beliefs are certain: six items of class 0, three of class 1. With 0.1 added to each cell of a confusion table an
    # annotator says 0 of an item of class 0 in 6.1 of 6.2, and of an item of class 1 in 0.1 of 3.2.
    for_0, for_1 = 6 / 9 * (6.1 / 6.2) * (0.1 / 6.2), 3 / 9 * (0.1 / 3.2) * (3.1 / 3.2)
    assert np.allclose(found.transform([[0, 1]]), [[for_0 / (for_0 + for_1), for_1 / (for_0 + for_1)]])
    assert np.allclose(found.transform(np.array([[np.nan, np.nan]])), [[6 / 9, 3 / 9]]), "the shares of the classes"
    with pytest.warns(UserWarning, match="votes for 5, which fit has not seen, count as abstentions"):
        assert np.allclose(found.transform([[5, 5]]), [[6 / 9, 3 / 9]])


LIBRARIES = {"pandas": pandas.DataFrame, "polars": pl.DataFrame}


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_frame_of_votes_becomes_a_frame_of_beliefs(library: str) -> None:
    made = LIBRARIES[library]
    wide = made(
        {"id": ["x", "y", "z"], "a": ["spam", "ham", None], "b": ["spam", "skip", None], "c": ["ham", "ham", "skip"]}
    )
    found = outgrow.label_models.fit_predict(wide, ["a", "b", "c"], label_model="mean", abstain=["skip"])
    assert isinstance(found, type(wide))
    assert list(found.columns) == ["id", "label", "p_ham", "p_spam", "confidence"]
    rows = pl.DataFrame(found).rows() if library == "polars" else pl.from_pandas(found).rows()
    # Two of three say spam: |2/3 - 1/2| / (1/2) = 1/3.
    assert rows[0][:2] == ("x", "spam") and rows[0][2:] == pytest.approx((1 / 3, 2 / 3, 1 / 3), abs=1e-6)
    assert rows[1] == ("y", "ham", 1, 0, 1) and rows[2] == ("z", None, None, None, 0)
    long = made({"task": [7, 7, 7, 8], "worker": ["a", "b", "c", "a"], "label": ["spam", "spam", "ham", "ham"]})
    found = outgrow.label_models.fit_predict(long, label_model="mean")
    assert list(found.columns)[:2] == ["task", "label"] and list(found["task"]) == [7, 8]
    assert list(found["p_spam"]) == pytest.approx([2 / 3, 0])


def test_what_is_no_frame_of_votes_is_told_in_one_line() -> None:
    frame = pl.DataFrame({"a": ["spam", "ham"], "b": ["ham", "ham"]})
    for given, more, told in (
        (3, {}, "votes are a int, no data frame: give one of pandas, polars or pyarrow"),
        (frame, {"votes": ["a", "bb"]}, "unknown column for `votes` 'bb': did you mean 'b'?"),
        (frame, {"votes": ["b"]}, "the votes name 1 class: a label model needs two classes or more"),
        (frame, {"label_model": "means"}, "unknown label model 'means': did you mean 'mean'?"),
    ):
        with pytest.raises(UserError) as error:
            outgrow.label_models.fit_predict(given, **more)
        assert str(error.value) == told


def test_estimators_are_imported_where_they_are_named() -> None:
    script = "import sys, outgrow\nprint('sklearn' in sys.modules, outgrow.sklearn.WeakToStrongClassifier().student)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False linear\n"
