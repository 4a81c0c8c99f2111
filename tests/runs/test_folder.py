"""Output folders and files: the same question goes on, another result is never written over unasked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import tiny_models
from outgrow.core.errors import UserError
from outgrow.report.learn import told
from outgrow.runs import folder
from outgrow.tasks import Reading
from outgrow.workflows import audit, committee, learn

ITSELF = {"data": "a", "seed": 0}


@pytest.fixture(autouse=True)
def store(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path_factory.getbasetemp() / "store"))


@pytest.mark.parametrize("verb", sorted(folder.LEFT))
def test_the_same_question_finds_its_folder_again_and_another_is_refused_until_overwritten(tmp_path, verb) -> None:
    out, name = tmp_path / "out", folder.LEFT[verb][0]
    folder.claim(out, verb, ITSELF)
    (out / name).write_text("mine")
    folder.claim(out, verb, ITSELF)
    assert (out / name).read_text() == "mine"
    with pytest.raises(UserError, match=r"other seed\); give another folder, or `overwrite=True`"):
        folder.claim(out, verb, {**ITSELF, "seed": 1})
    assert (out / name).read_text() == "mine"
    (out / "notes.txt").write_text("the user's own")
    folder.claim(out, verb, {**ITSELF, "seed": 1}, overwrite=True)
    assert not (out / name).exists() and (out / "notes.txt").read_text() == "the user's own"


def test_what_another_verb_wrote_and_what_nobody_wrote_are_refused(tmp_path) -> None:
    out = tmp_path / "out"
    folder.claim(out, "learn", ITSELF)
    (out / "learn.json").write_text("{}")
    with pytest.raises(UserError, match="what `outgrow learn` wrote"):
        folder.claim(out, "run", ITSELF)
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("")
    for overwrite in (False, True):
        with pytest.raises(UserError, match="holds other things"):
            folder.claim(other, "run", ITSELF, overwrite=overwrite)
    old = tmp_path / "old"
    old.mkdir()
    (old / "study.json").write_text("{}")
    with pytest.raises(UserError, match="does not say what was asked"):
        folder.claim(old, "run", ITSELF)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="a file of that name"):
        folder.claim(tmp_path / "file", "run", ITSELF)


def test_a_folder_in_which_nothing_came_about_is_free(tmp_path) -> None:
    folder.claim(tmp_path / "out", "run", ITSELF)
    folder.claim(tmp_path / "out", "learn", ITSELF)
    assert json.loads((tmp_path / "out" / folder.FILE).read_text())["verb"] == "learn"


def _votes(path: Path, rows: int = 120, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    truth = rng.integers(2, size=rows)
    said = {f"v{j}": np.where(rng.random(rows) < 0.8, truth, 1 - truth) for j in range(3)}
    pl.DataFrame(
        {
            "id": [f"i{i}" for i in range(rows)],
            "text": [f"{('false', 'true')[t]} {i}" for i, t in enumerate(truth)],
            **said,
        }
    ).write_csv(path)
    return path


def test_learn_refuses_the_folder_of_other_data_and_leaves_no_list_of_suggestions_that_it_did_not_write(
    tmp_path,
) -> None:
    data, model = _votes(tmp_path / "votes.csv"), str(tiny_models.save(tmp_path / "model", encoder=True))
    reading = Reading(votes=("v0", "v1", "v2"))
    out = learn.learn(str(data), reading=reading, strong=model, suggest=5, out=tmp_path / "out")
    first = (out / "student.json").read_bytes()
    assert "suggest.csv" in told(out)
    with pytest.raises(UserError, match="with other suggest"):
        learn.learn(str(data), reading=reading, strong=model, out=out)
    _votes(data, seed=1)
    with pytest.raises(UserError, match="with other data"):
        learn.learn(str(data), reading=reading, strong=model, suggest=5, out=out)
    assert (out / "student.json").read_bytes() == first and (out / "suggest.csv").exists()
    learn.learn(str(data), reading=reading, strong=model, out=out, overwrite=True)
    assert "suggest.csv" not in told(out) and not (out / "suggest.csv").exists()

    new = tmp_path / "new.csv"
    new.write_text('id,text\na,"true\n1"\nb,false 2\n')
    labels = learn.predict(out, str(new), out=tmp_path / "labels.csv")
    assert learn.predict(out, str(new), out=labels) == labels, "the same again"
    frame = pl.read_csv(labels)
    assert frame["row"].to_list() == [1, 2] and frame["text"].to_list() == ["true\n1", "false 2"], "rows, not lines"
    before = labels.read_bytes()
    new.write_text("id,text\na,false 7\n")
    with pytest.raises(UserError, match="something else of that name"):
        learn.predict(out, str(new), out=labels)
    assert labels.read_bytes() == before and not labels.with_name("labels.csv.part").exists()
    learn.predict(out, str(new), out=labels, overwrite=True)
    assert pl.read_csv(labels).height == 1


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_rows_of_labels_are_numbered_alike_in_every_kind_of_table(tmp_path, kind) -> None:
    data, model = _votes(tmp_path / "votes.csv"), str(tiny_models.save(tmp_path / "model", encoder=True))
    out = learn.learn(str(data), reading=Reading(votes=("v0", "v1", "v2")), strong=model, out=tmp_path / "out")
    frame = pl.DataFrame({"id": ["a", "b", "c"], "text": ["true\n\n1", "false 2", "true 3"]})
    new = tmp_path / f"new.{kind}"
    {"csv": frame.write_csv, "jsonl": frame.write_ndjson, "parquet": frame.write_parquet}[kind](new)
    found = pl.read_parquet(learn.predict(out, str(new)))
    assert found["row"].to_list() == [1, 2, 3] and found["text"].to_list() == frame["text"].to_list()


def test_an_audit_and_a_committee_refuse_the_folder_of_another(tmp_path) -> None:
    data = _votes(tmp_path / "votes.csv")
    asked = {"reading": Reading(votes=("v0", "v1", "v2"))}
    audit.audit(str(data), **asked, out=tmp_path / "audit")
    audit.audit(str(data), **asked, out=tmp_path / "audit")
    with pytest.raises(UserError, match="another result of `outgrow audit`"):
        audit.audit(str(data), reading=Reading(votes=("v0", "v1")), out=tmp_path / "audit")
    audit.audit(str(data), reading=Reading(votes=("v0", "v1")), out=tmp_path / "audit", overwrite=True)

    rows = [
        {"item": f"q{i}", "model": m, "answer": str(i + (m == "b")), "gold": str(i)} for i in range(12) for m in "ab"
    ]
    answers = tmp_path / "answers.csv"
    pl.DataFrame(rows).write_csv(answers)
    committee.committee(str(answers), out=tmp_path / "committee")
    committee.committee(str(answers), out=tmp_path / "committee")
    with pytest.raises(UserError, match="other seed"):
        committee.committee(str(answers), seed=1, out=tmp_path / "committee")
    with pytest.raises(UserError, match="what `outgrow committee` wrote"):
        audit.audit(str(data), **asked, out=tmp_path / "committee")


def test_a_long_name_is_shortened_in_a_path_and_stays_different() -> None:
    from outgrow.runs.compare import LONGEST, safe

    one, other = ("+".join(f"column:annotator_{i}" for i in range(40)) + end for end in ("a", "b"))
    assert len(safe(one)) <= LONGEST and safe(one) != safe(other)
    assert safe("a/b:c") == "a_b_c"
