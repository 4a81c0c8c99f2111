"""The report as text: what it says of a run folder, in which order, and that nothing breaks out of its place."""

from __future__ import annotations

import json
import re
import struct
import sys
from pathlib import Path

import pytest

from outgrow import report
from outgrow.core.errors import UserError
from outgrow.report import charts, theme, words
from outgrow.runs.read import read

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
import outline

import runs


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    return {make.__name__: make(root / make.__name__) for make in runs.ALL}


@pytest.fixture(scope="module")
def pages(folders):
    return {name: report.write(folder).read_text(encoding="utf-8") for name, folder in folders.items()}


def specs(folder):
    """(chart, width, spec) of every chart that applies to a run folder."""
    found = read(folder)
    for chart in charts.charts("study"):
        subjects = {
            "study": [found],
            "pair": found.pairs,
            "view": [view for pair in found.pairs for view in pair.views],
        }
        for subject in subjects[chart.of]:
            for width in (charts.WIDE if chart.wide else charts.HALF, charts.PHONE):
                spec = chart.draw(subject, width)
                if spec is not None:
                    yield chart, width, spec


def test_the_report_says_what_the_golden_one_says():
    """Where a change is meant: python tests/golden/outline.py, and look at the difference."""
    expected = json.loads((Path(__file__).parents[1] / "golden" / "one.json").read_text(encoding="utf-8"))
    found = json.loads(outline.golden())
    assert found["data"] == expected["data"]
    assert found["page"] == expected["page"]


def test_every_row_of_the_summary_stands_on_the_ladder(folders):
    rows = json.loads((folders["one"] / "summary.json").read_text())
    wide = next(spec for chart, width, spec in specs(folders["one"]) if chart.name == "ladder" and width == charts.WIDE)
    shown = {row["name"]: row for row in wide["data"]["values"]}
    assert shown.keys() == {row["method"] for row in rows}
    for row in rows:
        assert [shown[row["method"]][name] for name in ("value", "lo", "hi")] == [row["value"], *row["value_ci"]]
        assert len(shown[row["method"]]["each"]) == row["replicates"] == 16


def test_the_shaded_gap_reaches_from_floor_to_ceiling(folders):
    rows = {row["method"]: row["value"] for row in json.loads((folders["one"] / "summary.json").read_text())}
    wide = next(spec for chart, _, spec in specs(folders["one"]) if chart.name == "ladder")
    gap = next(layer for layer in wide["layer"] if isinstance(layer["mark"], dict) and layer["mark"]["type"] == "rect")
    assert gap["data"]["values"] == [{"a": rows["floor"], "b": rows["ceiling"]}]


@pytest.mark.parametrize("name", [make.__name__ for make in runs.ALL])
def test_every_figure_has_a_title_a_caption_and_words_for_people_who_cannot_see_it(pages, name):
    figures = re.findall(r"<figure.*?</figure>", pages[name], re.S)
    assert len(figures) >= 2
    for figure in figures:
        caption = re.search(r"<figcaption><h3>(.+?)</h3><p>(.+?)</p></figcaption>", figure, re.S)
        assert caption and len(caption[2].split()) > 12
        drawings = re.findall(r"<svg[^>]*>", figure)
        assert drawings and all(re.search(r'role="img" aria-label="[^"]{12,}"', drawing) for drawing in drawings)


@pytest.mark.parametrize("name", [make.__name__ for make in runs.ALL])
def test_every_chart_uses_colours_that_both_palettes_have(folders, name):
    for _, _, spec in specs(folders[name]):
        used = set(re.findall(r"var\(--([a-z-]+)\)", json.dumps(spec)))
        assert used and used <= theme.LIGHT.keys() & theme.DARK.keys()
        assert not re.search(r'"#[0-9a-f]{3,6}"', json.dumps(spec))


def test_one_pair_gets_every_chart_that_needs_one_and_no_chart_that_needs_several(folders):
    names = {chart.name for chart, _, _ in specs(folders["one"])}
    assert names == {"ladder", "recovery", "agreement", "gold_curve", "training", "calibration", "costs"}
    assert {chart.name for chart, _, _ in specs(folders["many"])} == names | {"heat_map", "sizes"}


def test_a_run_without_details_still_has_its_ladder_and_its_table(pages, folders):
    assert {chart.name for chart, _, _ in specs(folders["bare"])} == {"ladder", "recovery"}
    assert "recorded no controls" in pages["bare"] and "gold-few" in pages["bare"]


def test_a_choose_task_shows_both_metrics(pages):
    assert "Measured by questions answered right" in pages["many"] and "Measured by accuracy" in pages["many"]


