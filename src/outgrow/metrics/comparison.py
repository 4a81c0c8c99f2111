"""Many pairs at once: which method is best, by how much, and where each of them fails.

Pairs (task, weak, strong) of one task share its items, so the task is the unit: every figure is a ratio of sums over
tasks t, A_t and B_t being sums over the pairs of a task,

    group result    A: student - floor      B: ceiling - floor      over pairs with a resolved gap
    mean PGR        A: PGR                  B: 1                    over pairs with a resolved gap
    points          A: student - other      B: 1                    over all pairs

and a difference to another method has student - other where student - floor stands. Its interval holds the p at which
D(p) = sum_t (A_t - p B_t) does not differ from 0 (Fieller 1954). There are two, by the variance of D(p):

    these tasks     sum_t V_t(p), where V_t is the new-data variance of A_t - p B_t: all scores of a task stand in one
                    paired table (`intervals.Table`); a PGR counts by its influence (student - floor - PGR gap) / gap
    new tasks       T times the sample variance of A_t - p B_t over the T tasks, T - 1 degrees of freedom

The second needs no term of its own for the errors within a task, since every A_t carries them. It is the one to quote,
needs four tasks, and is never given narrower than the first. Where the B_t are so unlike that their own sum is hardly
known, D(p) differs from 0 for next to no p: there are too few tasks, and none is given. Models are the same throughout:
neither says anything about other models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, final

import numpy as np

from outgrow.metrics.accuracy import Score
from outgrow.metrics.intervals import FEWEST, LEVEL, Components, Estimate, ScoreTable, quantile
from outgrow.metrics.pgr import OK, Interval, ends, holm, status

BASES = ("naive", "logconf")
"""The methods that every other one is compared with."""
MOST_IMBALANCED = 0.65
"""A pair is imbalanced above this majority rate."""
MOST_COPIED = 0.5
"""A pair's errors are emulable if naive copies more than this share of the avoidable ones."""
LEAST_ITEMS = 500
"""A pair has few items below this number of transfer items."""
MOST_DOUBT = 0.7
"""No interval for new tasks is given if that of sum_t B_t extends beyond this share of it to both sides."""
UNRESOLVED, IMBALANCED, EMULABLE, FEW, PLAIN = CLASSES = (
    "gap not resolved", "imbalanced", "emulable errors", "few items", "none of these",
)  # fmt: skip
Quantity = Literal["group", "pgr", "points"]
Terms = tuple[np.ndarray, np.ndarray, float, float]
"""Weights (K,) above and below the line, and the values that they give."""


@final
@dataclass(frozen=True)
class Measured:
    """The results of a run for one pair; all pairs of a task share test items and replicates."""

    task: str
    weak: str
    strong: str
    scores: Mapping[str, Score]
    """"floor", "ceiling" and the methods, "naive" among them."""
    kappa: float
    """`intervals.shared_pool`."""
    n_transfer: float
    majority: float
    copied: float | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Training time of all replicates, by method."""
    flops: Mapping[str, float] = field(default_factory=dict)
    """FLOPs of the models that a method reads, by method."""


@final
@dataclass(frozen=True)
class ComparisonFigure:
    """A ratio of sums over tasks; an interval is None if it is unbounded or the data are too few."""

    value: float
    ci: Interval | None
    """95%, for new tasks."""
    ci_these_tasks: Interval | None
    """95%, for new data of these tasks."""
    tasks: int
    pairs: int


@final
@dataclass(frozen=True)
class Compared:
    """A method against another one, on the pairs that both ran on; None if there are none."""

    group: ComparisonFigure | None
    pgr: ComparisonFigure | None
    points: ComparisonFigure | None


@final
@dataclass(frozen=True)
class Worst:
    """The pair with the lowest lower bound of method - naive, whether its gap is resolved or not."""

    task: str
    weak: str
    strong: str
    value: float
    ci: Interval


@final
@dataclass(frozen=True)
class Place:
    """A method on the leaderboard."""

    method: str
    pairs: int
    group: ComparisonFigure | None
    pgr: ComparisonFigure | None
    against: dict[str, Compared]
    """By name of the other method."""
    rank: float
    """Mean over the pairs of the rank of its score, 1 the best; ties share their ranks."""
    won: int
    lost: int
    """Number of pairs on which it differs from naive, after Holm's correction over the methods of the pair."""
    worst: Worst | None
    seconds: float | None
    flops: float | None
    """Means over its pairs."""
    by_task: dict[str, ComparisonFigure]
    """Points against naive."""
    classes: dict[str, Compared]
    """By class of pair: the group result, the mean PGR, and the points against naive."""
    bought: float = 0.0
    """Gold labels that it bought, at most, in a pair."""
    resources: tuple[str, ...] = ()
    """What it asked for, as its runs record it."""


