"""Many small networks on the same features at once: one hidden layer of tanh units, by full-batch Adam.

    minimise over W1_h, W2_h   sum_i w_hi loss(tanh(x_i W1_h) W2_h, t_hi) + ridge_h / 2 (|W1_h|^2 + |W2_h|^2)

Features come in their eigenbasis, where a column of ones is the hidden units' bias. Without that column the network is
an odd function, as a student of differences of two texts has to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from outgrow.losses import Loss
from outgrow.losses.xent import Xent
from outgrow.models import loader
from outgrow.students.linear import SNAPSHOTS, Basis, as_logits, lead

RIDGES = (1e-3, 1e-2, 1e-1)
HIDDEN = 32
LEARNING_RATE = 0.01
STEPS_OF_ONE = 2
"""Steps of Adam for each step of a linear head, whose curvature is known."""


@dataclass(frozen=True)
class Networks:
    """Weights (H, K, HIDDEN) and (H, HIDDEN, k): k = 1 for two classes, else C. Snapshots: (progress, networks)."""

    first: torch.Tensor
    second: torch.Tensor
    snapshots: tuple[tuple[float, Networks], ...] = ()

    def split(self, size: int) -> list[Networks]:
        """The networks in runs of so many."""
        return list(map(Networks, self.first.split(size), self.second.split(size)))

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """(H, n, C) for features (n, K)."""
        heads, width, hidden = self.first.shape
        wide = self.first.transpose(0, 1).reshape(width, heads * hidden)
        units = (x @ wide).view(len(x), heads, hidden).transpose(0, 1).tanh()
        return as_logits((units @ self.second).transpose(1, 2))


def train(
    basis: Basis,
    rows: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor,
    ridge: torch.Tensor,
    seeds: Sequence[int],
    loss: Loss | None = None,
    steps: int = 40,
    snapshots: bool = False,
) -> Networks:
    """Train networks h = 1..H side by side; arguments as of `linear.train`, and `seeds` (H,) of their first weights."""
    loss, given = loss or Xent(), (basis.x[rows], basis.penalised, targets, weights, ridge)
    x, penalised, targets, weights, ridge = (one.to(loader.device()) for one in given)
    k = 1 if targets.shape[-1] == 2 else targets.shape[-1]
    starts = {seed: _start(seed, x.shape[1], k) for seed in dict.fromkeys(seeds)}
    first, second = (torch.stack([starts[seed][i] for seed in seeds]).to(x.device).requires_grad_() for i in range(2))
    share = weights / weights.sum(-1, keepdim=True)
    axes = lead(len(seeds), len(targets))
    targets, weights = targets.expand(*axes, -1, -1), weights.expand(*axes, -1)
    optimiser = torch.optim.Adam([first, second], lr=LEARNING_RATE)
    kept: list[tuple[float, Networks]] = []
    steps *= STEPS_OF_ONE
    for done in range(steps):
        # A linear decline ends near the minimum; no held-out labels are used to stop.
        optimiser.param_groups[0]["lr"] = LEARNING_RATE * (1 - done / steps)
        with torch.enable_grad():
            logits = Networks(first, second).logits(x).reshape(*axes, len(x), -1)
            losses = (loss(logits, targets, weights, done / steps) * share).sum(-1).reshape(len(seeds))
            size = (first.square() * penalised[:, None]).sum((1, 2)) + second.square().sum((1, 2))
            gradients = torch.autograd.grad((losses + ridge / 2 * size).sum(), [first, second])
        first.grad, second.grad = gradients
        optimiser.step()
        if snapshots and (done + 1) % (steps // SNAPSHOTS) == 0:
            kept.append(((done + 1) / steps, Networks(first.detach().cpu().clone(), second.detach().cpu().clone())))
    return Networks(first.detach().cpu(), second.detach().cpu(), tuple(kept))


def _start(seed: int, width: int, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Hidden units of unit spread on standardised features, and a head of zeros: every class as likely."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(width, HIDDEN, generator=generator) / width**0.5, torch.zeros(HIDDEN, k)
