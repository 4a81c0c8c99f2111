"""Language models that write: draw answers, say how likely given answers are, and what comes next.

    model = named("smollm2-135m", store)    (training/names.py)
    drawn = answers.draw(model, prompts, 8, Sampling(), seed=0, store=store)    drawn[i][k]: Answer k to prompt i, each kept

Nothing heavy is imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, final

import numpy as np

from outgrow.core.errors import UserError

if TYPE_CHECKING:
    import torch


@final
@dataclass(frozen=True)
class Sampling:
    """How answers are drawn."""

    tokens: int = 256
    """Most tokens of an answer."""
    temperature: float = 1.0
    """0: the likeliest token each time, and every draw is the same."""
    top_p: float = 1.0
    """Tokens are drawn among the likeliest whose probabilities reach this sum."""
    stop: tuple[str, ...] = ()
    """An answer ends before the first of these."""
    chat: bool = False
    """The prompt is what a user says, put into the model's own chat template; else a text to be continued."""

    def __post_init__(self) -> None:
        for name, value, good, wanted in (
            ("tokens", self.tokens, self.tokens >= 1, "at least 1"),
            ("temperature", self.temperature, 0 <= self.temperature < float("inf"), "0 or more"),
            ("top_p", self.top_p, 0 < self.top_p <= 1, "above 0 and at most 1"),
        ):
            if not good:
                raise UserError(f"answers cannot be drawn with {name} {value}: it must be {wanted}")


@final
@dataclass(frozen=True)
class Answer:
    """What a model wrote once."""

    text: str
    logprobs: tuple[float, ...]
    """Of each of its tokens given those before it, at temperature 1; the token that ended it is among them."""
    tokens: tuple[int, ...]
    """Their ids; () where a server does not tell."""
    ended: str
    """"stop" (by itself or at a stop text), "length" (cut off), "failed" (an endpoint gave none; the text is empty)."""
    seed: int
    """What it was drawn with: derived from the study's seed, the prompt and the number of the draw."""

    @property
    def cut(self) -> bool:
        """Whether it was cut at the token limit: it says nothing of where an answer ends."""
        return self.ended == "length"


class LanguageModel(Protocol):
    """What writes. All back ends and `ProxyTuned` have this shape."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str:
        """Pins the bytes that answer, as far as they can be known."""
        ...

    @property
    def engine(self) -> str:
        """What computes, with its version and precision."""
        ...

    def draw(self, prompts: Sequence[str], n: int, how: Sampling, seeds: Sequence[Sequence[int]]) -> list[list[Answer]]:
        """n answers to each prompt, the k-th to prompt i drawn with seeds[i][k], whatever stands beside it."""
        ...

    def logprobs(self, prompts: Sequence[str], texts: Sequence[str], chat: bool = False) -> list[np.ndarray]:
        """Of each text after its prompt: float32 (T,) log p of its tokens, the end of the text not among them."""
        ...


class Stepwise(LanguageModel, Protocol):
    """A language model that says what comes next: what proxy-tuning and beams are made of."""

    @property
    def vocabulary(self) -> str:
        """Digest of its tokens in their order: models with the same can be added up."""
        ...

    def begin(self, ids: Sequence[Sequence[int]]) -> Steps:
        """Reads B beginnings of token ids."""
        ...

    def logits(self, begun: Sequence[Sequence[int]], then: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """Of each pair of token ids: float32 (T, V), row t what is said after `begun` and the first t of the T ids `then`."""
        ...


class Steps(Protocol):
    """Where B beginnings stand, with the model's cache of them."""

    logits: torch.Tensor
    """float32 (B, V): what comes next."""

    def add(self, tokens: torch.Tensor) -> None:
        """One more token each, int64 (B,)."""
        ...

    def keep(self, rows: torch.Tensor) -> None:
        """Go on with these rows, int64; some may be gone, some come twice."""
        ...


__all__ = ["Answer", "LanguageModel", "Sampling", "Steps", "Stepwise"]
