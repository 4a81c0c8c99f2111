"""Gold that teaches: `learn --gold`, and what gold is used for where it does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import outgrow
import tiny_models
from outgrow import methods
from outgrow.core.errors import UserError
from outgrow.pipeline.design import CrossFit
from outgrow.pipeline.vote_cell import VoteCell, space_for, table_of
from outgrow.store import Store
from outgrow.students.probe import Space
from outgrow.tasks import Reading
from outgrow.tasks.tables import annotators
from outgrow.workflows import learn


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTGROW_STORE", str(tmp_path_factory.mktemp("store")))
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(tiny_models.save(tmp_path_factory.mktemp("model"), encoder=True))


def table(folder: Path, gold: int, rows: int = 360, seed: int = 0) -> Path:
    """Sentences in which one word says the class; an annotator that hears another word half of the time."""
    rng = np.random.default_rng(seed)
    truth, other = rng.integers(2, size=(2, rows))
    said = np.where(rng.random(rows) < 0.5, other, truth)
    words = [" ".join([t, o, *rng.choice(tiny_models.WORDS[:10], 4)]) for t, o in zip(
        np.array(["false", "true"])[truth], np.array(["of", "with"])[other], strict=True
    )]  # fmt: skip
    known = np.isin(np.arange(rows), rng.permutation(rows)[:gold])
    yes = np.array(["no", "yes"])
    columns = {"id": range(rows), "message": words, "weak": yes[said], "whole": yes[truth]}
    columns["truth"] = [answer if told else None for answer, told in zip(yes[truth], known, strict=True)]
    path = folder / "data.parquet"
    pl.DataFrame(columns).write_parquet(path)
    return path


def taught(folder: Path, model: str, labels: int = 120, label: str | None = None, **changes) -> Path:
    reading = Reading(text="message", votes=("weak",), label=label)
    asked = {"reading": reading, "strong": model, "out": folder / "student"}
    return learn.learn(str(table(folder, labels)), **(asked | changes))


def facts(folder: Path) -> dict:
    return json.loads((folder / "learn.json").read_text())


def right(folder: Path) -> float:
    every, student = pl.read_parquet(folder.parent / "data.parquet"), outgrow.load(folder)
    said = student.predict(every["message"].to_list())
    return float((said == every["whole"].to_numpy()).mean())


def test_gold_teaches_the_student_and_says_so(tmp_path, model, capsys) -> None:
    folder = taught(tmp_path, model, gold="truth")
    found = facts(folder)
    assert found["how"]["method"] == "gold_and_weak" and not found["how"]["named"]
    assert found["canary"]["passed"], "no gold of the fold that it is judged on"
    assert "120 gold labels teach the student and judge it" in capsys.readouterr().err
    page, by_gold = (folder / "report.html").read_text(), right(folder)
    assert "each judged by a student of other items" in page
    assert "What gold was for" in page and "more gold labels would add about" in page
    without = taught(tmp_path, model, label="truth", overwrite=True)
    assert "do not teach it" in capsys.readouterr().err
    assert facts(without)["how"]["method"] == "auto"
    told = found["gold"]
    assert [row["name"] for row in told["rows"]] == ["gold alone", "weak labels alone"]
    assert told["rows"][1]["gain"] > 0 and told["more"]["labels"] == 100
    assert by_gold > right(without) + 0.05, "half of the votes follow another word, which gold tells apart"


def flipped(gold: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.where(rows, 1 - gold, gold)


def test_every_gold_item_judges_a_student_that_has_not_seen_it(tmp_path, model) -> None:
    path = table(tmp_path, 120)
    given = annotators.load(str(path), Reading(text="message", votes=("weak",), label="truth"))
    votes, method = table_of(given.task), methods.find("gold_and_weak")
    space = space_for(given.task, votes, model, "linear", Store.default())

    def predicted(gold: np.ndarray) -> np.ndarray:
        data = replace(given, gold=replace(given.gold, labels=gold))
        return method.fit(VoteCell(data, space, votes, "mean", "linear", 0, gold_use="teaches")).predict()

    gold, fold = given.gold.labels, CrossFit(given.task.groups, given.task.side, 0).fold
    before, after = predicted(gold), predicted(flipped(gold, (fold == 1) & (gold >= 0)))
    assert np.array_equal(before[1], after[1]), "replicate 1 leaves fold 1 out"
    assert not np.array_equal(before[2], after[2])


def test_too_little_gold_judges_alone_and_says_so(tmp_path, model, capsys) -> None:
    folder = taught(tmp_path, model, 8, gold="truth")
    assert "8 gold labels are too few to teach the student" in capsys.readouterr().err
    assert facts(folder)["how"]["method"] == "auto"


def test_a_named_method_that_reads_no_gold_is_not_taught_by_it(tmp_path, model, capsys) -> None:
    folder = taught(tmp_path, model, gold="truth", method="naive")
    assert "its method does not learn from gold" in capsys.readouterr().err
    assert not facts(folder)["gold"]["taught"] and "rows" not in facts(folder)["gold"]


def test_gold_that_only_judges_weighs_no_annotator(tmp_path) -> None:
    given = annotators.load(str(table(tmp_path, 120)), Reading(text="message", votes=("weak",), label="truth"))
    space = Space(np.zeros((1, 1, len(given.task), 1), np.float32), (0,), np.ones(len(given.task), bool))
    skill = {}
    for use in ("judges", "weighs", "teaches"):
        cell = VoteCell(given, space, table_of(given.task), "mean", "linear", 0, gold_use=use)
        skill[use] = cell.skill is not None, cell.weak_train is not None, cell.known_gold is not None
    assert skill == {"judges": (False, False, False), "weighs": (True, True, False), "teaches": (True, True, True)}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"label": "whole", "gold": "truth"}, "`gold` = truth and `label` = whole: both are the column of gold"),
        ({"label": "truth", "method": "gold_and_weak"}, "'gold_and_weak' lacks known_gold: gold of the weak-train"),
    ],
)
def test_contradictions_are_refused_in_a_line(tmp_path, model, changes, says) -> None:
    with pytest.raises(UserError) as caught:
        taught(tmp_path, model, **changes)
    assert says in str(caught.value)


def test_from_python_gold_teaches_and_label_judges(tmp_path, model) -> None:
    data = pl.read_parquet(table(tmp_path, 120)).drop("whole")
    given = {"text": "message", "votes": ["weak"], "strong": model}
    by_gold = outgrow.learn(data, **given, gold="truth", out=tmp_path / "taught")
    judged = outgrow.learn(data, **given, label="truth", out=tmp_path / "judged")
    assert [one.facts["how"]["method"] for one in (by_gold, judged)] == ["gold_and_weak", "auto"]


def test_a_fine_tuned_student_learns_weak_labels_and_then_gold(tmp_path) -> None:
    causal = str(tiny_models.save(tmp_path / "causal", encoder=False))
    folder = taught(tmp_path, causal, gold="truth", student="lora")
    found = facts(folder)
    assert found["how"]["method"] == "weak_then_gold" and found["gold"]["taught"]
    assert "rows" not in found["gold"], "students of either source would be trained six times each"
    assert outgrow.load(folder).predict_proba(["true of rome"]).shape == (1, 2)
