"""Facts of the literature, looked for with this code: what comes out, with its figures.

    python bench/facts.py [--parts agreement,cheating,methods,ladder,crowds,copies] [--runs FOLDER] [--out FOLDER]

The first three are read off the leaderboard's run folders (bench/leaderboard.py, run that first); the others are studies of
their own, on `cities` and on a table of shared/data beside this checkout. A study that is there is made again from the store.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl

from outgrow import Study, label_models
from outgrow.metrics.accuracy import Score, accuracy
from outgrow.metrics.intervals import ScoreTable, quantile, shared_pool
from outgrow.runs.compare import safe
from outgrow.tasks import Reading

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
SEEDS, ITEMS = 8, 2400
STRONG = "gemma3-270m"
TASKS = ("cities", "commonsenseqa_dev")
LADDER, CLIMBED = ("minilm-l6", "smollm2-135m"), ("cities", "translations", "sciq")
"""Supervisor and intermediate student, and the tasks of the leaderboard with the largest gaps."""
PAPERS = {
    "curriculum": "curriculum",
    "confidence_filter": "confidence filter",
    "overlap": "overlap density",
    "em_posterior": "EM posterior",
}
REAL = {
    "three real": "minilm-l6+smollm2-135m+tfidf",
    "five real": "minilm-l6+smollm2-135m+tfidf+mpnet-base+prompt:smollm2-135m",
    "three real, the weakest thrice": "minilm-l6+smollm2-135m+tfidf+tfidf+tfidf",
}
PLANTED = {
    "three apart": "planted:iid:0.3+planted:iid:0.301+planted:iid:0.302",
    "one and two copies of it": "planted:iid:0.3+planted:iid:0.3+planted:iid:0.3",
    "two apart, three copies of a worse one": "planted:iid:0.3+planted:iid:0.301+planted:iid:0.4+planted:iid:0.4+planted:iid:0.4",
    "the same, its errors learnable": "planted:iid:0.3+planted:iid:0.301+planted:features:0.4+planted:features:0.4+planted:features:0.4",
}
"""An i.i.d. supervisor's name holds its rate, and its draws are derived from its name: .3, .301 and .302 err apart."""
STUDENTS_OF = ("mean", "bayesian", "blocks")


def table(head: list[str], rows: list[list[str]]) -> None:
    """Print it as Markdown."""
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def span(value: float, ci: tuple[float, float] | None) -> str:
    """+6.2 [+3.7, +8.6], in points"""
    return (f"{100 * value:+z.1f}" + (f" [{100 * ci[0]:+z.1f}, {100 * ci[1]:+z.1f}]" if ci else "")).replace("-", "−")


def over_tasks(values: dict[str, list[float]]) -> tuple[float, tuple[float, float]]:
    """Mean over tasks of the means of their pairs, and Student's interval for new tasks."""
    means = np.array([np.mean(of) for of in values.values()])
    reach = float(quantile(len(means) - 1)) * means.std(ddof=1) / np.sqrt(len(means))
    return float(means.mean()), (float(means.mean() - reach), float(means.mean() + reach))


def by_task(rows: list[tuple[str, Any]]) -> dict[str, list[Any]]:
    """Values of pairs, those of one task together."""
    found: dict[str, list[Any]] = {}
    for task, value in rows:
        found.setdefault(task, []).append(value)
    return found


def leaderboard(runs: Path) -> Iterator[tuple[dict[str, Any], dict[str, dict[str, Any]]]]:
    """Details and summary rows (by method, accuracy) of every pair of the leaderboard."""
    for path in sorted(runs.glob("*/summary.json")):
        summary = json.loads(path.read_text())
        for pair in json.loads((path.parent / "details.json").read_text())["pairs"]:
            same = [
                r
                for r in summary
                if r["metric"] == "accuracy" and all(r[k] == pair[k] for k in ("task", "weak", "strong"))
            ]
            yield pair, {row["method"]: row for row in same}


