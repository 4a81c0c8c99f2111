"""The audit of careful answers by default, and the minimal pairs it asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outgrow.audits import registry
from outgrow.audits.evidence import Evidence, Minimal
from outgrow.audits.tables import write_pairs
from outgrow.cli import main
from outgrow.core.errors import UserError
from outgrow.tasks.builtin.minimal import KINDS, pairs
from outgrow.tasks.tables.options import Reading
from outgrow.workflows import audit

DATA = Path(__file__).parents[3] / "shared" / "data"


def answered(path: Path, *, harder_shown: bool, seed: int = 1) -> Path:
    """Errands answered by a model of word pairs trained on others: nearly all with their constraint, or both ways."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    taught = pairs("errands", 200, seed=7)
    texts, harder = [p.present for p in taught], [True] * 200
    easy = [p.removed for p in taught][: 4 if harder_shown else 200]
    model = make_pipeline(
        CountVectorizer(ngram_range=(1, 2)), LogisticRegression(C=0.1 if harder_shown else 1, max_iter=500)
    )
    model.fit(texts + easy, harder + [False] * len(easy))
    write_pairs("errands", path, 100, seed)
    table = pl.read_csv(path)
    said = {}
    for version in ("present", "removed"):
        takes = model.predict(table[f"text_{version}"].to_list())
        said[version] = [
            f"I would take the {h if t else e}."
            for t, h, e in zip(takes, table["gold_present"], table["gold_removed"], strict=True)
        ]
    table.with_columns(**{name: pl.Series(values) for name, values in said.items()}).write_csv(path)
    return path


def test_a_model_taught_on_constraints_alone_always_takes_the_harder_option_and_is_flagged(tmp_path):
    findings, _ = audit.audit(str(answered(tmp_path / "pairs.csv", harder_shown=True)))
    found = findings[0]
    assert (
        found.code == "DEFAULT"
        and found.severity == "warning"
        and found.value == -1
        and "100% right with the constraint, 0% without" in found.says
    )
    assert found.ci[0] == -1 and found.ci[1] < -0.9 and len(found.items) == 5 and "Answer" in found.items[0]["text"]


def test_a_model_taught_both_ways_reasons_and_is_not_flagged(tmp_path):
    findings, _ = audit.audit(str(answered(tmp_path / "pairs.csv", harder_shown=False)))
    assert findings[0].severity == "ok" and findings[0].value == 0 and "both right on 100%" in findings[0].says


def responders(rng: np.random.Generator, count: int = 2, pairs: int = 100) -> Evidence:
    """Logistic regressions trained to notice a faint constraint, each on its own questions, answer new pairs."""
    from sklearn.linear_model import LogisticRegression

    def questions(n: int, harder: np.ndarray) -> np.ndarray:
        return np.where(harder, 1, -1)[:, None] * 0.6 + rng.normal(size=(n, 4))

    right = []
    for _ in range(count):
        harder = rng.random(2000) < 0.5
        model = LogisticRegression().fit(questions(2000, harder), harder)
        right.append([model.predict(questions(pairs, np.full(pairs, truth))) == truth for truth in (True, False)])
    present, removed = np.concatenate(right, axis=1)
    item, judge = np.tile(np.arange(pairs), count), np.repeat(np.arange(count), pairs)
    return Evidence(
        "planted",
        minimal=Minimal(
            item, judge, present, removed, tuple(map(str, range(pairs))), tuple(f"model {j}" for j in range(count))
        ),
    )


def test_models_that_err_either_way_raise_an_alarm_no_oftener_than_stated():
    rng = np.random.default_rng(0)
    found = [registry()["DEFAULT"](responders(rng))[0] for _ in range(200)]
    assert np.mean([f.severity == "warning" for f in found]) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)
    assert np.mean([f.ci[0] <= 0 <= f.ci[1] for f in found]) > 0.85  # the lower of two differences is shown


def test_pairs_of_one_group_count_once_where_they_are_alike():
    """Four copies of each of 100 pairs, in groups: the interval is that of 100 pairs, not of 400."""
    once = responders(np.random.default_rng(1), count=1).minimal
    copies = np.repeat(np.arange(100), 4)
    four = [
        replace(
            once,
            item=copies,
            judge=once.judge[copies],
            present=once.present[copies],
            removed=once.removed[copies],
            group=group,
        )
        for group in (copies, None)
    ]
    reach = [np.diff(registry()["DEFAULT"](Evidence("", minimal=m))[0].ci)[0] for m in (once, *four)]
    assert reach[1] == pytest.approx(reach[0], rel=0.03) and reach[2] < 0.6 * reach[0]


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_differ_by_a_sentence_and_have_exact_gold(kind):
    drawn = pairs(kind, 100)
    assert drawn == pairs(kind, 100) and drawn != pairs(kind, 100, seed=1) and len({p.item for p in drawn}) == 100
    order = []
    for p in drawn:
        start = next(i for i, (a, b) in enumerate(zip(p.present, p.removed, strict=False)) if a != b)
        extra = p.present[start : start + len(p.present) - len(p.removed)]
        assert p.present[:start] + p.present[start + len(extra) :] == p.removed and extra.count(".") == 1
        options = p.removed.rpartition("Answer ")[2].rstrip(".").replace('"', "").split(" or ")
        assert sorted(options) == sorted((p.easy, p.harder)) and p.easy != p.harder
        order.append(options[0] == p.easy)
    assert 0.3 < np.mean(order) < 0.7


