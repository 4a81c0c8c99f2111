"""Which items gold is asked of."""

from __future__ import annotations

import numpy as np
import pytest

from outgrow.metrics.asking import asked, entropy


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_entropy_is_one_of_equal_classes_and_zero_of_a_certain_one() -> None:
    assert entropy(np.array([[0.25] * 4, [1, 0, 0, 0]])) == pytest.approx([1, 0], abs=1e-9)
    assert entropy(np.array([[0.5, 0.5, 0, 0]])) == pytest.approx([0.5])


def test_they_are_of_the_quarter_with_the_highest_score_and_not_the_highest_of_all() -> None:
    score = np.random.default_rng(1).random(400)
    found = asked(score, np.arange(400), 40, rng())
    best = np.argsort(-score)
    assert set(found) <= set(best[:100]) and set(found) != set(best[:40])
    assert (np.diff(score[found]) <= 0).all() and len(set(found)) == 40


def test_a_group_is_asked_twice_only_when_every_other_was_asked() -> None:
    groups = np.repeat(np.arange(10), 3)
    found = asked(rng().random(30), groups, 13, rng())
    counts = np.bincount(groups[found])
    assert counts.min() == 1 and counts.max() == 2 and counts.sum() == 13


@pytest.mark.parametrize("count", [0, 5, 9])
def test_no_more_than_there_are(count: int) -> None:
    assert len(asked(rng().random(5), np.arange(5), count, rng())) == min(count, 5)
