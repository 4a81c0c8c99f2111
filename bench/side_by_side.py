"""Replicates of answers in words in processes side by side, against one after the other with all threads.

    python bench/side_by_side.py [--model smollm2-135m] [--replicates 2]        as Markdown

A replicate is what costs most in one: a tuning on 320 sums by low-rank updates, then the likeliest answers to 96 others.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import side_by_side as here  # by its name, which another process can find
import torch

from outgrow import models
from outgrow.generation import Sampling
from outgrow.pipeline import executors
from outgrow.store import Store
from outgrow.students.generator import Writers
from outgrow.tasks import generation
from outgrow.training.causal import Example, tune

LEARNED, ASKED = 320, 96


def work(model: models.Model, root: Path, number: int) -> Iterator[None]:
    """One replicate."""
    task, gold = generation.load("arithmetic:3", LEARNED + ASKED, number)
    store = Store(root)
    examples = [Example(*pair) for pair in zip(task.prompts[:LEARNED], gold.answers[:LEARNED], strict=True)]
    tuned = tune(model, examples, seed=number, store=store, chat=task.chat, epochs=1)
    Writers(store, Sampling(tokens=task.tokens, temperature=0.0, stop=task.stop, chat=task.chat)).likeliest(
        tuned, task.prompts[LEARNED:]
    )
    yield


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--replicates", type=int, default=2)
    asked = parser.parse_args()
    model = models.resolve(asked.model, Store.default())
    print(f"{asked.replicates} replicates of {asked.model}:\n\n| processes | threads each | seconds |\n|---|---|---|")
    for processes in (1, executors.count([model], asked.replicates)):
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            list(executors.side_by_side(here.work, (model, Path(folder)), range(asked.replicates), processes))
            print(
                f"| {processes} | {torch.get_num_threads() // processes} | {time.perf_counter() - began:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
