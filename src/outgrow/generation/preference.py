"""Losses of pairs of answers, a preferred to b.

    r(y) = log p(y) - log p_ref(y), a sum over tokens; p_ref: the model before training

    DPO             -log sig(beta D), D = r(a) - r(b)
    conservative    -(1 - eps) log sig(beta D) - eps log sig(-beta D)                       beta 5, eps .1
    weighted        DPO times 2 (sig(|m|) - 1/2), m: a supervisor's margin between a and b
    WSPO            mean over the tokens k of a of (beta r_k - (log v_k - log w_k))^2       beta .1
                    v, w: a weak model after and before it was aligned; b does not count

Source: DPO Rafailov et al. 2023 (arXiv 2305.18290), eq. 7; conservative Cui et al. 2025 (arXiv 2406.03199); weighted
Afzali et al. 2026 (arXiv 2603.04968); WSPO Zhu et al. 2025 (ICLR).
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
    """Two answers to a prompt, one better than the other."""

    prompt: str
    chosen: str
    """The better answer."""
    rejected: str
    confidence: float = 1.0
    """The pair's weight in the loss."""
    whole: tuple[bool, bool] = (True, True)
    """Whether (chosen, rejected) end with their texts; one that was cut at the token limit has no end token."""


class PairLoss(Protocol):
    """A loss over pairs."""

    both: ClassVar[bool]
    """Whether rejected answers are needed."""

    def __call__(
        self, chosen: Sequence[torch.Tensor], rejected: Sequence[torch.Tensor], weak: Sequence[torch.Tensor]
    ) -> torch.Tensor:
        """Losses (n,) of n pairs.

        Args:
            chosen: n arrays (T,): r_k of the tokens of each chosen answer.
            rejected: n arrays (T,): of each rejected answer; () where `both` is False.
            weak: n arrays (T,): log v_k - log w_k of the chosen; () where not needed.
        """
        ...


@dataclass(frozen=True)
class Dpo:
    """Direct preference optimization: plain at eps 0, conservative above."""

    both: ClassVar[bool] = True
    beta: float = 0.1
    eps: float = 0.0

    def __call__(
        self, chosen: Sequence[torch.Tensor], rejected: Sequence[torch.Tensor], weak: Sequence[torch.Tensor]
    ) -> torch.Tensor:
        return self.loss(torch.stack([a.sum() - b.sum() for a, b in zip(chosen, rejected, strict=True)]))

    def loss(self, difference: torch.Tensor) -> torch.Tensor:
        """Losses (n,) of differences D (n,)."""
        sure = torch.nn.functional.logsigmoid
        return -(1 - self.eps) * sure(self.beta * difference) - self.eps * sure(-self.beta * difference)


@dataclass(frozen=True)
class Wspo:
    """Weak-to-strong preference optimization: the strong model moves as alignment moved a weak one."""

    both: ClassVar[bool] = False
    beta: float = 0.1

    def __call__(
        self, chosen: Sequence[torch.Tensor], rejected: Sequence[torch.Tensor], weak: Sequence[torch.Tensor]
    ) -> torch.Tensor:
        return torch.stack(
            [(self.beta * strong - moved).square().mean() for strong, moved in zip(chosen, weak, strict=True)]
        )


def confidence(margin: float) -> float:
    """2 (sig(|m|) - 1/2) of a margin m: 0 where a supervisor prefers neither answer, near 1 where it is sure."""
    return math.tanh(abs(margin) / 2)
