"""Crowds of thousands: memory goes with the votes, not with annotators times items or annotators squared."""

from __future__ import annotations

import tracemalloc
from types import SimpleNamespace

import numpy as np
import polars as pl

from outgrow.label_models import fit_predict
from outgrow.label_models._skill import by_class, met
from outgrow.label_models._votes import Votes, WeakVotes
from outgrow.label_models.blocks import blocks, found
from outgrow.pipeline.baselines import registry
from outgrow.pipeline.vote_cell import VoteCell
from outgrow.tasks.task import FREE

MB = 2**20


def crowd(workers: int, items: int, each: int = 5, seed: int = 0) -> tuple[Votes, np.ndarray]:
    """Votes of 60 to 95% right, so many an item, and gold."""
    rng = np.random.default_rng(seed)
    gold, right = rng.integers(2, size=items), rng.uniform(0.6, 0.95, workers)
    item = np.repeat(np.arange(items), each)
    worker = (rng.integers(workers, size=items)[:, None] + np.arange(each) * (workers // each)).ravel() % workers
    label = np.where(rng.random(len(item)) < right[worker], gold[item], 1 - gold[item])
    return Votes(item, worker, np.eye(2)[label], items, workers), gold


def peak(run) -> float:
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1] / MB
    finally:
        tracemalloc.stop()


def test_blocks_of_three_thousand_annotators_never_hold_all_pairs() -> None:
    # One array of all pairs of 3,000 in float64 is 69 MB, and the search for copiers had a dozen of them.
    votes, gold = crowd(3000, 4000)
    made = []
    assert peak(lambda: made.append(blocks(votes))) < 60
    assert (made[0].probs[0].argmax(-1) == gold).mean() > 0.8


def test_sums_over_pairs_of_annotators_do_not_depend_on_the_size_of_a_block() -> None:
    rng = np.random.default_rng(0)
    gold = rng.integers(2, size=1500)
    said = np.where(rng.random((9, 1500)) < 0.7, gold, 1 - gold)
    said[1] = np.where(rng.random(1500) < 0.8, said[0], said[1])
    item, worker = np.tile(np.arange(1500), 9), np.repeat(np.arange(9), 1500)
    votes = Votes(item, worker, np.eye(2)[said.ravel()], 1500, 9)
    pairs = {
        block: [
            np.column_stack([*rows, common, *sums]) for rows, common, sums in met(votes, by_class(votes), block=block)
        ]
        for block in (18, 10**6)
    }
    assert len(pairs[18]) == 5 and len(pairs[10**6]) == 1
    assert np.array_equal(np.vstack(pairs[18]), pairs[10**6][0]) and len(pairs[10**6][0]) == 9 * 8 / 2
    copiers = found(votes)
    assert copiers[0] == copiers[1] and len(set(copiers)) == 8


def test_six_replicates_of_a_crowd_are_believed_without_a_dense_array() -> None:
    # (6, 2000, 4000, 2) float32 are 366 MB.
    votes, _ = crowd(2000, 4000)
    task = SimpleNamespace(
        groups=np.arange(4000),
        side=np.full(4000, FREE),
        votes={f"w{j}": None for j in range(2000)},
        classes=("no", "yes"),
    )
    data = SimpleNamespace(task=task, gold=SimpleNamespace(labels=np.full(4000, -1)))
    floor = registry("votes")["floor"]
    taught = VoteCell(data, None, votes, "majority", "linear", 0, complete=False)  # type: ignore[arg-type]
    assert isinstance(taught.weak, WeakVotes)
    assert peak(lambda: (taught.weak.beliefs, taught.believed("dawid_skene"), floor.fit(taught))) < 150


def test_a_long_frame_of_a_crowd_becomes_beliefs_without_a_dense_array() -> None:
    # A table of 2,000 annotators and 4,000 items is 61 MB, and there were two of them.
    votes, gold = crowd(2000, 4000)
    long = pl.DataFrame({"item": votes.item, "worker": votes.annotator, "label": votes.said.argmax(1)})
    made = []
    assert peak(lambda: made.append(fit_predict(long, label_model="majority"))) < 50
    assert (made[0]["label"].to_numpy() == gold).mean() > 0.8


def test_the_last_vote_of_an_annotator_on_an_item_counts_and_an_empty_one_abstains() -> None:
    item, worker, label = [7, 7, 8, 7, 8, 9], ["a", "b", "a", "a", "a", "b"], [1, 1, 1, 0, None, 1]
    found = fit_predict(pl.DataFrame({"item": item, "worker": worker, "label": label}), label_model="mean")
    assert found.select("item", "p_1").rows() == [(7, 0.5), (8, None), (9, 1.0)]
