"""Power, calibration, agreement, worth and the verdicts on controls."""

import numpy as np
import pytest
from test_metrics_intervals import scores_of

from outgrow.metrics import controls
from outgrow.metrics.accuracy import Score, accuracy
from outgrow.metrics.agreement import agreement
from outgrow.metrics.calibration import calibration
from outgrow.metrics.gold_worth import worth
from outgrow.metrics.intervals import ScoreTable
from outgrow.metrics.power import power


def plain(num):
    """A score whose items weigh the same and are groups of their own."""
    return Score(num, np.ones(num.shape[1]), np.arange(num.shape[1]))


def two_way(rng, gap, a, b, c, replicates, groups, kappa):
    """Floor 0 and a ceiling with these variance components, as a study would see it."""
    y = gap + np.sqrt(a * kappa) * rng.normal() + np.sqrt(a) * rng.normal(size=(replicates, 1))
    y = y + np.sqrt(b) * rng.normal(size=groups) + np.sqrt(c) * rng.normal(size=(replicates, groups))
    return ScoreTable.of({"floor": plain(np.zeros_like(y)), "ceiling": plain(y)}, kappa)


def planned(gap, a, b, c, replicates, groups):
    """The power statement of a study whose estimates happen to be the truth."""
    rng = np.random.default_rng(0)
    table = two_way(rng, gap, a, b, c, replicates, groups, 1.0)
    k = np.array([[0, 0], [0, 1]])
    squares = k * (a + c / groups), k * (b + c / replicates), k * c
    return power(ScoreTable(table.names, np.array([0, gap]), *squares, replicates, groups, groups, 1.0))


def resolved(gap, a, b, c, replicates, groups, times=800):
    rng = np.random.default_rng(1)
    tables = (two_way(rng, gap, a, b, c, replicates, groups, 1.0) for _ in range(times))
    return np.mean([t.estimate([-1, 1]).ci[0] > 0 for t in tables])


def test_the_items_it_asks_for_resolve_the_gap_in_eighty_percent_of_studies():
    parts = {"gap": 0.03, "a": 2e-5, "b": 0.05, "c": 0.1}
    said = planned(**parts, replicates=8, groups=100)
    assert said.items > 100
    assert resolved(**parts, replicates=8, groups=said.items) == pytest.approx(0.8, abs=0.045)


def test_the_replicates_it_asks_for_resolve_the_gap_in_eighty_percent_of_studies():
    parts = {"gap": 0.03, "a": 5e-5, "b": 0.002, "c": 0.2}
    said = planned(**parts, replicates=4, groups=150)
    assert said.replicates > 4
    assert resolved(**parts, replicates=said.replicates, groups=150) == pytest.approx(0.8, abs=0.045)


def test_where_test_items_dominate_no_number_of_replicates_would_do():
    said = planned(gap=0.02, a=0, b=0.1, c=0.01, replicates=8, groups=100)
    assert said.replicates is None
    assert said.items > 100
    assert "no number of replicates" in said.says


def test_where_the_pool_dominates_neither_number_would_do():
    said = planned(gap=0.02, a=1e-3, b=1e-4, c=1e-4, replicates=8, groups=100)
    assert (said.items, said.replicates) == (None, None)
    assert "more data to train on" in said.says


def test_a_ceiling_below_its_floor_cannot_be_mended_by_more_of_anything():
    scores = scores_of(gap=0.01)
    table = ScoreTable.of({"floor": scores["ceiling"], "ceiling": scores["floor"]}, 1.0)
    said = power(table)
    assert (said.items, said.replicates) == (None, None)
    assert "below the floor" in said.says


def test_a_resolved_gap_needs_no_power_statement():
    assert power(ScoreTable.of(scores_of(), 1.0)) is None


def beliefs(rng, replicates, items, tilt):
    """P(class 1) whose truth is that probability to the power of `tilt` in the odds: 1 is calibrated."""
    odds = rng.normal(0, 1.5, items) + 0.1 * rng.normal(size=(replicates, items))
    labels = rng.random(items) < 1 / (1 + np.exp(-odds[0]))
    p = 1 / (1 + np.exp(-tilt * odds))
    return np.stack([1 - p, p], -1), labels.astype(int)


