"""The student of `learn` and every baseline on the same items, on two sets of rules, three crowds and real label errors.

    python bench/baselines.py FOLDER [SET ...] [--strong minilm-l6]

FOLDER keeps tables and students. Items of the data's own test split (of crowds half of the items, drawn) judge; of the
others FEW have gold, from which the student of gold alone learns. Items of crowds have no texts: their student reads the
votes, and TF-IDF and zero-shot are not to be had. In `imdb_errors` the one annotator is the published label, and gold is
what people said who were shown suspected labels again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from outgrow.core.records import dump
from outgrow.report.learn import by_class, titled, told
from outgrow.report.words import interval, percent, point_interval, points
from outgrow.runs import schema
from outgrow.runs.schema.learn import LearnFile
from outgrow.tasks import Reading
from outgrow.workflows.learn import learn

DATA = Path(__file__).parents[2] / "shared" / "data"
FEW = 100
"""Gold labels of items that teach."""
NAMES = {
    "wrench_youtube": ("ham", "spam"),
    "wrench_trec": ("description", "entity", "human", "abbreviation", "location", "number"),
}


def rules(name: str, folder: Path, strong: str) -> tuple[Path, dict]:
    """A table of texts with a column a rule."""
    table = pl.read_parquet(DATA / name / f"{name}.parquet")
    said = np.array(table["weak_labels"].to_list())
    named = np.array([*NAMES[name], None], object)
    test = (table["split"] != "train").to_numpy()
    columns = {f"rule_{j}": pl.Series(named[said[:, j]].tolist(), dtype=pl.String) for j in range(said.shape[1])}
    gold = _few(named[table["label"].to_numpy()], test)
    path = folder / f"{name}.parquet"
    split = np.where(test, "test", "train")
    pl.DataFrame({"text": table["text"], "split": split, "label": gold, **columns}).write_parquet(path)
    return path, {"reading": Reading(text="text", label="label", votes=tuple(columns)), "strong": strong}


def crowd(name: str, folder: Path, strong: str) -> tuple[Path, dict]:
    """A table of items, and a long one of votes."""
    votes, truth = (
        pl.read_parquet(DATA / "crowd_labels" / f"{part}.parquet").filter(dataset=name) for part in ("labels", "truth")
    )
    items = truth.sort("item")
    test = np.random.default_rng(0).permutation(len(items)) < len(items) / 2
    gold = _few(np.array([f"c{t}" for t in items["truth"]], object), test)
    path, long = folder / f"{name}.parquet", folder / f"{name}-votes.parquet"
    pl.DataFrame({"item": items["item"], "split": np.where(test, "test", "train"), "label": gold}).write_parquet(path)
    said = votes.filter(pl.col("item").is_in(items["item"].to_list()))
    said.select("item", "worker", label=pl.format("c{}", "label")).write_parquet(long)
    return path, {"reading": Reading(id="item", label="label"), "votes_table": str(long), "strong": "votes"}


def errors(name: str, folder: Path, strong: str) -> tuple[Path, dict]:
    """Test reviews of imdb with their published label as a vote; gold where three of five checkers agree on a class."""
    reviews = pl.read_parquet(DATA / "imdb" / "imdb.parquet").filter(split="test")
    checks = pl.read_parquet(DATA / "label_errors" / "label_errors.parquet").filter(dataset="imdb")
    gold = {}
    for row in checks.iter_rows(named=True):
        cast = json.loads(row["votes"])
        for said in ("given", "guessed"):
            if cast[said] >= 3:
                gold[row["item_id"]] = row[said].lower()
    path = folder / f"{name}.parquet"
    named = ["negative" if label == 0 else "positive" for label in reviews["label"]]
    known = [gold.get(key) for key in reviews["id"]]
    columns = {"id": reviews["id"], "text": reviews["text"], "published": named, "label": known}
    pl.DataFrame(columns).with_columns(pl.col("label").cast(pl.String)).write_parquet(path)
    return path, {"reading": Reading(text="text", label="label", votes=("published",), id="id"), "strong": strong}


def _few(gold: np.ndarray, test: np.ndarray) -> pl.Series:
    """Gold of test items and of FEW others."""
    kept = np.random.default_rng(0).choice(np.flatnonzero(~test), FEW, replace=False)
    known = test.copy()
    known[kept] = True
    return pl.Series(np.where(known, gold, None).tolist(), dtype=pl.String)


SETS: dict[str, Callable[[str, Path, str], tuple[Path, dict]]] = {
    "wrench_youtube": rules,
    "wrench_trec": rules,
    "smem_rte": crowd,
    "smem_dog": crowd,
    "act_sp_amt": crowd,
    "imdb_errors": errors,
}


def main() -> None:
    """The tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sets", nargs="*", help=f"of {', '.join(SETS)}; none: all")
    parser.add_argument("--strong", default="minilm-l6")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    for name in asked.sets or SETS:
        path, how = SETS[name](name, asked.folder, asked.strong)
        out = learn(str(path), **how, out=asked.folder / f"{name}-{how['strong']}", overwrite=True)
        facts = schema.read(out / "learn.json", LearnFile)
        print(f"\n{name}, {facts.verdict.judged:,} items: {told(out).splitlines()[0]}\n")
        if facts.verdict.rows is not None:
            print("| | right | student ahead | macro-F1 | student ahead |\n|---|---|---|---|---|")
            for row in by_class(dump(facts.verdict)):
                one = row["macro_f1"]
                cells = (
                    f"{percent(row['accuracy'])} {interval(row['accuracy_ci'])}",
                    f"{points(row['gain'])} {point_interval(row['gain_ci'])}",
                    f"{percent(one['value'])} {interval(one['ci'])}",
                    f"{points(one.get('gain'))} {point_interval(one.get('gain_ci'))}",
                )
                print(f"| {titled(row)} | {' | '.join(cell.strip() for cell in cells)} |")
        found = facts.suspects
        if found is not None and found.checked:
            print(
                f"\nSuspected votes: {found.count:,}; of {found.checked:,} with gold {found.confirmed / found.checked:.0%} "
                f"are wrong, of all votes with gold {found.wrong_by_gold / found.votes_with_gold:.0%}.",
                flush=True,
            )


if __name__ == "__main__":
    main()
