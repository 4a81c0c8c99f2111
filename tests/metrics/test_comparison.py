"""The comparison of methods over pairs: its figures, what its intervals cover, and where it is shown."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import studies
from outgrow import cli, report
from outgrow.core.errors import UserError
from outgrow.core.records import dump
from outgrow.metrics.accuracy import Score, accuracy
from outgrow.metrics.comparison import CLASSES, ComparisonFigure, Measured, compare, copied, ratio
from outgrow.metrics.controls import ControlVerdict
from outgrow.metrics.intervals import ScoreTable
from outgrow.metrics.pgr import summarise
from outgrow.runs.compare import compared, joined
from outgrow.runs.read import read

_spec = importlib.util.spec_from_file_location(
    "comparison_bench", Path(__file__).parents[2] / "bench" / "comparison.py"
)
bench = importlib.util.module_from_spec(_spec)
sys.modules["comparison_bench"] = bench
_spec.loader.exec_module(bench)
drawn, world = bench.pairs_of, bench.draw

MODELS = (("minilm", "smollm"), ("minilm", "gemma"), ("smollm", "gemma"))
KINDS = {"floor": "floor", "ceiling": "ceiling"}


def exact(task: str, weak: str, values: dict[str, float], **changes) -> Measured:
    """A pair whose replicates and items all have the same score: nothing is uncertain."""
    scores = {name: Score(np.full((8, 40), value), np.ones(40), np.arange(40)) for name, value in values.items()}
    return Measured(task, weak, "strong", scores, 1.0, 1000, 0.5, **changes)


def test_a_group_result_is_a_ratio_of_sums_and_a_mean_pgr_is_not():
    """Gaps .2 and .1 of task a, .1 of b; naive gains .1, .02 and .06, logconf .14, .01 and .08.

    naive: group (.1 + .02 + .06) / .4 = .45, mean PGR (.5 + .2 + .6) / 3 = .43333
    logconf: group .23 / .4 = .575, mean PGR (.7 + .1 + .8) / 3 = .53333
    logconf - naive: group .05 / .4 = .125, mean PGR .1, points (.04 - .01 + .02) / 3 = .016667
    """
    base = {"floor": 0.6, "ceiling": 0.7}
    found = compare(
        [
            exact("a", "x", {"floor": 0.6, "ceiling": 0.8, "naive": 0.7, "logconf": 0.74}),
            exact("a", "y", {**base, "naive": 0.62, "logconf": 0.61}),
            exact("b", "x", {**base, "naive": 0.66, "logconf": 0.68}),
        ]
    )
    logconf, naive = found.methods
    assert (logconf.method, naive.method) == ("logconf", "naive")
    assert (naive.group.value, naive.pgr.value) == pytest.approx((0.45, 1.3 / 3))
    assert (logconf.group.value, logconf.pgr.value) == pytest.approx((0.575, 1.6 / 3))
    versus = logconf.against["naive"]
    assert [versus.group.value, versus.pgr.value, versus.points.value] == pytest.approx([0.125, 0.1, 0.05 / 3])
    assert (versus.group.tasks, versus.group.pairs) == (2, 3) and versus.group.ci is None
    assert versus.group.ci_these_tasks == pytest.approx((0.125, 0.125))
    assert (logconf.rank, naive.rank) == pytest.approx((4 / 3, 5 / 3))
    assert (logconf.won, logconf.lost) == (2, 1) and (naive.won, naive.lost) == (0, 0)
    assert (logconf.worst.task, logconf.worst.weak, logconf.worst.value) == ("a", "y", pytest.approx(-0.01))
    assert {task: its.value for task, its in logconf.by_task.items()} == pytest.approx({"a": 0.015, "b": 0.02})


def test_a_gap_that_is_not_resolved_counts_for_the_worst_pair_and_the_points_alone():
    base = {"floor": 0.6, "ceiling": 0.8}
    open_gap = exact("b", "x", {"floor": 0.6, "ceiling": 0.6, "naive": 0.65, "other": 0.55})
    found = compare([exact("a", "x", {**base, "naive": 0.7, "other": 0.75}), open_gap])
    other = next(place for place in found.methods if place.method == "other")
    assert (other.group.value, other.group.pairs, other.pgr.pairs) == (pytest.approx(0.75), 1, 1)
    assert (other.worst.task, other.worst.ci[0]) == ("b", pytest.approx(-0.1))
    assert (other.against["naive"].points.value, other.against["naive"].points.pairs) == (pytest.approx(-0.025), 2)
    saturated = other.classes["gap not resolved"]
    assert saturated.group is None and saturated.points.value == pytest.approx(-0.1)
    assert [pair.classes for pair in found.pairs] == [("none of these",), ("gap not resolved",)]


def test_methods_that_tie_share_their_places():
    base = {"floor": 0.6, "ceiling": 0.8}
    found = compare([exact("a", w, {**base, "naive": 0.7, "other": 0.7, "best": 0.75}) for w in ("x", "y")])
    assert {place.method: place.rank for place in found.methods} == {"best": 1, "naive": 2.5, "other": 2.5}
    assert [place.method for place in found.methods] == ["best", "naive", "other"]


def test_a_method_that_a_pair_lacks_is_compared_where_it_ran():
    base = {"floor": 0.6, "ceiling": 0.8, "naive": 0.7}
    found = compare([exact("a", "x", {**base, "ladder": 0.78}), exact("b", "x", base)])
    ladder = found.methods[0]
    assert (ladder.method, ladder.pairs, ladder.group.value) == ("ladder", 1, pytest.approx(0.9))
    assert ladder.against["naive"].group.value == pytest.approx(0.4) and "b" not in ladder.by_task


def test_pairs_are_classed_by_the_stated_rules():
    """Naive agrees with its supervisor on 80% of its errors, the ceiling on 50%: it copies .3 / .5 of the avoidable."""
    values = {"floor": 0.6, "ceiling": 0.8, "naive": 0.7}
    assert copied(0.8, 0.5) == pytest.approx(0.6) and copied(None, 0.5) is None and copied(1.0, 1.0) is None
    plain = exact("a", "x", values, copied=0.5)
    several = replace(exact("a", "y", values, copied=copied(0.8, 0.5)), majority=0.66, n_transfer=499)
    found = compare([plain, several])
    assert [pair.classes for pair in found.pairs] == [
        ("none of these",),
        ("imbalanced", "emulable errors", "few items"),
    ]
    assert set(found.methods[0].classes) == set(CLASSES) - {"gap not resolved"}


def test_the_order_of_pairs_and_of_methods_changes_no_bit():
    pairs, _ = world(np.random.default_rng(0), 4)
    turned = [replace(pair, scores=dict(reversed(pair.scores.items()))) for pair in reversed(pairs)]
    assert compare(turned) == compare(pairs)


def test_a_pair_of_a_comparison_says_what_its_own_summary_says():
    """Wins, losses and the worst pair by the same Holm-corrected differences as in summary.json."""
    rng = np.random.default_rng(1)
    truth = {"floor": 0.5, "ceiling": 0.8, "naive": 0.65, "a": 0.75, "b": 0.6, "c": 0.66}
    pairs = drawn(rng, "task", [truth, truth])
    rows = [
        summarise(
            p.scores,
            {n: KINDS.get(n, "method") for n in p.scores},
            1.0,
            task=p.task,
            weak=p.weak,
            strong=p.strong,
            metric="accuracy",
        )
        for p in pairs
    ]
    found = compare(pairs)
    for place in found.methods:
        mine = [row for one in rows for row in one if row.method == place.method]
        if place.method != "naive":
            assert place.won == sum(row.vs_naive > 0 and row.vs_naive_p <= 0.05 for row in mine)
            assert place.lost == sum(row.vs_naive < 0 and row.vs_naive_p <= 0.05 for row in mine)
            assert place.worst.ci == pytest.approx(min(row.vs_naive_ci for row in mine))
    assert {place.method: place.won for place in found.methods}["a"] == 2


def test_the_interval_of_one_pair_is_its_pgrs_interval():
    pair = drawn(np.random.default_rng(2), "task", [{"floor": 0.5, "ceiling": 0.8, "naive": 0.65}])[0]
    row = summarise(pair.scores, {**KINDS, "naive": "method"}, 1.0, task="t", weak="w", strong="s", metric="m")[-1]
    place = compare([pair]).methods[0]
    assert place.group.ci_these_tasks == pytest.approx(row.pgr_ci, abs=1e-9) and place.group.ci is None
    assert (place.group.value, place.pgr.value) == pytest.approx((row.pgr, row.pgr))


def test_pairs_of_one_task_are_no_more_certain_than_one_of_them():
    """A task copied three times over says nothing new; three times as many tasks do."""
    rng = np.random.default_rng(3)
    truth = {"floor": 0.5, "ceiling": 0.8, "naive": 0.65}
    one = [drawn(rng, f"task-{t}", [truth])[0] for t in range(4)]
    copies = [replace(pair, weak=f"{pair.weak}-{i}") for pair in one for i in range(3)]
    alone, thrice = (compare(pairs).methods[0].group for pairs in (one, copies))
    assert thrice.ci == pytest.approx(alone.ci, abs=1e-6) and thrice.ci_these_tasks == pytest.approx(
        alone.ci_these_tasks, abs=1e-6
    )
    assert (alone.tasks, thrice.tasks, thrice.pairs) == (4, 4, 12)


def test_new_tasks_are_less_certain_than_these():
    pairs, _ = world(np.random.default_rng(4), 6)
    for place in compare(pairs).methods:
        for found in (place.group, place.pgr):
            assert found.ci[0] <= found.ci_these_tasks[0] < found.value < found.ci_these_tasks[1] <= found.ci[1]


@pytest.mark.parametrize("tasks, draws", [(3, 100), (5, 120), (9, 60)])
def test_both_intervals_of_a_comparison_cover(tasks, draws):
    """New tasks against the population's ratio, these tasks against their own; the full run is bench/comparison.py."""
    for row in bench.coverage(bench.WORLDS[0], tasks, draws, seed=5):
        assert row["resolved"] > 0.95 and row["these given"] == 1
        assert 0.9 <= row["these tasks"] <= 1, row
        # Where tasks differ little the wider of two variances is taken, so that more than 95% are covered.
        assert (row["given"] == 0) if tasks < 4 else (row["given"] > 0.7 and row["new tasks"] >= 0.9), row