@final
@dataclass(frozen=True)
class Met:
    """A pair of the comparison, and its classes."""

    task: str
    weak: str
    strong: str
    gap: float
    gap_ci: Interval | None
    majority: float
    copied: float | None
    n_transfer: float
    classes: tuple[str, ...]


@final
@dataclass(frozen=True)
class Comparison:
    """Pairs in order of their names; methods by group result, the best first."""

    pairs: tuple[Met, ...]
    methods: tuple[Place, ...]


def copied(naive: float | None, ceiling: float | None) -> float | None:
    """The share of the supervisor's errors that naive makes, of those that the ceiling does not make.

    Args:
        naive: agreement of naive with the supervisor where the supervisor is wrong.
        ceiling: the same of the ceiling.

    Returns:
        0 if naive repeats no more errors than the ceiling, 1 if it repeats all; None if unknown.
    """
    return None if naive is None or ceiling is None or ceiling >= 1 else (naive - ceiling) / (1 - ceiling)


def compare(pairs: Sequence[Measured]) -> Comparison:
    """The leaderboard of all methods except floor and ceiling, for pairs in any order."""
    from scipy.stats import rankdata

    seats = seats_of(pairs)
    names = sorted({name for seat in seats for name in seat.methods})
    beaten = [seat.beaten() for seat in seats]
    ranks = [dict(zip(s.methods, rankdata([-round(s.value(m), 9) for m in s.methods]), strict=True)) for s in seats]
    places = []
    for name in names:
        mine = [seat for seat in seats if name in seat.methods]
        pairs_of = [seat.pair for seat in mine]
        places.append(
            Place(
                name,
                len(mine),
                figure(mine, "group", name, "floor"),
                figure(mine, "pgr", name, "floor"),
                {base: _against(mine, name, base) for base in BASES if base != name},
                float(np.mean([rank[name] for rank in ranks if name in rank])),
                sum(won.get(name, 0) > 0 for won in beaten),
                sum(won.get(name, 0) < 0 for won in beaten),
                _worst(mine, name),
                _mean([pair.seconds.get(name) for pair in pairs_of]),
                _mean([pair.flops.get(name) for pair in pairs_of]),
                {
                    task: found
                    for task, its in _by_task(mine).items()
                    if (found := figure(its, "points", name, "naive"))
                },
                {
                    c: _alone([s for s in mine if c in s.classes], name)
                    for c in CLASSES
                    if any(c in s.classes for s in mine)
                },
            )
        )
    met = tuple(seat.met() for seat in seats)
    return Comparison(
        met,
        tuple(
            sorted(
                places, key=lambda place: (-(place.group.value if place.group else -np.inf), place.rank, place.method)
            )
        ),
    )


def figure(seats: Sequence[Seat], quantity: Quantity, method: str, base: str) -> ComparisonFigure | None:
    """One quantity of `method` against `base` ("floor" for the quantity itself), over the pairs that have both."""
    used = [s for s in seats if {method, base} <= s.pair.scores.keys() and (quantity == "points" or s.resolved)]
    if method == base or not used:
        return None
    parts = [
        _part([seat.terms(quantity, method, base) for seat in its], its[0].table) for its in _by_task(used).values()
    ]
    value, new, these = ratio(parts)
    return ComparisonFigure(value, new, these, len(parts), len(used))


