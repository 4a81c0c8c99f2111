"""Do the intervals of a comparison cover what they claim to, with few tasks and with many?

    python bench/comparison.py [--worlds usual,...] [--tasks 3,5,9,12] [--draws 400]

A comparison is a draw of tasks with three pairs each, which share the task's pool, replicates and test items and most of
their errors. True scores differ from task to task: gaps, what naive recovers of them, and what another method adds. The
truths:

    new tasks      the figure over all tasks of all draws (those pairs whose gap is resolved, where only these count)
    these tasks    the figure of the draw's own true scores

"Given" is the share of draws that have an interval for new tasks (four tasks at least, and no gap that outweighs the others:
`measures.comparison.MOST_DOUBT`); coverage and widths are among these.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from outgrow.metrics.accuracy import Score
from outgrow.metrics.comparison import Measured, figure, seats_of

CASES = (
    ("group", "naive", "floor"),
    ("group", "other", "naive"),
    ("pgr", "other", "naive"),
    ("points", "other", "naive"),
)
PAIRS = 3


@final
@dataclass(frozen=True)
class World:
    """Where tasks come from. Standard deviations are between tasks; the gap's is of its logarithm."""

    name: str
    gap: float = 0.25
    gaps: float = 0.3
    naive: float = 0.4
    shares: float = 0.1
    """Of what naive recovers."""
    gain: float = 0.1
    """What the other method adds to naive, as a share of the gap."""
    gains: float = 0.08


WORLDS = (
    World("usual"),
    World("gaps far apart", gaps=0.8),
    World("shares far apart", shares=0.3, gains=0.3),
    World("small gaps", gap=0.05, gaps=0.5),
)


def pairs_of(
    rng: np.random.Generator, task: str, truth: list[dict[str, float]], replicates: int = 8, items: int = 120
) -> list[Measured]:
    """The pairs of a task with these true scores; they share a pool, replicates, test items and most of their errors."""
    shared = rng.normal(0, 0.4, items) + rng.normal(0, 0.01, (replicates, 1)) + rng.normal(0, 0.01)
    pairs = []
    for i, values in enumerate(truth):
        scores = {}
        for name, value in values.items():
            own = rng.normal(0, 0.01) + rng.normal(0, 0.01, (replicates, 1)) + rng.normal(0, 0.15, items)
            num = value + shared + own + rng.normal(0, 0.2, (replicates, items))
            scores[name] = Score(num, np.ones(items), np.arange(items))
        pairs.append(Measured(task, f"weak-{i}", "strong", scores, 1.0, 1000, 0.5))
    return pairs


def draw(rng: np.random.Generator, tasks: int, world: World = WORLDS[0]) -> tuple[list[Measured], np.ndarray]:
    """Three pairs a task, and (pairs, 3) the true gap, naive - floor and other - floor."""
    pairs, truth = [], []
    for t in range(tasks):
        gaps = world.gap * np.exp(rng.normal(0, world.gaps)) * rng.uniform(0.7, 1.3, PAIRS)
        naive = world.naive + rng.normal(0, world.shares) + rng.normal(0, 0.05, PAIRS)
        other = naive + world.gain + rng.normal(0, world.gains)
        values = [
            {"floor": 0.5, "ceiling": 0.5 + g, "naive": 0.5 + n * g, "other": 0.5 + o * g}
            for g, n, o in zip(gaps, naive, other, strict=True)
        ]
        pairs += pairs_of(rng, f"task-{t}", values)
        truth.append(np.stack([gaps, naive * gaps, other * gaps], 1))
    return pairs, np.concatenate(truth)


def true(case: tuple[str, str, str], rows: np.ndarray) -> float:
    """A figure of true scores (pairs, 3)."""
    gain = rows[:, 1] if case[2] == "floor" else rows[:, 2] - rows[:, 1]
    return {"group": gain.sum() / rows[:, 0].sum(), "pgr": (gain / rows[:, 0]).mean(), "points": gain.mean()}[case[0]]


def coverage(world: World, tasks: int, draws: int, seed: int = 0) -> list[dict[str, Any]]:
    """A row a case."""
    rng = np.random.default_rng(seed)
    runs = []
    for _ in range(draws):
        pairs, truth = draw(rng, tasks, world)
        seats = seats_of(pairs)
        kept = truth[[seat.resolved for seat in seats]]
        runs.append(({case: figure(seats, *case) for case in CASES}, kept, truth))
    rows = []
    for case in CASES:
        which = 2 if case[0] == "points" else 1
        population = true(case, np.concatenate([run[which] for run in runs]))
        new, these, wide = [], [], []
        for run in runs:
            found = run[0][case]
            if found is None:
                continue
            if found.ci:
                new.append(found.ci[0] <= population <= found.ci[1])
                wide.append(found.ci[1] - found.ci[0])
            if found.ci_these_tasks:
                these.append(found.ci_these_tasks[0] <= true(case, run[which]) <= found.ci_these_tasks[1])
        rows.append(
            {
                "world": world.name,
                "tasks": tasks,
                "figure": " ".join(case[:2]) + (f" - {case[2]}" if case[2] != "floor" else ""),
                "true": population,
                "resolved": np.mean([len(kept) / len(truth) for _, kept, truth in runs]),
                "given": len(new) / draws,
                "new tasks": np.mean(new) if new else np.nan,
                "width": np.median(wide) if wide else np.nan,
                "widest": np.max(wide) if wide else np.nan,
                "these given": len(these) / draws,
                "these tasks": np.mean(these) if these else np.nan,
            }
        )
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--worlds", default=",".join(world.name for world in WORLDS))
    options.add_argument("--tasks", default="3,5,9,12")
    options.add_argument("--draws", type=int, default=400)
    given = options.parse_args()
    shown = None
    for world in [world for world in WORLDS if world.name in given.worlds.split(",")]:
        for tasks in map(int, given.tasks.split(",")):
            for row in coverage(world, tasks, given.draws):
                if shown is None:
                    shown = print("| " + " | ".join(row) + " |\n" + "|---" * len(row) + "|") or True
                cells = (value if isinstance(value, (str, int)) else f"{value:.3f}" for value in row.values())
                print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
