"""Tokens a second of sampling in this process, against plain `generate` of transformers, in the same run.

    python bench/decoding.py                                        as Markdown
    python bench/decoding.py --models qwen2.5-coder-0.5b --rows 1 8 32 --steps 32

Both sample at temperature 1 from the same prompts, eight samples of a prompt where there are so many rows, and never
end early. Prefill counts for both: the prefix of samples of one prompt is read once here and eight times there. The
runs alternate, so that whatever else the machine does slows both.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch

from outgrow.generation import Sampling, decoding
from outgrow.generation.local import Local
from outgrow.models import resolve
from outgrow.models.loader import chosen_precision, load, quiet
from outgrow.store import Store

SAMPLES = 8


def ours(model: Local, prompts: list[list[int]], rows: list[int], steps: int) -> None:
    """Samples `steps` tokens after the prompt of each row."""
    begun = model.begin(prompts)
    begun.keep(torch.tensor(rows))
    uniform = np.random.default_rng(0).random((steps, len(rows)))
    for step in range(steps):
        tokens = decoding.choose(begun.logits, torch.from_numpy(uniform[step]), Sampling())
        (begun.logits.gather(1, tokens[:, None])[:, 0] - begun.logits.logsumexp(1)).tolist()
        if step + 1 < steps:
            begun.add(tokens)


def theirs(net: Any, prompts: list[list[int]], rows: list[int], steps: int) -> None:
    """The same by `generate`."""
    given = torch.tensor([prompts[row] for row in rows])
    with quiet(), torch.no_grad():
        net.generate(
            given, attention_mask=torch.ones_like(given), do_sample=True, top_k=0, top_p=1.0, temperature=1.0,
            repetition_penalty=1.0, min_new_tokens=steps, max_new_tokens=steps, pad_token_id=0,
        )  # fmt: skip


def measured(model: Local, net: Any, rows: int, length: int, steps: int, repeats: int) -> tuple[float, float]:
    """Tokens a second, ours and theirs: the best of `repeats`."""
    rng = np.random.default_rng(0)
    prompts = rng.integers(1000, size=(-(-rows // SAMPLES), length)).tolist()
    where = [row // SAMPLES for row in range(rows)]
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(repeats):
        for name, run in (("ours", lambda: ours(model, prompts, where, steps)),
                          ("theirs", lambda: theirs(net, prompts, where, steps))):  # fmt: skip
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
    return rows * steps / min(seconds["ours"]), rows * steps / min(seconds["theirs"])


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"])
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--length", type=int, default=200)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=2)
    asked = parser.parse_args()
    print(f"{asked.steps} tokens after prompts of {asked.length}, {torch.get_num_threads()} threads:\n")
    print("| model | rows | tokens a second | plain generate | times |\n|---|---|---|---|---|", flush=True)
    for name in asked.models:
        model = Local(checkpoint := resolve(name, Store.default()))
        net = load(checkpoint, chosen_precision(), head=True)
        for rows in asked.rows:
            own, plain = measured(model, net, rows, asked.length, asked.steps, asked.repeats)
            print(f"| {name} | {rows} | {own:.1f} | {plain:.1f} | {own / plain:.2f} |", flush=True)


if __name__ == "__main__":
    main()
