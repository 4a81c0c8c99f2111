"""Performance gap recovered, the only PGR in the project: a ratio of means over replicates, with interval and status.

    PGR = (student - floor) / (ceiling - floor)        (Burns et al. 2023, arXiv 2312.09390, section 3)

Its interval is Fieller's, by inverting one test: p belongs to it where D(p) = (student - floor) - p (ceiling - floor)
does not differ from 0. As p grows D(p) becomes the gap itself, so the interval is finite where the gap is resolved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from outgrow.core.records import absent
from outgrow.metrics.accuracy import Score
from outgrow.metrics.alarm import above
from outgrow.metrics.intervals import FEWEST, Estimate, ScoreTable, quantile, share_ci

Interval = tuple[float, float]
Kind = Literal["floor", "ceiling", "method", "gold", "control", "contrast"]
"""Rows of the kind "gold" are methods whose students learn from the supervisors' gold, too."""
OK = "ok"
FEW = "too few replicates"
FEW_GROUPS = "too few test groups"
UNRESOLVED = "gap not resolved"
BELOW = "ceiling below floor"
UNBOUNDED = "no ceiling"


@final
@dataclass(frozen=True)
class Recovery:
    """The PGR of one student: None if the gap is not resolved, without intervals if replicates are few."""

    pgr: float | None
    ci: Interval | None
    """95%, for fresh data: another pool and other test items of the same kind."""
    ci_this_pool: Interval | None
    """95%, for other halves of this same pool and other test items of the same kind."""
    gap: Estimate
    status: str


@final
@dataclass(frozen=True)
class SummaryRow:
    """A row of summary.json. Scores and PGR are fractions; None where they cannot be said."""

    task: str
    weak: str
    strong: str
    method: str
    kind: Kind
    metric: str
    value: float | None
    value_ci: Interval | None = None
    pgr: float | None = None
    pgr_ci: Interval | None = None
    pgr_ci_this_pool: Interval | None = None
    vs_naive: float | None = None
    vs_naive_ci: Interval | None = None
    vs_naive_p: float | None = None
    """Two-sided, Holm-corrected over the methods of this pair and metric; those of other kinds have none."""
    gap: float | None = None
    gap_ci: Interval | None = None
    status: str = OK
    replicates: int = 0
    n_test: int = 0
    vs_ceiling: float | None = None
    vs_ceiling_low: float | None = None
    """Its one-sided lower bound, jointly for all methods of this pair and metric (`alarm.py`); of methods only."""
    above_ceiling: bool | None = None
    """Whether that raises the alarm."""
    of: str | None = None
    """The supervisor or label model behind the floor, and the best member."""
    spoke: float | None = None
    """Share of test items without an abstention; None if there are no abstentions."""
    as_guess: float | None = None
    as_commonest: float | None = None
    """The value with abstentions as guesses, and as the commonest class of weak-train; None without abstentions."""
    not_kept: str | None = absent()
    """Why the student of this method is not kept in the run folder, though it comes before the one that is."""


@final
@dataclass(frozen=True)
class Silence:
    """The scores of a row with abstentions, mean over replicates."""

    spoke: float
    as_guess: float
    as_commonest: float


def counted(names: Sequence[str], of: str = "replicates") -> str:
    """The choices of the replicates in words: the name, or every name with its number of replicates (or `of`)."""
    times = Counter(names)
    if len(times) == 1:
        return names[0]
    return "; ".join(f"{name} ({n} of {len(names)} {of})" for name, n in times.most_common())


def recovery(table: ScoreTable, student: str, floor: str = "floor", ceiling: str = "ceiling") -> Recovery:
    """PGR of the score named `student` in the table."""
    gap = table.estimate(table.weights({ceiling: 1, floor: -1}))
    gained = table.weights({student: 1}) - table.weights({floor: 1})
    state = status(table, gap)
    if state in (UNRESOLVED, BELOW) or gap.value <= 0:
        return Recovery(None, None, None, gap, state)
    value = float(gained @ table.mean) / gap.value
    if state != OK:
        return Recovery(value, None, None, gap, state)
    possible = table.weights({ceiling: 1, floor: -1})
    return Recovery(
        value, fieller(table, gained, possible), fieller(table, gained, possible, new_data=False), gap, state
    )


def status(table: ScoreTable, gap: Estimate) -> str:
    """Whether the gap between floor and ceiling is resolved."""
    if table.replicates < FEWEST:
        return FEW
    if gap.ci is None:
        return FEW_GROUPS
    low, high = gap.ci
    return OK if low > 0 else BELOW if high < 0 else UNRESOLVED


