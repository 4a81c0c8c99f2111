"""Learning from exports and from pairs: figures as of the clean long table, tasks for tools, a reward model."""

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import exported
import outgrow
import tiny_models
from exported import CLASSES, EXPORTS
from outgrow.core.errors import UserError
from outgrow.runs import suggestions
from outgrow.tasks import Reading
from outgrow.workflows.learn import learn, predict


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A tiny encoder; random, but it tells words apart."""
    return str(tiny_models.save(tmp_path_factory.mktemp("model"), encoder=True))


@pytest.fixture(autouse=True)
def store(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path_factory.getbasetemp() / "store"))


def facts(folder: Path) -> dict:
    found = json.loads((folder / "learn.json").read_text())
    return {name: found[name] for name in ("annotators", "trust", "verdict", "suggest", "findings", "canary")}


@pytest.fixture(scope="module")
def clean(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTGROW_STORE", str(tmp_path_factory.getbasetemp() / "store"))
        source = str(exported.long_csv(folder))
        return facts(learn(source, strong=model, method="naive", suggest=5, out=folder / "out"))


@pytest.mark.parametrize("name", EXPORTS)
def test_a_student_of_an_export_has_the_figures_of_that_of_the_clean_long_table(tmp_path, model, clean, name) -> None:
    write, said = EXPORTS[name]
    reading = Reading(**said)
    out = learn(str(write(tmp_path)), reading=reading, strong=model, method="naive", suggest=5, out=tmp_path / "out")
    found = facts(out)
    assert found["trust"] and found["annotators"] == clean["annotators"]
    assert found["verdict"] == clean["verdict"] and found["trust"] == clean["trust"]
    assert found["findings"] == clean["findings"] and found["canary"] == clean["canary"]
    shown = [{k: v for k, v in item.items() if k != "row"} for item in found["suggest"]]
    assert shown == [{k: v for k, v in item.items() if k != "row"} for item in clean["suggest"]]


ITEMS = [
    {"id": "k1", "row": 2, "score": 0.75, "student": "spam", "label_model": "", "text": 'said "café"\nand left'},
    {"id": None, "row": 9, "score": 0.5, "student": "ham", "label_model": "ham", "text": "日本"},
]


def put(folder: Path) -> Path:
    pl.DataFrame(ITEMS).write_csv(folder / suggestions.TABLE)
    return folder


def test_suggested_items_are_tasks_of_label_studio_with_the_students_label(tmp_path: Path) -> None:
    suggestions.export(put(tmp_path), CLASSES, "label-studio")
    first, second = json.loads((tmp_path / "suggest.label-studio.json").read_text())
    assert first["data"] == {"text": 'said "café"\nand left', "id": "k1", "row": 2, "score": 0.75}
    (result,) = first["predictions"][0]["result"]
    assert result == {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["spam"]}}
    assert second["data"]["id"] == "9", "an item without an id goes by its row"


def test_suggested_items_are_records_of_argilla(tmp_path: Path) -> None:
    suggestions.export(put(tmp_path), CLASSES, "argilla")
    first, _ = json.loads((tmp_path / "suggest.argilla.json").read_text())
    assert first["id"] == "k1" and first["fields"] == {"text": 'said "café"\nand left'}
    assert first["suggestions"] == {"label": {"value": "spam", "score": None, "agent": "outgrow"}}


def test_suggested_items_are_tasks_of_prodigy(tmp_path: Path) -> None:
    suggestions.export(put(tmp_path), CLASSES, "prodigy")
    first, second = map(json.loads, (tmp_path / "suggest.prodigy.jsonl").read_text().splitlines())
    assert [option["id"] for option in first["options"]] == ["ham", "spam"] and first["accept"] == ["spam"]
    assert second == {**second, "text": "日本", "meta": {"id": "9", "row": 9, "score": 0.5}}


def test_tasks_of_another_tool_do_not_stay(tmp_path: Path) -> None:
    for form in (*suggestions.FORMS, suggestions.CSV):
        suggestions.export(put(tmp_path), CLASSES, form)
        assert len(list(tmp_path.iterdir())) == (1 if form == suggestions.CSV else 2)
    with pytest.raises(UserError, match="did you mean 'prodigy'"):
        suggestions.export(tmp_path, CLASSES, "prodogy")


def test_learn_writes_the_tasks_and_the_tool_gets_them_back(tmp_path, model) -> None:
    source = str(exported.long_csv(tmp_path))
    out = learn(source, strong=model, method="naive", suggest=7, suggest_format="argilla", out=tmp_path / "out")
    records = json.loads((out / "suggest.argilla.json").read_text())
    assert [r["fields"]["text"] for r in records] == pl.read_csv(out / "suggest.csv")["text"].to_list()
    assert len(records) == 7 and {r["id"] for r in records} <= set(exported.KEYS)
    with pytest.raises(UserError, match="`suggest_format`"):
        learn(source, strong=model, suggest_format="excel", out=tmp_path / "other")


def test_votes_on_pairs_teach_a_student_that_scores_texts(tmp_path, model) -> None:
    rng = np.random.default_rng(3)
    rows = 120

    def text(good: bool) -> str:
        return " ".join([*["true" if good else "false"] * 3, *rng.choice(tiny_models.WORDS[:10], 3)])

    better = rng.random(rows) < 0.5
    table = {
        "first": [text(b) for b in better],
        "second": [text(not b) for b in better],
        "label": ["first" if b else "second" for b in better],
    }
    for name in ("ann", "bob"):
        right = [("first" if b else "second") if rng.random() < 0.8 else "tie" for b in better]
        table[name] = right
    pl.DataFrame(table).write_csv(tmp_path / "pairs.csv")
    reading = Reading(votes=("ann", "bob"))
    out = learn(str(tmp_path / "pairs.csv"), reading=reading, strong=model, method="naive", out=tmp_path / "out")
    student = outgrow.load(str(out))
    assert student.reads == "pairs" and student.classes == ("first", "second")
    rows = json.loads((out / "learn.json").read_text())["verdict"]["rows"]
    assert rows, "gold judges"
    labels = pl.read_parquet(predict(out, str(tmp_path / "pairs.csv")))
    assert (labels["label"] == pl.Series(table["label"])).mean() > 0.9
    assert {f.name for f in fields(Reading)} >= {"first", "second"}
