"""Auxiliary confidence loss: L = (1-a) CE(f, w) + a CE(f, stop(hardened f)), a rising from 0 to alpha."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from outgrow.losses import Aimed

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Logconf(Aimed):
    """Auxiliary confidence loss: the aim mixes target and the student's own hardened answer.

    Args:
        alpha: the largest share a of the student's own answer.
        warmup: share of training in which a rises.
        schedule: "paper" rises linearly to alpha during the warm-up; "repository" is the published code, which does
            not divide by the warm-up, so that a only reaches alpha * warmup and then jumps to alpha.

    Source:
        Burns et al. 2023 (arXiv 2312.09390), section 4.3.2.
    """

    alpha: float = 0.75
    warmup: float = 0.2
    schedule: Literal["paper", "repository"] = "paper"

    def strength(self, progress: float) -> float:
        """a at this point of training."""
        if progress >= self.warmup:
            return self.alpha
        return self.alpha * (progress / self.warmup if self.schedule == "paper" else progress)

    def aim(self, logits: Tensor, targets: Tensor, weights: Tensor, progress: float) -> Tensor:
        a = self.strength(progress)
        return targets if a == 0 else (1 - a) * targets + a * hardened(logits, prior(targets, weights), weights)


def prior(targets: Tensor, weights: Tensor) -> Tensor:
    """Class balance (..., C) of the targets, weighted, over the items that are trained on."""
    used = weights.unsqueeze(-1)
    return (targets * used).sum(-2) / used.sum(-2)


def hardened(logits: Tensor, prior: Tensor, weights: Tensor) -> Tensor:
    """Hardened predictions: one-hot argmax(z + b), b such that the classes have the prior's share of the trained items.

    With two classes, items are ordered by their margin and the prior's share of them is the second class; ties are
    broken by position, which is by hashed id. With more, b comes from `balance`.

    Args:
        logits: (..., N, C).
        prior: (..., C).
        weights: (..., N), > 0 for items that are trained on.

    Returns:
        (..., N, C).
    """
    import torch

    if logits.shape[-1] == 2:
        margin = logits[..., 1] - logits[..., 0]
        used = weights > 0
        ranked = torch.where(used, margin, -torch.inf).argsort(dim=-1, descending=True, stable=True)
        rank = torch.empty_like(ranked).scatter_(-1, ranked, torch.arange(ranked.shape[-1]).expand_as(ranked))
        second = rank < (prior[..., 1:] * used.sum(-1, keepdim=True)).round()
        return torch.stack([~second, second], -1).to(logits.dtype)
    choice = (logits + balance(logits, prior, weights).unsqueeze(-2)).argmax(-1)
    return torch.nn.functional.one_hot(choice, logits.shape[-1]).to(logits.dtype)


def balance(logits: Tensor, prior: Tensor, weights: Tensor, rounds: int = 30) -> Tensor:
    """Offsets b (..., C) such that argmax(z + b) has about the prior's class counts, by coordinate steps.

    Each step moves the offset of one class, with the others fixed, until just its share of items prefers that class.
    """
    import torch

    used = (weights > 0).unsqueeze(-1)
    offsets = torch.zeros_like(prior)
    wanted = (prior * used.sum(-2)).round().long()
    for turn in range(rounds):
        c = turn % logits.shape[-1]
        shifted = logits + offsets.unsqueeze(-2)
        others = shifted.clone()
        others[..., c] = -torch.inf
        needed = torch.where(used[..., 0], others.amax(-1) - logits[..., c], torch.inf).sort(-1).values
        last = wanted[..., c].clamp(1, needed.shape[-1] - 1).unsqueeze(-1)
        offsets[..., c] = ((needed.gather(-1, last - 1) + needed.gather(-1, last).clamp(max=1e6)) / 2).squeeze(-1)
    return offsets
