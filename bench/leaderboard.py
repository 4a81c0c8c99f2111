"""The leaderboards of docs/leaderboard.md and docs/leaderboard-qwen.md: methods on tasks and pairs of real models.

    python bench/leaderboard.py [--parts development,confirmation,...] [--tasks cities,...] [--students gemma3-270m,...]
        [--methods all] [--items 2400] [--seeds 8] [--out FOLDER] [--to FILE.md]

One study per task and student, each in a folder of its own under FOLDER (default: runs/leaderboard); a study that is
there is made again from the store in moments, so that the same command goes on where it stopped. Then one comparison a
part. Tables are read from shared/data beside this checkout, or made from what comes with packages (bench/unseen.py).
Which tasks a default may be chosen on, which confirm it, and which nobody looked at before it was settled was written
down before (docs/log.md).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import unseen

from outgrow import Study
from outgrow.report import compare
from outgrow.report.leaderboard import PlainTable, folded, plain
from outgrow.tasks import Reading

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
BUILT_IN = ("cities", "translations")
PARTS = {
    "development": ("cities", "creak", "cola", "trec6", "sciq", "ethics_justice"),
    "confirmation": (
        "translations",
        "arc_challenge",
        "commonsenseqa_dev",
        "ethics_utilitarianism",
        "ag_news",
        "mctaco",
    ),
    "unseen": ("where", "words", "truthfulqa", "gsm8k_solutions", "boolq", "wrench_youtube"),
    "statements": ("counties", "countries", "sums", "gsm8k_models"),
    "fresh": ("us_cities", "products", "tongues", "codes"),
    "later": ("letters", "named", "populous", "romans", "weekdays", "months"),
    "answers": ("continents", "zones", "scripts", "dates", "lengths", "capitals"),
    "next": ("intents", "calls", "neighbours", "directions", "larger", "alphabet"),
}
VIEWS = ("creak", "cola", "trec6", "ethics_justice", "ethics_utilitarianism", "ag_news", "boolq", "wrench_youtube")
"""Tasks on which `auto` is `views` by construction: most items have no rivals, or there are more than two classes."""
STUDENTS = {
    "gemma3-270m": ("minilm-l6", "smollm2-135m"),
    "smollm2-135m": ("minilm-l6",),
    "qwen2.5-coder-1.5b": ("minilm-l6", "smollm2-135m", "qwen2.5-coder-0.5b"),
}
"""Student -> its supervisors."""
SMALL = "gemma3-270m,smollm2-135m"
ITEMS, SEEDS = 2400, 8
COMMAND = "python bench/leaderboard.py"


def study(task: str, strong: str, methods: tuple[str, ...], items: int, seeds: int, out: Path) -> Study:
    """One task and student, with all of its supervisors."""
    made = out / "tables" / f"{task}.parquet"
    source = task if task in BUILT_IN else str(made if made.exists() else DATA / task / f"{task}.parquet")
    return Study(
        tasks=(source,), weak=STUDENTS[strong], strong=strong, methods=methods, seeds=seeds,
        reading=Reading(items=items), out=out / f"{task}-{strong}",
    )  # fmt: skip


def section(part: str, tasks: list[str], tables: list[PlainTable]) -> str:
    """A part of the page."""
    return f"## {part.capitalize()}: {', '.join(tasks)}\n\n{folded(tables)}"


def page(sections: list[str], students: list[str], items: int, seeds: int) -> str:
    """The page, with a word on how it was made and is to be read."""
    pairs = ", ".join(f"{weak} → {strong}" for strong in students for weak in STUDENTS[strong])
    return (
        f"# Leaderboard\n\nMade by `{COMMAND}`: at most {items:,} items a task, {seeds} replicates, pairs {pairs}.\n\n"
        "The share of the gaps is what a method recovers between floor and ceiling, over the pairs whose gap is resolved; "
        "points are of accuracy, or of questions answered right, over all pairs. Intervals in the short tables are for "
        "new data of these tasks. The folds have every method, how to read each column, where each method fails, and "
        "what each pair is like.\n\n"
        + "\n".join(sections)
        + '\n<details markdown="1">\n<summary>Notes</summary>\n\nOn tasks of questions every candidate is in the '
        "pool. Of "
        + ", ".join(VIEWS)
        + " `auto` is `views` by construction: hardly any item has rivals, or there are more than two classes. Which "
        "of these tasks the default method was made with, and how it does on others, "
        "[benchmarks](benchmarks.md#15-the-default-method) says.\n\n</details>\n"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, default=ROOT / "runs" / "leaderboard")
    options.add_argument("--parts", default="development,confirmation")
    options.add_argument("--tasks", default=",".join(task for tasks in PARTS.values() for task in tasks))
    options.add_argument("--students", default=SMALL)
    options.add_argument("--methods", default="all")
    options.add_argument("--items", type=int, default=ITEMS)
    options.add_argument("--seeds", type=int, default=SEEDS)
    options.add_argument("--to", type=Path, default=ROOT / "docs" / "leaderboard.md")
    given = options.parse_args()
    students = given.students.split(",")
    asked, methods, began = given.tasks.split(","), tuple(given.methods.split(",")), time.time()
    texts = []
    unseen.tables(DATA, given.out / "tables")
    for part in given.parts.split(","):
        folders = []
        for task in [task for task in PARTS[part] if task in asked]:
            for strong in students:
                folders.append(study(task, strong, methods, given.items, given.seeds, given.out).run().path)
                print(f"{task}, {strong}: {time.time() - began:.0f} s", flush=True)
        found = compare(folders, given.out / f"{part}.html", overwrite=True)
        texts.append(section(part, [task for task in PARTS[part] if task in asked], plain(found)))
    given.to.write_text(page(texts, students, given.items, given.seeds), encoding="utf-8")
    print(f"leaderboard: {given.to}")


if __name__ == "__main__":
    main()