def test_a_failed_control_is_printed_before_everything_else(pages):
    page = pages["broken"]
    alarm = page.index("2 controls came out wrong")
    assert alarm < page.index('class="verdict') < page.index("<figure")
    assert "came out as they must" not in page
    assert "not to be relied on" in page and "The student outgrew" not in page
    table = page[page.index('<table class="controls">') :]
    assert table.index("own-features") < table.index("gold-naive")


def test_controls_that_came_out_right_are_said_so_calmly(pages):
    assert "All controls came out as they must." in pages["one"] and 'class="alarm"' not in pages["one"]
    assert "not checked: own-features" in pages["many"]


def test_hostile_names_and_texts_stay_texts(pages):
    page = pages["crowded"]
    assert page.count("<script") == 1 and "<img" not in page and "onerror=alert" in page
    assert "&lt;script&gt;alert(35)" in page


@pytest.mark.parametrize("name", [make.__name__ for make in runs.ALL])
def test_the_page_asks_for_nothing_from_anywhere(pages, name):
    page = pages[name]
    assert "default-src 'none'" in page
    assert not re.search(
        r"<(link|img|iframe|object|embed|base|form)\b|\bsrc=[\"']|@import|url\(|\bfetch\(|XMLHttp",
        page.replace("src=x", ""),
    )
    addresses = set(re.findall(r'(?:href|src|xmlns)="(?!#)([^"]+)"', page))
    assert addresses <= {"http://www.w3.org/2000/svg"}


def test_the_headline_answers_in_words(folders):
    rows = {row["method"]: row for row in json.loads((folders["one"] / "summary.json").read_text())}
    found = words.headline(read(folders["one"]).pairs[0])
    assert (found.verdict, found.label) == ("yes", "The student outgrew its teacher")
    low, high = rows["naive"]["pgr_ci"]
    naive = f"recovered {100 * rows['naive']['pgr']:.0f}% [{100 * low:.0f}%, {100 * high:.0f}%] of the gap"
    assert naive in found.plain
    assert (
        f"({100 * rows['floor']['value']:.1f}%)" in found.plain
        and "Of the 4 methods, hardened came out best" in found.plain
    )


def test_an_unresolved_gap_has_no_pgr_and_says_what_would_resolve_it(folders, pages):
    found = words.headline(read(folders["unresolved"]).pairs[0])
    assert (found.verdict, found.label) == ("unclear", "Gap not resolved")
    assert "recovered" not in found.plain and "9,800 test items, or 64 replicates" in found.plain
    assert 'id="recovery"' not in pages["unresolved"]


def test_two_replicates_are_too_few_for_a_verdict(folders):
    found = words.headline(read(folders["few"]).pairs[0])
    assert (found.verdict, found.label) == ("unclear", "Too few replicates")
    assert "2 replicates" in found.plain and "[" not in found.plain


@pytest.mark.parametrize(
    ("pgr", "ends", "verdict", "said"),
    [
        (-0.3, (-0.5, -0.1), "no", "recovered none of the gap"),
        (-0.3, (-0.7, 0.1), "unclear", "below its teacher"),
        (0.2, (-0.1, 0.5), "unclear", "recovered 20%"),
        (0.2, None, "unclear", "recovered 20%"),
        (1.3, (1.1, 1.5), "yes", "naive is above the ceiling"),
    ],
)
def test_a_verdict_follows_the_interval(tmp_path, pgr, ends, verdict, said):
    folder = runs.one(tmp_path)
    rows = [
        r for r in json.loads((folder / "summary.json").read_text()) if r["kind"] != "method" or r["method"] == "naive"
    ]
    for row in rows:
        if row["method"] == "naive":
            row.update(pgr=pgr, pgr_ci=ends)
    (folder / "summary.json").write_text(json.dumps(rows))
    found = words.headline(read(folder).pairs[0])
    assert found.verdict == verdict and said in found.plain


@pytest.mark.parametrize(
    ("worth", "said"),
    [
        ({"n": 253, "n_ci": [158, 379], "status": "ok"}, "about 253 gold labels [158,\u00a0379]"),
        ({"n": 253, "n_ci": [None, 379], "status": "ok"}, "about 253 gold labels [fewer than measured,\u00a0379]"),
        ({"n": None, "n_ci": [2400, None], "status": "more than all"}, "more than all 2,400 gold labels"),
        ({"n": None, "n_ci": None, "status": "less than the smallest"}, "less than 32 gold labels"),
    ],
)
def test_weak_labels_are_priced_in_gold(tmp_path, worth, said):
    folder = runs.one(tmp_path)
    details = json.loads((folder / "details.json").read_text())
    details["pairs"][0]["worth"] = worth
    (folder / "details.json").write_text(json.dumps(details))
    assert said in words.worth(read(folder).pairs[0])
    assert said.replace("\u00a0", " ") in report.write(folder).read_text(encoding="utf-8").replace("\u00a0", " ")


