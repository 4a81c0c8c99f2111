"""Every page has one shell: one file, one style sheet, one script, a title, an answer, and nothing that it fetches."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from outgrow import report
from outgrow.report import charts
from outgrow.report.page import TEMPLATES

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
import pages as made

import runs

NAMES = ("study", "learn", "audit", "committee", "committees", "proxy_tuning")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    study = report.write(runs.one(tmp_path_factory.mktemp("one"))).read_text(encoding="utf-8")
    return {"study": study, **made.pages()}


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_the_shell_filled(pages, name):
    page = pages[name]
    assert page.count("<style>") == page.count("<script>") == page.count("<main>") == page.count("<footer>") == 1
    assert (TEMPLATES / "page.css").read_text(encoding="utf-8") in page
    assert re.search(r"<h1><b>outgrow</b> · .{10,}</h1>", page) and 'class="verdict ' in page
    assert page.rstrip().endswith("</html>") and "This file fetches nothing from anywhere." in page


@pytest.mark.parametrize("name", NAMES)
def test_a_page_asks_for_nothing_from_anywhere(pages, name):
    page = pages[name]
    assert "default-src 'none'" in page
    assert not re.search(r"<(link|img|iframe|object|embed|base|form)\b|\bsrc=[\"']|@import|url\(", page)
    assert set(re.findall(r'(?:href|src|xmlns)="(?!#)([^"]+)"', page)) <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("name", NAMES)
def test_every_drawing_is_there_for_screens_and_for_phones_in_words_too(pages, name):
    page = pages[name]
    drawings = re.findall(r"<svg[^>]*>", page)
    assert drawings and len(drawings) == 2 * page.count('<div class="desk">') == 2 * page.count('<div class="phone">')
    assert all(re.search(r'role="img" aria-label="[^"]{12,}"', drawing) for drawing in drawings)


@pytest.mark.parametrize("name", NAMES)
def test_every_table_has_a_name_and_can_be_scrolled_by_keyboard(pages, name):
    page = pages[name]
    regions = re.findall(r'<div class="scroll" role="region" aria-label="[^"]+" tabindex="0">', page)
    assert page.count("<table") == len(regions)


def test_every_chart_has_a_page_a_title_and_a_caption_and_stands_in_a_file_of_its_name():
    found = charts.charts()
    assert {chart.page for chart in found} == {"study", "learn", "audit", "committee", "proxy_tuning"}
    assert {chart.draw.__module__ for chart in found} == {f"outgrow.report.charts.{chart.name}" for chart in found}
    assert all(chart.title and len(chart.caption.split()) > 12 for chart in found)


def test_there_is_one_shell_and_no_template_without_it():
    for template in TEMPLATES.glob("*.j2"):
        text = template.read_text(encoding="utf-8")
        assert ("<!doctype html>" in text) == (template.name == "shell.html.j2"), template.name


def test_the_learn_page_names_each_labeller_once_and_says_annotator(pages):
    page = pages["learn"]
    table = page[page.index("Labeller") : page.index("Always giving")]
    assert re.findall(r'<th scope="row">([^<]+)', table)[:4] == [
        "student",
        "floor: dawid_skene",
        "majority",
        "label model: blocks",
    ]
    words = re.sub(r"<[^>]+>", " ", page[page.index("<body>") : page.index("<script>")])
    assert "The student outgrew its annotators" in words and not re.search(r"\bvoters?\b", words)


def test_the_audit_page_draws_shares_and_shows_other_figures_in_words(pages):
    page = pages["audit"]
    assert page.count("<figure") == 4 and "share of common errors: <b>0.21 [0.10, 0.32]</b>" in page
    assert "5 audits applied: 1 stop, 1 warning, 2 notes, 1 ok." in page


def test_a_committee_says_how_much_there_is_to_choose_from(pages):
    # weak, 16 answers: .2 + .9 x 4 x (.14 | 0 | .05)
    assert (
        "on <b>70.4%</b> of items (coverage), a single answer on <b>20.0%</b>, the majority on <b>38.0%</b>"
        in pages["committee"]
    )
    assert "of these right" in pages["committee"].lower() and "sat:4" in pages["committees"]