def agreement(runs: Path, _: Path) -> None:
    """Burns et al. 2023, section 5.1: the confidence loss lowers agreement mostly on the supervisor's errors."""
    print("### Agreement of student and supervisor\n")
    rows, resolved = [], []
    for pair, summary in leaderboard(runs):
        found = {entry["method"]: entry for entry in pair["agreement"]}
        right, wrong = (found["logconf"][side] - found["naive"][side] for side in ("when_right", "when_wrong"))
        rows.append((pair["task"], (right, wrong, wrong - right)))
        resolved += rows[-1:] if summary["ceiling"]["gap_ci"][0] > 0 else []
    lines = [[task, str(len(of)), *(span(v, None) for v in np.mean(of, 0))] for task, of in by_task(rows).items()]
    for name, some in (("mean over tasks", rows), ("the same, pairs with a resolved gap", resolved)):
        means = [over_tasks(by_task([(task, values[part]) for task, values in some])) for part in range(3)]
        lines.append([name, str(len(some)), *(span(*mean) for mean in means)])
    table(
        [
            "task",
            "pairs",
            "agreement where the supervisor is right, logconf − naive, points",
            "where it is wrong",
            "difference",
        ],
        lines,
    )
    for name, some in (("all pairs", rows), ("pairs with a resolved gap", resolved)):
        falls, more = (sum(values[part] < 0 for _, values in some) for part in (1, 2))
        print(
            f"Of {len(some)} {name} it falls where the supervisor is wrong on {falls}, and more there than where it is right on {more}."
        )
    print()


def cheating(runs: Path, _: Path) -> None:
    """Burns et al. 2023, section 5.1: stopping on gold, a bound that nobody can reach honestly."""
    print("### Naive, stopped on gold (cheating)\n")
    rows = [(pair["task"], found["cheat-stop"]) for pair, found in leaderboard(runs) if "cheat-stop" in found]
    parts = by_task([(task, row["vs_naive"]) for task, row in rows])
    table(
        ["task", "pairs", "− naive, points"],
        [[task, str(len(of)), span(float(np.mean(of)), None)] for task, of in parts.items()]
        + [["mean over tasks", str(len(rows)), span(*over_tasks(parts))]],
    )
    most = max(rows, key=lambda row: row[1]["vs_naive"])
    clear = sum(row["vs_naive_ci"][0] > 0 for _, row in rows)
    print(
        f"Most on {most[0]}, {most[1]['weak']} → {most[1]['strong']}: {span(most[1]['vs_naive'], most[1]['vs_naive_ci'])}. Above 0 beyond its interval on {clear} pairs.\n"
    )


def recipes(runs: Path, _: Path) -> None:
    """Curriculum, confidence filter, overlap density, EM posterior: refinements of weak labels that others found to pay."""
    print("### Curriculum, filter, overlap and EM against naive\n")
    pairs = [(pair["task"], found) for pair, found in leaderboard(runs)]
    lines = []
    for name, said in PAPERS.items():
        rows = [(task, found[name]) for task, found in pairs]
        sign = [
            sum(test(row["vs_naive_ci"]) for _, row in rows) for test in (lambda ci: ci[0] > 0, lambda ci: ci[1] < 0)
        ]
        ends = [end(rows, key=lambda row: row[1]["vs_naive"]) for end in (max, min)]
        each = [
            f"{task}, {row['weak']} → {row['strong']}: {span(row['vs_naive'], row['vs_naive_ci'])}"
            for task, row in ends
        ]
        lines.append(
            [said, span(*over_tasks(by_task([(task, row["vs_naive"]) for task, row in rows]))), *map(str, sign), *each]
        )
    table(["method", "− naive, points, mean over tasks", "pairs above", "below", "most", "least"], lines)
    print(
        f"{len(pairs)} pairs of {len({task for task, _ in pairs})} tasks; above and below: by the pair's own 95% interval, not corrected.\n"
    )


@final
@dataclass(frozen=True)
class Run:
    """A study of one task, one set of supervisors and one student, read back from its folder."""

    path: Path

    @cached_property
    def summary(self) -> dict[str, dict[str, Any]]:
        """Rows by method; accuracy."""
        return {
            r["method"]: r for r in json.loads((self.path / "summary.json").read_text()) if r["metric"] == "accuracy"
        }

    @cached_property
    def kappa(self) -> float:
        pair = json.loads((self.path / "details.json").read_text())["pairs"][0]
        return shared_pool(pair["n_weak_train"], pair["n_transfer"])

    def score(self, row: str) -> Score:
        """Of a row's predictions."""
        (task,) = (self.path / "predictions").iterdir()
        gold = pl.read_parquet(task / "gold.parquet")
        (file,) = task.glob(f"*/{safe(row)}.parquet")
        said = pl.read_parquet(file)
        probs = said.select(pl.col("^p[0-9]+$")).to_numpy().reshape(-1, len(gold), len(said.columns) - 2)
        if said["id"].to_list() != gold["id"].to_list() * len(probs):
            raise ValueError(f"{file}: not the items of {task / 'gold.parquet'}")
        return accuracy(probs, *(gold[name].to_numpy() for name in ("label", "weight", "group")))

    @property
    def members(self) -> dict[str, Score]:
        """Every supervisor's score, by name."""
        return {row.partition(":")[2]: self.score(row) for row in self.summary if row.startswith("supervisor:")}

    @property
    def best(self) -> str:
        """The member that is the floor: the best on weak-train."""
        floor = self.score("floor")
        return next(name for name, score in self.members.items() if np.array_equal(score.num, floor.num))


