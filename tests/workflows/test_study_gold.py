"""Methods that read gold in a study: rows of their own kind, watched by the canary, marked on every page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import studies
from outgrow.runs.read import read


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("gold")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTGROW_STORE", str(folder / "store"))
        asked = ["naive", "gold_and_weak", "gold_stack", "weak_then_gold"]
        return studies.study(folder, methods=asked, weak_gold=20).run().path


def test_they_are_rows_of_their_own_kind_without_a_corrected_p(run) -> None:
    rows = {row["method"]: row for row in json.loads((run / "summary.json").read_text())}
    assert {name for name, row in rows.items() if row["kind"] == "gold"} == {"gold_and_weak", "gold_stack"}
    for name in ("gold_and_weak", "gold_stack"):
        assert rows[name]["vs_naive_ci"] is not None and rows[name]["vs_naive_p"] is None
        assert rows[name]["above_ceiling"] is None


def test_one_that_needs_a_fine_tuned_student_is_left_out_and_named(run) -> None:
    (pair,) = json.loads((run / "details.json").read_text())["pairs"]
    assert [entry["method"] for entry in pair["left_out"]] == ["weak_then_gold"]


def test_the_canary_watches_them(run) -> None:
    (pair,) = json.loads((run / "details.json").read_text())["pairs"]
    (control,) = [entry for entry in pair["controls"] if entry["name"] == "canary"]
    assert control["passed"], "weak-train gold is theirs, that of other items changes nothing"


def test_the_best_method_is_none_of_them_and_the_page_says_that_they_read_gold(run) -> None:
    assert read(run).pairs[0].main.best.method == "naive"
    page = (run / "report.html").read_text()
    assert "Methods that read gold" in page
    assert "gold_and_weak also trains its student on the supervisor’s own gold, which the others do not" in page
