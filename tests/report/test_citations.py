"""BibTeX of outgrow and of the papers that a result came from."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from outgrow.audits import AUDITS
from outgrow.label_models import LABEL_MODELS
from outgrow.methods import METHODS
from outgrow.methods.text import TEXT_METHODS
from outgrow.report.citations import bibliography, papers, stated
from outgrow.verifiers import VERIFIERS

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
import runs

TESTS = Path(__file__).parents[1]

LINES = [
    *(one.paper for registry in (METHODS, TEXT_METHODS, VERIFIERS) for one in registry.all().values()),
    *(stated(one.run) for registry in (LABEL_MODELS, AUDITS) for one in registry.all().values()),
]


def _balanced(text: str) -> bool:
    depth = 0
    for sign in re.sub(r"\\.", "", text):
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            return False
    return depth == 0


def test_a_line_gives_the_papers_that_it_names() -> None:
    (wilson, bahri) = papers("Wilson 1972; deep k-NN, Bahri, Jiang & Gupta 2020 (arXiv 2004.12289)")
    assert (wilson.names, wilson.year, wilson.arxiv) == (("Wilson",), "1972", "")
    assert (bahri.names, bahri.year, bahri.arxiv) == (("Bahri", "Jiang", "Gupta"), "2020", "2004.12289")
    assert bahri.key == "bahri2020deep" and "author = {Bahri and Jiang and Gupta}," in bahri.entry()
    (burns,) = papers('loss "product" of the code published with Burns et al. 2023 (arXiv 2312.09390), section 3')
    assert "author = {Burns and others}," in burns.entry() and "eprint = {2312.09390}," in burns.entry()
    (own,) = papers('Grandvalet & Miller 2031, "A title of its own"')
    assert own.title == "A title of its own" and own.key == "grandvalet2031title"


def test_what_is_no_paper_gives_none() -> None:
    assert papers("outgrow's own") == papers("JSON Schema 2020-12") == papers("researchers, April 2026") == []


def test_a_number_without_a_title_stands_in_its_place() -> None:
    (paper,) = papers("Somebody et al. 2031 (arXiv 3101.00001)")
    assert "title = {{arXiv:3101.00001}}," in paper.entry()
    (bare,) = papers("arXiv 3101.00001")
    assert bare.key == "arxiv3101.00001" and "year = {2031}," in bare.entry() and "author" not in bare.entry()


@pytest.mark.parametrize("line", sorted({line for line in LINES if line}))
def test_entries_of_our_own_papers_are_whole(line) -> None:
    assert all(_balanced(paper.entry()) for paper in papers(line))


def test_nearly_every_paper_of_ours_has_a_title() -> None:
    """A new one may lack it for a while: its number stands in the place."""
    named = {paper for line in LINES for paper in papers(line)}
    lacking = {paper.key for paper in named if not paper.title or paper.title.startswith("arXiv:")}
    assert len(named) > 40 and len(lacking) <= len(named) / 10, lacking


def test_without_a_folder_outgrow_alone_is_cited() -> None:
    text = bibliography([])
    assert text.startswith("@software{outgrow,") and text.count("@") == 1


def test_a_study_cites_the_papers_of_the_methods_that_ran(tmp_path) -> None:
    runs.one(tmp_path)
    details = tmp_path / "details.json"
    details.write_text(
        details.read_text().replace("Burns et al. 2023, section 3", "Burns et al. 2023 (arXiv 2312.09390)")
    )
    text = bibliography([tmp_path])
    assert "% method naive: burns2023weaktostrong\n" in text
    assert text.count("@misc{burns2023weaktostrong,") == 1, "the floor's paper and the method's are one entry"
    assert _balanced(text)


def test_the_label_model_of_supervisors_that_taught_together_is_cited(tmp_path) -> None:
    runs.one(tmp_path)
    for name in ("summary.json", "details.json"):
        path = tmp_path / name
        path.write_text(path.read_text().replace('"minilm-l6"', '"minilm-l6+tfidf"'))
    study = json.loads((tmp_path / "study.json").read_text())
    study["asked"]["label_model"] = "dawid_skene"
    (tmp_path / "study.json").write_text(json.dumps(study))
    assert "% label model dawid_skene: dawid1979maximum\n" in bibliography([tmp_path])


@pytest.mark.parametrize(
    ("verb", "key"),
    [("steer", "liu2024tuning"), ("committee", "chen2021evaluating"), ("learn", ""), ("audit", "")],
)
def test_every_folder_is_cited(verb, key, tmp_path) -> None:
    shutil.copy(TESTS / "runs" / "version0" / f"{verb}.json", tmp_path)
    text = bibliography([tmp_path])
    assert key in text and "@software{outgrow," in text
