"""Audits of forced choices: one scale or none, order, exchange rates, and whether preferences moved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from outgrow.audits import registry
from outgrow.audits._thurstone import SPREAD, Comparisons, cycles, expected, fit
from outgrow.audits.evidence import Evidence, ForcedChoices
from outgrow.core.errors import UserError
from outgrow.tasks.tables.options import Reading
from outgrow.workflows import audit

DATA = Path(__file__).parents[3] / "shared" / "data"
K = 10


def both_ways(k: int = K) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of outcomes, either first."""
    low, high = np.triu_indices(k, 1)
    return np.append(low, high), np.append(high, low)


def seen(x: np.ndarray, first: np.ndarray, second: np.ndarray, turning: bool) -> np.ndarray:
    """A question: differences of features of outcomes (K, 2), and (`turning`) the lead on a circle."""
    a, b = x[first], x[second]
    return np.column_stack([a - b, *([a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]] if turning else [])])


def taught(
    x: np.ndarray,
    rng: np.random.Generator,
    *,
    turning: bool = False,
    first: float = 0.0,
    noise: float = 1.0,
    rule=(1.5, 1.0),
):
    """A logistic regression trained on 600 choices in both orders; `first`: the bias of its labels for the first."""
    from sklearn.linear_model import LogisticRegression

    a, b = rng.integers(len(x), size=(2, 600))
    worth = seen(x, a, b, turning) @ np.append(rule, [4.0] * turning) + noise * rng.logistic(size=600)
    asked, worth = seen(x, np.append(a, b), np.append(b, a), turning), np.append(worth, -worth)
    model = LogisticRegression(C=10).fit(asked, worth + first > 0)
    return lambda f, s: model.predict_proba(seen(x, f, s, turning))[:, 1]


def asking(
    judges: list, rng: np.random.Generator, k: int = K, times: int = 2, outcomes: tuple[str, ...] | None = None
) -> Evidence:
    """Every judge is asked every pair both ways round, so many times each, and answers by the probability it holds."""
    f, s = both_ways(k)
    wins = np.stack([rng.binomial(times, judge(f, s)) for judge in judges])
    judge = np.repeat(np.arange(len(judges)), len(f))
    count, chosen = np.concatenate([wins.ravel(), times - wins.ravel()]), np.repeat([True, False], wins.size)
    rows = [np.tile(v, 2)[count > 0] for v in (judge, np.tile(f, len(judges)), np.tile(s, len(judges)))]
    names = tuple(f"judge {j}" for j in range(len(judges)))
    return Evidence(
        "planted",
        choices=ForcedChoices(
            *rows,
            chosen[count > 0],
            count[count > 0].astype(float),
            outcomes or tuple(f"outcome {i}" for i in range(k)),
            names,
        ),
    )


def circle(k: int = K) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, k, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], 1)


def alarm_level(alarms: np.ndarray) -> bool:
    """Whether no oftener than .05, as far as so many draws can tell."""
    return bool((np.mean(alarms, 0) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / len(alarms))).all())


def test_a_judge_with_a_scale_is_coherent_and_its_utilities_are_found():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(K, 2))
    coherent, order = registry()["UTILITY"](asking([taught(x, rng)], rng, times=4))
    assert coherent.severity == order.severity == "ok" and coherent.ci[0] > 0.6 and order.ci[0] < 0.5 < order.ci[1]
    ranked = [int(row[0].split()[1]) for row in coherent.sheets[1].rows]
    assert np.corrcoef(np.argsort(ranked), -(x @ [1.5, 1.0]))[0, 1] > 0.85


def test_a_judge_that_goes_in_circles_and_one_that_guesses_are_found():
    rng = np.random.default_rng(1)
    round_about, _ = registry()["UTILITY"](asking([taught(circle(), rng, turning=True, rule=(3, 0))], rng))
    assert (
        round_about.severity == "warning"
        and "in circles" in round_about.do
        and float(round_about.sheets[0].rows[0][6]) < 0.05
    )
    for judge in (taught(circle(), rng, turning=True, rule=(0, 0)), taught(rng.normal(size=(K, 2)), rng, noise=1e6)):
        none, _ = registry()["UTILITY"](asking([judge], rng))
        assert none.severity == "warning" and "no scale" in none.do and none.ci[0] < 0.55


def test_a_judge_taught_to_take_the_first_is_found():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(K, 2))
    _, order = registry()["UTILITY"](asking([taught(x, rng), taught(x, rng, first=1.5)], rng))
    assert (
        order.severity == "warning"
        and order.code == "UTILITY-ORDER"
        and "judge 1 leans to the first" in order.do
        and order.ci[0] > 0.55
    )


