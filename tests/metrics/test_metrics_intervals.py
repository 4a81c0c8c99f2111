"""Two-way variance against slow second implementations, and Fieller's interval against his formula."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from outgrow.metrics.accuracy import Score
from outgrow.metrics.intervals import Estimate, ScoreTable, share_ci, shared_pool
from outgrow.metrics.pgr import fieller, recovery


def scores_of(seed=0, replicates=6, items=60, group=3, gap=0.3, share=0.4, ratio=False):
    """Correlated floor, naive and ceiling on the same items: replicate, group and cell effects."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(items // group), group)
    hard = rng.normal(size=items // group)[groups]
    out = {}
    for name, mean in (("floor", 0.5), ("naive", 0.5 + share * gap), ("ceiling", 0.5 + gap)):
        shift = 0.05 * rng.normal(size=(replicates, 1))
        num = mean + shift + 0.1 * hard + 0.1 * rng.normal(size=(replicates, items))
        den = rng.integers(1, 4, items).astype(float) if ratio else np.ones(items)
        out[name] = Score(num * den, den, groups)
    return out


def test_mean_squares_agree_with_a_slow_loop():
    scores = scores_of()
    y = {
        k: np.array([[s.num[r][s.groups == g].mean() for g in range(20)] for r in range(6)]) for k, s in scores.items()
    }
    d = y["ceiling"] - y["floor"]
    s_r = sum((d[r].mean() - d.mean()) ** 2 for r in range(6)) / 5
    s_g = sum((d[:, g].mean() - d.mean()) ** 2 for g in range(20)) / 19
    cells = [(d[r, g] - d[r].mean() - d[:, g].mean() + d.mean()) ** 2 for r in range(6) for g in range(20)]
    s_c = sum(cells) / (5 * 19)
    table = ScoreTable.of(scores, 1.0)
    w = table.weights({"ceiling": 1, "floor": -1})
    parts = table.components(w)
    assert [float(parts.s_r), float(parts.s_g), float(parts.s_c)] == pytest.approx([s_r, s_g, s_c])
    estimate = table.estimate(w)
    assert estimate.value == pytest.approx(d.mean())
    assert estimate.se**2 == pytest.approx(s_g / 20 + (s_r - s_c / 20) * (1 / 6 + 1))
    assert table.estimate(w, new_data=False).se ** 2 == pytest.approx(s_g / 20 + (s_r - s_c / 20) / 6)


def test_the_variance_is_that_of_fresh_two_way_tables():
    rng = np.random.default_rng(3)
    a, b, c, r, g, kappa = 0.02, 0.3, 0.5, 8, 40, 1.0
    means, claimed = [], []
    for _ in range(1500):
        pool = np.sqrt(kappa * a) * rng.normal()
        y = (
            pool
            + np.sqrt(a) * rng.normal(size=(r, 1))
            + np.sqrt(b) * rng.normal(size=g)
            + np.sqrt(c) * rng.normal(size=(r, g))
        )
        table = ScoreTable.of({"x": Score(y, np.ones(g), np.arange(g))}, kappa)
        means.append(y.mean())
        claimed.append(table.estimate([1.0]).se ** 2)
    truth = a * (1 / r + kappa) + b / g + c / (r * g)
    assert np.var(means) == pytest.approx(truth, rel=0.1)
    assert np.mean(claimed) == pytest.approx(truth, rel=0.1)


def test_a_slow_joint_bootstrap_of_replicates_and_groups_gives_the_same_error():
    """A draw counts cell noise three times (Owen 2007), which with many replicates and groups is little."""
    scores = scores_of(1, replicates=30, items=240, ratio=True)
    table = ScoreTable.of(scores, 1.0)
    rng = np.random.default_rng(5)
    values = []
    for _ in range(1500):
        rows, groups = rng.integers(0, 30, 30), rng.integers(0, 80, 80)
        items = np.concatenate([np.arange(3 * g, 3 * g + 3) for g in groups])
        gap = [
            s.num[np.ix_(rows, items)].sum() / (30 * s.den[items].sum()) for s in (scores["ceiling"], scores["floor"])
        ]
        values.append(gap[0] - gap[1])
    se = table.estimate(table.weights({"ceiling": 1, "floor": -1}), new_data=False).se
    assert np.std(values) == pytest.approx(se, rel=0.15)


def test_a_score_of_one_replicate_stands_for_all():
    scores = scores_of()
    fixed = Score(scores["floor"].num[:1], scores["floor"].den, scores["floor"].groups)
    many = Score(np.repeat(fixed.num, 6, 0), fixed.den, fixed.groups)
    one, all_ = (ScoreTable.of({**scores, "floor": f}, 1.0) for f in (fixed, many))
    w = one.weights({"ceiling": 1, "floor": -1})
    assert one.estimate(w) == all_.estimate(w)


def test_scores_on_other_items_are_refused():
    scores = scores_of()
    other = Score(scores["floor"].num, scores["floor"].den, scores["floor"].groups[::-1])
    with pytest.raises(ValueError, match="same test items"):
        ScoreTable.of({**scores, "floor": other}, 1.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_items_and_replicates_does_not_matter(seed):
    scores = scores_of(ratio=True)
    rng = np.random.default_rng(seed)
    rows, items = rng.permutation(6), rng.permutation(60)
    moved = {k: Score(s.num[np.ix_(rows, items)], s.den[items], s.groups[items]) for k, s in scores.items()}
    before, after = (recovery(ScoreTable.of(s, 1.0), "naive") for s in (scores, moved))
    assert after.pgr == pytest.approx(before.pgr)
    assert after.ci == pytest.approx(before.ci)


def test_the_interval_is_fiellers_where_only_test_items_vary():
    rng = np.random.default_rng(7)
    n = 50
    top, bottom = 0.2 + rng.normal(0, 0.5, n), 0.5 + rng.normal(0, 0.5, n)
    scores = {"a": np.tile(top, (5, 1)), "b": np.tile(bottom, (5, 1))}
    table = ScoreTable.of({k: Score(x, np.ones(n), np.arange(n)) for k, x in scores.items()}, 1.0)
    t2 = stats.t.ppf(0.975, n - 1) ** 2
    (v11, v12), (_, v22) = np.cov(top, bottom) / n
    # Fieller 1954: (b^2 - t^2 v22) p^2 - 2 (a b - t^2 v12) p + (a^2 - t^2 v11) <= 0
    roots = np.roots(
        [bottom.mean() ** 2 - t2 * v22, -2 * (top.mean() * bottom.mean() - t2 * v12), top.mean() ** 2 - t2 * v11]
    )
    found = fieller(table, table.weights({"a": 1}), table.weights({"b": 1}))
    assert found == pytest.approx(sorted(roots), rel=1e-6)


def test_every_end_of_an_interval_is_where_the_test_just_accepts():
    table = ScoreTable.of(scores_of(2), 1.0)
    for new_data, ci in ((True, recovery(table, "naive").ci), (False, recovery(table, "naive").ci_this_pool)):
        for end in ci:
            w = (
                table.weights({"naive": 1})
                - table.weights({"floor": 1})
                - end * table.weights({"ceiling": 1, "floor": -1})
            )
            variance, df = table.variance(w, new_data)
            assert abs(w @ table.mean) / np.sqrt(variance) == pytest.approx(stats.t.ppf(0.975, df), rel=1e-5)


def test_nothing_wrong_in_few_groups_is_no_proof_of_perfection():
    table = ScoreTable.of({"x": Score(np.ones((4, 30)), np.ones(30), np.repeat(np.arange(10), 3))}, 1.0)
    low, high = share_ci(table.estimate([1.0]), table)
    # ten groups all right: (1 - miss)^10 = .025
    assert low == pytest.approx(0.025 ** (1 / 10))
    assert high == 1


def test_halves_of_unequal_size_take_the_larger_ratio():
    assert shared_pool(100, 100) == 1
    assert shared_pool(300, 100) == shared_pool(100, 300) == 3


def test_p_values_agree_with_students_test():
    assert Estimate(2.0, 1.0, 9).p == pytest.approx(2 * stats.t.sf(2, 9))
    assert Estimate(0.0, 0.0, 9).p == 1
    assert Estimate(0.1, 0.0, 9).p == 0