def ratio(parts: Sequence[ScoreTable]) -> tuple[float, Interval | None, Interval | None]:
    """sum A / sum B with its intervals for new tasks and for these; a table a task, its two scores A_t and B_t."""
    of = {name: np.array([getattr(part, name) for part in parts]) for name in ScoreTable.__dataclass_fields__}
    squares = np.stack([of["by_replicate"], of["by_group"], of["by_cell"]])
    replicates, groups, (a, b) = of["replicates"], of["groups"], of["mean"].T
    middle = float(a.sum() / b.sum())

    def within(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        w = np.stack([np.ones_like(p), -p], -1)
        found = np.maximum(np.einsum("...i,ktij,...j->k...t", w, squares, w), 0)
        by_replicate, by_group, by_cell = found
        each, df = Components(by_replicate, by_group, by_cell, replicates, groups).variance(of["kappa"])
        total, doubt = each.sum(-1), (each**2 / df).sum(-1)
        return total, np.divide(total**2, doubt, out=np.full(np.shape(total), 1e6), where=doubt > 0)

    def outside(p: np.ndarray) -> np.ndarray:
        v, df = within(p)
        return (a.sum() - p * b.sum()) ** 2 > quantile(df) ** 2 * v

    if min(replicates.min(), groups.min()) < FEWEST:
        return middle, None, None
    these = ends(outside, middle, float(np.sqrt(within(np.array(middle))[0]) / abs(b.sum())))
    new = _between(a, b) if len(parts) >= FEWEST else None
    return middle, new and these and (min(new[0], these[0]), max(new[1], these[1])), these


def _between(a: np.ndarray, b: np.ndarray) -> Interval | None:
    """The p with (sum_t A_t - p B_t)^2 <= t^2 T var_t(A_t - p B_t), by a quadratic equation; None by `MOST_DOUBT`."""
    (s_aa, s_ab), (_, s_bb) = quantile(len(a) - 1) ** 2 * len(a) * np.cov(a, b)
    if s_bb > (MOST_DOUBT * b.sum()) ** 2:
        return None
    square, half, constant = b.sum() ** 2 - s_bb, a.sum() * b.sum() - s_ab, a.sum() ** 2 - s_aa
    reach = np.sqrt(max(half**2 - square * constant, 0))
    return float((half - reach) / square), float((half + reach) / square)


@final
@dataclass(frozen=True)
class Seat:
    """A pair and the table of its task, in which its scores bear its number."""

    pair: Measured
    table: ScoreTable
    number: int

    def weights(self, of: Mapping[str, float]) -> np.ndarray:
        """(K,) the question about this pair's scores alone."""
        return self.table.weights({_named(self.number, name): weight for name, weight in of.items()})

    def value(self, name: str) -> float:
        """The score of that name."""
        return float(self.weights({name: 1}) @ self.table.mean)

    def against(self, method: str, base: str) -> Estimate:
        """method - base on this pair."""
        return self.table.estimate(self.weights({method: 1, base: -1}))

    @cached_property
    def methods(self) -> list[str]:
        return sorted(self.pair.scores.keys() - {"floor", "ceiling"})

    @cached_property
    def gap(self) -> Estimate:
        return self.against("ceiling", "floor")

    @cached_property
    def resolved(self) -> bool:
        return status(self.table, self.gap) == OK

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """In which ways this pair is a hard one."""
        pair = self.pair
        found = (
            not self.resolved,
            pair.majority > MOST_IMBALANCED,
            (pair.copied or 0) > MOST_COPIED,
            pair.n_transfer < LEAST_ITEMS,
        )
        return tuple(name for name, is_so in zip(CLASSES, found, strict=False) if is_so) or (PLAIN,)

    def terms(self, quantity: Quantity, method: str, base: str) -> Terms:
        """Weights and values of what stands above and below the line of a quantity."""
        return {"group": self.group, "pgr": self.pgr, "points": self.points}[quantity](method, base)

    def group(self, method: str, base: str) -> Terms:
        gain, gap = self._gain(method, base)
        return gain, gap, self.against(method, base).value, self.gap.value

    def pgr(self, method: str, base: str) -> Terms:
        gain, gap = self._gain(method, base)
        share = self.against(method, base).value / self.gap.value
        return (gain - share * gap) / self.gap.value, 0 * gap, share, 1.0

    def points(self, method: str, base: str) -> Terms:
        gain, gap = self._gain(method, base)
        return gain, 0 * gap, self.against(method, base).value, 1.0

    def _gain(self, method: str, base: str) -> tuple[np.ndarray, np.ndarray]:
        return self.weights({method: 1, base: -1}), self.weights({"ceiling": 1, "floor": -1})

    def beaten(self) -> dict[str, int]:
        """1 for a method that beats naive here, -1 for one that naive beats."""
        found = {name: self.against(name, "naive") for name in self.methods if name != "naive"}
        tested = {name: estimate.p for name, estimate in found.items() if estimate.p is not None}
        corrected = holm(list(tested.values()))
        return {
            name: int(np.sign(found[name].value)) for name, p in zip(tested, corrected, strict=True) if p <= 1 - LEVEL
        }

    def met(self) -> Met:
        """This pair, for the record."""
        p = self.pair
        return Met(
            p.task, p.weak, p.strong, self.gap.value, self.gap.ci, p.majority, p.copied, p.n_transfer, self.classes
        )


def _named(number: int, name: str) -> str:
    return f"{number} {name}"


def seats_of(pairs: Sequence[Measured]) -> list[Seat]:
    """Every pair with its task's table; ValueError where pairs of a task differ in test items, replicates or split."""
    seats = []
    ordered = sorted(pairs, key=lambda pair: (pair.task, pair.weak, pair.strong))
    for task in dict.fromkeys(pair.task for pair in ordered):
        its = [pair for pair in ordered if pair.task == task]
        if len({pair.kappa for pair in its}) > 1:
            raise ValueError(f"pairs of {task} were split in different ways")
        scores = {_named(i, name): pair.scores[name] for i, pair in enumerate(its) for name in sorted(pair.scores)}
        table = ScoreTable.of(scores, its[0].kappa)
        seats += [Seat(pair, table, i) for i, pair in enumerate(its)]
    return seats


def _by_task(seats: Sequence[Seat]) -> dict[str, list[Seat]]:
    found: dict[str, list[Seat]] = {}
    for seat in seats:
        found.setdefault(seat.pair.task, []).append(seat)
    return found


def _part(terms: Sequence[Terms], table: ScoreTable) -> ScoreTable:
    """A task's two sums as a table of two scores."""
    top, bottom, a, b = (np.sum(term, 0) for term in zip(*terms, strict=True))
    w = np.stack([top, bottom])
    return replace(
        table,
        names=("A", "B"),
        mean=np.array([a, b]),
        by_replicate=w @ table.by_replicate @ w.T,
        by_group=w @ table.by_group @ w.T,
        by_cell=w @ table.by_cell @ w.T,
    )


def _against(seats: Sequence[Seat], method: str, base: str) -> Compared:
    return Compared(
        figure(seats, "group", method, base), figure(seats, "pgr", method, base), figure(seats, "points", method, base)
    )


def _alone(seats: Sequence[Seat], method: str) -> Compared:
    return Compared(
        figure(seats, "group", method, "floor"),
        figure(seats, "pgr", method, "floor"),
        figure(seats, "points", method, "naive"),
    )


def _worst(seats: Sequence[Seat], method: str) -> Worst | None:
    found = []
    for seat in seats:
        difference = seat.against(method, "naive")
        if method != "naive" and difference.ci is not None:
            found.append(Worst(seat.pair.task, seat.pair.weak, seat.pair.strong, difference.value, difference.ci))
    return min(found, key=lambda worst: worst.ci[0], default=None)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
