"""Items and votes in doubt, and measures by class, of a student whose errors are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outgrow.pipeline.baselines import registry
from outgrow.pipeline.vote_cell import VoteCell, table_of
from outgrow.runs.class_measures import ClassMeasures
from outgrow.runs.doubts import EXCERPT, disagreements, suspected, suspects
from outgrow.runs.vote_facts import rivals, verdict
from outgrow.tasks import Reading
from outgrow.tasks.tables import annotators

ROWS, CLASSES = 240, ("ham", "spam")
RATES = {"careful": 0.05, "careless": 0.4, "middling": 0.2}


def cell(folder: Path, gold: float = 1.0, votes: tuple[str, ...] = tuple(RATES), **more) -> VoteCell:
    """Annotators who err at these rates on items of two classes, of which the text says the class."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=ROWS)
    said = {name: np.where(rng.random(ROWS) < rate, 1 - truth, truth) for name, rate in RATES.items()}
    named = np.array(CLASSES)
    shown = [named[t] if rng.random() < gold else None for t in truth]
    columns = {name: named[labels].tolist() for name, labels in said.items()}
    text = [f"item {i} {('calm', 'shouting')[t]} {'x' * 400}" for i, t in enumerate(truth)]
    path = folder / "data.parquet"
    pl.DataFrame({"id": range(ROWS), "text": text, **columns, "label": shown}).write_parquet(path)
    found = annotators.load(str(path), Reading(text="text", votes=votes, classes=CLASSES))
    return VoteCell(found, None, table_of(found.task), "mean", "linear", 0, **more)


def knowing(made: VoteCell, sure: float = 0.9) -> np.ndarray:
    """(N, C) of a student that is always right."""
    gold = np.array(["shouting" in text for (text,) in made.task.texts], int)
    return np.where(np.eye(2, dtype=bool)[gold], sure, 1 - sure)


def test_suspected_are_the_votes_that_a_good_student_sees_to_be_wrong(tmp_path) -> None:
    made = cell(tmp_path)
    student, votes = knowing(made), made.votes
    wrong = votes.said.argmax(1) != student.argmax(1)[votes.item]
    found = suspects(made, student)
    assert found["count"] == found["confirmed"] == found["wrong_by_gold"] == wrong.sum() > 100
    assert found["checked"] == wrong.sum() and found["votes_with_gold"] == 3 * ROWS and len(found["rows"]) == 20
    for row in found["rows"]:
        assert row["given"] != row["probably"] == row["gold"] and row["votes"][row["annotator"]] == row["given"]
        assert len(row["text"]) <= EXCERPT + 2 and row["text"].endswith("…") and f"item {row['id']} " in row["text"]
        assert row["row"] == row["id"] + 1
    shares = suspected(made, student)
    for j, name in enumerate(made.names):
        assert shares[j] == pytest.approx(wrong[votes.annotator == j].mean()), name


def test_disagreements_come_in_the_order_of_their_distance_and_never_where_both_say_the_same(tmp_path) -> None:
    made = cell(tmp_path, gold=0.3)
    student, belief = knowing(made), made.believed("mean")
    belief[:5] = np.nan
    found = disagreements(made, student, belief)
    assert len(found) == 20
    certain = [item["label_model"][max(item["label_model"], key=item["label_model"].get)] for item in found]
    assert certain == sorted(certain, reverse=True), "the student is equally sure everywhere"
    for item in found:
        assert max(item["student"], key=item["student"].get) != max(item["label_model"], key=item["label_model"].get)
        assert set(item["votes"]) == set(RATES)
    assert {item["gold"] for item in found} >= {None}


def test_a_student_is_paired_with_itself_without_a_difference(tmp_path) -> None:
    made = cell(tmp_path)
    rng = np.random.default_rng(1)
    student = rng.dirichlet([1, 1], ROWS)
    labels = np.where(rng.random(ROWS) < 0.1, 1, 0)
    measures = ClassMeasures(student, labels, made.task.groups, CLASSES, 0)
    assert measures.rare == ("spam",)
    same = measures.against(student.copy(), student.copy())
    own = measures.own()
    assert same["macro_f1"]["gain"] == pytest.approx(0) and same["macro_f1"]["value"] == own["macro_f1"]["value"]
    assert same["average_precision"]["gain"] == 0 and same["average_precision"]["gain_ci"] == (0, 0)
    assert sum(pair["items"] for pair in measures.confused()) == pytest.approx(ROWS)
    best = measures.against(np.eye(2)[labels], np.eye(2)[labels])
    assert best["average_precision"]["value"] == best["macro_f1"]["value"] == 1
    assert best["macro_f1"]["gain"] == pytest.approx(own["macro_f1"]["value"] - 1)
    assert best["macro_f1"]["gain_ci"][1] < 0


@pytest.mark.parametrize("gold", [1.0, 0.02])
def test_the_best_annotator_is_chosen_without_the_gold_that_judges(tmp_path, gold) -> None:
    made = cell(tmp_path, gold=gold)
    found = registry("votes")["best-annotator"].fit(made)
    assert set(found.of) == {str(made.names.index("careful"))}
    assert np.array_equal(found.values, made.annotator(made.names.index("careful")))
    shuffled = made.gold.labels[made.design.fold == 1].copy()
    made.gold.labels.flags.writeable = True
    made.gold.labels[made.design.fold == 1] = np.where(shuffled >= 0, 1 - shuffled, -1)
    made.forget()
    again = registry("votes")["best-annotator"].fit(made)
    assert np.array_equal(found.values[made.design.fold == 1], again.values[made.design.fold == 1])


def test_a_verdict_has_the_baselines_that_can_be_had_and_says_why_others_are_missing(tmp_path) -> None:
    made = cell(tmp_path, gold=0.1, strong="votes")
    _, lacks = rivals(made)
    assert set(lacks) == {"TF-IDF", "zero-shot", "gold alone"}, "neither texts nor a student of heads"
    made = cell(tmp_path, gold=0.1, strong="a-model")
    found = verdict(made, knowing(made), made.believed("mean"))
    rows = {row["kind"]: row for row in found["rows"]}
    assert rows["tfidf"]["accuracy"] == 1, "a word of every text says the class"
    assert rows["tfidf"]["gain"] == pytest.approx(0) and rows["best annotator"]["name"] == "best annotator: careful"
    assert found["rare"] == () and set(found["lacks"]) == {"zero-shot", "gold alone"}
    alone = cell(tmp_path, gold=0.1, votes=("careless",), strong="a-model")
    assert "best annotator" not in {kind for kind, *_ in rivals(alone)[0]}