def test_calibration_error_by_hand():
    probs = np.array([[[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]]])
    labels = np.array([0, 1, 1, 1])
    found = calibration(probs, labels, np.ones(4), np.arange(4), 1.0)
    # .9 against 1/2 right, .6 against 2/2 right, half of the items each
    assert found.equal_width == pytest.approx((abs(0.9 - 0.5) + abs(0.6 - 1)) / 2)
    assert [(b.confidence, b.accuracy, b.count) for b in found.bins] == [
        (pytest.approx(0.6), 1, 2),
        (pytest.approx(0.9), 0.5, 2),
    ]
    assert found.ece_ci is None


def test_debiasing_brings_calibration_error_nearer_to_the_truth():
    plain, debiased = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        found = calibration(*beliefs(rng, 4, 400, 1.0), np.ones(400), np.arange(400), 1.0)
        plain.append(found.equal_mass)
        debiased.append(found.ece)
    # the truth is nearly 0
    assert np.mean(debiased) < 0.7 * np.mean(plain)


def test_the_interval_of_calibration_error_covers_it():
    weights, items = np.ones(20000), np.arange(20000)
    big = calibration(*beliefs(np.random.default_rng(99), 4, 20000, 2.0), weights, items, 1.0)
    covered = []
    for seed in range(200):
        found = calibration(*beliefs(np.random.default_rng(seed), 4, 800, 2.0), np.ones(800), np.arange(800), 1.0)
        covered.append(found.ece_ci[0] <= big.ece <= found.ece_ci[1])
    assert 0.9 <= np.mean(covered) <= 0.99


def test_a_supervisor_that_never_answers_has_no_calibration():
    probs = np.full((4, 10, 2), np.nan)
    assert calibration(probs, np.zeros(10, int), np.ones(10), np.arange(10), 1.0).ece is None


def test_agreement_is_split_by_whether_the_supervisor_was_right():
    eye = np.eye(2)
    labels = np.array([0, 0, 0, 1, 1, 1])
    supervisor = np.tile(eye[[0, 0, 1, 1, 0, 0]], (4, 1, 1))
    student = np.tile(eye[[0, 1, 1, 1, 1, 0]], (4, 1, 1))
    found = agreement(student, supervisor, labels, np.ones(6), np.arange(6), 1.0)
    # right on items 0 1 3, agreed on 0 and 3; wrong on 2 4 5, agreed on 2 and 5
    assert (found.when_right, found.when_wrong) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert found.when_right_ci[0] < 2 / 3 < found.when_right_ci[1]


def test_agreement_with_a_supervisor_that_is_never_wrong_has_one_half():
    probs = np.tile(np.eye(2)[[0, 1, 1, 0]], (4, 1, 1))
    found = agreement(probs, probs, np.array([0, 1, 1, 0]), np.ones(4), np.arange(4), 1.0)
    assert (found.when_right, found.when_wrong, found.when_wrong_ci) == (1.0, None, None)


def curve_of(levels, student, replicates=8, items=2000, noise=0.02):
    rng = np.random.default_rng(4)
    hard = 0.3 * rng.normal(size=items)

    def score(level):
        return plain(level + hard + noise * rng.normal(size=(replicates, items)))

    return {n: score(level) for n, level in levels.items()}, score(student)


def test_weak_labels_are_worth_what_the_gold_curve_says():
    curve, student = curve_of({10: 0.6, 100: 0.7, 1000: 0.8}, 0.75)
    found = worth(curve, student, 1.0)
    # halfway between 100 and 1000 in log n: 10^2.5 = 316
    assert found.status == "ok"
    assert found.n == pytest.approx(316, rel=0.05)
    assert found.n_ci[0] < 316 < found.n_ci[1]


def test_worth_says_where_the_curve_ends_first():
    levels = {10: 0.6, 100: 0.7, 1000: 0.8}
    low, high = (worth(*curve_of(levels, student), 1.0) for student in (0.5, 0.9))
    assert (low.n, low.status, low.n_ci) == (None, "less than the smallest", (None, 10))
    assert (high.n, high.status, high.n_ci) == (None, "more than all", (1000, None))


