"""Many linear heads on the same features at once, by accelerated gradient descent with the curvature of cross-entropy.

    minimise over W_h, b_h   sum_i w_hi loss(x_i W_h + b_h, t_hi) + ridge_h / 2 |W_h|^2        for every head h

In the eigenbasis of the features (variances s) the Hessian is at most about kappa s + ridge per coordinate (kappa =
1/4 for two classes, 1/2 beyond: Boehning 1992), so steps are scaled by its inverse, by the exact largest eigenvalue
that remains (power iteration), and accelerated after Nesterov with restarts. Two products a step serve all heads.
Heads come first in every array, which is also the fast order for thin products. Both the basis and the heads are
computed on the accelerator where there is one; what comes in and out is in the processor's memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch

from outgrow.losses import Aimed, Loss
from outgrow.losses.xent import Xent
from outgrow.models import loader

RIDGES = (1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 10.0)
STEPS = 40
MANY = 1 << 24
"""Features of more numbers than this (128 MB in float64) are standardised some rows at a time."""
AT_ONCE = 1 << 22
"""Ridges are taken some at a time where the scores of all heads are more numbers than this (16 MB)."""
SNAPSHOTS = 10


@dataclass(frozen=True)
class Basis:
    """Standardised features in their eigenbasis, with a last column of ones where there is a bias.

    x (N, K) float32; moments and penalised (K,): each column's second moment and whether ridge applies to it.
    """

    x: torch.Tensor
    moments: torch.Tensor
    penalised: torch.Tensor
    centre: torch.Tensor
    turn: torch.Tensor
    """(D,) and (D, K'): other features become columns by (x - centre) turn, and one of ones where there is a bias."""

    @property
    def centred(self) -> bool:
        """Whether there is a bias."""
        return self.turn.shape[1] < len(self.moments)

    def some(self, rows: torch.Tensor) -> torch.Tensor:
        """The rows (n,), ascending, of x: x itself where that is all."""
        return self.x if len(rows) == len(self.x) else self.x[rows]

    def project(self, x: torch.Tensor) -> torch.Tensor:
        """Other features (n, D) in these axes, (n, K)."""
        turned = (x - self.centre) @ self.turn
        return torch.cat([turned, torch.ones(len(x), 1)], 1) if self.centred else turned

    @classmethod
    def of(cls, x: torch.Tensor, reference: torch.Tensor, centred: bool = True) -> Basis:
        """The basis of features (N, D); means, scales and axes come from the rows in `reference` (bool, N).

        With `centred` False the origin stays and there is no bias: heads on differences of two texts are odd functions.
        """
        where = loader.exact_device()
        rows = x if bool(reference.all()) else x[reference]
        centre = rows.mean(0) if centred else torch.zeros(x.shape[1])
        spread = (rows - centre).square_().mean(0).sqrt()
        scale = torch.where(spread > 1e-6 * spread.max().clamp_min(1e-30), 1 / spread.clamp_min(1e-30), 0.0)
        if len(rows) >= rows.shape[1] and rows.numel() > MANY:
            squares, axes = torch.linalg.eigh(_products(rows, centre, scale, where))
            keep = squares > 1e-7 * squares.max()
            axes = axes[:, keep]
        elif (rows := ((rows - centre) * scale).to(where).double()).shape[0] < rows.shape[1]:
            squares, left = torch.linalg.eigh(rows @ rows.T)
            keep = squares > 1e-7 * squares.max()
            axes = rows.T @ (left[:, keep] / squares[keep].sqrt())
        else:
            squares, axes = torch.linalg.eigh(rows.T @ rows)
            keep = squares > 1e-7 * squares.max()
            axes = axes[:, keep]
        turn, moments = scale[:, None] * axes.float().cpu(), (squares[keep] / len(rows)).float().cpu()
        turned, penalised = torch.ones(len(x), turn.shape[1] + centred), torch.ones_like(moments)
        step = len(x) if x.numel() <= MANY else max(1, MANY // 8 // x.shape[1])
        for start in range(0, len(x), max(step, 1)):
            part = (x[start : start + step] - centre).to(where)
            turned[start : start + step, : turn.shape[1]] = (part @ turn.to(where)).cpu()
        if centred:
            moments, penalised = torch.cat([moments, torch.ones(1)]), torch.cat([penalised, torch.zeros(1)])
        return cls(turned, moments, penalised, centre, turn)


def _products(rows: torch.Tensor, centre: torch.Tensor, scale: torch.Tensor, where: torch.device) -> torch.Tensor:
    """(D, D) double: sums over rows of products of standardised features, some rows at a time."""
    total = torch.zeros(rows.shape[1], rows.shape[1], dtype=torch.float64, device=where)
    for part in rows.split(max(1, MANY // 8 // rows.shape[1])):
        part = ((part - centre) * scale).to(where).double()
        total += part.T @ part
    return total


@dataclass(frozen=True)
class Heads:
    """Weights (H, k, K): k = 1 for two classes, else C. Snapshots: (progress, heads) along training."""

    weights: torch.Tensor
    snapshots: tuple[tuple[float, Heads], ...] = ()

    def split(self, size: int) -> list[Heads]:
        """The heads in runs of so many."""
        return [Heads(weights) for weights in self.weights.split(size)]

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """(H, n, C) for features (n, K)."""
        return as_logits(_times(self.weights, x))


def as_logits(z: torch.Tensor) -> torch.Tensor:
    """(H, k, n) -> (H, n, C): a single z stands for the two logits -z/2 and z/2."""
    return torch.stack([-z[:, 0] / 2, z[:, 0] / 2], -1) if z.shape[1] == 1 else z.transpose(1, 2)


def _times(weights: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """(H, k, K) and (n, K) -> (H, k, n)."""
    return (weights.flatten(0, 1) @ x.T).view(*weights.shape[:2], len(x))


def train(
    basis: Basis, rows: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor, ridge: torch.Tensor,
    loss: Loss | None = None, steps: int = STEPS, snapshots: bool = False,
) -> Heads:  # fmt: skip
    """Train heads h = 1..H side by side.

    Args:
        basis: the features.
        rows: (n,) rows of the basis to train on.
        targets: (H, n, C), rows that sum to 1; or of the first T heads, and the others have the same in turn.
        weights: (H, n) >= 0, or (T, n) likewise.
        ridge: (H,) > 0; of heads with the same targets, those of later ones are no smaller.
        loss: what is minimised; cross-entropy where not given.
        steps: steps of accelerated descent.
        snapshots: whether to keep heads of points along the training.
    """
    given = (basis.some(rows), basis.moments, basis.penalised, targets, weights, ridge)
    x, moments, penalised, targets, weights, ridge = (one.to(loader.device()) for one in given)
    classes, own = targets.shape[-1], len(targets)
    k, kappa = (1, 0.25) if classes == 2 else (classes, 0.5)
    share = (weights / weights.sum(-1, keepdim=True)).unsqueeze(1)
    penalty = (ridge[:, None] * penalised).unsqueeze(1)
    curve = kappa * moments + penalty
    # Step sizes are smallest at the smallest ridge, which is that of the first heads: found once, there.
    bound = _largest(x, kappa * share, penalty[:own], curve[:own])
    step = 1 / (curve * bound.repeat(len(ridge) // own, 1, 1))
    taken = max(AT_ONCE // (own * k * max(len(x), 1)), 1) * own
    parts = [
        _descend(x, targets, weights, share, penalty[at : at + taken], step[at : at + taken], loss, steps, snapshots)
        for at in range(0, len(ridge), taken)
    ]
    kept = zip(*(part.snapshots for part in parts), strict=True)
    joined = ((some[0][0], Heads(torch.cat([heads.weights for _, heads in some]))) for some in kept)
    return parts[0] if len(parts) == 1 else Heads(torch.cat([part.weights for part in parts]), tuple(joined))


def _descend(
    x: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor, share: torch.Tensor, penalty: torch.Tensor,
    step: torch.Tensor, loss: Loss | None, steps: int, snapshots: bool,
) -> Heads:  # fmt: skip
    """Heads by accelerated descent with known step sizes, both (H, 1, K)."""
    heads, own, k = len(step), len(targets), 1 if targets.shape[-1] == 2 else targets.shape[-1]
    pull = _Pull(loss or Xent(), targets, weights, heads)
    w = x.new_zeros(heads, k, x.shape[1])
    before, momentum, kept = w, x.new_zeros(heads, 1, 1), []
    for done in range(steps):
        ahead = w + (momentum / (momentum + 3)) * (w - before)
        pulled = pull(_times(ahead, x), done / steps).view(heads // own, own, k, len(x)) * share
        slope = (pulled.flatten(0, 2) @ x).view_as(w) + penalty * ahead
        before, w = w, ahead - step * slope
        uphill = (slope * (w - before)).sum((1, 2), keepdim=True) > 0
        momentum = torch.where(uphill, 0.0, momentum + 1)
        if snapshots and (done + 1) % max(1, steps // SNAPSHOTS) == 0:
            kept.append(((done + 1) / steps, Heads(w.cpu())))
    return Heads(w.cpu(), tuple(kept))


def lead(heads: int, own: int) -> tuple[int, ...]:
    """The leading axes of H heads, of which every `own` share targets: (own,) or (H / own, own)."""
    return (own,) if heads == own else (heads // own, own)


@final
class _Pull:
    """d loss / d z (H, k, n) at z, which is overwritten; every T heads have targets (T, n, C) and weights (T, n).

    Of cross-entropy it is the difference of probabilities and targets.
    """

    def __init__(self, loss: Loss, targets: torch.Tensor, weights: torch.Tensor, heads: int):
        self._loss, self._lead = loss, lead(heads, len(targets))
        self._targets = targets.expand(*self._lead, -1, -1)
        self._weights = weights.expand(*self._lead, -1)
        self._fixed = None
        if isinstance(loss, Xent):
            two = targets.shape[-1] == 2
            self._fixed = targets[..., 1].unsqueeze(1) if two else targets.transpose(1, 2).contiguous()

    def __call__(self, z: torch.Tensor, progress: float) -> torch.Tensor:
        heads, k, rows = z.shape
        if self._fixed is not None:
            z = z.sigmoid_() if k == 1 else torch.softmax(z, 1)
            return z.view(*self._lead, k, rows).sub_(self._fixed).view(heads, k, rows)
        logits = as_logits(z).reshape(*self._lead, rows, -1)
        if isinstance(self._loss, Aimed):
            slope = logits.softmax(-1) - self._loss.aim(logits, self._targets, self._weights, progress)
        else:
            with torch.enable_grad():
                leaf = logits.detach().requires_grad_()
                lost = self._loss(leaf, self._targets, self._weights, progress)
                (slope,) = torch.autograd.grad(lost.sum(), leaf)
        slope = slope.reshape(heads, rows, -1)
        return ((slope[..., 1] - slope[..., 0]) / 2).unsqueeze(1) if k == 1 else slope.transpose(1, 2)


def _largest(
    x: torch.Tensor, share: torch.Tensor, penalty: torch.Tensor, curve: torch.Tensor, rounds: int = 12
) -> torch.Tensor:
    """Largest eigenvalue (H, 1, 1) of the scaled curvature of every head, with a margin for the iteration's error."""
    root = curve.sqrt()
    v, size = torch.ones_like(curve), curve.new_ones(len(curve), 1, 1)
    for _ in range(rounds):
        u = v / size / root
        v = (((_times(u, x) * share).flatten(0, 1) @ x).view_as(u) + penalty * u) / root
        size = v.norm(dim=-1, keepdim=True)
    return 1.1 * size
