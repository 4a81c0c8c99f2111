"""Weights of sources by the likelihood of gold."""

from __future__ import annotations

import numpy as np
import pytest

from outgrow.students.weighing import log_odds, open_to, weigh, weighed


def sources(seed: int, *right: float, items: int = 400, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Sources (M, n, C) that are right so often, each with its own coin and as sure as it is right; gold (n,)."""
    rng = np.random.default_rng(seed)
    gold, out = rng.integers(classes, size=items), []
    for share in right:
        said = np.where(rng.random(items) < share, gold, (gold + rng.integers(1, classes, items)) % classes)
        out.append(np.where(np.arange(classes) == said[:, None], share, (1 - share) / (classes - 1)))
    return log_odds(np.stack(out)), gold


def test_without_gold_the_weights_are_the_prior() -> None:
    said, _ = sources(0, 0.9, 0.6)
    assert weigh(said[:, :0], np.empty(0, int), (1.0, 0.5), 1.0) == pytest.approx([1.0, 0.5])


def test_independent_sources_that_know_how_right_they_are_add_up() -> None:
    """Bayes' rule: the posterior is the product, so that every weight is 1."""
    said, gold = sources(1, 0.8, 0.6, 0.5, items=20000)
    assert weigh(said, gold, (0.3, 0.3, 0.3), 1.0) == pytest.approx([1, 1, 1], abs=0.1)


def test_a_source_that_tells_nothing_gets_no_weight_and_a_wrong_one_none_below_it() -> None:
    said, gold = sources(2, 0.8, items=5000)
    rng = np.random.default_rng(3)
    noise = log_odds(rng.dirichlet(np.ones(3), len(gold)))
    assert weigh(np.stack([said[0], noise]), gold, (1.0, 1.0), 1.0)[1] < 0.05
    against = log_odds(np.eye(3)[(gold + 1) % 3] * 0.8 + 0.1)
    assert weigh(np.stack([said[0], against]), gold, (1.0, 1.0), 1.0)[1] == 0


def test_it_is_the_maximum_that_a_slow_search_finds() -> None:
    said, gold = sources(4, 0.7, 0.5, items=60)
    prior, strength = np.array([1.0, 0.5]), 2.0

    def score(a: np.ndarray) -> float:
        probs = np.exp((a[:, None, None] * said).sum(0))
        probs /= probs.sum(1, keepdims=True)
        return float(np.log(probs[np.arange(60), gold]).sum() - strength / 2 * ((a - prior) ** 2).sum())

    found = weigh(said, gold, prior, strength)
    grid = [np.array([a, b]) for a in np.linspace(0, 3, 61) for b in np.linspace(0, 3, 61)]
    best = max(grid, key=score)
    assert found == pytest.approx(best, abs=0.05) and score(found) >= score(best)


def test_an_abstention_weighs_nothing() -> None:
    silent = log_odds(np.full((1, 3), np.nan))
    said = log_odds(np.array([[0.7, 0.2, 0.1]]))
    assert weighed(np.stack([said, silent]), np.array([1.0, 5.0])) == pytest.approx(np.array([[0.7, 0.2, 0.1]]))


def test_of_a_class_that_no_gold_names_a_student_of_gold_says_nothing() -> None:
    probs = np.array([[[0.6, 0.399, 0.001], [0.2, 0.798, 0.002]]])
    open_one = open_to(probs, np.array([[True, True, False]]))
    assert open_one.sum(-1) == pytest.approx(1) and open_one[..., 2] == pytest.approx(1 / 3)
    assert open_one[..., 0] / open_one[..., 1] == pytest.approx(probs[..., 0] / probs[..., 1])
    # With all classes named they are as they were.
    assert open_to(probs, np.ones((1, 3), bool)) == pytest.approx(probs)
