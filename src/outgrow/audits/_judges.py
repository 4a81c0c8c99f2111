"""What the verdicts of a judge who is asked in both orders come to: one record a judge, for the audits of judges.

    consistent   share of items with the same verdict both times; where there is none, there is none to hold to
    right        mean over items and both orders: 1 right, 1/2 a tie, 0 wrong or no verdict
Items of one group count as far as they differ (design effect, `_statistics.together`).
Zeng et al. 2024, Evaluating Large Language Models at Evaluating Instruction Following, arXiv 2310.07641, whose figures these are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from outgrow.audits._statistics import coin, percent, wilson
from outgrow.audits.evidence import TIE

ALARM = 0.05
"""Chance of a false alarm, each test over all judges (Bonferroni)."""
FEWEST = 10
"""Fewest items that say something about a judge."""


@final
@dataclass(frozen=True)
class Judge:
    """One judge's figures on the items that `rows` (V,) marks."""

    name: str
    rows: np.ndarray
    same: np.ndarray
    """Consistent, by item"""
    first: int
    second: int
    """Verdicts that turned, always to the first shown, always to the second."""
    ties: int
    none: int
    right: np.ndarray
    """By item with gold: 0, 1/4, .. 1"""
    same_ci: tuple[float, float]
    right_ci: tuple[float, float]
    """Intervals of the means of both."""
    kept: int
    sound: int
    """Consistent verdicts on items with gold, and those that are right."""
    leans: float
    """p of so uneven a turn."""
    wavers: float
    """p of so little consistency or less, were the second verdict a coin."""
    fooled: float
    """p of so few sound verdicts or fewer."""

    @property
    def consistent(self) -> float:
        """Share of items."""
        return float(self.same.mean())


def judge_of(given, number: int) -> Judge:
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
        given.names[number],
        rows,
        same,
        *(int(x.sum()) for x in (first, second, ties, none)),
        right,
        wilson(same, group),
        wilson(right, None if group is None else group[known]),
        int(kept.sum()),
        int((sound > 0).sum()),
        min(1.0, 2 * min(coin(turned, group), coin(-turned, group))),
        coin(held, group),
        coin(sound, group),
    )


def between(ci: tuple[float, float]) -> str:
    """An interval as it is shown."""
    return " to ".join(percent(end) for end in ci)


def shown(given, judge: Judge, rows: np.ndarray) -> tuple[dict[str, str], ...]:
    """A judge's first such items."""
    word = {0: "0", 1: "1", TIE: "tie", -1: "none"}
    told = {
        "as given": given.forward,
        "swapped": given.swapped,
        **({"gold": given.gold} if given.gold is not None else {}),
    }
    return tuple(
        {
            "item": given.ids[given.item[v]],
            "judge": judge.name,
            **{name: word[int(values[v])] for name, values in told.items()},
        }
        for v in np.flatnonzero(rows & judge.rows)[:5]
    )
