"""What a study costs against what a user would do instead, and what more replicates cost.

    python bench/study.py [--cells 3]

(a) `transformers` in float32, padded batches of 32, every layer, features of one middle layer in memory, scikit-learn's
    logistic regression a cell with the ridge chosen from the same grid on held-out targets;
(b) the published way: one float32 fine-tuning of the whole student a cell, two epochs, batches of 32, Adam at 1e-5.

Of (a) a few cells are timed, of (b) one, and multiplied by the number of cells; the forward passes of (a) are timed on a
part of the items and multiplied likewise. All in one run, nothing else on the machine. Accuracies are those of naive on
the replicates that were timed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

LEARNING_RATE = 1e-5
TASK, WEAK, STRONG, SEEDS = "cities", "minilm-l6", "smollm2-135m", 16


def timed(call):
    """(result, seconds)"""
    began = time.perf_counter()
    return call(), time.perf_counter() - began


def outgrow_study(folder: Path, **changes) -> tuple[pl.DataFrame, float]:
    """Cells and seconds of a study."""
    import outgrow

    asked = {"tasks": [TASK], "weak": [WEAK], "strong": STRONG, "seeds": SEEDS, "out": folder}
    result, seconds = timed(lambda: outgrow.Study(**(asked | changes)).run())
    return result.cells, seconds


def plain_features(path: Path, texts: list[str], encoder: bool) -> np.ndarray:
    """As in any tutorial: float32, batches of 32 padded to their longest, all hidden states, one of them kept."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokens, model = AutoTokenizer.from_pretrained(path), AutoModel.from_pretrained(path, dtype=torch.float32).eval()
    tokens.padding_side = "right"
    out = []
    with torch.no_grad():
        for start in range(0, len(texts), 32):
            batch = tokens(texts[start : start + 32], padding=True, truncation=True, return_tensors="pt")
            states = model(**batch, output_hidden_states=True).hidden_states
            state, mask = states[round(0.6 * (len(states) - 1))], batch["attention_mask"]
            last = state[torch.arange(len(state)), mask.sum(1) - 1]
            out.append(((state * mask[..., None]).sum(1) / mask.sum(1, keepdim=True) if encoder else last).numpy())
    return np.concatenate(out)


