"""Which items gold is asked of."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from outgrow.metrics.suggestion import asked, directions, doubt


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_doubt_is_what_the_first_class_is_ahead_of_the_second_less_than_one() -> None:
    assert doubt(np.array([[0.5, 0.5, 0], [1, 0, 0], [0.2, 0.7, 0.1]])) == pytest.approx([1, 0, 0.5])


def test_they_are_spread_over_the_places_of_unsure_items() -> None:
    """Four heaps of 50 items, all alike within one, and 200 sure items elsewhere: four items are one of each heap."""
    heaps = np.repeat(np.eye(5, 8)[:4], 50, 0) + 0.01 * rng().normal(size=(200, 8))
    places = np.concatenate([heaps, np.tile(np.eye(5, 8)[4], (200, 1))])
    score = np.concatenate([np.repeat([0.9, 0.8, 0.7, 0.6], 50), np.full(200, 0.1)])
    found = asked(score, np.arange(400), 4, rng(), places)
    assert (found // 50).tolist() == [0, 1, 2, 3]


def test_directions_are_of_length_one_along_the_widest_axes() -> None:
    x = rng().normal(size=(30, 40)) * np.linspace(1, 2, 40)
    found = directions(x)
    assert found.shape == (30, 32) and np.linalg.norm(found, axis=1) == pytest.approx(np.ones(30))


def test_without_places_they_are_of_the_unsure_half_and_not_the_most_unsure_of_all() -> None:
    score = np.random.default_rng(1).random(400)
    found = asked(score, np.arange(400), 40, rng())
    best = np.argsort(-score)
    assert set(found) <= set(best[:200]) and set(found) != set(best[:40])
    assert (np.diff(score[found]) <= 0).all() and len(set(found)) == 40


def test_a_group_is_asked_twice_only_when_every_other_was_asked() -> None:
    groups = np.repeat(np.arange(10), 3)
    found = asked(rng().random(30), groups, 13, rng())
    counts = np.bincount(groups[found])
    assert counts.min() == 1 and counts.max() == 2 and counts.sum() == 13


@pytest.mark.parametrize("count", [0, 5, 9])
def test_no_more_than_there_are(count: int) -> None:
    assert len(asked(rng().random(5), np.arange(5), count, rng())) == min(count, 5)


def test_items_of_few_places_are_asked_for_without_a_warning() -> None:
    """Twelve items in two places, of which five are asked for: one of each place, and the most unsure of the others."""
    places, score = np.tile(np.eye(2), (6, 1)), np.linspace(1, 0.5, 12)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = asked(score, np.arange(12), 5, rng(), places)
    assert len(set(found.tolist())) == 5 and set(found % 2) == {0, 1}


def test_no_more_rounds_are_drawn_than_are_asked_for() -> None:
    """Two groups of 50 items, two items asked for: one round draws the order of two, and 49 others draw nothing."""
    drawn, expected = rng(), rng()
    asked(np.ones(100), np.repeat([0, 1], 50), 2, drawn)
    expected.permutation(2)
    assert drawn.random() == expected.random()
