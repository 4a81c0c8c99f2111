"""These weak labels are worth n gold labels: where the student's gold learning curve reaches what weak labels gave it.

The curve is made monotone (isotonic means over its points) and runs straight between them in log n. n belongs to the
interval where student - curve(n) does not differ from 0, the same paired test as everywhere: curve(n) is a weighted
sum of scores.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from outgrow.metrics.accuracy import Score
from outgrow.metrics.intervals import FEWEST, ScoreTable, quantile

POINTS = 400


@final
@dataclass(frozen=True)
class Worth:
    """n gold labels, and the 95% interval for fresh data; an end of the interval is None where the curve ends first."""

    n: int | None
    n_ci: tuple[int | None, int | None] | None
    status: Literal["ok", "less than the smallest", "more than all"]


def worth(curve: Mapping[int, Score], student: Score, kappa: float) -> Worth:
    """`curve`: gold labels used -> the student's score with them, at least two sizes; all on the same test items.

    n is None where the student lies below the curve's first point ("less than the smallest") or above its last
    ("more than all").
    """
    sizes = sorted(curve)
    table = ScoreTable.of({"student": student, **{str(n): curve[n] for n in sizes}}, kappa)
    log_n = np.log(sizes)
    monotone = _isotonic(table.mean[1:])
    level = monotone @ table.mean[1:]
    grid = np.linspace(log_n[0], log_n[-1], POINTS)
    between = np.stack([np.interp(grid, log_n, column) for column in monotone.T], 1)
    w = np.concatenate([np.ones((POINTS, 1)), -between], 1)
    difference = w @ table.mean
    status: Literal["ok", "less than the smallest", "more than all"] = "ok"
    n: int | None = None
    if table.mean[0] < level[0]:
        status = "less than the smallest"
    elif table.mean[0] > level[-1]:
        status = "more than all"
    else:
        n = round(float(np.exp(_reach(table.mean[0], level, log_n))))
    if min(table.replicates, table.groups) < FEWEST:
        return Worth(n, None, status)
    variance, df = table.variance(w)
    inside = difference**2 <= quantile(df) ** 2 * variance
    if not inside.any():
        first, last = (None, sizes[0]) if status == "less than the smallest" else (sizes[-1], None)
        return Worth(n, (first, last), status)
    first, last = np.flatnonzero(inside)[[0, -1]]
    ends = (
        None if first == 0 else round(float(np.exp(grid[first]))),
        None if last == POINTS - 1 else round(float(np.exp(grid[last]))),
    )
    return Worth(n, ends, status)


def _reach(value: float, level: np.ndarray, log_n: np.ndarray) -> float:
    """Least log n at which the monotone curve has this value."""
    after = int(np.argmax(level >= value))
    if after == 0:
        return float(log_n[0])
    share = (value - level[after - 1]) / (level[after] - level[after - 1])
    return float(log_n[after - 1] + share * (log_n[after] - log_n[after - 1]))


def _isotonic(mean: np.ndarray) -> np.ndarray:
    """(K, K) averaging weights M such that M @ mean is the closest non-decreasing curve (pool adjacent violators)."""
    blocks: list[tuple[float, list[int]]] = []
    for i, value in enumerate(mean):
        blocks.append((float(value), [i]))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, left), (b, right) = blocks[-2:]
            blocks[-2:] = [((a * len(left) + b * len(right)) / (len(left) + len(right)), left + right)]
    weights = np.zeros((len(mean), len(mean)))
    for _, members in blocks:
        weights[np.ix_(members, members)] = 1 / len(members)
    return weights