def test_a_chart_is_one_function(tmp_path, folders):
    @charts.chart(order=35, title="A chart of mine", caption="It says something that nobody asked for.")
    def dropped_in(pair, width):
        return {
            "description": "mine",
            "data": {"values": [{"a": 1}]},
            "mark": "point",
            "encoding": {"x": {"field": "a", "type": "quantitative"}},
            "width": width,
        }

    with charts.CHARTS.lending(dropped_in):
        page = report.write(folders["one"], tmp_path / "report.html").read_text(encoding="utf-8")
    figure = re.search(r'<figure id="dropped_in".*?</figure>', page, re.S)
    assert figure and "A chart of mine" in figure[0] and "<svg" in figure[0]


def test_the_same_run_gives_the_same_report(folders, pages, tmp_path):
    again = report.write(folders["one"], tmp_path / "again.html")
    assert again.read_text(encoding="utf-8") == pages["one"]


def test_the_picture_is_wide_enough_for_a_readme(folders, tmp_path):
    data = report.picture(folders["one"], tmp_path / "one.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    assert width >= 1600 and 600 < height < width


def test_a_folder_that_holds_no_run_is_named(tmp_path):
    with pytest.raises(UserError, match=r"is no run folder: it holds no summary\.json"):
        report.write(tmp_path)


def test_a_damaged_file_is_named(tmp_path):
    folder = runs.one(tmp_path)
    (folder / "cells.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(UserError, match=r"cells\.parquet cannot be read"):
        report.write(folder)
    (folder / "summary.json").write_text("[{")
    with pytest.raises(UserError, match=r"summary\.json is not valid JSON"):
        report.write(folder)


@pytest.mark.parametrize("palette", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_words_in_colour_can_be_read(palette):
    """Contrast of 4.5 and more (WCAG 2 AA for small text) on what each stands on."""

    def brightness(name):
        parts = [int(palette[name][i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    written = {name: "page" for name in ("ink", "muted", "accent", *theme.KINDS)}
    on_gap = [(name, "gap") for name in ("method", "ceiling", "floor")]
    on_soft = [("muted", "soft"), ("good", "good-soft"), ("bad", "bad-soft"), ("unclear", "unclear-soft")]
    heat = [(f"on-heat-{letter}", f"heat-{letter}") for letter in "abcdef"]
    for front, back in [*written.items(), *on_gap, *on_soft, *heat]:
        high, low = sorted((brightness(front), brightness(back)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, f"{front} on {back}"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (words.percent(0.6184), "61.8%"),
        (words.percent(-0.3, 0), "−30%"),
        (words.percent(None), "–"),
        (words.points(0.0312), "+3.1"),
        (words.seconds(4.26), "4.3 s"),
        (words.seconds(75.2), "1 min 15 s"),
        (words.seconds(7260), "2 h 1 min"),
        (words.amount(135_000_000), "135M"),
        (words.amount(1.3e12, "FLOP"), "1.3 TFLOP"),
        (words.amount(999_900), "1M"),
        (words.sentence("the ceiling is low"), "The ceiling is low."),
        (words.sentence(None), ""),
    ],
)
def test_numbers_are_written_the_way_people_read_them(said, expected):
    assert said == expected


def test_what_rounds_to_nothing_has_no_minus():
    assert (words.percent(-0.004, 0), words.percent(-0.26), words.points(-0.0001)) == ("0%", "−26.0%", "+0.0")


def test_the_headline_of_a_question_task_counts_questions_not_rows(folders):
    """By rows these pairs score .15 more."""
    rows = json.loads((folders["many"] / "summary.json").read_text())
    pair = next(p for p in read(folders["many"]).pairs if (p.task, p.weak) == ("sciq", "minilm-l6"))
    score = {
        (row["metric"], row["method"]): row["value"]
        for row in rows
        if (row["task"], row["weak"]) == ("sciq", "minilm-l6")
    }
    assert pair.main.metric == "choice" and [view.metric for view in pair.views] == ["choice", "accuracy"]
    said = words.headline(pair).plain
    assert said.startswith("On sciq (by questions answered right), ")
    for name in ("floor", "ceiling"):
        assert words.percent(score["choice", name]) in said and words.percent(score["accuracy", name]) not in said


def test_the_curves_of_a_question_task_are_compared_with_rows_as_they_are_measured(folders):
    """Curves over training and over gold are of rows, and so are the levels in them."""
    pair = next(p for p in read(folders["many"]).pairs if p.task == "sciq")
    naive = pair.by_item.row("naive").value
    curve = next(chart for chart in charts.charts("study") if chart.name == "gold_curve").draw(pair, charts.HALF)
    assert (
        pair.by_item.metric == "accuracy" and f"the naive student scores {words.percent(naive)}" in curve["description"]
    )
