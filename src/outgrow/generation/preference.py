"""Losses of pairs of answers: a is better than b. r(y) = log p(y) - log p_ref(y), a sum over tokens; p_ref: the model before it learns.

DPO             -log sig(beta D), D = r(a) - r(b)                                       Rafailov et al. 2023 (arXiv 2305.18290), eq. 7
conservative    -(1 - eps) log sig(beta D) - eps log sig(-beta D)                       Cui et al. 2025 (arXiv 2406.03199): beta 5, eps .1
weighted        times 2 (sig(|m|) - 1/2), m: by how much a supervisor prefers a         Afzali et al. 2026 (arXiv 2603.04968)
WSPO            mean over the tokens k of a of (beta r_k - (log v_k - log w_k))^2       Zhu et al. 2025 (ICLR): beta .1
                v, w: a weak model after and before it was aligned; b does not count
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, final

import torch


@final
@dataclass(frozen=True)
class PreferencePair:
    """Two answers to a prompt."""

    prompt: str
    chosen: str
    """The better one."""
    rejected: str
    confidence: float = 1.0
    """The pair's share in the loss."""
    whole: tuple[bool, bool] = (True, True)
    """Whether the chosen and the rejected answer end where their texts do; one that was cut at the token limit counts without an end."""


class PairLoss(Protocol):
    """What is minimised over pairs."""

    both: ClassVar[bool]
    """Whether rejected answers count."""

    def __call__(
        self, chosen: Sequence[torch.Tensor], rejected: Sequence[torch.Tensor], weak: Sequence[torch.Tensor]
    ) -> torch.Tensor:
        """(n,) losses, of the r_k (T,) of n chosen and rejected answers and log v_k - log w_k (T,) of the chosen; () where not needed."""
        ...


@dataclass(frozen=True)
class Dpo:
    """Direct preference optimization: plain at eps 0, conservative above."""

    both: ClassVar[bool] = True
    beta: float = 0.1
    eps: float = 0.0

    def __call__(self, chosen, rejected, weak):
        return self.loss(torch.stack([a.sum() - b.sum() for a, b in zip(chosen, rejected, strict=True)]))

    def loss(self, difference: torch.Tensor) -> torch.Tensor:
        """Of D (n,)."""
        sure = torch.nn.functional.logsigmoid
        return -(1 - self.eps) * sure(self.beta * difference) - self.eps * sure(-self.beta * difference)


@dataclass(frozen=True)
class Wspo:
    """Weak-to-strong preference optimization: the strong model moves as aligning has moved a weak one."""

    both: ClassVar[bool] = False
    beta: float = 0.1

    def __call__(self, chosen, rejected, weak):
        return torch.stack(
            [(self.beta * strong - moved).square().mean() for strong, moved in zip(chosen, weak, strict=True)]
        )


def confidence(margin: float) -> float:
    """2 (sig(|m|) - 1/2): 0 where a supervisor prefers neither answer, near 1 where it is sure."""
    return math.tanh(abs(margin) / 2)