def test_a_curve_that_dips_is_made_monotone():
    """.70 then .64 become .67 twice: a student just below .67 is worth little less than the first of the two."""
    curve, student = curve_of({10: 0.6, 100: 0.7, 1000: 0.64, 10000: 0.8}, 0.6699, noise=1e-6)
    assert worth(curve, student, 1.0).n == pytest.approx(100, rel=0.02)


def test_the_interval_of_worth_covers_it():
    covered = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        hard = 0.5 * rng.normal(size=200)
        noise = 0.5 * rng.normal(size=(4, 6, 200)) + 0.01 * rng.normal(size=(4, 6, 1)) + hard
        curve = {
            n: plain(level + x) for (n, level), x in zip({10: 0.5, 100: 0.7, 1000: 0.9}.items(), noise, strict=False)
        }
        found = worth(curve, plain(0.8 + noise[3]), 0.0)
        low, high = found.n_ci
        covered.append((low or 10) <= 10**2.5 <= (high or 1000))
    assert 0.91 <= np.mean(covered) <= 0.99


def uninformed(seed, rates, items=1000, majority=True):
    rng = np.random.default_rng(seed)
    labels = rng.choice(len(rates), items, p=rates)
    answers = np.zeros((8, items), int) + np.argmax(rates) if majority else rng.choice(len(rates), (8, items), p=rates)
    return np.eye(len(rates))[answers], labels, np.ones(items), np.arange(items)


def test_a_student_of_shuffled_labels_passes_when_it_answers_the_majority():
    verdict = controls.shuffled(*uninformed(0, [0.71, 0.29]), 1.0)
    assert verdict.passed is True
    assert verdict.value == pytest.approx(verdict.expected)


def test_a_constant_answer_that_is_not_golds_commonest_class_passes():
    probs, labels, weights, groups = uninformed(1, [0.44, 0.56], items=3000)
    verdict = controls.shuffled(probs[..., ::-1], labels, weights, groups, 1.0)
    assert verdict.value < verdict.expected
    assert verdict.passed is True


def test_a_mixture_of_answers_that_knows_nothing_passes():
    assert controls.shuffled(*uninformed(2, [0.4, 0.35, 0.25], items=3000, majority=False), 1.0).passed is True


def test_a_leak_of_gold_into_shuffled_labels_is_noticed():
    probs, labels, weights, groups = uninformed(3, [0.6, 0.4])
    leak = np.random.default_rng(0).random((8, len(labels))) < 0.2
    probs = np.where(leak[..., None], np.eye(2)[labels], probs)
    verdict = controls.shuffled(probs, labels, weights, groups, 1.0)
    assert verdict.passed is False
    assert "leaks" in verdict.says


def test_shuffled_control_seldom_fails_a_student_that_knows_nothing():
    passed = [controls.shuffled(*uninformed(s, [0.52, 0.48], 400, False), 1.0).passed for s in range(200)]
    assert np.mean(passed) > 0.93


def test_gold_through_naive_must_be_the_ceiling_to_the_byte():
    rng = np.random.default_rng(0)
    probs = rng.dirichlet([1, 1], (4, 50)).astype(np.float32)
    score = accuracy(probs, rng.integers(0, 2, 50), np.ones(50), np.arange(50))
    other = probs.copy()
    other[2, 7, 1] = np.nextafter(other[2, 7, 1], np.float32(2))
    assert controls.gold_naive(probs, probs.copy(), score, 1.0).passed is True
    verdict = controls.gold_naive(probs, other, score, 1.0)
    assert verdict.passed is False
    assert verdict.says.startswith("1 of 200 predictions")


@pytest.mark.parametrize(("off", "items", "passed"), [(0.005, 2000, True), (0.05, 2000, False), (0.02, 40, None)])
def test_own_features_must_be_within_a_point_of_the_floor(off, items, passed):
    rng = np.random.default_rng(0)
    base = rng.random(items)
    noise = rng.normal(size=items)
    noise = 0.2 * (noise - noise.mean())
    floor = Score(np.tile(base, (6, 1)), np.ones(items), np.arange(items))
    own = Score(np.tile(base + off + noise, (6, 1)), np.ones(items), np.arange(items))
    assert controls.own_features(own, floor, 1.0).passed is passed
