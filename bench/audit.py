"""Seconds and memory of `outgrow audit` on a million votes of 200 workers: python bench/audit.py [FOLDER]

100,000 items of 4 classes, 10 votes each, gold on 1,000 of them; five workers repeat another one half of the time.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

ITEMS, WORKERS, EACH, CLASSES, GOLD = 100_000, 200, 10, 4, 1000


def drawn(seed: int = 0) -> pl.DataFrame:
    """The votes, a row each."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(CLASSES, size=ITEMS)
    item = np.repeat(np.arange(ITEMS), EACH)
    worker = np.argpartition(rng.random((ITEMS, WORKERS), np.float32), EACH, axis=1)[:, :EACH].ravel()
    right = rng.random(len(item)) < np.linspace(0.5, 0.95, WORKERS)[worker]
    label = np.where(right, gold[item], (gold[item] + rng.integers(1, CLASSES, len(item))) % CLASSES)
    first = rng.integers(CLASSES, size=ITEMS)  # what the copied one says
    copies = np.isin(worker, [0, 40, 80, 120, 160]) & (rng.random(len(item)) < 0.5)
    label = np.where(copies, first[item], label)
    known = pl.when(pl.col("item") < GOLD).then(pl.Series("gold", gold[item]))
    return pl.DataFrame({"item": item, "worker": worker, "label": label}).with_columns(gold=known)


def main(folder: Path) -> None:
    for name, columns in (
        ("with some gold", ["item", "worker", "label", "gold"]),
        ("votes alone", ["item", "worker", "label"]),
    ):
        drawn().select(columns).write_parquet(folder / "votes.parquet")
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "outgrow", "audit", str(folder / "votes.parquet")], check=True)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        print(
            f"{name}: {ITEMS * EACH:,} votes, {time.perf_counter() - start:.1f} s, at most {peak:.2f} GiB", flush=True
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(Path(sys.argv[1] if len(sys.argv) > 1 else made))