def test_no_interval_for_new_tasks_where_the_sum_of_their_gaps_is_hardly_known():
    """Five tasks, t = 2.776. One gap of x, four of .1: the half-width of their sum is t sqrt(5 var) = t (x - .1).

    x = .4: 2.776 x .3 / .8 = 1.04 of the sum; x = .3: .79; x = .2: .46, within MOST_DOUBT.
    """

    def given(x: float) -> ComparisonFigure:
        gaps, naive = (x, 0.1, 0.1, 0.1, 0.1), (0.5, 0.3, 0.4, 0.5, 0.6)
        values = [
            {"floor": 0.5, "ceiling": 0.5 + g, "naive": 0.5 + n * g, "other": 0.5}
            for g, n in zip(gaps, naive, strict=True)
        ]
        pairs = [exact(f"task-{i}", "x", its) for i, its in enumerate(values)]
        return next(place for place in compare(pairs).methods if place.method == "naive").group

    far, near, alike = given(0.4), given(0.3), given(0.2)
    assert far.ci is None and near.ci is None and far.ci_these_tasks == pytest.approx((0.475, 0.475))
    assert 0 < alike.ci[0] < alike.value < alike.ci[1] < 1


def test_an_interval_that_is_not_given_is_told_from_one_for_these_tasks():
    from outgrow.report.leaderboard import TOO_FEW, _either, _share, _whole

    known = {"value": 0.47, "ci": [0.3, 0.6], "ci_these_tasks": [0.35, 0.59]}
    assert _share(known) == ("47%", "[30%,\u00a060%]", "these tasks [35%,\u00a059%]")
    assert _share({**known, "ci": None}) == ("47%", TOO_FEW, "these tasks [35%,\u00a059%]")
    assert _share({**known, "ci": None, "ci_these_tasks": None}) == ("47%", "", "") and _share(None) == ("–",)
    assert [_either(f, _whole) for f in (known, {**known, "ci": None}, None)] == [
        "[30%,\u00a060%]",
        "these tasks [35%,\u00a059%]",
        "",
    ]


