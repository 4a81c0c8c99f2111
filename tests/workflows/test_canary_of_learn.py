"""The canary of `learn`: permuted hidden gold changes no honest method, but hostile ones, which are named first."""

from __future__ import annotations

import gc
import json
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import test_learn

import hostile
import tiny_models
from outgrow import methods
from outgrow.methods import method
from outgrow.pipeline import canary
from outgrow.report.learn import render, told
from outgrow.tasks import Reading
from outgrow.tasks.tables import annotators
from outgrow.workflows import learn


def taught_by(labels, student):
    """Students that all items teach by class numbers, the items that a replicate must leave out among them."""
    gold = np.where((labels >= 0)[..., None], np.eye(2, dtype=np.float32)[labels], np.float32(np.nan))
    return student.on(np.ones_like(student.train)).fit(gold)


@method(paper="a test")
def by_callers(weak, student):
    """What its callers hold."""
    return taught_by(hostile._framed("VoteCell").data.gold.labels, student)


@method(paper="a test")
def by_objects(weak, student):
    """What the interpreter knows."""
    held = [item.gold.labels for item in gc.get_objects() if type(item).__name__ == "Annotations"]
    return taught_by(next(labels for labels in held if len(labels) == student.train.shape[1]), student)


@method(paper="a test")
def by_other_folds(weak, student, weak_train):
    """Gold of a replicate's left-out items, as other replicates may know it."""
    return taught_by(weak_train.gold.max(0), student)


@method(paper="a test")
def by_scraps(weak, student):
    """What its callers made of gold."""
    return taught_by(vars(hostile._framed("VoteCell"))["known"][0], student)


@method(paper="a test")
def by_own_gold(weak, student, weak_train):
    """Honest: every replicate by the gold that it may know."""
    gold = np.where((weak_train.gold >= 0)[..., None], np.eye(2, dtype=np.float32)[weak_train.gold], np.float32(np.nan))
    return student.fit(np.where(np.isnan(gold), weak.beliefs, gold))


@method(paper="a test")
def by_test_side(weak, student):
    """Gold of the data's own test items alone."""
    taught = hostile._framed("VoteCell")
    return taught_by(np.where(taught.design.fold == 0, taught.data.gold.labels, -1), student)


PLANTED = (by_callers, by_objects, by_other_folds, by_scraps, by_own_gold, by_test_side, hostile.by_luck)


@pytest.fixture(autouse=True)
def world(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path_factory.getbasetemp() / "store"))
    with methods.METHODS.lending(*PLANTED):
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(tiny_models.save(tmp_path_factory.mktemp("model"), encoder=True))


def sung(folder, model, rows=240, **changes) -> SimpleNamespace:
    """What came of `learn` on the small table: canary, printed lines, page, and all that learn.json says."""
    given = {name: changes.pop(name) for name in ("gold", "split", "one_class") if name in changes}
    path = test_learn.table(folder, rows, gold=given.get("gold", 1.0))
    if given.get("one_class"):
        pl.read_parquet(path).with_columns(
            label=pl.when(pl.col("label").is_not_null()).then(pl.lit("ham"))
        ).write_parquet(path)
    if given.get("split"):
        pl.read_parquet(path).with_row_index("at").with_columns(
            split=pl.when(pl.col("at") % 4 == 0).then(pl.lit("test")).otherwise(pl.lit("train"))
        ).write_parquet(path)
    named = {
        "label": "label" if given.get("gold", 1.0) else None,
        "split": "split" if given.get("split") else None,
        "classes": ("ham", "spam"),
    }
    reading = Reading(text="message", votes=test_learn.VOTES, **named)
    out = learn.learn(str(path), **({"reading": reading, "strong": model, "out": folder / "student"} | changes))
    facts = json.loads((out / "learn.json").read_text())
    return SimpleNamespace(facts=facts, canary=facts["canary"], told=told(out), page=(out / "report.html").read_text())


@pytest.mark.parametrize(
    ("name", "label_model", "head"),
    [
        ("auto", "mean", "linear"),
        ("naive", "accuracy", "linear"),
        ("auto", "bayesian", "mlp"),
        ("by_own_gold", "blocks", "linear"),
    ],
)
def test_honest_methods_pass_and_the_report_says_so(name, label_model, head, tmp_path, model):
    found = sung(tmp_path, model, method=name, label_model=label_model, student=head)
    # 240 items in groups of one, or of a few that read the same: about 48 a fifth.
    assert found.canary["passed"] is True and found.canary["changed"] == 0.0 and 30 < found.canary["permuted"] < 70
    assert f"Gold of {found.canary['permuted']} hidden items permuted, no prediction of {name} changed." in found.page
    assert "CONTROL FAILED" not in found.told and "came out wrong" not in found.page


