"""What a student is taught of an answer's tokens: losses of (logits, token, its score, progress), a number a token.

    hard    -log p(y)
    soft    -s log p(y) - (1 - s) log(1 - p(y))          s: the score of token y
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch


class TokenObjective(Protocol):
    """logits (n, V), tokens int64 (n,), scores float (n,) in [0, 1], progress in [0, 1] -> losses (n,)."""

    def __call__(self, logits: torch.Tensor, tokens: torch.Tensor, scores: torch.Tensor, progress: float) -> torch.Tensor:
        """The loss of every token."""
        ...


@dataclass(frozen=True)
class Hard:
    """Cross-entropy to the token."""

    def __call__(self, logits, tokens, scores, progress):
        return torch.nn.functional.cross_entropy(logits, tokens, reduction="none")


@dataclass(frozen=True)
class Soft:
    """Cross-entropy to a distribution that gives the token its score, and the others the rest in the proportions that the student gives them.

    The others' proportions pass no gradient; what is left of the loss is that of the token against all others.
    """

    def __call__(self, logits, tokens, scores, progress):
        rest = logits.scatter(1, tokens[:, None], -torch.inf).logsumexp(1)
        return torch.nn.functional.binary_cross_entropy_with_logits(logits.gather(1, tokens[:, None])[:, 0] - rest, scores, reduction="none")