def test_too_few_replicates_have_no_interval_and_no_group_result():
    pairs = drawn(
        np.random.default_rng(6), "task", [{"floor": 0.5, "ceiling": 0.8, "naive": 0.65, "other": 0.7}], replicates=3
    )
    other = next(place for place in compare(pairs).methods if place.method == "other")
    assert other.group is None and other.worst is None and (other.won, other.lost) == (0, 0)
    assert other.against["naive"].points.ci_these_tasks is None


def test_pairs_of_a_task_on_other_items_cannot_be_compared():
    rng = np.random.default_rng(7)
    truth = {"floor": 0.5, "ceiling": 0.8, "naive": 0.65}
    first, second = drawn(rng, "task", [truth])[0], drawn(rng, "task", [truth], items=80)[0]
    with pytest.raises(ValueError, match="same test items"):
        compare([first, replace(second, weak="other")])


def test_a_constant_below_the_line_gives_students_interval():
    """One task, B = 2: A / 2 plus and minus t times its error over 2."""
    rng = np.random.default_rng(8)
    table = ScoreTable.of({"x": Score(rng.normal(size=(8, 50)), np.ones(50), np.arange(50))}, 1.0)
    estimate = table.estimate([1.0])
    squares = {name: np.diag([getattr(table, name)[0, 0], 0]) for name in ("by_replicate", "by_group", "by_cell")}
    part = replace(table, names=("A", "B"), mean=np.array([estimate.value, 2.0]), **squares)
    value, new, these = ratio([part])
    assert value == pytest.approx(estimate.value / 2) and new is None
    assert these == pytest.approx((estimate.ci[0] / 2, estimate.ci[1] / 2), abs=1e-6)


