"""What a token costs with proxy-tuning, against its three parts alone.

    python bench/proxy.py                                           as Markdown
    python bench/proxy.py --strong smollm2-135m --small sibling:smollm2-135m:12 --rows 1 32 128

Every part writes the same tokens after the same prompts, a step of each in turn, so that whatever else the machine does slows all alike.
Steered is one step of the three together; what it costs beyond them is adding up their logits. A tuned model costs what it cost before,
so the small one stands for both.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from outgrow.generation import named
from outgrow.generation.proxy import ProxyTuned
from outgrow.store import Store

PROMPT = 16


def measured(strong: str, small: str, rows: int, steps: int) -> dict[str, float]:
    """Seconds of a step of `rows` tokens, by part."""
    store = Store.default()
    big, little = named(strong, store), named(small, store)
    rng, size = np.random.default_rng(0), len(big.tokens)
    prompts = rng.integers(size, size=(rows, PROMPT)).tolist()
    parts = {"strong": big, "tuned small": little, "small": little, "steered": ProxyTuned(big, little, little)}
    begun = {name: model.begin(prompts) for name, model in parts.items()}
    seconds = dict.fromkeys(parts, 0.0)
    for step in range(steps + 1):
        tokens = torch.from_numpy(rng.integers(size, size=rows))
        for name, one in begun.items():
            began = time.perf_counter()
            one.add(tokens)
            one.logits[0, 0].item()
            if step:  # the first warms the caches
                seconds[name] += time.perf_counter() - began
    return {name: total / steps for name, total in seconds.items()}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strong", default="smollm2-135m")
    parser.add_argument("--small", default="sibling:smollm2-135m:12")
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 32, 128])
    parser.add_argument("--steps", type=int, default=24)
    asked = parser.parse_args()
    print(f"{asked.strong} steered by {asked.small}, tokens a second:\n")
    print("| rows at a time | strong | small | steered | of the parts' own time |\n|---|---|---|---|---|")
    for rows in asked.rows:
        seconds = measured(asked.strong, asked.small, rows, asked.steps)
        own = sum(seconds[name] for name in ("strong", "tuned small", "small"))
        rates = " | ".join(f"{rows / seconds[name]:,.0f}" for name in ("strong", "small", "steered"))
        print(f"| {rows} | {rates} | {seconds['steered'] / own:.2f} |", flush=True)


if __name__ == "__main__":
    main()
