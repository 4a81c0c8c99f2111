"""Do the intervals cover what they claim to? Pools are drawn, halves redrawn, heads trained as in a real run.

    python bench/coverage.py [--worlds mid,small] [--studies 300] [--json FILE]

A world is a joint Gaussian of two views and a label, so that a linear head's accuracy on the whole population is known
exactly, without test items. Per study: one fresh pool and test set, `outgrow.tasks.splits.draw` for the halves, supervisor,
naive student and ceiling through `outgrow.pipeline.class_cell.ClassCell`, scores and intervals through `outgrow.metrics`. The truths:

    new data     mean over fresh pools and halves of each population accuracy; PGR is the ratio of such means
    this pool    the same for the one pool of the study, over further halves of it

Coverage is that of the test that the interval inverts, so that a study whose gap is not resolved counts too (its set
of values has no end); "if resolved" looks only at studies that print an interval.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy.special import ndtr

from outgrow import methods
from outgrow.core.seeding import derive
from outgrow.metrics.accuracy import Score, accuracy
from outgrow.metrics.intervals import ScoreTable, quantile, shared_pool
from outgrow.metrics.pgr import OK, recovery
from outgrow.pipeline.baselines import registry
from outgrow.pipeline.class_cell import ClassCell
from outgrow.pipeline.design import BLOCK
from outgrow.pipeline.spaces import Spaces
from outgrow.students.probe import Space
from outgrow.tasks.task import FREE, POOL, TEST, Gold, Task

ROWS = ("floor", "naive", "ceiling")
NODES, WEIGHTS = np.polynomial.legendre.leggauss(100)


@final
@dataclass(frozen=True)
class World:
    """Items in groups; a latent z (wide,) ~ N(0, I); label = [z beta + noise > 0]; two noisy views of z."""

    name: str
    items: int
    wide: int = 24
    weak: int = 6
    """The supervisor sees the first so many latents."""
    noise: float = 0.5
    weak_noise: float = 1.0
    strong_noise: float = 0.3
    group: int = 2
    within: float = 0.5
    """Correlation of the latents of a group's items."""
    tested: int = 0
    """Further items that are the data's own test split; with none, a fifth of the items is."""
    halves: int = BLOCK
    """Further halves of a study's pool from which its own truth is taken."""

    @property
    def beta(self) -> np.ndarray:
        return np.linspace(1.3, 0.7, self.wide) / np.sqrt(self.wide)


WORLDS = (
    World("mid", 1200),
    World("small", 400, noise=0.2, strong_noise=0.1, weak=4),
    World("little pool, large test", 600, tested=6000, halves=4 * BLOCK),
    World("large", 3000),
    World("single items", 1200, group=1, within=0.0),
    World("clustered", 1200, group=6, within=0.8),
    World("noisy labels", 2000, noise=1.5),
    World("clean", 1200, noise=0.05, weak=12, weak_noise=0.5, strong_noise=0.1),
)


@final
@dataclass(frozen=True)
class Sample:
    """One fresh pool with its test items, as a task."""

    task: Task
    gold: Gold
    views: dict[str, np.ndarray]
    seed: int


