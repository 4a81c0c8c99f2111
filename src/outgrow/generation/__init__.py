"""Language models: back ends that sample answers, score given answers, and say what token comes next.

    model = named("smollm2-135m", store)                                    (training/names.py)
    samples = answers.sample(model, prompts, 8, Sampling(), seed=0, store=store)
    samples.answers[i][k]                                                   Answer k to prompt i, kept in the store

`local.py` runs a checkpoint in this process, `server.py` asks a server, `proxy.py` steers one model by two others,
`records.py` reads answers from a file. Nothing heavy is imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, final, runtime_checkable

import numpy as np

from outgrow.core.errors import UserError
from outgrow.tasks.prompting import PLAIN, Prompting

if TYPE_CHECKING:
    import torch


@final
@dataclass(frozen=True)
class Sampling:
    """How answers are sampled. Raises UserError for a value out of range."""

    tokens: int = 256
    """At most so many tokens of an answer."""
    temperature: float = 1.0
    """0: the likeliest token each time, so that all samples are the same."""
    top_p: float = 1.0
    """Tokens are sampled among the likeliest whose probabilities reach this sum."""
    stop: tuple[str, ...] = ()
    """An answer ends before the first of these texts."""
    prompting: Prompting = PLAIN
    """How prompts are put to the model."""

    def __post_init__(self) -> None:
        for name, value, good, wanted in (
            ("tokens", self.tokens, self.tokens >= 1, "at least 1"),
            ("temperature", self.temperature, 0 <= self.temperature < float("inf"), "0 or more"),
            ("top_p", self.top_p, 0 < self.top_p <= 1, "above 0 and at most 1"),
        ):
            if not good:
                raise UserError(f"answers cannot be sampled with {name} {value}: it must be {wanted}")


@final
@dataclass(frozen=True)
class Answer:
    """One sampled answer of a model to one prompt."""

    text: str
    logprobs: tuple[float, ...]
    """log p of each of its tokens given those before it, at temperature 1; the token that ended it is among them."""
    tokens: tuple[int, ...]
    """Ids of its tokens; () where a server does not give them."""
    ended: str
    """"stop" (by itself or at a stop text), "length" (cut at the token limit) or "failed" (a server gave none)."""
    seed: int
    """Of its sample: derived from the study's seed, the prompt and the index of the sample."""

    @property
    def cut(self) -> bool:
        """Whether it was cut at the token limit, so that its last token is not where an answer ends."""
        return self.ended == "length"


class LanguageModel(Protocol):
    """A model that generates text. All back ends and `ProxyTuned` have this shape."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str:
        """Pins the model's bytes, as far as they can be known."""
        ...

    @property
    def engine(self) -> str:
        """The software that computes, with its version and precision."""
        ...

    def sample(
        self, prompts: Sequence[str], n: int, how: Sampling, seeds: Sequence[Sequence[int]]
    ) -> list[list[Answer]]:
        """n answers to each prompt.

        Args:
            prompts: P texts.
            n: answers to each.
            how: token limit, temperature, ...
            seeds: P lists of at least n; the k-th answer to prompt i is sampled with seeds[i][k], whatever stands
                beside it.
        """
        ...

    def logprobs(self, prompts: Sequence[str], texts: Sequence[str], prompting: Prompting = PLAIN) -> list[np.ndarray]:
        """Scores of given texts.

        Args:
            prompts: P texts.
            texts: P texts, each after its prompt.
            prompting: how prompts are put to the model.

        Returns:
            P arrays float32 (T,): log p of each token of the text, the end of the text not among them.
        """
        ...


@runtime_checkable
class ChatModel(Protocol):
    """A language model that knows whether it has a chat template."""

    @property
    def template(self) -> bool: ...


def chats(model: LanguageModel, prompting: Prompting) -> bool:
    """Whether the model is asked in its chat template."""
    return prompting.chats(isinstance(model, ChatModel) and model.template)


class Stepwise(LanguageModel, Protocol):
    """A language model that says what token comes next: what proxy-tuning and beam search need."""

    @property
    def vocabulary(self) -> str:
        """Digest of its tokens in their order: logits of models with the same vocabulary can be added."""
        ...

    def begin(self, ids: Sequence[Sequence[int]]) -> Steps:
        """Reads B prefixes of token ids."""
        ...

    def logits(self, prefixes: Sequence[Sequence[int]], texts: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """Logits of every token of texts after their prefixes, both token ids.

        Returns:
            For each pair float32 (T, V): row t follows the prefix and the first t of the text's T tokens.
        """
        ...


class Steps(Protocol):
    """B prefixes that are continued token by token, with the model's cache of them."""

    logits: torch.Tensor
    """float32 (B, V): of the next token."""

    def add(self, tokens: torch.Tensor) -> None:
        """Appends one token to each prefix: int64 (B,)."""
        ...

    def keep(self, rows: torch.Tensor) -> None:
        """Continues with these rows, int64, alone; rows may be left out or repeated."""
        ...


__all__ = ["PLAIN", "Answer", "ChatModel", "LanguageModel", "Prompting", "Sampling", "Steps", "Stepwise", "chats"]
