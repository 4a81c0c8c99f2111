"""A study of generated answers has the sections of a study of classes: agreement, gold curve, comparison, audits."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
import test_text_methods

import studies
from outgrow.cli import main
from outgrow.generation.candidates.forms import FORMS
from outgrow.runs.read import read
from outgrow.tasks.tables.options import Reading

ANNOTATORS = ("ann", "bob", "cy")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of three annotators' recorded answers, each alone, and two methods."""
    root = test_text_methods.filled(tmp_path_factory.mktemp("texts"))
    rows, rng = (
        [json.loads(line) for line in (root / "places.jsonl").read_text().splitlines()],
        np.random.default_rng(1),
    )
    for row in rows:
        right = f"city: {row['slots'][0]['filler']}"
        row |= {name: right if rng.random() < 0.8 else "none" for name in ANNOTATORS}
    (root / "recorded.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTGROW_STORE", str(root / "store"))
        studies.short_tunings(patch)
        return (
            test_text_methods.study(
                root,
                tasks=[str(root / "recorded.jsonl")],
                weak=[f"column:{name}" for name in ANNOTATORS],
                weak_gold=None,
                methods=["naive", "executed"],
                seeds=1,
                reading=Reading(scorer="slots", votes=ANNOTATORS),
            )
            .run()
            .path
        )


def test_agreement_is_the_share_of_same_answers_where_the_supervisor_was_right_and_where_not(folder) -> None:
    pair = read(folder).pairs[0]
    place = next(folder.glob("predictions/recorded/column_ann--*"))
    floor, ceiling = (pl.read_parquet(place / f"{name}.parquet") for name in ("floor", "ceiling"))
    same = {True: [], False: []}
    for said, num, den, other in zip(floor["answer"], floor["num"], floor["den"], ceiling["answer"], strict=True):
        same[num == den].append(FORMS["words"](said) == FORMS["words"](other))
    found = pair.entry("agreement", "ceiling")
    assert found["when_right"] == pytest.approx(np.mean(same[True]))
    assert found["when_wrong"] == pytest.approx(np.mean(same[False]))
    assert {entry["method"] for entry in pair.get("agreement")} == {"naive", "executed", "ceiling"}


def test_scores_beside_the_answers_add_up_to_the_cells(folder) -> None:
    place = next(folder.glob("predictions/recorded/column_bob--*"))
    cells = pl.read_parquet(folder / "cells.parquet").filter(
        (pl.col("weak") == "column:bob") & (pl.col("metric") == "slu_f1")
    )
    for name in ("floor", "naive"):
        frame = pl.read_parquet(place / f"{name}.parquet")
        (value,) = cells.filter(pl.col("method") == name)["value"]
        assert frame["num"].sum() / frame["den"].sum() == pytest.approx(value)


def test_the_gold_curve_ends_at_the_ceiling(folder) -> None:
    pair = read(folder).pairs[0]
    curve = pair.get("gold_curve")
    assert [point["n"] for point in curve] == [32, round(pair.details["n_transfer"])]
    assert curve[-1]["value"] == pytest.approx(pair.main.ceiling.value)
    assert not {"calibration", "not_applicable"} & pair.details.keys()


def test_three_pairs_are_compared(folder, capsys) -> None:
    found = json.loads((folder / "comparison.json").read_text())
    assert {method["method"] for method in found["methods"]} == {"naive", "executed"}
    with pytest.raises(SystemExit):
        main(["compare", str(folder)])
    assert "executed" in capsys.readouterr().out


def test_the_report_shows_what_audits_found(folder) -> None:
    findings = json.loads((folder / "audit.json").read_text())["findings"]
    codes = {finding["code"].partition(".")[0].partition("-")[0] for finding in findings}
    assert {"CEILING", "COST", "CALIBRATION"} <= codes
    asked = {finding["code"]: finding for finding in findings}
    assert next(found for code, found in asked.items() if code.startswith("COST"))["severity"] != "not applicable"
