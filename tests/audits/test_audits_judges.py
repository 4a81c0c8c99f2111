"""Audits of judges: position and consistency."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outgrow.audits import registry
from outgrow.audits._statistics import wilson
from outgrow.audits.evidence import Evidence, Judgements
from outgrow.core.errors import UserError
from outgrow.tasks.tables.options import Reading
from outgrow.workflows import audit

DATA = Path(__file__).parents[3] / "shared" / "data"


def pairs(rng: np.random.Generator, items: int, looks: float) -> tuple[np.ndarray, np.ndarray]:
    """(items, 2) differences of pairs in quality and looks, which correlate; and how much better the first is."""
    quality = 2 * rng.normal(size=(items, 2))
    seen = looks * quality + rng.normal(size=(items, 2))
    better = quality[:, 0] - quality[:, 1]
    return np.stack([better, seen[:, 0] - seen[:, 1]], 1), better


def taught(rng: np.random.Generator, position: float = 0.0, looks: float = 0.0, blind: bool = False):
    """A logistic regression judges pairs in both orders; `position`: its bias for the first; `blind`: to quality."""
    from sklearn.linear_model import LogisticRegression

    x, better = pairs(rng, 600, looks)
    x, better = np.append(x, -x, 0) * [not blind, True], better + rng.logistic(size=600)
    first = (np.append(better, -better) > 0) | (rng.random(1200) < position)
    return LogisticRegression().fit(x, first), blind


def judging(judges: list, rng: np.random.Generator, items: int = 100, looks: float = 0.0) -> Evidence:
    """They judge new pairs in both orders, each by the probability that it holds."""
    x, better = pairs(rng, items, looks)
    forward, swapped = [], []
    for judge, blind in judges:
        seen = x * [not blind, True]
        forward.append(rng.random(items) > judge.predict_proba(seen)[:, 1])
        swapped.append(rng.random(items) < judge.predict_proba(-seen)[:, 1])
    item, judge = np.tile(np.arange(items), len(judges)), np.repeat(np.arange(len(judges)), items)
    names, gold = tuple(f"judge {j}" for j in range(len(judges))), np.tile((better < 0).astype(int), len(judges))
    given = Judgements(
        item,
        judge,
        np.concatenate(forward).astype(int),
        np.concatenate(swapped).astype(int),
        tuple(map(str, range(items))),
        names,
        gold,
    )
    return Evidence("planted", judgements=given)


def both(evidence: Evidence) -> list:
    """What the two audits of judges find."""
    return registry()["ORDER"](evidence) + registry()["SOUND"](evidence)


def test_a_judge_taught_to_take_the_first_is_found():
    rng = np.random.default_rng(0)
    evidence = judging([taught(rng), taught(rng), taught(rng, position=0.6)], rng)
    found, sound = both(evidence)
    assert (
        found.severity == "warning"
        and "judge 2" in found.says
        and "1 of 3 judges" in found.says
        and sound.severity == "ok"
    )
    j = evidence.judgements
    same = (j.forward == j.swapped)[j.judge == 2]
    assert found.value == same.mean() and found.ci[0] < found.value < found.ci[1]


def test_judges_without_a_lean_raise_an_alarm_no_oftener_than_stated():
    rng = np.random.default_rng(1)
    alarms = [
        [f.severity in ("warning", "stop") for f in both(judging([taught(rng), taught(rng)], rng))] for _ in range(200)
    ]
    assert (np.mean(alarms, 0) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)).all(), np.mean(alarms, 0)


def test_a_judge_taught_by_looks_is_consistent_and_below_chance_where_looks_deceive():
    rng = np.random.default_rng(2)
    judges = [taught(rng, looks=1, blind=True)]
    position, fooled = both(judging(judges, rng, looks=-1))
    assert position.value > 0.65 and position.severity != "warning"
    assert fooled.severity == "stop" and fooled.code == "SOUND" and fooled.ci[1] < 0.4 and "judge 0" in fooled.do
    _, honest = both(judging(judges, rng, looks=1))
    assert honest.severity == "ok" and honest.value > 0.7


def test_figures_are_a_slow_counts():
    forward, swapped, gold = (
        [0, 0, 1, 1, 2, -1, 0, 1, 1, 1, 0, 0],
        [0, 1, 1, 0, 2, 0, 0, 1, 2, 1, 1, 0],
        [0, 1, 1, 1, 0, 0, 1, 1, 1, -1, 0, 0],
    )
    n = len(gold)
    evidence = Evidence(
        "",
        judgements=Judgements(
            np.arange(n),
            np.zeros(n, int),
            np.array(forward),
            np.array(swapped),
            tuple(map(str, range(n))),
            ("j",),
            np.array(gold),
        ),
    )
    position, sound = both(evidence)
    assert position.value == pytest.approx(sum(a == b >= 0 for a, b in zip(forward, swapped, strict=True)) / n)
    assert position.sheets[0].rows[0][3:5] == ("2", "1")
    score = [
        sum(0.5 if v == 2 else float(v == g) for v in (a, b)) / 2
        for a, b, g in zip(forward, swapped, gold, strict=True)
        if g >= 0
    ]
    assert sound.value == pytest.approx(np.mean(score))


@pytest.mark.parametrize("p, values", [(0.97, (0.0, 1.0)), (0.6, (0.0, 1.0)), (0.3, (0.0, 0.5, 1.0))])
def test_the_interval_of_a_share_covers(p, values):
    rng = np.random.default_rng(0)
    weight = (1 - p, p) if len(values) == 2 else (0.5, 0.4, 0.1)
    mean = float(np.dot(values, weight))
    covered = [low <= mean <= high for low, high in (wilson(rng.choice(values, 80, p=weight)) for _ in range(1000))]
    assert 0.92 < np.mean(covered) < 0.98


@pytest.mark.shared_data
@pytest.mark.skipif(not DATA.exists(), reason="needs the shared data")
def test_llmbar_gives_the_published_figures(tmp_path):
    """GPT-4 on Natural: 97% consistent, 94.5% right; ChatGPT on the adversarial GPTInst: 78% and 34.2% (mode Swap)."""
    items = pl.read_parquet(DATA / "llmbar" / "llmbar.parquet").select("id", "subset")
    table = (
        pl.read_parquet(DATA / "llmbar" / "llmbar_judges.parquet").filter(pl.col("mode") == "Swap").join(items, on="id")
    )
    found = {}
    for subset in ("natural", "adv_gptinst"):
        table.filter(pl.col("subset") == subset).write_parquet(tmp_path / f"{subset}.parquet")
        findings, _ = audit.audit(
            str(tmp_path / f"{subset}.parquet"),
            columns=["forward=verdict_fwd", "swapped=verdict_swap"],
            gold_table=str(DATA / "llmbar" / "llmbar.parquet"),
        )
        for finding in findings:
            for sheet in finding.sheets:
                found |= {(subset, sheet.title, row[0]): row for row in sheet.rows}
    assert found["natural", "Judges asked both ways round", "GPT-4"][1] == "97%"
    assert found["natural", "Consistent is not right", "GPT-4"][1] == "94.5%"
    assert found["adv_gptinst", "Judges asked both ways round", "ChatGPT"][1] == "78%"
    assert found["adv_gptinst", "Consistent is not right", "ChatGPT"][1] == "34.2%"
    stop = findings[0]
    assert stop.severity == "stop" and stop.code == "SOUND" and "ChatGPT" in stop.do


def test_items_of_one_group_count_once_where_they_are_alike():
    """Five copies of every item in a group: p and intervals are those of the items alone, where each stands once."""
    rng = np.random.default_rng(3)
    once = judging([taught(rng)], rng, items=30, looks=0.0).judgements
    copies = np.repeat(np.arange(30), 5)
    given = [getattr(once, name)[copies] for name in ("judge", "forward", "swapped")]
    grouped = Judgements(np.arange(150), *given, tuple(map(str, range(150))), once.names, once.gold[copies], copies)
    for one, five in zip(both(Evidence("", judgements=once)), both(Evidence("", judgements=grouped)), strict=True):
        assert one.severity == five.severity and one.value == five.value and np.allclose(one.ci, five.ci, atol=0.01)
        assert float(one.sheets[0].rows[0][5]) == pytest.approx(float(five.sheets[0].rows[0][5]), rel=0.01)
    alone = both(
        Evidence(
            "",
            judgements=Judgements(np.arange(150), *given, tuple(map(str, range(150))), once.names, once.gold[copies]),
        )
    )
    assert np.diff(alone[0].ci) < 0.6 * np.diff(both(Evidence("", judgements=grouped))[0].ci)


@pytest.mark.parametrize("groups", [False, True])
def test_judges_asked_ten_times_about_an_item_raise_an_alarm_no_oftener_than_stated(groups):
    """A judge is right or wrong on ten items together: only without these groups there are false alarms."""
    rng, alarms = np.random.default_rng(4), 0
    for _ in range(200):
        side = np.repeat(
            rng.integers(2, size=20), 10
        )  # which order shown decides, alike in a group: first or second, evenly
        group = np.repeat(np.arange(20), 10)
        given = Judgements(
            np.arange(200),
            np.zeros(200, int),
            side,
            1 - side,
            tuple(map(str, range(200))),
            ("j",),
            None,
            group if groups else None,
        )
        alarms += float(registry()["ORDER"](Evidence("", judgements=given))[0].sheets[0].rows[0][5]) <= 0.05
    assert alarms <= 18 if groups else alarms > 60


@pytest.mark.parametrize(
    "columns, says",
    [
        (["forward"], "write NAME=COLUMN"),
        (["forward=verdict"], "unknown column for `columns`"),
    ],
)
def test_columns_that_are_not_there_are_one_line(columns, says, tmp_path):
    pl.DataFrame({"item": [1, 2], "judge": ["x", "x"], "a": [0, 1], "swapped": [1, 0]}).write_parquet(
        tmp_path / "v.parquet"
    )
    with pytest.raises(UserError, match=says):
        audit.read(str(tmp_path / "v.parquet"), Reading(), columns=columns)


def test_columns_of_other_names_two_as_one_and_gold_of_another_table(tmp_path):
    table = {
        "id": ["p", "q"],
        "model": ["x", "x"],
        "mode": ["plain", "swap"],
        "a": [0, 1],
        "b": [1, 0],
        "topic": ["t", None],
    }
    pl.DataFrame(table).write_parquet(tmp_path / "v.parquet")
    pl.DataFrame({"id": ["q", "p", "r"], "label": [1, 0, 1]}).write_parquet(tmp_path / "gold.parquet")
    asked = {"columns": ["forward=a,swapped=b", "judge=model+mode"], "gold_table": str(tmp_path / "gold.parquet")}
    given = audit.read(str(tmp_path / "v.parquet"), Reading(group="topic"), **asked).judgements
    assert (
        given.names == ("x plain", "x swap")
        and given.gold.tolist() == [0, 1]
        and given.group.tolist() == [0, 2]
        and given.swapped.tolist() == [1, 0]
    )
    pl.DataFrame({"id": ["q", "q"], "label": [1, 0]}).write_parquet(tmp_path / "gold.parquet")
    with pytest.raises(UserError, match="two golds, in row 2"):
        audit.read(str(tmp_path / "v.parquet"), Reading(), **asked)
    pl.DataFrame({"id": ["s"], "label": [1]}).write_parquet(tmp_path / "gold.parquet")
    with pytest.raises(UserError, match="none of its items"):
        audit.read(str(tmp_path / "v.parquet"), Reading(), **asked)


@pytest.mark.parametrize(
    "change, says",
    [
        ({"forward": ["A", "B"]}, "holds 'a'"),
        ({"item": [1, 1]}, "more than once"),
        ({"judge": ["x", None]}, "no item or no judge in row 2"),
    ],
)
def test_bad_verdicts_are_one_line(change, says, tmp_path):
    table = {"item": [1, 2], "judge": ["x", "x"], "forward": ["0", "tie"], "swapped": ["1", None]}
    pl.DataFrame(table).write_parquet(tmp_path / "v.parquet")
    assert audit.read(str(tmp_path / "v.parquet"), Reading()).judgements.swapped.tolist() == [1, -1]
    pl.DataFrame(table | change).write_parquet(tmp_path / "v.parquet")
    with pytest.raises(UserError, match=says):
        audit.read(str(tmp_path / "v.parquet"), Reading())
