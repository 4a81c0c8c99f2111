"""The page of a learned student: what its first line says, and what it shows of baselines, classes, items and votes."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from drawings import faults
from outgrow.report import charts, learn, svg
from outgrow.runs.schema.learn import LearnFile

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
import pages

from outgrow.core.records import dump, load

UNSEEN = {"tfidf": (0.905, 0.02), "zero-shot": (0.61, 0.02), "gold": (0.80, 0.02)}


def facts(gains: dict[str, tuple[float, float]]) -> dict[str, Any]:
    """learn.json whose student is ahead of each kind by (points, half an interval), of 1; others keep theirs."""
    made = copy.deepcopy(pages.learned())
    for row in made["verdict"]["rows"]:
        if row["kind"] in gains:
            gain, half = gains[row["kind"]]
            row |= {"gain": gain, "gain_ci": [gain - half, gain + half], "accuracy": 0.912 - gain}
    return made


@pytest.mark.parametrize(
    ("gains", "verdict", "label"),
    [
        ({"gold": (0.02, 0.01)}, "yes", "The student outgrew its annotators, and is not clearly ahead of TF-IDF"),
        ({"gold": (0.02, 0.01), "tfidf": (0.02, 0.01)}, "yes", "The student outgrew its annotators"),
        ({"gold": (-0.03, 0.01)}, "no", "The student outgrew its annotators, but is behind gold alone"),
        (
            {"gold": (-0.03, 0.01), "tfidf": (-0.001, 0.01), "zero-shot": (-0.02, 0.05)},
            "no",
            "The student outgrew its annotators, but is behind gold alone and in the mean behind TF-IDF and zero-shot",
        ),
        (
            {"gold": (0.02, 0.01), "tfidf": (-0.001, 0.01)},
            "unclear",
            "The student outgrew its annotators, but is in the mean behind TF-IDF",
        ),
        ({"gold": (0.1, 0.01), "majority": (-0.02, 0.01)}, "no", "The student is behind majority"),
        (
            {"gold": (0.1, 0.01), "tfidf": (0.1, 0.01), "floor": (0.01, 0.02)},
            "unclear",
            "The student is ahead of TF-IDF, gold alone, majority, the best annotator, the label model and zero-shot, "
            "but not clearly ahead of the floor",
        ),
    ],
)
def test_the_first_line_says_what_the_student_is_behind(gains, verdict, label, tmp_path) -> None:
    made = facts(gains)
    found = learn.headline(made)
    assert (found.verdict, found.label) == (verdict, label)
    (tmp_path / "learn.json").write_text(json.dumps({"version": 3, **made}))
    assert learn.told(tmp_path).splitlines()[0] == f"{label}."
    first = learn.render(made).split('class="answer"')[1].split("</span>")[0]
    assert label in first


def test_a_lost_class_and_a_failed_control_do_not_hide_what_the_student_is_behind() -> None:
    made = facts({"gold": (-0.03, 0.01)})
    made["trust"]["lost"] = ["complaint"]
    assert learn.headline(made).label.endswith("behind gold alone and has lost complaint")
    made["canary"]["passed"] = False
    assert "behind gold alone" in learn.headline(made).label and learn.headline(made).verdict == "unclear"


def test_a_student_of_most_of_the_gold_is_a_ceiling_and_no_rival() -> None:
    made = facts({"tfidf": (0.02, 0.01)})
    (row,) = (row for row in made["verdict"]["rows"] if row["kind"] == "gold")
    row["kind"] = "ceiling"
    assert row["gain"] < 0 and learn.headline(made).label == "The student outgrew its annotators"


def test_the_page_shows_measures_by_class_items_votes_and_cost() -> None:
    made = pages.learned()
    page = learn.render(made)
    for said in (
        "Macro-F1",
        "Average precision",
        "complaint has less than half of an even share",
        "zero-shot (nobody was asked)",
        "label model: <b>complaint 88%, other 12%</b>",
        "3,100 of 47,400 votes are probably wrong",
        "65% are wrong; of all votes there 20%",
        "probably: <b>other</b>",
        "1,007",
        "Reading, whenever it was done: 1 min 35 s (910k tokens)",
    ):
        assert said in page, said


def test_a_page_of_before_there_were_such_measures_has_none_of_them() -> None:
    made = pages.learned()
    for key in ("disagreements", "suspects", "cost"):
        del made[key]
    for key in ("rare", "confused", "lacks"):
        del made["verdict"][key]
    for row in made["verdict"]["rows"]:
        for key in ("macro_f1", "recall", "average_precision"):
            del row[key]
    made["verdict"]["rows"] = [row for row in made["verdict"]["rows"] if row["kind"] not in (*UNSEEN, "best annotator")]
    page = learn.render(dump(load(LearnFile, {"version": 2, **made}, "learn.json")))
    assert "The student outgrew its annotators" in page and "the best annotator (anna)" in page.lower()
    assert "Macro-F1" not in page and "probably wrong are" not in page and 'id="confusion"' not in page


@pytest.mark.parametrize("count", [2, 3, 9, 30])
def test_a_confusion_of_any_number_of_classes_fits_and_keeps_every_item(count) -> None:
    names = [f"a class with a rather long name, number {i}" for i in range(count)]
    pairs = [
        {"gold": g, "given": c, "items": 40.0 + i if g == c else 1.0}
        for i, g in enumerate(names)
        for c in names
        if g == c or i % 2
    ]
    (chart,) = (one for one in charts.charts("learn") if one.name == "confusion")
    for width, most in ((charts.WIDE, 12), (charts.PHONE, 5)):
        spec = chart.draw({"verdict": {"confused": pairs}}, width)
        cells = spec["layer"][0]["data"]["values"]
        shown = min(count, most)
        assert len(cells) == shown**2
        items = sum(int(cell["says"].rsplit(", ", 1)[1].split(" ")[0].replace(",", "")) for cell in cells)
        assert items == sum(pair["items"] for pair in pairs)
        picture = svg.draw(spec, "a picture")
        assert faults(picture) == []
        assert float(picture.split('viewBox="')[1].split('"')[0].split()[2]) <= width + 2
    assert chart.draw({"verdict": {}}, charts.WIDE) is None
