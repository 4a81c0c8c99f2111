"""How right the label models are on real crowds and real labelling functions, none of them ever seeing gold.

    python bench/labels.py                      all of them, as Markdown
    python bench/labels.py smem_rte             one set

Items without gold are voted on and not scored; an item that nobody labelled counts at 1/K. The best single worker is
chosen by gold (which is cheating), among those with at least 20 scored answers; where it is silent it counts at 1/K.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import polars as pl

from outgrow import label_models
from outgrow.label_models import Belief
from outgrow.label_models._votes import Votes

DATA = Path(__file__).parents[2] / "shared" / "data"
MODELS = [name for name in label_models.registry() if name not in ("majority", "mean")]
"""Of votes that are not soft, the mean is the majority."""


@final
@dataclass(frozen=True)
class Crowd:
    """Votes, and the gold of some items."""

    name: str
    votes: Votes
    gold: np.ndarray
    """(items,) -1 where there is none."""


def crowds() -> Iterator[Crowd]:
    """The sets that are here; of the others, that they are not."""
    folder = DATA / "crowd_labels"
    if folder.exists():
        said, truth = (pl.read_parquet(folder / f"{part}.parquet") for part in ("labels", "truth"))
        for name in said["dataset"].unique().sort():
            votes, gold = said.filter(dataset=name), truth.filter(dataset=name)
            items = pl.concat([votes["item"], gold["item"]]).unique().sort()
            classes = pl.concat([votes["label"], gold["truth"]]).unique().sort()
            yield _crowd(
                name, items.search_sorted(votes["item"]), votes["worker"].rank("dense") - 1,
                classes.search_sorted(votes["label"]), items.search_sorted(gold["item"]),
                classes.search_sorted(gold["truth"]), len(items), len(classes),
            )  # fmt: skip
    for name in ("wrench_youtube", "wrench_trec"):
        if (DATA / name).exists():
            table = pl.read_parquet(DATA / name / f"{name}.parquet")
            rules = np.array(table["weak_labels"].to_list())
            item, worker = np.nonzero(rules >= 0)
            gold = table["label"].to_numpy()
            yield _crowd(
                name,
                item,
                worker,
                rules[item, worker],
                np.arange(len(gold)),
                gold,
                len(gold),
                gold.max() + 1,
                rules=True,
            )
    for name in ("crowd_labels", "wrench_youtube", "wrench_trec"):
        if not (DATA / name).exists():
            print(f"{name}: left out, {DATA / name} is not there")


def _crowd(name, item, worker, label, scored, truth, items: int, classes: int, rules: bool = False) -> Crowd:
    item, worker, label = (np.asarray(column, np.int64) for column in (item, worker, label))
    votes = Votes(item, worker, np.eye(classes)[label], items, int(worker.max()) + 1, complete=rules)
    gold = np.full(items, -1)
    gold[np.asarray(scored)] = np.asarray(truth)
    return Crowd(name, votes, gold)


def score(probs: np.ndarray, gold: np.ndarray) -> float:
    """Share of items whose likeliest class is gold, ties shared; an item without a belief counts at 1/K."""
    probs = np.nan_to_num(probs, nan=1 / probs.shape[1])[gold >= 0]
    top = np.isclose(probs, probs.max(1, keepdims=True), rtol=0, atol=1e-9)
    return float((top / top.sum(1, keepdims=True))[np.arange(len(probs)), gold[gold >= 0]].mean())


def best_single(crowd: Crowd) -> tuple[float, float]:
    """Of the worker with the highest accuracy on its own items: accuracy over all scored items, and over its own."""
    votes = crowd.votes
    right = votes.said.argmax(1) == crowd.gold[votes.item]
    told = crowd.gold[votes.item] >= 0
    n, hits = (np.bincount(votes.annotator[told], w, votes.annotators) for w in (None, right[told]))
    best = np.where(n >= 20, hits / np.maximum(n, 1), 0).argmax()
    scored = (crowd.gold >= 0).sum()
    return float((hits[best] + (scored - n[best]) / votes.said.shape[1]) / scored), float(hits[best] / n[best])


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", help="names of sets; none: all")
    asked = parser.parse_args().sets
    print(
        "| set | items (gold) | workers | classes | votes | best single, by gold | majority |",
        " | ".join(MODELS),
        "| seconds |",
    )
    print("|---" * (8 + len(MODELS)) + "|")
    for crowd in crowds():
        if asked and crowd.name not in asked:
            continue
        votes, begun = crowd.votes, time.perf_counter()
        beliefs = [Belief.of(votes.mean[None]), *(label_models.find(name)(votes) for name in MODELS)]
        seconds = time.perf_counter() - begun
        scores = " | ".join(f"{score(belief.probs[0], crowd.gold):.3f}" for belief in beliefs)
        everywhere, own = best_single(crowd)
        size = f"{votes.items:,} ({(crowd.gold >= 0).sum():,}) | {votes.annotators} | {votes.said.shape[1]} | {len(votes.item):,}"
        print(f"| {crowd.name} | {size} | {everywhere:.3f} (own: {own:.3f}) | {scores} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