def sample(world: World, seed: int) -> Sample:
    """A fresh draw of a world's items."""
    rng = derive(seed, world.name, "items")
    groups = np.repeat(np.arange((world.items + world.tested) // world.group), world.group)
    shape = (len(groups), world.wide)
    common = rng.normal(size=(groups[-1] + 1, world.wide))[groups]
    z = np.sqrt(world.within) * common + np.sqrt(1 - world.within) * rng.normal(size=shape)
    labels = (z @ world.beta + world.noise * rng.normal(size=len(z)) > 0).astype(np.int64)
    views = {
        "weak": (z + world.weak_noise * rng.normal(size=shape))[:, : world.weak],
        "strong": z + world.strong_noise * rng.normal(size=shape),
    }
    ids = np.array([f"{i:032x}" for i in range(len(z))])
    texts = tuple(("",) for _ in ids)
    side = np.full(len(z), POOL if world.tested else FREE, np.int8)
    side[len(z) - world.tested :] = TEST
    task = Task(world.name, "classify", ("no", "yes"), ids, texts, groups, side)
    return Sample(task, Gold(labels, np.ones(len(z), np.float32)), views, seed)


@final
class Forget:
    """A store that keeps nothing: what a Pair asks for is built."""

    @final
    @dataclass(frozen=True)
    class Made:
        arrays: dict[str, np.ndarray]

    def make(self, kind: str, made_of: dict[str, Any], build: Any) -> Forget.Made:
        return self.Made(build()[0])


@final
@dataclass(frozen=True)
class Run:
    """What a study's replicates are, in ROWS order: scores on its test items, accuracies (R, 3) on the population."""

    scores: dict[str, Score]
    population: np.ndarray
    sizes: tuple[float, float]


def run(world: World, drawn: Sample, blocks: Sequence[int]) -> Run:
    """Replicates of these blocks, through the same functions as a user's study."""
    task, gold = drawn.task, drawn.gold
    spaces, ceiling = Spaces(task, Forget()), registry("classes")["ceiling"]
    made, population, sizes = [], [], []
    for block in blocks:
        pair = ClassCell(task, gold, "weak", "strong", block, drawn.seed, None, spaces, {})
        for name, x in drawn.views.items():
            if name not in spaces.known:
                spaces.known[name] = Space(x[None, None].astype(np.float32), (1,), ~pair.test)
        fitted = {"naive": methods.find("naive").run(pair.weak, pair.student), "ceiling": ceiling.fit(pair)}
        probs = {"floor": pair.labels[:, 0]} | {name: head.predict() for name, head in fitted.items()}
        population.append(np.stack([_population(world, drawn, name, probs[name]) for name in ROWS], 1))
        made.append({name: p[:, pair.test] for name, p in probs.items()})
        sizes.append((pair.splits.weak_train.sum(1).mean(), pair.splits.transfer.sum(1).mean()))
    test = pair.test
    scores = {
        name: accuracy(
            np.concatenate([m[name] for m in made]), gold.labels[test], gold.weights[test], task.groups[test]
        )
        for name in ROWS
    }
    return Run(scores, np.concatenate(population), tuple(np.mean(sizes, 0)))


def _population(world: World, drawn: Sample, name: str, probs: np.ndarray) -> np.ndarray:
    """(R,) exact accuracy of linear heads, whose weights are read off their log-odds (R, N)."""
    x = np.c_[drawn.views["weak" if name == "floor" else "strong"], np.ones(len(drawn.task))]
    odds = np.log(probs[..., 1].astype(float)) - np.log(probs[..., 0].astype(float))
    heads = np.linalg.lstsq(x, odds.T, rcond=None)[0].T
    return exact(world, name == "floor", heads)


def exact(world: World, weak: bool, heads: np.ndarray) -> np.ndarray:
    """P(sign of a head = label) for heads (R, D + 1) on a view, the last weight the bias; integrated over margins."""
    h, bias = heads[:, :-1], heads[:, -1]
    noise = world.weak_noise if weak else world.strong_noise
    spread = np.linalg.norm(h, axis=1) * np.sqrt(1 + noise**2)
    margin = np.sqrt(world.beta @ world.beta + world.noise**2)
    rho = h @ world.beta[: h.shape[1]] / (spread * margin)
    u = 4.5 * (NODES + 1)
    density = 4.5 * WEIGHTS * np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi)
    lean, left = (bias / spread)[:, None], np.sqrt(1 - rho**2)[:, None]
    yes = ndtr((rho[:, None] * u + lean) / left)
    no = ndtr((rho[:, None] * u - lean) / left)
    return (yes + no) @ density


def covers(table: ScoreTable, truth: np.ndarray, new_data: bool) -> bool:
    """Whether the test that the PGR's interval inverts accepts the PGR of these true accuracies.

    truth (3,), or (H, 3) from H halves of a pool: then the error that their mean itself has is allowed for.
    """
    pgr = _pgr(np.atleast_2d(truth).mean(0))
    w = table.weights({"naive": 1, "floor": -1}) - pgr * table.weights({"ceiling": 1, "floor": -1})
    variance, df = table.variance(w, new_data)
    if truth.ndim == 2:
        variance = variance + (truth @ _in_rows(table, w)).var(ddof=1) / len(truth)
    return bool((w @ table.mean) ** 2 <= quantile(df) ** 2 * variance)


def _in_rows(table: ScoreTable, w: np.ndarray) -> np.ndarray:
    return w[[table.names.index(name) for name in ROWS]]


def percentile(scores: dict[str, Score], rng: np.random.Generator, draws: int = 1000) -> tuple[float, float]:
    """The plain joint bootstrap of replicates and test groups, for comparison with what `measures` does."""
    labels, where = np.unique(scores["floor"].groups, return_inverse=True)
    sums = {k: np.stack([np.bincount(where, row, len(labels)) for row in s.num]) for k, s in scores.items()}
    size = np.bincount(where)
    r, g = len(sums["floor"]), len(labels)
    by_r = rng.multinomial(r, np.full(r, 1 / r), draws)
    by_g = rng.multinomial(g, np.full(g, 1 / g), draws)
    mean = {k: np.einsum("br,bg,rg->b", by_r, by_g, x, optimize=True) / r / (by_g @ size) for k, x in sums.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = (mean["naive"] - mean["floor"]) / (mean["ceiling"] - mean["floor"])
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def study(world: World, seed: int, truth: np.ndarray, sizes: Sequence[int] = (4, 8, 16)) -> list[dict[str, Any]]:
    """What one fresh study claims with its first 4, 8, 16 replicates, and whether that is so."""
    drawn = sample(world, seed)
    full = run(world, drawn, range(-(-max(sizes) // BLOCK)))
    here = run(world, drawn, range(100, 100 + world.halves // BLOCK)).population
    out = []
    for r in sizes:
        scores = {name: Score(s.num[:r], s.den, s.groups) for name, s in full.scores.items()}
        table = ScoreTable.of(scores, shared_pool(*full.sizes))
        found = recovery(table, "naive")
        values = [table.estimate(table.weights({name: 1})).ci for name in ROWS]
        gap = float(truth[2] - truth[0])
        plain = percentile(scores, derive(seed, "bootstrap"))
        residual = table.weights({"naive": 1, "floor": -1}) - _pgr(truth) * table.weights({"ceiling": 1, "floor": -1})
        parts = table.components(residual)
        record: dict[str, Any] = {
            "replicates": r,
            "gap in errors": gap / found.gap.se,
            "resolved": found.status == OK,
            "new data": covers(table, truth, new_data=True),
            "this pool": covers(table, here, new_data=False),
            "value": float(np.mean([_in(ci, t) for ci, t in zip(values, truth, strict=True)])),
            "gap": _in(found.gap.ci, gap),
            "uncorrected": covers(table, truth, new_data=False),
            "bootstrap": _in(plain, _pgr(here.mean(0))),
            "bootstrap as new data": _in(plain, _pgr(truth)),
            "differs": float(parts.s_r - parts.s_c / parts.groups),
            "pool": float(_in_rows(table, residual) @ here.mean(0)),
        }
        for kind in ("new data", "this pool"):
            record[f"{kind}, if resolved"] = record[kind] if record["resolved"] else None
        out.append(record)
    return out


def truth_of(world: World, pools: int) -> np.ndarray:
    """(3,) population accuracies in ROWS order: means over fresh pools, eight halves each."""
    return np.mean([run(world, sample(world, 10_000_000 + i), [0]).population.mean(0) for i in range(pools)], 0)


def _pgr(values: np.ndarray) -> float:
    floor, student, top = values
    return float((student - floor) / (top - floor))


def _in(ci: tuple[float, float] | None, value: float) -> bool:
    return ci is not None and ci[0] <= value <= ci[1]


def table_of(world: World, studies: int, pools: int) -> dict[str, Any]:
    """Coverage of one world by number of replicates."""
    began = time.time()
    truth = truth_of(world, pools)
    records = [record for s in range(studies) for record in study(world, s, truth)]
    rows = []
    for r in sorted({record["replicates"] for record in records}):
        those = [record for record in records if record["replicates"] == r]
        row = {key: _mean([t[key] for t in those]) for key in those[0] if key not in ("pool", "gap in errors")}
        row["gap in errors"] = float(np.median([t["gap in errors"] for t in those]))
        row["kappa seen"] = float(np.var([t["pool"] for t in those]) / row["differs"])
        rows.append(row)
    return {
        "world": world.name, "items": world.items, "truth": truth.tolist(), "pgr": _pgr(truth), "studies": studies,
        "rows": rows, "seconds": time.time() - began,
    }  # fmt: skip


def _mean(values: list[Any]) -> float:
    kept = [v for v in values if v is not None]
    return float(np.mean(kept)) if kept else float("nan")


SHOWN = (
    "new data", "this pool", "new data, if resolved", "this pool, if resolved", "value", "gap", "uncorrected",
    "bootstrap", "bootstrap as new data", "resolved", "kappa seen",
)  # fmt: skip


def main() -> None:
    import torch

    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", default=",".join(w.name for w in WORLDS))
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--pools", type=int, default=200)
    parser.add_argument("--json")
    given = parser.parse_args()
    done = []
    print("| world | PGR | replicates | gap / error | " + " | ".join(SHOWN) + " |", flush=True)
    print("|---" * (4 + len(SHOWN)) + "|", flush=True)
    for world in [w for w in WORLDS if w.name in given.worlds.split(",")]:
        done.append(table_of(world, given.studies, given.pools))
        for row in done[-1]["rows"]:
            shown = " | ".join(f"{row[key]:.3f}" for key in SHOWN)
            head = f"{world.name} ({world.items}) | {done[-1]['pgr']:.2f} | {row['replicates']:.0f}"
            print(f"| {head} | {row['gap in errors']:.1f} | {shown} |", flush=True)
        if given.json:
            with open(given.json, "w") as file:
                json.dump(done, file, indent=1)


if __name__ == "__main__":
    main()
