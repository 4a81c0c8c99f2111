"""Mini-batch training of a network: Adam under a cosine schedule, resumed after a kill, shared by several processes.

for each stage, for t = 0 .. T-1:
    g = the gradient of the sum of the stage's losses of batch t
    one step of Adam along g at the rate lr (1 + cos(pi t / T)) / 2
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch

from outgrow.core import progress
from outgrow.core.seeding import derive
from outgrow.training import processes
from outgrow.training.checkpoint import Checkpoint

STATE = ("weight", "mean", "square")
"""The arrays of every weight: itself, and Adam's two moments."""


class Stage(Protocol):
    """One of several trainings of the same network, one after another."""

    steps: int

    @property
    def label(self) -> str:
        """The label of the progress bar."""
        ...

    def batch(self, step: int) -> np.ndarray:
        """The indices that a step reads."""
        ...

    def tokens(self, batch: np.ndarray) -> int:
        """Number of tokens in a batch."""
        ...

    def losses(self, network: Any, batch: np.ndarray, at: float) -> Iterator[torch.Tensor]:
        """Parts whose sum is the batch's loss, at the share `at` of the steps."""
        ...


def train(network: Any, stages: Sequence[Stage], rate: float, checkpoint: Checkpoint) -> int:
    """Train `network.weights`, from the checkpoint or from the start.

    Returns:
        Tokens read by all steps, including those before the checkpoint.
    """
    weights, begin = network.weights, 0
    done, state = checkpoint.read()
    read = int(state["read"]) if state else 0
    for i, weight in enumerate(weights if state else ()):
        weight.data.copy_(torch.tensor(state[f"weight/{i}"]))
    for stage in stages:
        optimiser = torch.optim.Adam(weights, lr=rate)
        if begin < done < begin + stage.steps:
            _resume(optimiser, weights, state, done - begin)
        with progress.track(stage.label, stage.steps) as bar:
            ahead = max(done - begin, 0)
            bar.advance(min(ahead, stage.steps))
            for step in range(ahead, stage.steps):
                batch, at = stage.batch(step), step / stage.steps
                read += stage.tokens(batch)
                optimiser.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * at)) / 2
                for weight, gradient in zip(weights, gradients(stage.losses(network, batch, at), weights), strict=True):
                    weight.grad = gradient
                optimiser.step()
                bar.advance()
                if processes.main() and checkpoint.due:
                    checkpoint.keep(begin + step + 1, _state(weights, optimiser) | {"read": np.array(read)})
        begin += stage.steps
    return read


def drawn(seed: int, name: str, replicate: int, count: int, step: int, size: int) -> np.ndarray:
    """The batch of a step: `size` of `count` indices in ascending order, each once an epoch, shuffled by the seed."""
    size = min(size, count)
    at = np.arange(step * size, (step + 1) * size)
    orders = {e: derive(seed, name, e, replicate).permutation(count) for e in np.unique(at // count).tolist()}
    return np.sort([orders[e][i] for e, i in zip((at // count).tolist(), (at % count).tolist(), strict=True)])


def gradients(losses: Iterator[torch.Tensor], weights: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
    """Gradients of the sum of the losses over all processes; memory holds one loss at a time."""
    total: list[torch.Tensor] = []
    with torch.enable_grad():
        for loss in (one for one in losses if one.requires_grad):
            found = torch.autograd.grad(loss, weights, materialize_grads=True)
            total = [so_far + more for so_far, more in zip(total, found, strict=True)] if total else list(found)
    return processes.summed(total or [torch.zeros_like(weight) for weight in weights])


def _resume(
    optimiser: torch.optim.Adam, weights: Sequence[torch.Tensor], state: Mapping[str, np.ndarray], step: int
) -> None:
    for i, weight in enumerate(weights):
        mean, square = (torch.tensor(state[f"{name}/{i}"]).to(weight.device) for name in STATE[1:])
        optimiser.state[weight] = {"step": torch.tensor(float(step)), "exp_avg": mean, "exp_avg_sq": square}


def _state(weights: Sequence[torch.Tensor], optimiser: torch.optim.Adam) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for i, weight in enumerate(weights):
        moments = optimiser.state[weight]
        parts = (weight, moments["exp_avg"], moments["exp_avg_sq"])
        found |= {f"{name}/{i}": part.detach().cpu().numpy() for name, part in zip(STATE, parts, strict=True)}
    return found
