"""Figures of a judge that is asked in both orders: one record a judge, for the audits of judges.

    consistent   share of items with the same verdict both times; an item without a verdict is not consistent
    right        mean over items and both orders: 1 right, 1/2 a tie, 0 wrong or no verdict

Items of one group count as far as they differ (design effect, `_statistics.together`).
Source: Zeng et al. 2024, Evaluating Large Language Models at Evaluating Instruction Following, arXiv 2310.07641.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.audits._statistics import coin, percent, wilson
from outgrow.audits.evidence import TIE, Judgements

ALARM = 0.05
"""Chance of a false alarm of each test, over all judges (Bonferroni)."""
FEWEST = 10
"""Items on which a judge must have verdicts."""


@final
@dataclass(frozen=True)
class Judge:
    """Figures of one judge, on the items marked in `rows` (V,) bool."""

    name: str
    rows: np.ndarray
    same: np.ndarray
    """(n,) bool: whether the verdict on an item is consistent."""
    first: int
    second: int
    """Verdicts for the option shown first in both orders, and for the one shown second."""
    ties: int
    none: int
    right: np.ndarray
    """Score of each item with gold: 0, 1/4, .. 1."""
    same_ci: tuple[float, float]
    right_ci: tuple[float, float]
    """95% intervals of the means of `same` and `right`."""
    kept: int
    sound: int
    """Number of consistent verdicts on items with gold, and of right ones among them."""
    leans: float
    """p of so uneven a split between first and second."""
    wavers: float
    """p of so little consistency or less, if the second verdict were a coin."""
    fooled: float
    """p of so few right verdicts among the consistent ones or fewer."""

    @property
    def consistent(self) -> float:
        """Share of items with a consistent verdict."""
        return float(self.same.mean())


def judge_of(given: Judgements, number: int) -> Judge:
    """The figures of one judge of `Judgements`."""
    rows = given.judge == number
    a, b = given.forward[rows], given.swapped[rows]
    gold = np.full(len(a), -1) if given.gold is None else given.gold[rows]
    group = None if given.group is None else given.group[rows]
    known, same = (gold >= 0) & (gold != TIE), (a == b) & (a >= 0)
    right = ((a == gold) / 2 + (b == gold) / 2 + (a == TIE) / 4 + (b == TIE) / 4)[known]
    first, second, ties, none = (a == 0) & (b == 1), (a == 1) & (b == 0), (a == TIE) | (b == TIE), (a < 0) | (b < 0)
    kept = known & same & (a != TIE)
    turned, held, sound = first * 1 - second, same * 2 - 1, kept * np.where(a == gold, 1, -1)
    return Judge(
        name=given.names[number],
        rows=rows,
        same=same,
        first=int(first.sum()),
        second=int(second.sum()),
        ties=int(ties.sum()),
        none=int(none.sum()),
        right=right,
        same_ci=wilson(same, group),
        right_ci=wilson(right, None if group is None else group[known]),
        kept=int(kept.sum()),
        sound=int((sound > 0).sum()),
        leans=min(1.0, 2 * min(coin(turned, group), coin(-turned, group))),
        wavers=coin(held, group),
        fooled=coin(sound, group),
    )


def between(ci: tuple[float, float]) -> str:
    """An interval as text."""
    return " to ".join(percent(end) for end in ci)


def shown(given: Judgements, judge: Judge, rows: np.ndarray) -> tuple[dict[str, str], ...]:
    """The first five of a judge's items marked in `rows`."""
    word = {0: "0", 1: "1", TIE: "tie", -1: "none"}
    columns = {
        "as given": given.forward,
        "swapped": given.swapped,
        **({"gold": given.gold} if given.gold is not None else {}),
    }
    return tuple(
        {
            "item": given.ids[given.item[v]],
            "judge": judge.name,
            **{name: word[int(values[v])] for name, values in columns.items()},
        }
        for v in np.flatnonzero(rows & judge.rows)[:5]
    )