# What a run folder says.


def folder(
    place: Path,
    tasks: dict[str, float],
    models=MODELS,
    methods=("naive", "logconf", "product"),
    seed: int = 0,
    replicates: int = 8,
) -> Path:
    """A run folder of planted predictions: task -> the gap between floor and ceiling."""
    summary, details, costs = [], [], []
    for task, gap in tasks.items():
        rng = np.random.default_rng(sum(map(ord, task)) + seed)
        n = 300
        labels = rng.integers(2, size=n)
        base = place / "predictions" / task
        base.mkdir(parents=True)
        ids = [f"{task}-{i:04d}" for i in range(n)]
        pl.DataFrame(
            {"id": ids, "label": labels, "weight": np.ones(n, np.float32), "group": np.arange(n)}
        ).write_parquet(base / "gold.parquet")
        hard = rng.random(n)
        for weak, strong in models:
            gains = {"floor": 0.0, "ceiling": 1.0, "naive": 0.4} | {
                name: 0.4 + 0.15 * i * (-1) ** (gap < 0.1) for i, name in enumerate(methods)
            }
            probs, at = {}, base / f"{weak}--{strong}"
            at.mkdir()
            for name, gain in gains.items():
                right = hard + rng.normal(0, 0.05, (replicates, n)) < 0.6 + gap * gain
                p = np.where(right == (labels == 1), 0.8, 0.2).astype(np.float32)
                probs[name] = np.stack([1 - p, p], -1)
                pl.DataFrame(
                    {
                        "id": ids * replicates,
                        "replicate": np.repeat(np.arange(replicates, dtype=np.int32), n),
                        "p0": 1 - p.ravel(),
                        "p1": p.ravel(),
                    }
                ).write_parquet(at / f"{name}.parquet")
                costs.append(
                    {
                        "task": task,
                        "weak": weak,
                        "strong": strong,
                        "stage": "heads",
                        "what": name,
                        "seconds": 2.0,
                        "flops": None,
                    }
                )
            read = ((weak, 1e12), (strong, 3e12), ("other", 5e12))
            costs += [
                {
                    "task": task,
                    "weak": weak,
                    "strong": strong,
                    "stage": "features",
                    "what": m,
                    "seconds": 9.0,
                    "flops": f,
                }
                for m, f in read
            ]
            scores = {name: accuracy(p, labels, np.ones(n), np.arange(n)) for name, p in probs.items()}
            kinds = {name: KINDS.get(name, "method") for name in probs}
            summary += [
                asdict(row)
                for row in summarise(scores, kinds, 1.0, task=task, weak=weak, strong=strong, metric="accuracy")
            ]
            details.append(
                {
                    "task": task,
                    "weak": weak,
                    "strong": strong,
                    "replicates": replicates,
                    "n_weak_train": 600,
                    "n_transfer": 600,
                    "n_test": n,
                    "majority": 0.7 if gap < 0.1 else 0.52,
                    "controls": [asdict(ControlVerdict("shuffled", "", 0.5, None, 0.5, True, ""))],
                    "agreement": [
                        {
                            "method": name,
                            "when_right": None,
                            "when_right_ci": None,
                            "when_wrong": share,
                            "when_wrong_ci": None,
                        }
                        for name, share in (("naive", 0.7), ("ceiling", 0.5))
                    ],
                }
            )
    asked = {"tasks": list(tasks), "seed": 0, "ladder": []}
    study = {"asked": asked, "resolved": {}, "command": "outgrow run", "versions": {}}
    files = {"summary.json": summary, "details.json": {"pairs": details, "costs": costs}, "study.json": study}
    for name, content in files.items():
        (place / name).write_text(json.dumps(content))
    return place


