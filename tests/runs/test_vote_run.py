"""What `learn` leaves where gold judges: the cells and rows of a study, which `show` and `compare` read."""

from __future__ import annotations

import json

import polars as pl
import pytest
import test_learn

import tiny_models
from outgrow.cli import main
from outgrow.runs.read import read
from outgrow.tasks import Reading
from outgrow.workflows import learn


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Students of much gold, of little and of none."""
    root = tmp_path_factory.mktemp("learned")
    model = str(tiny_models.save(root / "model", encoder=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTGROW_STORE", str(root / "store"))
        made = {}
        for name, gold in (("much", 0.9), ("none", 0.0)):
            made[name] = test_learn.taught(root, model, gold=gold, method="naive", out=root / name)
        # 21 items with gold: enough to judge by, too few to teach every fold by the others.
        frame = pl.read_parquet(test_learn.table(root, gold=1.0)).with_row_index("at")
        frame = frame.with_columns(label=pl.when(pl.col("at") < 21).then(pl.col("label"))).drop("at")
        frame.write_parquet(root / "data.parquet")
        reading = Reading(text="message", votes=(",".join(test_learn.VOTES),))
        made["little"] = learn.learn(
            str(root / "data.parquet"), reading=reading, strong=model, method="naive", out=root / "little"
        )
    return made


def test_rows_of_a_learned_student_are_those_of_a_study(folders) -> None:
    (pair,) = read(folders["much"]).pairs
    rows = {row.method: row for row in pair.main.rows}
    assert {"floor", "ceiling", "naive", *(f"supervisor:{name}" for name in test_learn.VOTES)} <= rows.keys()
    facts = json.loads((folders["much"] / "learn.json").read_text())["verdict"]
    told = {row["kind"]: row["accuracy"] for row in facts["rows"] if row["kind"] in ("student", "floor")}
    assert rows["naive"].value == pytest.approx(told["student"])
    assert rows["floor"].value == pytest.approx(told["floor"]) and rows["naive"].n_test == facts["judged"]
    gap = rows["ceiling"].value - rows["floor"].value
    assert rows["naive"].status == "too few replicates"
    assert rows["naive"].pgr is None or rows["naive"].pgr == pytest.approx((told["student"] - told["floor"]) / gap)


def test_every_score_is_that_of_the_predictions_beside_it(folders) -> None:
    base = folders["much"] / "predictions" / "data"
    gold = dict(pl.read_parquet(base / "gold.parquet").select("id", "label").iter_rows())
    cells = dict(pl.read_parquet(folders["much"] / "cells.parquet").select("method", "value").iter_rows())
    frame = pl.read_parquet(next(base.glob("*--*")) / "naive.parquet")
    right = [int(p1 > p0) == gold[key] for key, _, p0, p1 in frame.iter_rows()]
    assert cells["naive"] == pytest.approx(sum(right) / len(right))


def test_without_gold_in_every_fold_there_is_no_ceiling_and_without_gold_no_run(folders) -> None:
    details = json.loads((folders["little"] / "details.json").read_text())["pairs"]
    (pair,) = read(folders["little"]).pairs
    assert pair.main.ceiling is None and details[0]["lacks"] == [
        "ceiling: needs gold in every fold, and a student of heads"
    ]
    assert {row.status for row in pair.main.rows} == {"no ceiling"}
    assert not (folders["none"] / "summary.json").exists()


def test_show_prints_a_learned_student(folders, capsys) -> None:
    with pytest.raises(SystemExit):
        main(["show", str(folders["much"])])
    shown = capsys.readouterr().out
    assert "naive" in shown and "ceiling" in shown and "canary: gold of" in shown


def test_audit_and_report_of_a_learned_student_leave_its_own_page(folders, capsys) -> None:
    before = (folders["much"] / "report.html").read_text()
    for verb in ("audit", "report"):
        with pytest.raises(SystemExit):
            main([verb, str(folders["much"])])
    assert (folders["much"] / "report.html").read_text() == before
    assert json.loads((folders["much"] / "audit.json").read_text())["findings"]