def against(one: Score, other: Score, kappa: float) -> str:
    """one − other in points, paired."""
    if np.array_equal(one.num, other.num):
        return "±0, the same"
    found = ScoreTable.of({"one": one, "other": other}, kappa).estimate([1, -1])
    return span(found.value, found.ci)


def study(out: Path, task: str, weak: str, methods: list[str], **more: Any) -> Run:
    """Run it, or read what is there."""
    source = task if task in ("cities", "translations") else str(DATA / task / f"{task}.parquet")
    asked = Study(
        tasks=[source],
        weak=[weak],
        strong=STRONG,
        methods=methods,
        seeds=SEEDS,
        reading=Reading(items=ITEMS),
        out=out,
        **more,
    )
    return Run(asked.run().path)


def ladder(_: Path, out: Path) -> None:
    """Burns et al. 2023, section 4.3.1: a ladder of students helps across a large gap."""
    print("### A ladder across a large gap\n")
    lines = []
    weak, rung = LADDER
    for task in CLIMBED:
        found = study(out / f"{task}-ladder-{weak}", task, weak, ["naive", "bootstrap"], ladder=[rung]).summary
        scores = (f"{100 * found[row]['value']:.1f}%" for row in ("floor", "ceiling", "naive", "bootstrap"))
        lines.append(
            [
                task,
                f"{weak} → {rung} → {STRONG}",
                *scores,
                span(found["bootstrap"]["vs_naive"], found["bootstrap"]["vs_naive_ci"]),
            ]
        )
    table(["task", "ladder", "floor", "ceiling", "naive", "bootstrap", "bootstrap − naive, points"], lines)


def crowd(out: Path, tasks: tuple[str, ...], sets: dict[str, str], shown: str) -> None:
    """Label models, and students of them, against the best member and its student."""
    voices, students = [], []
    for task in tasks:
        for name, weak in sets.items():
            place = f"{task}-{name.replace(',', '').replace(' ', '-')}"
            runs = {
                of: study(out / (place if of == "mean" else f"{place}-{of}"), task, weak, ["naive"], label_model=of)
                for of in STUDENTS_OF
            }
            run = runs["mean"]
            alone = study(out / f"{task}-{safe(run.best)}", task, run.best, ["naive"])
            floor, taught = run.score("floor"), alone.score("naive")
            said = ", ".join(f"{100 * score.value:.1f}" for score in run.members.values())
            voices.append(
                [
                    task,
                    name,
                    said,
                    f"{run.best}: {100 * floor.value:.1f}%",
                    *(against(run.score(f"label-model:{m}"), floor, run.kappa) for m in label_models.registry()),
                ]
            )
            students.append(
                [
                    task,
                    name,
                    f"{100 * taught.value:.1f}%",
                    *(against(runs[of].score("naive"), taught, run.kappa) for of in STUDENTS_OF),
                    f"{100 * run.summary['ceiling']['value']:.1f}%",
                ]
            )
    print(f"Label models of {shown} against the best member, points:\n")
    table(["task", "supervisors", "each, %", "best member", *label_models.registry()], voices)
    print("Naive students of a label model against the naive student of the best member alone, points:\n")
    table(
        ["task", "supervisors", "student of the best member", *(f"of {name}" for name in STUDENTS_OF), "ceiling"],
        students,
    )


def crowds(_: Path, out: Path) -> None:
    """Cui et al. 2025 (WeakS-to-Strong): several supervisors together."""
    print("### Several supervisors\n")
    crowd(out, TASKS, REAL, "real supervisors")


def copies(_: Path, out: Path) -> None:
    """Supervisors that err apart help; copies do not."""
    print("### Supervisors that err apart, and copies\n")
    crowd(out, ("cities",), PLANTED, "planted supervisors")


PARTS = {
    "agreement": agreement,
    "cheating": cheating,
    "methods": recipes,
    "ladder": ladder,
    "crowds": crowds,
    "copies": copies,
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--parts", default=",".join(PARTS))
    options.add_argument("--runs", type=Path, default=ROOT / "runs" / "leaderboard")
    options.add_argument("--out", type=Path, default=ROOT / "runs" / "facts")
    given = options.parse_args()
    for part in given.parts.split(","):
        PARTS[part](given.runs, given.out)


if __name__ == "__main__":
    main()
