"""A chart of a folder as a file: named after the chart, never over another file unasked."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from outgrow.core.errors import UserError
from outgrow.report.figure import figure

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
import runs

TESTS = Path(__file__).parents[1]

BEGINS = {".pdf": b"%PDF-", ".svg": b"<svg", ".png": b"\x89PNG"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    runs.one(folder)
    return folder


@pytest.mark.parametrize("suffix", BEGINS)
def test_a_chart_of_a_study_is_drawn_as_every_kind_of_file(run, tmp_path, suffix) -> None:
    out = tmp_path / f"ladder{suffix}"
    assert figure(run, out) == [out]
    assert out.read_bytes().startswith(BEGINS[suffix])
    assert b"var(--" not in out.read_bytes(), "colours that only a page knows"


def test_a_file_that_is_there_stays_unless_it_may_go(run, tmp_path) -> None:
    out = tmp_path / "ladder.svg"
    out.write_text("mine")
    with pytest.raises(UserError, match="the file is there"):
        figure(run, out)
    assert out.read_text() == "mine"
    figure(run, out, overwrite=True)
    assert out.read_text().startswith("<svg")


def test_a_chart_that_does_not_apply_is_refused_with_those_that_do(run, tmp_path) -> None:
    with pytest.raises(UserError, match=r"the chart forest does not apply to .*; these do: .*ladder"):
        figure(run, tmp_path / "forest.pdf")
    with pytest.raises(UserError, match=r"unknown chart of what `outgrow run` writes 'lader': did you mean 'ladder'"):
        figure(run, tmp_path / "lader.pdf")
    with pytest.raises(UserError, match=r"give a \.pdf, \.svg, \.png file"):
        figure(run, tmp_path / "ladder.jpg")


@pytest.mark.parametrize(("verb", "chart"), [("steer", "proxy_scores"), ("committee", "choices")])
def test_charts_of_other_folders_are_drawn_too(verb, chart, tmp_path) -> None:
    shutil.copy(TESTS / "runs" / "version0" / f"{verb}.json", tmp_path)
    files = figure(tmp_path, tmp_path / f"{chart}.pdf")
    assert files and all(file.read_bytes().startswith(b"%PDF-") for file in files)