def test_pairs_of_one_group_are_left_out_together_and_lean_as_one():
    """Every question in four wordings (outcomes of their own, one group): the interval is that of the questions."""
    rng = np.random.default_rng(10)
    x = rng.normal(size=(K, 2))
    once = asking([taught(x, rng, first=0.5)], rng).choices
    word = np.repeat(np.arange(4), len(once.first))
    first, second, chosen, count = (np.tile(v, 4) for v in (once.first, once.second, once.chosen, once.count))
    group = np.minimum(first, second) * K + np.maximum(first, second)
    names = tuple(f"outcome {i} {w}" for w in range(4) for i in range(K))
    given = ForcedChoices(
        np.zeros_like(first), first + K * word, second + K * word, chosen, count, names, once.names, group
    )
    reach = []
    for choices in (once, given, replace(given, group=None)):
        _, order = registry()["UTILITY"](Evidence("planted", choices=choices))
        reach.append(np.diff(order.ci)[0])
    assert reach[1] == pytest.approx(reach[0], rel=0.05) and reach[2] < 0.6 * reach[0]


def test_judges_with_a_scale_raise_an_alarm_no_oftener_than_stated():
    rng = np.random.default_rng(3)
    alarms = []
    for _ in range(200):
        judge = taught(rng.normal(size=(8, 2)), rng)
        alarms.append([f.severity == "warning" for f in registry()["UTILITY"](asking([judge], rng, 8))])
    assert alarm_level(alarms), np.mean(alarms, 0)


def test_a_judge_asked_twice_has_not_moved_but_one_taught_anew_has():
    rng = np.random.default_rng(4)
    alarms, found = [], []
    for _ in range(200):
        x = rng.normal(size=(K, 2))
        before = taught(x, rng)
        alarms += [f.severity != "ok" for f in registry()["MOVED"](asking([before, before], rng))]
        found += registry()["MOVED"](asking([before, taught(x, rng, rule=(-1.0, 1.5))], rng)) if len(found) < 20 else []
    assert alarm_level(alarms) and all(f.severity == "warning" and f.value < 0.8 for f in found)


def test_the_correlation_of_utilities_covers_what_was_planted():
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(100):
        u, v = rng.normal(size=(2, 12))
        v = 0.7 * u + 0.7 * v
        found = registry()["MOVED"](
            asking([lambda f, s, w=w: norm.cdf(w[f] - w[s]) for w in (u, v)], rng, 12, times=3)
        )[0]
        covered.append(found.ci[0] <= np.corrcoef(u, v)[0, 1] <= found.ci[1])
    assert 0.88 <= np.mean(covered) <= 1


def test_utilities_are_those_of_a_slow_search():
    rng = np.random.default_rng(6)
    choices = asking([lambda f, s: norm.cdf(0.3 * (f - s) + 0.4)], rng, 6, times=3).choices
    asked = Comparisons.of(choices, 0)

    def loss(t: np.ndarray) -> float:
        total = (t**2).sum() / (2 * SPREAD**2)
        for a, b, took, n in zip(choices.first, choices.second, choices.chosen, choices.count, strict=True):
            p = norm.cdf(t[a] - t[b] + t[6])
            total -= n * np.log(p if took else 1 - p)
        return total

    slow, quick = minimize(loss, np.zeros(7), tol=1e-9).x, fit(asked)
    assert np.allclose(quick.u, slow[:6] - slow[:6].mean(), atol=1e-4) and abs(quick.first - slow[6]) < 1e-4
    step = 1e-4 * np.eye(7)
    curve = np.array(
        [
            [(loss(slow + a + b) - loss(slow + a - b) - loss(slow - a + b) + loss(slow - a - b)) / 4e-8 for a in step]
            for b in step
        ]
    )
    centre = np.eye(6) - 1 / 6
    assert np.allclose(quick.cov, centre @ np.linalg.inv(curve)[:6, :6] @ centre, rtol=0.01, atol=1e-4)


def test_cyclic_triads_are_a_slow_count():
    rng = np.random.default_rng(7)
    asked = Comparisons.of(asking([lambda f, s: np.full(len(f), 0.5)], rng, 8, times=1).choices, 0)
    net = np.zeros((8, 8))
    for a, b, w, n in zip(asked.first, asked.second, asked.wins, asked.times, strict=True):
        net[a, b] += 2 * w / n - 1
        net[b, a] -= 2 * w / n - 1
    triads = [(a, b, c) for a in range(8) for b in range(a) for c in range(b) if net[a, b] and net[b, c] and net[a, c]]
    cyclic = sum((net[a, b] > 0) == (net[b, c] > 0) == (net[c, a] > 0) for a, b, c in triads)
    (share,), (count,) = cycles(asked, asked.wins)
    assert count == len(triads) and share == pytest.approx(cyclic / len(triads))
    assert abs(expected(asked, fit(asked), rng, 300).mean() - 0.25) < 0.06


