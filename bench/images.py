"""Images: a network from scratch on a task that joins image and text, against what either alone can tell.

    python bench/images.py ../shared/data/cifar10/cifar10.parquet [--images 3000]

"This is a picture of a cat.", true or false of the image beside it: each image once with its own class and once with that of another
image drawn at random, so that a class is named as often in false statements as in true ones. Taught by gold on four fifths of the images.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from outgrow import tasks
from outgrow.core.seeding import derive
from outgrow.store import Store
from outgrow.students.convnet import Convnet, Pictures
from outgrow.supervisors import SupervisorView
from outgrow.supervisors.tfidf import tfidf
from outgrow.tasks import Reading

CLASSES = (
    "an airplane",
    "an automobile",
    "a bird",
    "a cat",
    "a deer",
    "a dog",
    "a frog",
    "a horse",
    "a ship",
    "a truck",
)


def statements(table: Path, images: int) -> pl.DataFrame:
    """Two rows an image: image, text, label."""
    frame, rng, rows = pl.read_parquet(table, n_rows=images), derive(0, "statements"), []
    label = frame["label"].to_numpy()
    for image, own in zip(frame["jpeg"].to_list(), label.tolist(), strict=True):
        other = own
        while other == own:
            other = int(rng.choice(label))
        rows += [
            {"image": image, "text": f"This is a picture of {CLASSES[c]}.", "label": str(c == own).lower()}
            for c in (own, other)
        ]
    return pl.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("table", type=Path)
    parser.add_argument("--images", type=int, default=3000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "statements.parquet"
        statements(asked.table, asked.images).write_parquet(path)
        task, gold = tasks.load(str(path), Reading(image="image"))
        test = tasks.build.fifth([str(g) for g in task.groups])
        train = np.array([str(g) not in test for g in task.groups])
        store, targets = Store(Path(folder)), np.eye(2, dtype=np.float32)[gold.labels]
        view = SupervisorView(task, np.where(train, gold.labels, -1)[None], train, 0, (0,), store, None, "linear")
        found = {"text alone, tfidf": lambda: tfidf(view)}
        for what, read in (
            ("image alone, convnet", replace(task, texts=((),) * len(task))),
            ("image and text, convnet", task),
        ):
            found[what] = lambda read=read: (
                Convnet(Pictures(read, "convnet", store), train[None], task.groups, 0, (0,)).fit(targets).predict()
            )
        print(
            f"| {len(task)} statements on {asked.images} images | right on the {int((~train).sum())} held out | seconds |\n|---|---|---|"
        )
        for what, fit in found.items():
            began = time.perf_counter()
            right = (fit()[0].argmax(-1) == gold.labels)[~train].mean()
            print(f"| {what} | {right:.3f} | {time.perf_counter() - began:.0f} |", flush=True)


if __name__ == "__main__":
    main()