def plain_cell(x: np.ndarray, targets: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """One scikit-learn cell: soft targets as weighted copies, C chosen on a held-out fifth, then all rows."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    from outgrow.students.linear import RIDGES

    x = StandardScaler().fit_transform(x)
    held = np.random.default_rng(0).random(len(rows)) < 0.2

    def fit(ridge: float, rows: np.ndarray) -> LogisticRegression:
        head = LogisticRegression(C=1 / (ridge * len(rows)), max_iter=1000)
        return head.fit(np.tile(x[rows], (2, 1)), np.repeat([0, 1], len(rows)), sample_weight=targets[rows].T.ravel())

    losses = [
        -(targets[rows[held]] * fit(r, rows[~held]).predict_log_proba(x[rows[held]])).sum(1).mean() for r in RIDGES
    ]
    return fit(RIDGES[int(np.argmin(losses))], rows).predict_proba(x)


def tuned_cell(path: Path, texts: list[str], targets: np.ndarray, rows: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Full float32 fine-tuning on the rows; probabilities of the test items."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.manual_seed(0)
    tokens, model = AutoTokenizer.from_pretrained(path), AutoModel.from_pretrained(path, dtype=torch.float32).train()
    tokens.padding_side = "right"
    head = torch.nn.Linear(model.config.hidden_size, 2)
    optimiser = torch.optim.Adam([*model.parameters(), *head.parameters()], lr=LEARNING_RATE)

    def logits(items: np.ndarray) -> torch.Tensor:
        batch = tokens([texts[i] for i in items], padding=True, return_tensors="pt")
        state = model(**batch).last_hidden_state
        return head(state[torch.arange(len(state)), batch["attention_mask"].sum(1) - 1])

    for epoch in range(2):
        for items in np.array_split(np.random.default_rng(epoch).permutation(rows), round(len(rows) / 32)):
            loss = -(torch.from_numpy(targets[items]) * logits(items).log_softmax(-1)).sum(-1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    model.eval()
    with torch.no_grad():
        return torch.cat([logits(items).softmax(-1) for items in np.array_split(test, round(len(test) / 32))]).numpy()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cells", type=int, default=3, help="cells of (a) that are timed")
    options.add_argument("--share", type=float, default=0.25, help="part of the items whose forward passes (a) times")
    given = options.parse_args()
    from outgrow import models, tasks
    from outgrow.pipeline.class_cell import ClassCell
    from outgrow.pipeline.design import BLOCK
    from outgrow.pipeline.spaces import Spaces
    from outgrow.store import Store

    home = Store.default().root
    strong, weak = (models.resolve(name, Store(home)) for name in (STRONG, WEAK))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "store").mkdir()
        shutil.copytree(home / "models", root / "store" / "models")
        os.environ["OUTGROW_STORE"] = str(root / "store")
        ran, whole = outgrow_study(root / "whole")
        again = {"models", "features", "features-shards", "zero-shot", "zero-shot-shards", "words"}
        for kind in (root / "store").iterdir():
            if kind.name not in again:
                shutil.rmtree(kind)
        _, sixteen = outgrow_study(root / "sixteen")
        for kind in (root / "store").iterdir():
            if kind.name not in again:
                shutil.rmtree(kind)
        _, one = outgrow_study(root / "one", seeds=1, methods=["naive"])

        task, gold = tasks.load(TASK)
        pair = ClassCell(task, gold, WEAK, STRONG, 0, 0, None, Spaces(task, Store.default()), {"bench": 1})
        transfer, test = np.flatnonzero(pair.splits.transfer[0]), pair.test
        texts = [t[0] for t in task.texts]
        part = texts[: round(given.share * len(texts))]
        (_, slow_strong), (_, slow_weak) = (
            timed(lambda m=m: plain_features(m.path, part, m.kind == "encoder")) for m in (strong, weak)
        )
        x = plain_features(strong.path, texts, False)
        cells, accuracies = [], []
        for r in range(given.cells):
            rows = np.flatnonzero(pair.splits.transfer[r])
            probs, seconds = timed(lambda r=r, rows=rows: plain_cell(x, pair.labels[r, 0], rows))
            cells.append(seconds)
            accuracies.append((probs[test].argmax(1) == gold.labels[test]).mean())
        probs, tuned = timed(lambda: tuned_cell(strong.path, texts, pair.labels[0, 0], transfer, np.flatnonzero(test)))
        tuned_accuracy = (probs.argmax(1) == gold.labels[test]).mean()

    # What is trained a replicate: all rows but floor and zero-shot. The learning curve's smaller cells are left out.
    count = ran["method"].n_unique() - 2
    a = (slow_strong + slow_weak) / given.share + count * SEEDS * float(np.mean(cells))
    b = count * SEEDS * tuned
    naive = ran.filter((pl.col("method") == "naive") & (pl.col("metric") == "accuracy")).sort("replicate")["value"]
    print(
        f"| what | seconds | against outgrow |\n|---|---|---|\n| outgrow, whole study, {SEEDS} replicates | {whole:.0f} | 1 |"
    )
    print(
        f"| (a) float32, padded, scikit-learn: {count * SEEDS} cells of {np.mean(cells):.1f} s | {a:.0f} | {a / whole:.1f} |"
    )
    print(f"| (b) float32 fine-tuning: {count * SEEDS} cells of {tuned:.0f} s | {b:.0f} | {b / whole:.0f} |")
    print(f"| {SEEDS} replicates, all methods, features cached | {sixteen:.1f} | {sixteen / one:.2f} of the next |")
    print(f"| 1 replicate (a block of {BLOCK}), naive, features cached | {one:.1f} | |")
    print(
        f"\nnaive on replicates 0 .. {given.cells - 1}: outgrow {naive[: given.cells].mean():.3f}, (a) {np.mean(accuracies):.3f}"
    )
    print(
        f"naive on replicate 0: outgrow {naive[0]:.3f}, (b) {tuned_accuracy:.3f}; outgrow over all {SEEDS}: {naive.mean():.3f}"
    )


if __name__ == "__main__":
    main()
