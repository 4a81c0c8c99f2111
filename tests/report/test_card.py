"""The model card of a saved student: what the hub reads of it, what people read, and that nothing in it is invented."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import outgrow
import tiny_models
from outgrow.report import card
from outgrow.students import student_file

VOTES = ["rule_1", "rule|2"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_models.save(tmp_path_factory.mktemp("secret-place"), encoder=True))


def taught(folder: Path, model: str, gold: bool = True, **more: Any) -> Path:
    """A student of two rules that are right in 4 of 5 votes, with gold on half of the rows or on none."""
    rng = np.random.default_rng(0)
    spam = rng.random(160) < 0.5
    rows = {"message": [f"{'true' if one else 'false'} paris {i}" for i, one in enumerate(spam)]}
    names = np.array(["ham", "<b>spam"])
    rows |= {name: names[np.where(rng.random(160) < 0.8, spam, ~spam).astype(int)].tolist() for name in VOTES}
    rows["truth"] = [str(names[int(one)]) if gold and i % 2 else None for i, one in enumerate(spam)]
    asked = {"text": "message", "gold": "truth", "strong": model, "method": "naive", **more}
    return outgrow.learn(pl.DataFrame(rows), votes=VOTES, out=folder, **asked).path


@pytest.fixture(scope="module")
def kept(model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return taught(tmp_path_factory.mktemp("card") / "spam-student", model)


def test_the_hub_reads_metrics_and_what_is_unknown_out_of_the_card(kept: Path) -> None:
    cards = pytest.importorskip("huggingface_hub")
    data = cards.ModelCard.load(kept / "README.md").data
    assert data.license == "unknown" and data.library_name == "outgrow" and data.pipeline_tag == "text-classification"
    assert data.base_model is None and data.datasets is None, "a local checkpoint and a frame are nobody's on the hub"
    (result,) = data.eval_results
    verdict = outgrow.load(kept) and card.learn.read(kept)["verdict"]
    assert result.metric_type == "accuracy" and data.model_name == "spam-student"
    assert result.metric_value == pytest.approx(verdict["rows"][0]["accuracy"], abs=1e-4)
    assert f"accuracy on {verdict['judged']} items with gold" in result.metric_name


def test_yaml_reads_back_names_with_quotes_colons_and_emoji(kept: Path) -> None:
    yaml = pytest.importorskip("yaml")
    figures = card.CardFigures(
        'a: "b" 🦊 é', "", ("ham", "spam"), "", "accuracy", "items", (("student", 0.5, None),), ()
    )  # fmt: skip
    student = student_file.read(kept)
    (result,) = yaml.safe_load(card._metadata(kept, student, figures).strip("-"))["model-index"][0]["results"]
    assert result["dataset"]["name"] == 'a: "b" 🦊 é'
    assert "model-index" not in card._metadata(kept, student, replace(figures, rows=()))


def test_the_card_says_how_the_student_was_taught_and_how_good_it_is_with_intervals(kept: Path) -> None:
    text, facts = (kept / "README.md").read_text(encoding="utf-8"), card.learn.read(kept)
    row = facts["verdict"]["rows"][0]
    assert f"| student | {100 * row['accuracy']:.1f}% | [" in text and "| floor: " in text
    assert "- Supervised by rule\\_1, rule\\|2." in text and "- Method: naive." in text
    assert "Items that taught it: 160." in text and "- Label model: " in text and "sha256 " in text
    for heading in ("How good it is", "How it was taught", "Limits", "How to use it", "Licence"):
        assert f"\n## {heading}\n" in text
    assert "The licence of this student is not known" in text
    assert "<b>" not in text.replace("\\<b\\>", "") and str(kept.parent) not in text
    assert "- Model: secret-place" in text and "/secret-place" not in text, "no path of this machine"


def test_the_card_renders_as_markdown(kept: Path) -> None:
    markdown = pytest.importorskip("markdown")
    text = (kept / "README.md").read_text(encoding="utf-8").partition("\n---\n")[2]
    page = markdown.markdown(text, extensions=["tables", "fenced_code"])
    assert page.count("<table>") == 1 and page.count("<h2>") == 5 and '<code class="language-python">' in page
    assert "<b>" not in page and page.count("<tr>") == text.count("\n| ")


def test_the_code_of_the_card_runs_on_the_folder(kept: Path) -> None:
    text = (kept / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    code = code.replace("from huggingface_hub import snapshot_download\n", "")
    namespace: dict[str, Any] = {"snapshot_download": lambda name: kept}
    exec(compile(code, "card", "exec"), namespace)
    assert namespace["student"].predict_proba(["one text"]).shape == (1, 2)


def test_a_student_that_no_gold_has_judged_has_no_accuracy_in_its_card(model: str, tmp_path: Path) -> None:
    text = (taught(tmp_path / "student", model, gold=False) / "README.md").read_text(encoding="utf-8")
    assert "Its accuracy is not known" in text and "No gold has judged it" in text
    assert "model-index" not in text and "metrics:" not in text


def test_an_edited_card_is_left_and_another_is_written_anew(model: str, tmp_path: Path, capsys) -> None:
    place = taught(tmp_path / "student", model) / "README.md"
    first = place.read_text(encoding="utf-8")
    again = taught(tmp_path / "student", model, overwrite=True, label_model="mean", seed=1) / "README.md"
    assert again.read_text(encoding="utf-8") != first
    edited = first.replace("license: unknown", "license: mit")
    place.write_text(edited, encoding="utf-8")
    taught(tmp_path / "student", model, overwrite=True)
    assert place.read_text(encoding="utf-8") == edited
    assert "README.md was edited: it is left as it is" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("named", "revision", "base"),
    [
        ("Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B@c1899de2", "Qwen/Qwen3-0.6B"),
        ("Qwen/Qwen3-0.6B@main", "Qwen/Qwen3-0.6B@c1899de2", "Qwen/Qwen3-0.6B"),
        ("folder/name", "local files (sha256 0)", None),
        ("minilm-l6", "wheels", None),
        ("qwen2.5-coder-0.5b", "a file", "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF"),
        ("votes", "what the voters say", None),
    ],
)
def test_a_base_model_is_named_where_it_is_known_to_be_on_the_hub(
    kept: Path, named: str, revision: str, base: str | None
) -> None:
    student = replace(student_file.read(kept), model=named, revision=revision)
    assert card.base_of(student) == base


def test_the_student_that_a_study_kept_has_a_card_between_floor_and_ceiling(model: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    spam = rng.random(200) < 0.5
    frame = pl.DataFrame(
        {
            "text": [f"{'true' if one else 'false'} rome {i}" for i, one in enumerate(spam)],
            "label": np.array(["ham", "spam"])[spam.astype(int)],
            "rule": np.array(["ham", "spam"])[np.where(rng.random(200) < 0.8, spam, ~spam).astype(int)],
        }
    )
    task = outgrow.Task.of(frame, "messages", text="text", label="label", votes=["rule"])
    study = outgrow.Study(tasks=[task], weak=["column:rule"], strong=model, methods=["naive"], seeds=4, out=tmp_path)
    text = (study.run().path / "student" / "README.md").read_text(encoding="utf-8")
    assert re.search(r"\| naive \| \d+\.\d% \| \[", text) and "| floor |" in text and "| ceiling |" in text
    assert "mean over 4 replicates, of which this student is the first" in text
