"""What more gold would add, from students of all gold and of its halves."""

from __future__ import annotations

import numpy as np
import pytest

from outgrow.metrics.accuracy import Score
from outgrow.metrics.more_gold import more_gold


def score(wrong: float, items: int = 4000, seed: int = 0) -> Score:
    right = np.random.default_rng(seed).random(items) >= wrong
    return Score(right[None].astype(float), np.ones(items), np.arange(items))


@pytest.mark.parametrize(("c", "more"), [(0.2, 50), (0.2, 400), (0.5, 100)])
def test_a_power_law_is_extrapolated_exactly(c: float, more: int) -> None:
    """Errors .3 (n / 100)^-c: of 50, 100 and 100 + more labels."""

    def exactly(n: float) -> Score:
        items = 10000
        wrong = np.arange(items) < round(items * 0.3 * (n / 100) ** -c)
        return Score((~wrong)[None].astype(float), np.ones(items), np.arange(items))

    found = more_gold(exactly(100), [exactly(50)] * 2, 100, more)
    assert found.gain == pytest.approx(0.3 - 0.3 * (1 + more / 100) ** -c, abs=1e-3)
    assert found.doubling == pytest.approx(0.3 * 0.5**-c - 0.3, abs=1e-3)


def test_the_interval_reaches_from_the_power_law_to_the_straight_line() -> None:
    found = more_gold(score(0.2), [score(0.25, seed=1), score(0.25, seed=2)], 100, 300)
    low, high = found.gain_ci
    assert low < found.gain < high
    assert high == pytest.approx(2 * found.doubling_ci[1]), "100 + 300 labels are two doublings"


def test_gold_that_added_nothing_promises_nothing() -> None:
    found = more_gold(score(0.2), [score(0.2), score(0.2)], 100, 100)
    assert found.gain == 0 and found.gain_ci[0] <= 0 <= found.gain_ci[1]


def test_of_few_groups_there_is_no_interval() -> None:
    full, half = (Score(np.ones((1, 3)), np.ones(3), np.arange(3)) for _ in range(2))
    assert more_gold(full, [half], 3, 100).gain_ci is None
