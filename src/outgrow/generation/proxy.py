"""Proxy-tuning: a frozen strong model is steered, while it writes, by what tuning has done to a small one.

    p(x_t | x_<t) = softmax(s_M + alpha (s_M+ - s_M-))        (Liu et al. 2024, arXiv 2401.08565, section 2)

s: logits after x_<t; M strong, M+ the small model tuned, M- the small model as it was; one vocabulary. Log-probabilities do as well
as logits: they are logits less one number for all tokens, and softmax sees no such number. At alpha = 0 M stands alone, and the small
ones are not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, final

import numpy as np
import torch

from outgrow.core.errors import UserError
from outgrow.generation import Answer, Sampling, decoding
from outgrow.generation.tokenizer import Tokenized
from outgrow.models import Model, loader
from outgrow.store import made_of

if TYPE_CHECKING:
    from outgrow.generation import Steps
    from outgrow.generation.decoding import Decoder

_TOGETHER = 512
"""Tokens whose logits are held together."""


@final
class ProxyTuned(Tokenized):
    """A language model like any other, made of three. Raises UserError where their vocabularies differ, or alpha is no finite number."""

    def __init__(self, strong: Decoder, tuned_small: Decoder, base_small: Decoder, alpha: float = 1.0):
        if not np.isfinite(alpha):
            raise UserError(
                f"proxy-tuning with alpha {alpha}: give a number; 1 adds what tuning did to the small model once"
            )
        for small in (tuned_small, base_small):
            _same_tokens(strong, small)
        self.parts = (strong, tuned_small, base_small) if alpha else (strong,)
        self._strong, self._alpha = strong, float(alpha)
        self.name = f"proxy:{strong.name},{tuned_small.name},{base_small.name}" + ("" if alpha == 1 else f",{alpha:g}")
        self.digest = made_of({"proxy": [strong.digest, tuned_small.digest, base_small.digest], "alpha": self._alpha})
        self.engine = "; ".join(dict.fromkeys(part.engine for part in self.parts))
        self.column = 0
        self.rows = decoding.ROWS[loader.device().type]

    @property
    def spelled(self) -> Model:
        """The checkpoint whose tokenizer it uses: the strong one."""
        return self._strong.spelled

    def draw(self, prompts: Sequence[str], n: int, how: Sampling, seeds: Sequence[Sequence[int]]) -> list[list[Answer]]:
        """n answers to each prompt, the k-th to prompt i drawn with seeds[i][k]."""
        begun = [self.encode(prompt, how.chat) for prompt in prompts]
        return decoding.written(self, begun, [row[:n] for row in seeds], how)

    def logprobs(self, prompts: Sequence[str], texts: Sequence[str], chat: bool = False) -> list[np.ndarray]:
        """Of each text after its prompt: float32 (T,) log p of its tokens."""
        begun, then = [self.encode(prompt, chat) for prompt in prompts], [self.after(text) for text in texts]
        found = []
        for some in _slices([len(ids) for ids in then]):
            for ids, logits in zip(then[some], self.logits(begun[some], then[some]), strict=True):
                logp = torch.log_softmax(logits, 1)
                found.append(
                    logp.gather(1, torch.tensor(ids, dtype=torch.int64, device=logp.device)[:, None])[:, 0]
                    .cpu()
                    .numpy()
                )
        return found

    def logits(self, begun: Sequence[Sequence[int]], then: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """Of each pair: float32 (T, V), row t is what is said after `begun` and the first t of `then`."""
        said = [part.logits(begun, then) for part in self.parts]
        return [steered(three, self._alpha) for three in zip(*said, strict=True)]

    def begin(self, ids: Sequence[Sequence[int]]) -> _Steps:
        """Reads B beginnings of token ids, with every part."""
        return _Steps([part.begin(ids) for part in self.parts], self._alpha)


@final
class _Steps:
    """As many caches as there are parts, in step."""

    def __init__(self, parts: Sequence[Steps], alpha: float):
        self._parts, self._alpha = parts, alpha
        self._say()

    def add(self, tokens: torch.Tensor) -> None:
        """One more token each, int64 (B,)."""
        for part in self._parts:
            part.add(tokens)
        self._say()

    def keep(self, rows: torch.Tensor) -> None:
        """Go on with these rows, int64; some may be gone, some come twice."""
        for part in self._parts:
            part.keep(rows)
        self._say()

    def _say(self) -> None:
        self.logits = steered([part.logits for part in self._parts], self._alpha)


def steered(said: Sequence[torch.Tensor], alpha: float) -> torch.Tensor:
    """s_M + alpha (s_M+ - s_M-), each (..., V); of one alone, itself. A model may have rows beyond its tokens: those are left out."""
    if len(said) == 1:
        return said[0]
    width = min(s.shape[-1] for s in said)
    strong, tuned, base = (s[..., :width].to(said[0].device) for s in said)
    return strong + alpha * (tuned - base)


def _same_tokens(one: Decoder, other: Decoder) -> None:
    if one.vocabulary == other.vocabulary:
        return
    both = [model.tokens for model in (one, other)]
    sizes = " and ".join(
        f"{model.name!r} has {len(tokens):,} tokens" for model, tokens in zip((one, other), both, strict=True)
    )
    at, a, b = next((at, a, b) for at, (a, b) in enumerate(zip_longest(*both)) if a != b)
    shown = " against ".join("none" if token is None else repr(token) for token in (a, b))
    raise UserError(
        f"proxy-tuning adds logits token by token: {sizes}, and token {at:,} is {shown}; take models of one vocabulary"
    )


def _slices(lengths: Sequence[int]) -> Iterator[slice]:
    """Consecutive rows of at most _TOGETHER tokens, or a single one."""
    start, tokens = 0, 0
    for at, length in enumerate(lengths):
        if at > start and tokens + length > _TOGETHER:
            yield slice(start, at)
            start, tokens = at, 0
        tokens += length
    if lengths:
        yield slice(start, len(lengths))
