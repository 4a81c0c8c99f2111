"""Scores: accuracy, choice, and what knows nothing."""

import numpy as np
import pytest

from outgrow.metrics.accuracy import Score, accuracy, choice, rightness
from outgrow.metrics.baselines import chance, class_rates, majority_class, majority_rate

ONES = np.ones(4)
GROUPS = np.arange(4)


def test_accuracy_counts_what_is_right_by_weight():
    probs = np.array([[[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]]])
    labels = np.array([0, 0, 1, 1])
    # right: items 0 and 3, of weights 1 and 4, out of 1 + 2 + 3 + 4
    score = accuracy(probs, labels, np.array([1.0, 2.0, 3.0, 4.0]), GROUPS)
    assert score.value == pytest.approx((1 + 4) / 10)


def test_ties_share_the_point():
    probs = np.array([[[0.5, 0.5, 0.0], [0.4, 0.2, 0.4], [0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]]])
    assert rightness(probs, np.array([0, 2, 2, 1]))[0] == pytest.approx([1 / 2, 1 / 2, 0, 1 / 3])


def test_an_abstention_is_a_guess():
    probs = np.full((1, 1, 4), np.nan)
    assert rightness(probs, np.array([2]))[0, 0] == 1 / 4


def test_a_question_is_right_when_its_right_candidate_is_strictly_likeliest():
    right = np.array([[0.2, 0.9, 0.3, 0.6, 0.6, 0.1, 0.4, 0.5]])
    question = np.array([7, 7, 7, 3, 3, 3, 5, 5])
    labels = np.array([0, 1, 0, 1, 0, 0, 1, 0])
    score = choice(np.stack([1 - right, right], -1), labels, question, question)
    # question 3: .6 ties with .6 -> 1/2; question 5: .4 < .5 -> 0; question 7: .9 -> 1
    assert score.num[0].tolist() == [0.5, 0, 1]
    assert score.value == pytest.approx(1.5 / 3)


def test_choice_agrees_with_a_slow_loop_whatever_the_order_of_rows():
    rng = np.random.default_rng(0)
    question = rng.integers(0, 40, 300)
    labels = rng.integers(0, 2, 300)
    right = rng.integers(0, 5, (3, 300)) / 5
    expected, asked = np.zeros(3), 0
    for q in np.unique(question):
        rows = np.flatnonzero(question == q)
        if not 0 < labels[rows].sum() < len(rows):
            continue
        asked += 1
        for r in range(3):
            top = [i for i in rows if right[r, i] == max(right[r, rows])]
            expected[r] += sum(labels[i] for i in top) / len(top)
    score = choice(np.stack([1 - right, right], -1), labels, question, question // 2)
    assert score.values == pytest.approx(expected / asked)


def test_candidates_of_a_question_in_two_groups_are_refused():
    probs = np.full((1, 4, 2), 0.5)
    with pytest.raises(ValueError, match="share one group"):
        choice(probs, np.array([0, 1, 0, 1]), np.array([1, 1, 2, 2]), np.array([0, 1, 2, 2]))


def test_a_replicate_is_a_ratio_of_sums():
    score = Score(np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([[2.0, 3.0], [1.0, 1.0]]), np.array([0, 1]))
    assert score.values.tolist() == [3 / 5, 1 / 2]


def test_majority_and_chance_by_hand():
    labels, weights = np.array([0, 1, 1, 2]), np.array([4.0, 1.0, 2.0, 1.0])
    assert class_rates(labels, weights, 3).tolist() == [4 / 8, 3 / 8, 1 / 8]
    assert majority_class(labels, weights, 3) == 0
    assert majority_rate(labels, weights, 3) == 4 / 8
    answers = np.eye(3)[[[0, 0, 1, 1]]]
    # answers: class 0 with weight 5 of 8, class 1 with 3 of 8
    assert chance(answers, labels, weights) == pytest.approx(5 / 8 * 4 / 8 + 3 / 8 * 3 / 8)


def test_a_constant_answer_scores_exactly_its_chance():
    rng = np.random.default_rng(1)
    labels, weights = rng.integers(0, 3, 50), rng.random(50)
    constant = np.broadcast_to(np.array([0.2, 0.5, 0.3]), (2, 50, 3))
    assert accuracy(constant, labels, weights, np.arange(50)).value == pytest.approx(chance(constant, labels, weights))