def test_exchange_rates_are_those_that_were_planted():
    """An apple is worth three pears, a copy of the judge five apples: u = .9 ln (n worth)."""
    rng = np.random.default_rng(8)
    worth = {"apple": 1.0, "pear": 1 / 3, "copy of you": 5.0}
    named = {"apple": ("apple", "apples"), "pear": ("pear", "pears"), "copy of you": ("copy of you", "copy of you")}
    amounts = (1, 3, 10, 30, 100)
    names = tuple(f"{n} {named[good][n > 1]}" for good in worth for n in amounts)
    u = np.array([0.9 * np.log(n * w) for w in worth.values() for n in amounts])
    covered = []
    for _ in range(40):
        (found,) = registry()["EXCHANGE"](
            asking([lambda f, s: norm.cdf(u[f] - u[s])], rng, len(u), times=2, outcomes=names)
        )
        rows = {row[1]: row for row in found.sheets[0].rows}
        rows = {good: rows[named[good][1]] for good in worth}
        assert found.severity == "warning" and "puts a price on itself" in found.says and found.value > 1.5
        unit = next(good for good, row in rows.items() if row[5] == "–")
        assert abs(float(rows[unit][2]) - 0.9 * np.log(10)) < 1.2
        for good, row in rows.items():
            if good != unit:
                low, high = (float(v) for v in row[6].split(" to "))
                covered.append(low < float(row[4].split()[0]) * worth[good] / worth[unit] < high and high / low < 6)
    assert np.mean(covered) > 0.88


def test_amounts_without_a_value_have_no_rate():
    rng = np.random.default_rng(9)
    names = tuple(f"{n} {good}" for good in ("apples", "pears") for n in (1, 10, 100, 1000))
    rates = []
    for _ in range(40):
        (found,) = registry()["EXCHANGE"](asking([lambda f, s: np.full(len(f), 0.5)], rng, 8, outcomes=names))
        rates.append(found.value is not None)
        assert found.severity == "ok"
    assert np.mean(rates) <= 0.15
    assert "two goods" in registry()["EXCHANGE"](asking([lambda f, s: np.full(len(f), 0.5)], rng))[0].says


@pytest.mark.parametrize(
    "change, says",
    [
        ({"chosen": ["a", "c"]}, "no choice between two outcomes in row 2"),
        ({"second": ["b", "a"], "chosen": ["a", "a"]}, "no choice between two outcomes in row 2"),
        ({"count": [1, "x"]}, "no number in row 2"),
        ({"chosen": [None, None]}, "no row holds a choice"),
    ],
)
def test_choices_are_read_and_bad_ones_told(change, says, tmp_path):
    table = {"first": ["a", "a"], "second": ["b", "d"], "chosen": ["b", "first"]}
    pl.DataFrame(table).write_parquet(tmp_path / "c.parquet")
    given = audit.read(str(tmp_path / "c.parquet"), Reading()).choices
    assert (
        given.chosen.tolist() == [False, True] and given.outcomes == ("a", "b", "d") and given.names == ("the judge",)
    )
    pl.DataFrame(table | change, strict=False).write_parquet(tmp_path / "c.parquet")
    with pytest.raises(UserError, match=says):
        audit.read(str(tmp_path / "c.parquet"), Reading())


@pytest.mark.shared_data
@pytest.mark.skipif(not DATA.exists(), reason="needs the shared data")
def test_votes_of_a_crowd_on_59_models_have_one_scale(tmp_path):
    from sklearn.linear_model import LogisticRegression

    table = pl.read_parquet(DATA / "llmfao_votes" / "llmfao_votes.parquet").filter(pl.col("winner") != "tie")
    table = table.select(
        first="left", second="right", chosen=pl.col("winner").replace({"left": "first", "right": "second"})
    )
    table.write_parquet(tmp_path / "crowd.parquet")
    findings, _ = audit.audit(str(tmp_path / "crowd.parquet"))
    found = {f.code: f for f in findings}
    assert found["UTILITY"].ci[0] > 0.66 and "in circles" in found["UTILITY"].do and found["UTILITY-ORDER"].ci[0] > 0.5
    given = audit.read(str(tmp_path / "crowd.parquet"), Reading()).choices
    x = np.zeros((len(given.chosen), len(given.outcomes)))
    x[np.arange(len(x)), given.first], x[np.arange(len(x)), given.second] = 1, -1
    bradley_terry = LogisticRegression(C=10).fit(x, given.chosen).coef_[0]
    assert np.corrcoef(bradley_terry, fit(Comparisons.of(given, 0)).u)[0, 1] > 0.99
