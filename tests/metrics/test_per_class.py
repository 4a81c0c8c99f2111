"""Measures by class: against slow second implementations, and by hand."""

import numpy as np
import pytest

from outgrow.metrics.annotators import single
from outgrow.metrics.per_class import average_precision, confusion, f1, mean_precision, rare, recalls, resampled


@pytest.fixture
def world():
    rng = np.random.default_rng(3)
    probs = rng.dirichlet([1.0, 2.0, 0.5], size=240)
    labels = np.where(rng.random(240) < 0.6, probs.argmax(1), rng.integers(3, size=240))
    return probs, labels, np.arange(240) // 2


def test_recall_and_f1_are_those_of_scikit_learn(world) -> None:
    from sklearn.metrics import f1_score, recall_score

    probs, labels, groups = world
    said = probs.argmax(1)
    for ours, theirs in ((recalls, recall_score), (f1, f1_score)):
        wanted = theirs(labels, said, average=None)
        assert [score.value for score in ours(probs, labels, groups).values()] == pytest.approx(wanted)


def test_an_abstention_shares_its_answer_among_all_classes() -> None:
    probs = np.array([[np.nan, np.nan], [0.1, 0.9]])
    labels = np.array([1, 1])
    assert recalls(probs, labels, np.arange(2))[1].value == pytest.approx((1 / 2 + 1) / 2)
    assert f1(probs, labels, np.arange(2))[1].value == pytest.approx(2 * 1.5 / (1.5 + 2))
    assert confusion(probs, labels).tolist() == [[0, 0], [0.5, 1.5]]


def test_the_interval_of_macro_f1_is_about_that_of_resampled_groups(world) -> None:
    probs, labels, groups = world
    scores = {str(c): score for c, score in f1(probs, labels, groups).items()}
    estimate, _ = single(scores, dict.fromkeys(scores, 1 / 3))
    rng, draws = np.random.default_rng(0), []
    for _ in range(1000):
        picked = rng.integers(120, size=120)
        rows = np.concatenate([2 * picked, 2 * picked + 1])
        draws.append(np.mean([s.value for s in f1(probs[rows], labels[rows], rows).values()]))
    assert estimate.se == pytest.approx(np.std(draws), rel=0.1)


def test_average_precision_is_that_of_scikit_learn_weights_and_ties_included(world) -> None:
    from sklearn.metrics import average_precision_score

    probs, labels, _ = world
    scores, weights = probs[:, 2].round(1), np.random.default_rng(1).integers(0, 4, size=(5, 240)).astype(float)
    wanted = [average_precision_score(labels == 2, scores, sample_weight=w) for w in weights]
    assert average_precision(scores, labels == 2, weights) == pytest.approx(np.array(wanted))


def test_the_same_resamples_are_drawn_for_every_prediction(world) -> None:
    probs, labels, groups = world
    first, second = (mean_precision(probs, labels, [0, 2], groups, np.random.default_rng(7)) for _ in range(2))
    assert first[0] == second[0] and np.array_equal(first[1], second[1])
    low, high = resampled(first[1], groups)
    assert low < first[0] < high and resampled(first[1], np.zeros(240)) is None


def test_rare_is_a_class_with_less_than_half_of_an_even_share() -> None:
    assert rare(np.array([0] * 17 + [1] * 5), 2) == [1], "5/22 is less than 1/4"
    assert rare(np.array([0] * 16 + [1] * 6), 2) == [], "6/22 is not"
    assert rare(np.array([0, 0, 1, 1]), 3) == [], "a class that gold never names cannot be ranked"
