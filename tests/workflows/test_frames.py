"""Learn and audit from Python: a data frame goes wherever a path goes, and the result is at hand in a notebook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import polars as pl
import pyarrow
import pytest

import outgrow
import tiny_models
from outgrow.core.errors import UserError
from outgrow.store import disk

LIBRARIES = {"pandas": pandas.DataFrame, "polars": pl.DataFrame, "pyarrow": pyarrow.table}
VOTES = ["rule_1", "rule_2", "small_model"]


@pytest.fixture(autouse=True)
def store(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path_factory.getbasetemp() / "store"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_models.save(tmp_path_factory.mktemp("model"), encoder=True))


def messages(rows: int = 200, gold: float = 0.5, seed: int = 0) -> dict[str, list[Any]]:
    """Texts in which a word says the class, three annotators who are right in 7 of 10 votes, gold on a share."""
    rng = np.random.default_rng(seed)
    spam = rng.random(rows) < 0.5
    words = [" ".join(["true" if s else "false"] * 3 + [f"number {i}"]) for i, s in enumerate(spam)]
    votes = {name: ["spam" if v else "ham" for v in np.where(rng.random(rows) < 0.7, spam, ~spam)] for name in VOTES}
    known = ["spam" if s else "ham" for s in spam]
    shown = [name if rng.random() < gold else None for name in known]
    return {"id": [f"m{i}" for i in range(rows)], "message": words, **votes, "truth": shown}


def long(rows: dict[str, list[Any]]) -> list[dict[str, str]]:
    return [
        {"item": i, "worker": v, "label": label} for v in VOTES for i, label in zip(rows["id"], rows[v], strict=True)
    ]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_student_is_learned_from_a_frame_as_from_the_file_with_the_same_rows(
    library: str, model: str, tmp_path: Path
) -> None:
    rows = messages()
    asked: dict[str, Any] = {"text": "message", "votes": VOTES, "gold": "truth", "strong": model, "method": "naive"}
    pl.DataFrame(rows).write_parquet(tmp_path / "frame.parquet")
    of_file = outgrow.learn(tmp_path / "frame.parquet", out=tmp_path / "file", **asked)
    found = outgrow.learn(LIBRARIES[library](rows), out=tmp_path / library, **asked)
    texts = ["true true true 7", "false false false 7"]
    assert np.array_equal(found.student.predict_proba(texts), of_file.student.predict_proba(texts))
    spam = found.student.predict_proba(texts)[:, found.student.classes.index("spam")]
    assert spam[0] > spam[1], "the word that says the class is learned"
    assert found.student.classes_.tolist() == ["ham", "spam"]
    given = LIBRARIES[library]({"message": texts, "other": [1, 2]})
    assert np.array_equal(found.student.predict_proba(given), found.student.predict_proba(texts))
    series = pandas.Series(texts, index=[7, 3])
    assert found.student.predict(series).tolist() == found.student.predict(texts).tolist()
    with pytest.raises(UserError, match="no column 'message', which the student reads"):
        found.student.predict(LIBRARIES[library]({"other": texts}))
    judged = found.facts["verdict"]
    assert judged == of_file.facts["verdict"] and judged["gold"] == sum(name is not None for name in rows["truth"])


def test_what_learning_came_to_is_shown_in_a_notebook_and_written_as_a_report(model: str, tmp_path: Path) -> None:
    rows = messages()
    data, votes = pl.DataFrame({k: rows[k] for k in ("id", "message", "truth")}), pandas.DataFrame(long(rows))
    asked: dict[str, Any] = {"text": "message", "gold": "truth", "strong": model, "method": "naive"}
    found = outgrow.learn(data, votes_table=votes, out=tmp_path / "student", **asked)
    assert found.student.voters == tuple(f"worker {name}" for name in VOTES) and found.path == tmp_path / "student"
    shown = found._repr_html_()
    assert shown.startswith('<div class="outgrow">') and "<p>The student" in shown
    assert "items with gold</caption>" in shown and "<td>worker rule_1</td>" in shown
    assert "report: " in repr(found) and "student: " in repr(found)
    page = found.report(tmp_path / "page.html")
    assert page == tmp_path / "page.html" and disk.sha256(page) == disk.sha256(found.path / "report.html")
    again = outgrow.learn(data, votes_table=votes, out=tmp_path / "student", **asked)
    assert again.facts["verdict"] == found.facts["verdict"], "the same frame goes on in its folder"
    other = data.with_columns(message=pl.col("message") + "!")
    with pytest.raises(UserError, match="with other data"):
        outgrow.learn(other, votes_table=votes, out=tmp_path / "student", **asked)


def test_what_cannot_be_learned_is_one_line(model: str) -> None:
    frame = pl.DataFrame(messages(30))
    with pytest.raises(UserError, match="unknown option of a data frame 'vote': did you mean 'votes'"):
        outgrow.learn(frame, vote=VOTES)
    with pytest.raises(UserError, match="both are the column of gold, name one of them"):
        outgrow.learn(frame, gold="truth", label="id")
    with pytest.raises(UserError, match="is a int, no data frame"):
        outgrow.learn(3, votes=VOTES)
    with pytest.raises(UserError, match="unknown model for `strong` 'vots': did you mean 'votes'"):
        outgrow.learn(frame, votes=VOTES, strong="vots")


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_audit_of_a_frame_finds_what_the_audit_of_the_file_finds(library: str, tmp_path: Path) -> None:
    rows = messages()
    pl.DataFrame(rows).write_parquet(tmp_path / "frame.parquet")
    asked: dict[str, Any] = {"text": "message", "votes": VOTES, "gold": "truth"}
    of_file = outgrow.audit(tmp_path / "frame.parquet", out=tmp_path / "file", **asked)
    found = outgrow.audit(LIBRARIES[library](rows), out=tmp_path / library, **asked)
    assert found.findings == of_file.findings and len(found.findings) > 5
    assert "<caption>data frame frame, sha256 " in found._repr_html_()
    worst = next(one for one in found.findings if one.severity != "not applicable")
    assert worst.code in repr(found).splitlines()[0]
    page = found.report(tmp_path / "page.html")
    assert disk.sha256(page) == disk.sha256(tmp_path / library / "audit.html")


def test_an_audit_of_a_long_table_takes_frames_for_the_votes_and_for_gold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = messages(gold=1)
    gold = pl.DataFrame({"item": rows["id"], "label": rows["truth"]})
    found = outgrow.audit(pl.DataFrame(long(rows)), gold_table=gold)
    assert found.path.parent == Path("runs") and found.path.name.startswith("frame-")
    assert outgrow.audit(pl.DataFrame(long(rows)), gold_table=gold).path == found.path
    other = outgrow.audit(pl.DataFrame(long(messages(gold=1, seed=1))), gold_table=gold)
    assert other.path != found.path, "another frame has another folder"


def rule(texts: list[str]) -> list[str]:
    """The first word says it."""
    return ["spam" if text.startswith("true") else "ham" for text in texts]


def test_supervisors_are_audited_on_a_frame_before_they_teach(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = outgrow.audit(
        pl.DataFrame(messages(gold=1)), weak=[rule, "column:rule_1"], strong=model, text="message", gold="truth"
    )
    claim = json.loads((found.path / "claim.json").read_text())
    assert claim["asked"]["weak"] == ["rule", "column:rule_1"] and claim["asked"]["source"].startswith("frame-")
    assert "rule+column" not in (found.path / "audit.html").read_text() and len(found.findings) > 5


def answers() -> dict[str, list[str]]:
    """Two models answer twelve questions; one is right on all of them, the other on none."""
    rows = [(f"q{i}", name, told, f"{i}0") for i in range(12) for name, told in (("a", f"{i}0"), ("b", "7"))]
    return dict(zip(("item", "model", "answer", "gold"), map(list, zip(*rows, strict=True)), strict=True))


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_committee_of_a_frame_of_recorded_answers_is_that_of_the_file(library: str, tmp_path: Path) -> None:
    pl.DataFrame(answers()).write_parquet(tmp_path / "frame.parquet")
    of_file = outgrow.committee(tmp_path / "frame.parquet", out=tmp_path / "file")
    found = outgrow.committee(LIBRARIES[library](answers()), out=tmp_path / library)
    assert found.facts["figures"] == of_file.facts["figures"]
    at = {(one["choice"], one["k"]): one["right"]["value"] for one in found.facts["figures"]}
    assert at["single", 2] == 0.5 and at["coverage", 2] == 1
    shown = found._repr_html_()
    assert shown.startswith('<div class="outgrow">') and "<td>50.0%</td>" in shown and "12 items</caption>" in shown
