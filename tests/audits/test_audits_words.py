"""The audit of answers in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outgrow.audits import registry
from outgrow.tasks import Reading
from outgrow.workflows.audit import audit, read

WORDS = np.array([f"word{n}" for n in range(400)])
DATA = Path(__file__).parents[3] / "shared" / "data"


def table(shared: float, seed: int = 0, prompts: int = 40, models: int = 4, length: int = 30) -> pl.DataFrame:
    """Answers of `length` words; each is at rate `shared` the word common to all models, otherwise the model's own.
    Words of a topic, which any answer to the prompt would hold, are a fifth."""
    rng = np.random.default_rng(seed)
    rows = []
    for prompt in range(prompts):
        topic, common = rng.choice(WORDS, length // 5), rng.choice(WORDS, length)
        for model in range(models):
            own = rng.choice(WORDS, length)
            said = np.where(rng.random(length) < shared, common, own)
            rows.append((prompt, f"model {model}", " ".join([*topic, *said])))
    return pl.DataFrame(rows, ["item", "model", "answer"], orient="row")


def found(frame: pl.DataFrame, folder: Path):
    frame.write_parquet(folder / "answers.parquet")
    (finding,) = registry()["HIVE"](read(str(folder / "answers.parquet"), Reading()))
    return finding


def test_models_that_share_their_answers_are_found(tmp_path):
    finding = found(table(0.95), tmp_path)
    assert finding.severity == "warning" and finding.ci[0] < finding.value < finding.ci[1] and len(finding.items) == 5
    effective = float(finding.says.split("there are ")[1].split()[0])
    assert 1 <= effective < 2, "of four answers"


def test_models_that_share_the_topic_alone_raise_no_alarm(tmp_path):
    alarms = sum(found(table(0.0, seed, prompts=25), tmp_path).severity != "ok" for seed in range(200))
    assert alarms <= 10


def test_likeness_is_what_a_slow_count_says(tmp_path):
    frame = table(0.5, prompts=20, models=3)
    frame.write_parquet(tmp_path / "answers.parquet")
    answers = read(str(tmp_path / "answers.parquet"), Reading()).answers
    x = answers.x.toarray()
    assert np.allclose((x**2).sum(1), 1)
    same = [x[a] @ x[b] for a in range(60) for b in range(a) if answers.item[a] == answers.item[b]]
    finding = registry()["HIVE"](read(str(tmp_path / "answers.parquet"), Reading()))[0]
    assert f"mean cosine of {np.mean(same):.2f}" in finding.says
    entropy = []
    for prompt in range(20):
        k = x[answers.item == prompt] @ x[answers.item == prompt].T / 3
        values = np.linalg.eigvalsh(k)
        entropy.append(np.exp(-sum(v * np.log(v) for v in values if v > 1e-9)))
    assert f"there are {np.mean(entropy):.1f} in effect" in finding.says


def test_clusters_are_those_of_a_slow_search_and_say_who_answers_together(tmp_path):
    """Models 0 and 1 say nearly the same, model 2 something else: two clusters a prompt, always of the same models."""
    frame = table(0.0, prompts=20, models=3)
    first = dict(frame.filter(pl.col("model") == "model 0").select("item", "answer").iter_rows())
    frame = frame.with_columns(
        answer=pl.when(pl.col("model") == "model 1")
        .then(pl.col("item").replace_strict(first) + " indeed")
        .otherwise("answer")
    )
    finding = found(frame, tmp_path)
    answers = read(str(tmp_path / "answers.parquet"), Reading()).answers
    x, count = answers.x.toarray(), []
    for prompt in range(20):
        left = list(np.flatnonzero(answers.item == prompt))
        clusters = 0
        while left:
            inside = [left.pop()]
            for a in inside:
                near = [b for b in left if x[a] @ x[b] > 0.8]
                inside += near
                left = [b for b in left if b not in near]
            clusters += 1
        count.append(clusters)
    assert f"in {np.mean(count):.1f} clusters" in finding.says and set(count) == {2}
    assert finding.sheets[1].rows == (("model 0, model 1", "20", "100%"),)


def test_answers_of_one_model_twice_set_the_scale(tmp_path):
    """Where another model is no more different than the same one asked again, likeness is 1."""
    frame = table(0.6, models=4).with_columns(
        model=pl.col("model").replace_strict({f"model {m}": f"model {m % 2}" for m in range(4)})
    )
    assert abs(found(frame, tmp_path).value - 1) < 0.1


def test_too_few_prompts_say_so(tmp_path):
    finding = found(table(0.5, prompts=10), tmp_path)
    assert finding.severity == "not applicable" and "20 prompts" in finding.says


@pytest.mark.shared_data
@pytest.mark.skipif(not DATA.exists(), reason="needs shared/data beside the checkout")
def test_answers_of_nine_language_models(tmp_path):
    frame = pl.read_parquet(DATA / "alpaca_eval" / "outputs.parquet").rename(
        {"instruction_id": "item", "generator": "model", "output": "answer"}
    )
    frame.filter(pl.col("item").is_in(frame["item"].unique().sort().head(100).implode())).write_parquet(
        tmp_path / "answers.parquet"
    )
    findings, page = audit(str(tmp_path / "answers.parquet"))
    finding = next(f for f in findings if f.code == "HIVE")
    assert 0.2 < finding.value < 0.6 and "of 9.0 answers" in finding.says and page.exists()
