"""No label of a chart overprints another or leaves its picture, on phones and wide screens, whatever names it has."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from drawings import Box, boxes, faults
from outgrow.report import charts, svg
from outgrow.report.committee import benches
from outgrow.runs.read import read

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
import runs

METHODS = (
    *(f"supervisor:column_{letter}_of_votes" for letter in "abc"),
    "label-model:dawid_skene",
    "the-method-that-differs-in-its-middle-A-and-nowhere-else",
    "the-method-that-differs-in-its-middle-B-and-nowhere-else",
    "日本語のとても長い方法の名前",
    "<b>WWWWWWWWWWWWWWWWWWWWWWWW</b>",
)
NEAR = {
    "at the left edge": (0.5005, 0.5011),
    "at the right edge": (0.9985, 0.9993),
    "equal": (0.7, 0.7),
    "ceiling below floor": (0.702, 0.7),
    "far apart": (0.02, 0.98),
}


def crowded(folder: Path, floor: float, ceiling: float) -> Path:
    """A run whose floor and ceiling are these, with hostile names and a gold curve whose last points are near."""
    truth = {**runs.TRUTH, "floor": ("floor", floor), "ceiling": ("ceiling", ceiling)}
    for i, name in enumerate(METHODS):
        kind = "contrast" if ":" in name else "method"
        truth[name] = (kind, min(max(floor + (ceiling - floor) * i / 4, 0.0), 1.0))
    runs.one(folder, truth=truth)
    details = json.loads((folder / "details.json").read_text())
    (pair,) = details["pairs"]
    counts = (32, 100, 316, 1024, 1180)
    pair["gold_curve"] = [
        {"n": n, "value": floor + i / 5 * (ceiling - floor), "value_ci": None} for i, n in enumerate(counts)
    ]
    pair["worth"] = {"n": 1100, "n_ci": None, "status": "ok"}
    for entry, name in zip(pair["agreement"], METHODS, strict=False):
        entry["method"] = name
    for entry, name in zip(pair["calibration"][1:3], METHODS[4:], strict=False):
        entry["method"] = name
    details["costs"] += [
        {"stage": name, "what": "", "seconds": 4000.0, "flops": 3e15, "cached": True} for name in METHODS
    ]
    (folder / "details.json").write_text(json.dumps(details))
    return folder


def several(folder: Path) -> Path:
    """Pairs of three supervisors of nearly the same size, long names, and more methods than a phone shows."""
    runs.many(folder)
    text = json.dumps(json.loads((folder / "details.json").read_text()))
    details = json.loads(text.replace('"parameters": 109000000', '"parameters": 24000000'))
    (folder / "details.json").write_text(json.dumps(details).replace("cities", "a_task_with_a_very_long_name:cities"))
    summary = (folder / "summary.json").read_text().replace("cities", "a_task_with_a_very_long_name:cities")
    (folder / "summary.json").write_text(
        summary.replace('"hardened"', json.dumps(METHODS[4])).replace('"product"', json.dumps(METHODS[5]))
    )
    return folder


def drawn(page: charts.Page, of: charts.Subject, subject: Any) -> list[tuple[str, int, str]]:
    """(chart, width, SVG) of every chart of that kind that applies."""
    found = []
    for chart in charts.charts(page):
        if chart.of == of:
            for width in (charts.WIDE if chart.wide else charts.HALF, charts.PHONE):
                spec = chart.draw(subject, width)
                if spec is not None:
                    found.append((chart.name, width, svg.draw(spec, "a picture")))
    return found


def of_run(folder: Path) -> list[tuple[str, int, str]]:
    run = read(folder)
    pairs = [picture for pair in run.pairs for picture in drawn("study", "pair", pair)]
    views = [picture for pair in run.pairs for view in pair.views for picture in drawn("study", "view", view)]
    return [*pairs, *views, *drawn("study", "study", run)]


def clear(pictures: list[tuple[str, int, str]]) -> set[str]:
    """The names of charts that were drawn, none of which has a fault."""
    assert [(name, width, said) for name, width, picture in pictures for said in faults(picture)] == []
    for name, width, picture in pictures:
        view = [float(part) for part in picture.split('viewBox="')[1].split('"')[0].split()]
        assert view[2] <= width + 2, f"{name} is wider than {width} pixels"
        assert len(boxes(picture)) > 1
    return {name for name, _, _ in pictures}


@pytest.mark.parametrize("near", NEAR)
def test_no_label_of_a_study_overprints_another(near, tmp_path):
    found = clear(of_run(crowded(tmp_path, *NEAR[near])))
    assert found >= {"ladder", "agreement", "gold_curve", "training", "calibration", "costs"}


def test_no_label_of_several_pairs_overprints_another(tmp_path):
    assert clear(of_run(several(tmp_path))) >= {"heat_map", "sizes", "recovery"}


def test_no_label_of_the_ranking_overprints_another(tmp_path):
    run = read(runs.many(tmp_path))
    total = {"value": -0.0321, "ci": [-0.1234, 0.1], "ci_these_tasks": [-0.05, 0.01]}
    methods = [
        {
            "method": name,
            "against": {"naive": {"points": total}},
            "by_task": {"cities": {"value": 0.4 * i - 1, "ci_these_tasks": None}},
        }
        for i, name in enumerate(METHODS)
    ]
    forest = next(chart for chart in charts.charts("study") if chart.name == "forest")
    study = type("Compared", (), {"comparison": {"methods": methods}, "pairs": run.pairs})
    pictures = [(forest.name, width, svg.draw(forest.draw(study, width), "")) for width in (charts.WIDE, charts.PHONE)]
    assert clear(pictures) == {"forest"}


def test_no_label_of_a_learn_page_overprints_another():
    rows = [{"kind": "student", "name": "student", "accuracy": 0.9990, "accuracy_ci": [0.998, 1.0]}]
    rows += [
        {"kind": "annotator", "name": name, "accuracy": 0.9984 + 0.0001 * i, "accuracy_ci": None, "gain_ci": None}
        for i, name in enumerate(METHODS)
    ]
    assert clear(drawn("learn", "page", {"verdict": {"rows": rows}})) == {"labellers"}


@pytest.mark.parametrize(("value", "ci"), [(0.0004, [-0.0001, 0.0009]), (-0.9, [-1.0, -0.2]), (0.5, [0.5, 0.5])])
def test_no_label_of_an_audit_overprints_another(value, ci):
    found = {"figure": METHODS[4], "value": value, "ci": ci, "unit": "points"}
    assert clear(drawn("audit", "finding", found)) == {"finding"}


def test_no_label_of_a_proxy_tuning_page_overprints_another():
    rows = [
        {"name": name, "score": 0.98 + 0.001 * i, "score_ci": [0.95, 1.0]}
        for i, name in enumerate(("strong", "small", "tuned small", "proxy", "tuned strong"))
    ]
    assert clear(drawn("proxy_tuning", "page", {"rows": rows, "metric": "accuracy"})) == {"proxy_scores"}


def committee(task: str, k: tuple[int, ...], verifiers: tuple[str, ...]) -> dict[str, Any]:
    """What committee.json holds of a chart, with all curves ending at nearly one score."""
    ways = [("single", None), ("majority", None), ("coverage", None), *(("verified", name) for name in verifiers)]
    figures = [
        {
            "who": who, "choice": choice, "verifier": verifier, "k": n,
            "right": {"value": 0.99 + 0.001 * i, "ci": [0.9, 1.0]}, "shown": None,
        }
        for who in ("weak", "strong")
        for i, (choice, verifier) in enumerate(ways)
        for n in k
    ]  # fmt: skip
    rounds = [
        {"by": by, "round": n, "single": {"value": 0.5 + 0.001 * n, "ci": [0.4, 0.6]}}
        for by in ("no verifier", "its own judgement", METHODS[4])
        for n in range(3)
    ]
    empty: list[Any] = []
    return {
        "task": task, "figures": figures, "gaps": empty, "members": empty, "quality": empty, "cost": empty,
        "rounds": rounds, "enough": {"holds": False},
    }  # fmt: skip


def test_no_label_of_a_committee_overprints_another():
    facts = committee(METHODS[4], (1, 2, 3, 4, 1000, 1024), METHODS[4:])
    pictures = [picture for bench in benches(facts) for picture in drawn("committee", "bench", bench)]
    assert clear([*pictures, *drawn("committee", "page", facts)]) == {"choices", "rounds"}
    side_by_side = [committee(name, (1, 2, 4, 8), ("clauses",)) for name in METHODS[:3]]
    assert clear(drawn("committee", "several", side_by_side)) == {"committees"}


def test_the_measure_sees_labels_that_meet():
    spec = {
        "width": 100, "height": 40, "data": {"values": [{"x": 10, "t": "floor 61.8%"}, {"x": 40, "t": "ceiling 62%"}]},
        "mark": {"type": "text", "align": "left"},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "scale": {"domain": [0, 100]}, "axis": None},
            "text": {"field": "t"},
        },
    }  # fmt: skip
    assert any("overprints" in said for said in faults(svg.draw(spec, "two texts")))
    assert Box("a", 0, 10, 0, 10).meets(Box("b", 5, 15, 5, 15)) and not Box("a", 0, 10, 0, 10).meets(
        Box("b", 11, 20, 0, 9)
    )