def test_gold_of_cities_is_that_of_the_atlas():
    from outgrow.tasks.builtin.cities import sampled_cities

    home = {city: country for _, city, country in sampled_cities()}
    for p in pairs("cities", 50):
        start, _, rest = p.present.removeprefix("A driver goes from ").partition(" to ")
        end, abroad = rest.partition(". An")[0], rest.partition("stop in ")[2].partition(". Which")[0]
        assert home[start] == home[end] != home[abroad]


def test_the_command_writes_pairs_and_an_empty_table_is_told(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["audit", "translations", "--pairs", str(tmp_path / "pairs.csv"), "--items", "20"])
    assert (
        stopped.value.code == 0
        and capsys.readouterr().out.startswith("20 pairs")
        and len(pl.read_csv(tmp_path / "pairs.csv")) == 20
    )
    for words, says in (
        (["translations", "--pairs"], "is there already"),
        (["walks", "--pairs"], "unknown kind"),
        ([], "no pair is answered"),
    ):
        with pytest.raises(SystemExit):
            main(["audit", *words, str(tmp_path / "pairs.csv")])
        assert says in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["audit", "errands", "--pairs", str(tmp_path / "pairs.csv"), "--items", "10", "--overwrite"])
    assert stopped.value.code == 0 and len(pl.read_csv(tmp_path / "pairs.csv")) == 10


@pytest.mark.parametrize(
    "answer, right",
    [
        ("van", True),
        ("The VAN.", True),
        ("bicycle", False),
        ("the bicycle, not the van", False),
        ("caravan", False),
        ("?", False),
    ],
)
def test_an_answer_is_right_that_names_its_gold_alone(answer, right, tmp_path):
    row = {"id": [1], "present": [answer], "removed": ["bicycle"], "gold_present": ["van"], "gold_removed": ["bicycle"]}
    pl.DataFrame(row).write_csv(tmp_path / "p.csv")
    given = audit.read(str(tmp_path / "p.csv"), Reading()).minimal
    assert given.present.tolist() == [right] and given.removed.tolist() == [True] and given.names == ("the answers",)


def test_a_users_own_pairs_are_read_and_bad_ones_told(tmp_path):
    table = pl.DataFrame(
        {"item": ["a", "b", "a"], "judge": ["x", "x", "y"], "present": [1, 0, 1], "removed": [True, False, None]}
    )
    table.write_parquet(tmp_path / "p.parquet")
    given = audit.read(str(tmp_path / "p.parquet"), Reading()).minimal
    assert (
        given.judge.tolist() == [0, 0]
        and given.present.tolist() == [True, False]
        and given.removed.tolist() == [True, False]
    )
    table.with_columns(removed=pl.Series([3, 1, 1])).write_parquet(tmp_path / "p.parquet")
    with pytest.raises(UserError, match="write 1 for right"):
        audit.read(str(tmp_path / "p.parquet"), Reading())


@pytest.mark.shared_data
@pytest.mark.skipif(not DATA.exists(), reason="needs the shared data")
def test_llmbar_judges_do_not_hear_that_they_are_to_count_in_base_nine(tmp_path):
    """The same two sums in base nine (constraint) and base ten: GPT-4 takes what is right in base ten."""
    gold = pl.read_parquet(DATA / "llmbar" / "llmbar.parquet").select("id", "label")
    table = (
        pl.read_parquet(DATA / "llmbar" / "llmbar_judges.parquet")
        .filter(pl.col("mode") == "Vanilla")
        .join(gold, on="id")
    )
    table = table.select(
        "judge",
        kind=pl.col("id").str.extract(r"case_(\w+)-"),
        item=pl.col("id").str.extract(r"-(\d+)"),
        right=(pl.col("verdict_fwd") == pl.col("label")).cast(int),
    )
    sides = [
        table.filter(pl.col("kind") == kind).select("judge", "item", pl.col("right").alias(name))
        for kind, name in (("base9", "present"), ("base10", "removed"))
    ]
    sides[0].join(sides[1], on=["judge", "item"]).write_parquet(tmp_path / "base.parquet")
    findings, _ = audit.audit(str(tmp_path / "base.parquet"))
    assert findings[0].code == "DEFAULT" and findings[0].severity == "warning" and "of 6 of 6" in findings[0].says
    rows = {row[0]: row for row in findings[0].sheets[0].rows}
    assert rows["GPT-4"][1:5] == ("54", "15%", "69%", "+53.7") and rows["ChatGPT"][6] == "0%"