@pytest.mark.parametrize("name", ["by_callers", "by_objects", "by_other_folds", "by_scraps"])
def test_methods_that_read_gold_of_what_they_leave_out_fail_and_it_is_said_first(name, tmp_path, model):
    found = sung(tmp_path, model, method=name, label_model="accuracy")
    assert found.canary["passed"] is False and found.canary["changed"] > 0.1 and found.canary["raised"] == ""
    says = f"hidden gold permuted: {name} changed {100 * found.canary['changed']:.1f}% of its predictions"
    first, second, *_ = found.told.splitlines()
    assert first.startswith(f"CONTROL FAILED: canary: {says}") and second == "A control failed: not to be relied on."
    assert (
        found.page.index("A control came out wrong") < found.page.index(says[1:]) < found.page.index('class="answer"')
    )


def test_gold_of_the_test_split_is_permuted_too(tmp_path, model):
    found = sung(tmp_path, model, method="by_test_side", split=True)
    assert found.canary["passed"] is False and found.canary["permuted"] > 60 + 20, "60 test items, and a fifth of 180"
    assert sung(tmp_path, model, method="naive", split=True, overwrite=True).canary["passed"] is True


def test_all_figures_are_those_of_the_true_gold(tmp_path, model, monkeypatch):
    with_it = sung(tmp_path, model, label_model="accuracy").facts
    monkeypatch.setattr(canary, "of_votes", lambda *_: {"passed": None, "says": "not asked"})
    without = sung(tmp_path, model, label_model="accuracy", overwrite=True).facts
    assert with_it.pop("canary") != without.pop("canary")
    assert with_it.pop("cost")["votes"] == without.pop("cost")["votes"], "its seconds differ"
    assert with_it["how"].pop("seconds") > 0 and without["how"].pop("seconds") > 0
    assert with_it == without


def test_who_never_says_the_same_twice_is_not_judged(tmp_path, model):
    found = sung(tmp_path, model, method="by_luck")
    assert (
        found.canary["passed"] is None
        and "predictions of by_luck differ each time they are made" in found.canary["says"]
    )
    assert "redictions of by_luck differ each time they are made" in found.page and "CONTROL FAILED" not in found.told


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"gold": 0.0}, "and there are 0"),
        ({"gold": 0.2}, "and there are "),
        ({"gold": 0.9, "one_class": True}, ", all of one class"),
    ],
)
def test_where_there_is_too_little_gold_the_report_says_that_it_was_not_asked(given, says, tmp_path, model):
    found = sung(tmp_path, model, method="naive", **given)
    assert found.canary == {"passed": None, "says": found.canary["says"]}
    assert (
        found.canary["says"].startswith("not asked: it needs 20 items with gold, of two classes or more")
        and says in found.canary["says"]
    )
    assert (
        f"<dd>N{found.canary['says'][1:]}.</dd>".replace("'", "&#39;") in found.page
        and "CONTROL FAILED" not in found.told
    )


def test_a_student_that_is_fine_tuned_is_not_asked():
    taught = SimpleNamespace(kind="lora")
    assert canary.of_votes(taught, methods.find("naive"), np.zeros((1, 2))) == {
        "passed": None,
        "says": "not asked: a fine-tuned student would be trained twice",
    }


def test_naive_passes_and_a_record_of_before_there_was_a_canary_is_still_a_report(tmp_path, model):
    found = sung(tmp_path, model, method="naive")
    assert found.canary["passed"] is True and "no prediction of naive changed." in found.page
    del found.facts["canary"]
    page = render(found.facts)
    assert "canary" not in page and "came out wrong" not in page


def test_of_the_table_of_votes_nothing_but_ids_is_left_to_be_read(tmp_path):
    given = annotators.load(
        str(test_learn.table(tmp_path, 40, gold=1.0)), Reading(text="message", votes=test_learn.VOTES)
    )
    assert given.table.column("id")[:2] == ["item 0", "item 1"] and (given.gold.labels >= 0).all()
    with pytest.raises(KeyError):
        given.table.column("label")