@pytest.fixture
def several(tmp_path):
    """Two run folders with four tasks between them; the gap of one task cannot be resolved."""
    return [
        folder(tmp_path / "one", {"cities": 0.3, "creak": 0.2}),
        folder(tmp_path / "two", {"cola": 0.0, "sciq": 0.25}),
    ]


def outgrow(capsys, *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        cli.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return stopped.value.code, captured.out, captured.err


def test_a_study_of_three_pairs_and_two_methods_saves_its_comparison(tmp_path, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    weak = ["tfidf", "column:vote", "tfidf+column:vote"]
    result = studies.study(tmp_path, weak=weak).run()
    found = json.loads((result.path / "comparison.json").read_text())
    assert [pair["weak"] for pair in found["pairs"]] == sorted(weak)
    assert {method["method"] for method in found["methods"]} == {"naive", "logconf"}
    assert all(method["seconds"] > 0 and method["flops"] > 0 for method in found["methods"])
    worst = next(method["worst"] for method in found["methods"] if method["method"] == "logconf")
    rows = result.summary.filter((pl.col("method") == "logconf") & (pl.col("weak") == worst["weak"]))
    assert worst["value"] == pytest.approx(rows["vs_naive"][0]) and worst["ci"] == pytest.approx(
        rows["vs_naive_ci"][0].to_list()
    )
    page = (result.path / "report.html").read_text()
    assert 'id="leaderboard"' in page and 'id="forest"' in page
    studies.study(tmp_path, weak=weak, methods=["naive"]).run(overwrite=True)
    assert not (result.path / "comparison.json").exists()
    assert 'id="leaderboard"' not in (result.path / "report.html").read_text()


def test_the_report_of_several_runs_shows_the_leaderboard(several, tmp_path, capsys):
    code, out, _ = outgrow(capsys, "compare", *several, "--out", tmp_path / "all.html")
    assert code == 0 and out.endswith(f"comparison: {tmp_path / 'all.html'}\n")
    page = (tmp_path / "all.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[page.index("<main") :]).replace("\u00a0", " "))
    for title in (
        "Which method is best",
        "Leaderboard",
        "What each method gains over naive",
        "Where each method fails",
        "The pairs",
    ):
        assert title in text
    found = joined(several).comparison
    place, resolved = found["methods"][0], sum("gap not resolved" not in pair["classes"] for pair in found["pairs"])
    low, high = place["group"]["ci_these_tasks"]
    assert (
        f"{100 * place['group']['value']:.0f}%" in text and f"these tasks [{100 * low:.0f}%, {100 * high:.0f}%]" in text
    )
    assert (
        resolved < 12
        and "3 methods on 12 pairs of 4 tasks" in text
        and f"over the {resolved} pairs whose gap is resolved" in text
    )
    assert "All controls came out as they must" in page and 'id="pair-1"' not in page
    assert len(re.findall(r"<svg", page)) >= 4 and page.count("<script") == 1


def test_the_printed_leaderboard_has_a_line_a_method(several, capsys):
    code, out, _ = outgrow(capsys, "compare", *several)
    assert code == 0
    line = next(line for line in out.splitlines() if line.startswith("product "))
    first = joined(several).comparison["methods"][0]
    assert f"{100 * first['group']['value']:.0f}%" in next(
        line for line in out.splitlines() if line.startswith(first["method"])
    )
    assert "these tasks [" in line and "gap not resolved" in out and "cola" in out


def test_markdown_has_the_same_tables(several, tmp_path, capsys):
    outgrow(capsys, "compare", *several, "--out", tmp_path / "all.md")
    text = (tmp_path / "all.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.M) == ["Leaderboard"]
    assert [title.rpartition(", ")[0] for title in re.findall("<summary>(.+)</summary>", text)] == [
        "Leaderboard",
        "Mean PGR, the worst pair and the cost",
        "Where each method fails",
        "The pairs",
    ]
    tables = re.findall(r"(?:^\|.*\n)+", text, re.M)
    assert len(tables) == 5 and all(len({line.count("|") for line in table.splitlines()}) == 1 for table in tables)
    assert [len(table.splitlines()) - 2 for table in tables] == [3, 3, 3, 3, 12] and "\u00a0" not in text


def test_a_comparison_goes_over_another_file_only_where_it_may(several, tmp_path, capsys):
    out = tmp_path / "all.md"
    out.write_text("mine")
    code, _, err = outgrow(capsys, "compare", *several, "--out", out)
    assert code == 2 and "there is something else of that name; give another file, or --overwrite" in err
    assert out.read_text() == "mine"
    assert outgrow(capsys, "compare", *several, "--out", out, "--overwrite")[0] == 0 and out.read_text() != "mine"
    # The same comparison again is no other file.
    assert outgrow(capsys, "compare", *several, "--out", out)[0] == 0


def test_a_comparison_comes_as_json(several, capsys):
    code, out, _ = outgrow(capsys, "compare", *several, "--json")
    (first, *_) = json.loads(out)["tables"]
    assert code == 0 and {"title", "head", "rows"} <= set(first)


def test_folders_joined_say_what_one_folder_says(tmp_path):
    tasks = {"cities": 0.3, "creak": 0.2}
    whole = folder(tmp_path / "whole", tasks)
    parts = [folder(tmp_path / task, {task: gap}) for task, gap in tasks.items()]
    assert joined(parts).comparison == dump(compared(whole)) == joined(reversed(parts)).comparison


def test_costs_are_those_of_the_models_that_a_pair_reads(several):
    place = joined(several).comparison["methods"][0]
    assert (place["seconds"], place["flops"]) == pytest.approx((2.0, 4e12))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "compare needs run folders"),
        (["none"], "none is no run folder"),
        (["one", "--out", "all.pdf"], "ends in .html or .md"),
        (["one", "one"], "stands in one and in one"),
        (["small"], "1 pairs and 3 methods in small: a comparison needs at least 3 pairs and 2 methods"),
        (["naive"], "3 pairs and 1 methods"),
        (["one", "split"], "cities in one and in split has other items or another split"),
        (["one", "short"], "was run with other --seeds"),
        (["one", "lost"], "naive.parquet cannot be read"),
        (["one", "--out", "one/study.json/all.md"], "one/study.json"),
    ],
)
def test_a_user_can_mend_what_cannot_be_compared(arguments, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    other = [("tfidf", "gemma")]
    folder(Path("one"), {"cities": 0.3})
    folder(Path("small"), {"creak": 0.3}, other)
    folder(Path("naive"), {"creak": 0.3}, methods=("naive",))
    folder(Path("split"), {"cities": 0.3}, other, seed=1)
    folder(Path("short"), {"cities": 0.3}, other, replicates=4)
    (folder(Path("lost"), {"creak": 0.3}) / "predictions" / "creak" / "minilm--gemma" / "naive.parquet").unlink()
    code, out, err = outgrow(capsys, "compare", *arguments)
    assert (code, out) == (2, "") and err.startswith("outgrow: ") and err.count("\n") == 1 and says in err


def test_few_pairs_have_no_leaderboard(tmp_path):
    place = folder(tmp_path / "run", {"cities": 0.3}, MODELS[:2])
    assert compared(place) is None and read(place).comparison is None
    assert 'id="leaderboard"' not in report.write(place).read_text(encoding="utf-8")


def test_predictions_of_other_items_are_refused(tmp_path):
    place = folder(tmp_path / "run", {"cities": 0.3})
    at = place / "predictions" / "cities" / "minilm--gemma" / "naive.parquet"
    pl.read_parquet(at).with_columns(pl.col("id").reverse()).write_parquet(at)
    with pytest.raises(UserError, match="other items than the gold"):
        compared(place)


def test_a_method_that_buys_or_reads_gold_says_so_on_the_leaderboard():
    from outgrow.report.leaderboard import sheets

    found = {"pairs": [], "methods": []}
    row = {
        "pairs": 0,
        "group": None,
        "against": {},
        "rank": 1.0,
        "won": 0,
        "lost": 0,
        "pgr": None,
        "worst": None,
        "seconds": None,
        "flops": None,
        "by_class": {},
    }
    found["methods"] = [row | {"method": "active", "bought": 100.0}, row | {"method": "naive", "bought": 0.0}]
    found["methods"] += [row | {"method": "mine", "bought": 0.0, "resources": ["student", "weak", "weak_train"]}]
    first, second, third = (line[0] for line in sheets(found)[0].rows)
    assert first == ("active", "", "buys 100 gold labels") and second == ("naive", "", "")
    assert third == ("mine", "", "reads the supervisor’s own gold")


def test_what_a_method_reads_of_gold_is_said_by_every_report(tmp_path, capsys):
    place = folder(tmp_path / "run", {"cities": 0.3})
    details = json.loads((place / "details.json").read_text())
    asks = {"naive": ["weak"], "logconf": ["weak", "weak_train"], "product": ["weak", "auxiliary"]}
    details["methods"] = {
        name: {"line": "A line.", "paper": "A paper.", "differs": "", "parameters": {}, "resources": list(its)}
        for name, its in asks.items()
    }
    (place / "details.json").write_text(json.dumps(details))
    assert {m.method: set(m.resources) for m in compared(place).methods} == {
        name: set(its) for name, its in asks.items()
    }
    said = (
        "logconf reads the supervisor’s own gold, which the others do not.",
        "product reads gold of other tasks, which the others do not.",
    )
    _, shown, _ = outgrow(capsys, "show", place)
    page = report.write(place).read_text(encoding="utf-8")
    assert all(text in shown and text in page for text in said) and "naive reads" not in shown + page
    _, board, _ = outgrow(capsys, "compare", place)
    assert "logconf reads the supervisor’s own gold" in board
