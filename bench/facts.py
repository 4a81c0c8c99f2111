"""Facts of the literature, looked for with this code: what comes out, with its figures.

    python bench/facts.py [--runs FOLDER]

The first, fourth and fifth are read off the leaderboard's run folders (bench/leaderboard.py, run that first); the others are
small studies on `cities`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from outgrow import Study
from outgrow.tasks import Reading

ROOT = Path(__file__).parents[1]
SEEDS, ITEMS = 8, 2400


def table(head: list[str], rows: list[list[str]]) -> None:
    """Print it as Markdown."""
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(row) + " |")
    print()


def study(out: Path, weak: list[str], strong: str, methods: list[str], **more) -> list[dict]:
    """Rows of the summary of a study on cities."""
    asked = Study(tasks=["cities"], weak=weak, strong=strong, methods=methods, seeds=SEEDS, reading=Reading(items=ITEMS), out=out, **more)
    return json.loads((asked.run().path / "summary.json").read_text())


def score(row: dict) -> str:
    """62.4% [59.0, 65.8]"""
    return "{:.1f}% [{:.1f}, {:.1f}]".format(*(100 * v for v in (row["value"], *row["value_ci"])))


def points(row: dict) -> str:
    """+6.2 [+3.7, +8.6]"""
    return "–" if row["vs_naive"] is None else "{:+.1f} [{:+.1f}, {:+.1f}]".format(*(100 * v for v in (row["vs_naive"], *row["vs_naive_ci"])))


def agreement(folders: list[Path]) -> None:
    """Burns et al. 2023, section 5.1: the confidence loss lowers agreement mostly on the supervisor's errors."""
    print("## Agreement of student and supervisor\n")
    rows = []
    for folder in folders:
        for pair in json.loads((folder / "details.json").read_text())["pairs"]:
            found = {entry["method"]: entry for entry in pair["agreement"]}
            if "logconf" not in found:
                continue
            change = [100 * (found["logconf"][side] - found["naive"][side]) for side in ("when_right", "when_wrong")]
            rows.append(([pair["task"], f"{pair['weak']} → {pair['strong']}"], change))
    table(
        ["task", "pair", "logconf − naive where the supervisor is right, points", "where it is wrong"],
        [[*names, *(f"{v:+.1f}" for v in change)] for names, change in rows],
    )
    right, wrong = np.mean([change for _, change in rows], 0)
    print(f"Mean of {len(rows)} pairs: {right:+.1f} where it is right, {wrong:+.1f} where it is wrong.\n")


def cheating(folders: list[Path]) -> None:
    """Burns et al. 2023, section 5.1: stopping on gold, a bound that nobody can reach honestly."""
    print("## Naive, stopped on gold (cheating)\n")
    rows = []
    for folder in folders:
        for row in json.loads((folder / "summary.json").read_text()):
            if row["method"] == "cheat-stop" and row["metric"] == "accuracy":
                rows.append([row["task"], f"{row['weak']} → {row['strong']}", points(row)])
    table(["task", "pair", "− naive, points"], rows)


def ladder(out: Path) -> None:
    """Burns et al. 2023, section 4.3.1: a ladder of students helps across a large gap."""
    print("## A ladder across a large gap\n")
    rows = study(out / "ladder", ["tfidf"], "gemma3-270m", ["naive", "bootstrap"], ladder=["minilm-l6", "smollm2-135m"])
    table(["row", "accuracy", "− naive, points"], [[r["method"], score(r), points(r)] for r in rows if r["method"] in ("floor", "ceiling", "naive", "bootstrap")])


def crowds(out: Path) -> None:
    """Cui et al. 2025 (WeakS-to-Strong): several supervisors that err apart help; copies do not."""
    print("## Several supervisors\n")
    sets = {
        "three real": "minilm-l6+smollm2-135m+tfidf",
        "five real": "minilm-l6+smollm2-135m+tfidf+mpnet-base+prompt:smollm2-135m",
        "one planted, 30% errors": "planted:iid:0.3",
        "three planted apart": "planted:iid:0.3+planted:iid:0.301+planted:iid:0.302",
        "one and two copies": "planted:iid:0.3+planted:iid:0.3+planted:iid:0.3",
        "two apart and two copies of a third": "planted:iid:0.3+planted:iid:0.301+planted:features:0.35+planted:features:0.35+planted:features:0.35",
    }
    rows = []
    for name, weak in sets.items():
        found = {r["method"]: r for r in study(out / name.replace(" ", "-").replace(",", "").replace("%", ""), [weak], "gemma3-270m", ["naive", "evidential"])}
        models = sorted((m for m in found if m.startswith("label-model:")), key=lambda m: -found[m]["value"])
        said = ", ".join(f"{m.partition(':')[2]} {100 * found[m]['value']:.1f}%" for m in models)
        rows.append([name, score(found["floor"]), said or "–", score(found["naive"]), points(found["evidential"]), score(found["ceiling"])])
    table(["supervisors", "best of them (floor)", "label models", "naive student of their mean", "evidential − naive", "ceiling"], rows)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=Path, default=ROOT / "runs" / "leaderboard")
    options.add_argument("--out", type=Path, default=ROOT / "runs" / "facts")
    given = options.parse_args()
    folders = sorted(path.parent for path in given.runs.glob("*/summary.json"))
    if folders:
        agreement(folders)
        cheating(folders)
    ladder(given.out)
    crowds(given.out)


if __name__ == "__main__":
    main()