def fieller(table: ScoreTable, top: np.ndarray, bottom: np.ndarray, new_data: bool = True) -> Interval | None:
    """95% interval of (top @ scores) / (bottom @ scores); None if it is unbounded (Fieller 1954)."""
    middle = float(top @ table.mean) / float(bottom @ table.mean)

    def outside(p: np.ndarray) -> np.ndarray:
        w = top - np.asarray(p)[..., None] * bottom
        variance, df = table.variance(w, new_data)
        return (w @ table.mean) ** 2 > quantile(df) ** 2 * variance

    spread = np.sqrt(table.variance(top - middle * bottom, new_data)[0]) / abs(float(bottom @ table.mean))
    return ends(outside, middle, float(spread))


def ends(outside: Callable[[np.ndarray], np.ndarray], middle: float, spread: float) -> Interval | None:
    """The interval around the middle whose values are not `outside` (vectorised); None if it is unbounded."""
    if spread == 0:
        return middle, middle
    steps = spread * np.geomspace(1e-2, 1e6, 300)
    low, high = (_crossing(outside, middle, sign * steps) for sign in (-1, 1))
    return None if low is None or high is None else (low, high)


def _crossing(outside: Callable[[np.ndarray], np.ndarray], middle: float, steps: np.ndarray) -> float | None:
    """Where `outside` first becomes true on the way out from the middle."""
    out = outside(middle + steps)
    if not out.any():
        return None
    first = int(out.argmax())
    near, far = (0.0 if first == 0 else steps[first - 1]), steps[first]
    for _ in range(30):
        half = (near + far) / 2
        near, far = (near, half) if outside(np.array(middle + half)) else (half, far)
    return float(middle + far)


def summarise(
    scores: Mapping[str, Score],
    kinds: Mapping[str, Kind],
    kappa: float,
    *,
    task: str,
    weak: str,
    strong: str,
    metric: str,
    of: Mapping[str, str] | None = None,
    silence: Mapping[str, Silence] | None = None,
) -> list[SummaryRow]:
    """The rows of one (task, weak, strong) and metric, in the order given.

    Args:
        scores: by row name, with at least "floor"; without "ceiling" there is no gap and no PGR, and differences from
            naive need a row "naive".
        kinds: the kind of each row.
        kappa: `intervals.shared_pool`.
        task, weak, strong, metric: the names of the pair and the metric.
        of: the supervisor or label model behind the floor and the best member.
        silence: the scores of rows with abstentions.
    """
    table = ScoreTable.of(scores, kappa)
    bounded = "ceiling" in scores
    gap = table.estimate(table.weights({"ceiling": 1, "floor": -1})) if bounded else None
    versus = {
        name: table.estimate(table.weights({name: 1, "naive": -1})) for name in scores if _against(name, kinds, scores)
    }
    tested = {name: e.p for name, e in versus.items() if kinds[name] == "method" and e.p is not None}
    corrected = dict(zip(tested, holm(list(tested.values())), strict=True))
    against = above(table, [name for name in scores if kinds[name] == "method"]) if bounded else {}
    rows = []
    for name, score in scores.items():
        value = table.estimate(table.weights({name: 1}))
        bare = kinds[name] in ("floor", "ceiling")
        got = recovery(table, name) if bounded and not bare else None
        difference, alarm, silent = versus.get(name), against.get(name), (silence or {}).get(name)
        rows.append(
            SummaryRow(
                task,
                weak,
                strong,
                name,
                kinds[name],
                metric,
                value.value,
                share_ci(value, table),
                got and got.pgr,
                got and got.ci,
                got and got.ci_this_pool,
                difference and difference.value,
                difference and difference.ci,
                corrected.get(name),
                gap and gap.value,
                gap and gap.ci,
                status(table, gap) if gap else UNBOUNDED,
                table.replicates,
                len(score),
                vs_ceiling=alarm and alarm.difference,
                vs_ceiling_low=alarm and alarm.low,
                above_ceiling=alarm and alarm.alarm,
                of=(of or {}).get(name),
                spoke=silent and silent.spoke,
                as_guess=silent and silent.as_guess,
                as_commonest=silent and silent.as_commonest,
            )
        )
    return rows


def _against(name: str, kinds: Mapping[str, Kind], scores: Mapping[str, Score]) -> bool:
    return "naive" in scores and name != "naive" and kinds[name] not in ("floor", "ceiling")


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction (Holm 1979): the family-wise error of rejecting at or below the level stays at it."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(np.asarray(p, float)[order] * np.arange(len(p), 0, -1)) if len(p) else np.empty(0)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1)
    return [float(x) for x in adjusted]
