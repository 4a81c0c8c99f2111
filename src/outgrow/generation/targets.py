"""Targets of a student from supervisors' answers: which answers to learn, and the loss of a token.

Answers:
    each supervisor's best of its beam, an example of weight u_j: hard, soft and Bayesian targets
    joint decoding: argmax over the pooled answers of sum_j u_j log p_j(answer)

Losses of (logits z, token, its score s, progress t), one for each token; the target y has s at the token, and on the
other tokens the student's own probabilities, detached and scaled to 1 - s:
    hard        -log p(token)
    soft        -sum_k y_k log p_k
    Bayesian    sum_k y_k (log S - log alpha_k + t / V KL[Dir(alpha, but 1 at k) || Dir(1)])
                alpha = e^z + 1, S = sum alpha

over the V tokens of the vocabulary. The losses of supervisors are added with their weights, by way of their examples.

Source: Cui et al. 2025, arXiv 2406.03199.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from outgrow.generation import Answer
from outgrow.losses.evidential import BOUND, misleading
from outgrow.models import loader

TOGETHER = {"cpu": 1 << 17, "accelerator": 1 << 24}
"""Entries of a (tokens, vocabulary) table that the Bayesian loss holds at once."""


def best(beam: Sequence[Answer]) -> Answer:
    """The likeliest answer of a beam, the first of equals."""
    return max(beam, key=lambda answer: sum(answer.logprobs))


def pooled(beams: Sequence[Sequence[Answer]]) -> list[str]:
    """The distinct texts of several supervisors' beams, in their order."""
    return list(dict.fromkeys(answer.text for beam in beams for answer in beam))


def ranked(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Indices (K,) of answers, best first, by sum_j u_j s_jk.

    Args:
        scores: (J, K) log p of K answers by J supervisors.
        weights: (J,) u_j.
    """
    return np.argsort(-(np.asarray(weights) @ np.asarray(scores)), kind="stable")


class TokenLoss(Protocol):
    """A loss of tokens."""

    def __call__(
        self, logits: torch.Tensor, tokens: torch.Tensor, scores: torch.Tensor, progress: float
    ) -> torch.Tensor:
        """Losses (n,) of n tokens.

        Args:
            logits: (n, V), the student's.
            tokens: int64 (n,), the taught tokens.
            scores: (n,) in [0, 1], the supervisor's probability of each.
            progress: share of training that is done, in [0, 1].
        """
        ...


@dataclass(frozen=True)
class Hard:
    """Cross-entropy to the token."""

    def __call__(
        self, logits: torch.Tensor, tokens: torch.Tensor, scores: torch.Tensor, progress: float
    ) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(logits, tokens, reduction="none")


@dataclass(frozen=True)
class Soft:
    """Cross-entropy to y without the part that has no gradient: that of the token against all others together."""

    def __call__(
        self, logits: torch.Tensor, tokens: torch.Tensor, scores: torch.Tensor, progress: float
    ) -> torch.Tensor:
        rest = logits.scatter(1, tokens[:, None], -torch.inf).logsumexp(1)
        return torch.nn.functional.binary_cross_entropy_with_logits(
            logits.gather(1, tokens[:, None])[:, 0] - rest, scores, reduction="none"
        )


@dataclass(frozen=True)
class Bayesian:
    """Evidential loss over the vocabulary; with a self-term g the target is (1-g) y + g 1[student's likeliest token].

    Logits are centred, since an offset changes no probability, and clamped to a bound at which a token has e^10 times
    the evidence of all others. The KL is divided by V, with which it grows: otherwise it would dominate the loss.
    """

    self_term: float = 0.0

    def __call__(
        self, logits: torch.Tensor, tokens: torch.Tensor, scores: torch.Tensor, progress: float
    ) -> torch.Tensor:
        return _InParts.apply(self._part, logits, tokens, scores, progress)

    def _part(self, logits: torch.Tensor, tokens: torch.Tensor, scores: torch.Tensor, progress: float) -> torch.Tensor:
        z, classes = logits.double(), logits.shape[1]
        own = torch.nn.functional.one_hot(z.argmax(1), classes)
        y = (1 - self.self_term) * soft(z.detach(), tokens, scores.double()) + self.self_term * own
        bound = BOUND + math.log(classes)
        alpha = (z - z.mean(1, keepdim=True)).clamp(-bound, bound).exp() + 1
        fit = alpha.sum(1, keepdim=True).log() - alpha.log()
        return (y * (fit + progress / classes * misleading(alpha))).sum(1).to(logits.dtype)


class _InParts(torch.autograd.Function):
    """A loss with its gradient, a few tokens at a time, so that its tables fit into the processor's cache."""

    @staticmethod
    def forward(ctx, loss, logits, tokens, scores, progress):
        rows = max(1, TOGETHER[loader.place(logits.device)] // logits.shape[1])
        losses, gradients = [], []
        for z, *target in zip(logits.split(rows), tokens.split(rows), scores.split(rows), strict=True):
            with torch.enable_grad():
                z = z.detach().requires_grad_()
                losses.append(loss(z, *target, progress))
                gradients += torch.autograd.grad(losses[-1].sum(), z)
        ctx.save_for_backward(torch.cat(gradients))
        return torch.cat(losses).detach()

    @staticmethod
    def backward(ctx, *given):
        return None, given[0][:, None] * ctx.saved_tensors[0], None, None, None


def soft(logits: torch.Tensor, tokens: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """The target y (n, V): scores (n,) at tokens (n,), and elsewhere softmax(logits) scaled to 1 - score."""
    others = logits.scatter(1, tokens[:, None], -torch.inf).softmax(1)
    return (others * (1 - scores[:, None])).scatter(1, tokens[:, None], scores[:, None])
