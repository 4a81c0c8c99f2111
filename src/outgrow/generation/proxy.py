"""Proxy-tuning: a frozen strong model is steered, while it generates, by the change that tuning made to a small one.

    p(x_t | x_<t) = softmax(s_M + alpha (s_M+ - s_M-))

s: logits after x_<t; M the strong model, M+ the tuned small model, M- the small model before; all of one vocabulary.
Log-probabilities do as well as logits: they differ by one number for all tokens, which softmax cancels. At alpha = 0
only M is run.

Source: Liu et al. 2024, arXiv 2401.08565, section 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, final

import numpy as np
import torch

from outgrow.core.errors import UserError
from outgrow.generation import PLAIN, Answer, Prompting, Sampling, decoding
from outgrow.generation.tokenizer import Tokenized
from outgrow.models import Model
from outgrow.store import made_of

if TYPE_CHECKING:
    from outgrow.generation import Steps
    from outgrow.generation.decoding import Decoder

_TOGETHER = 512
"""Tokens whose logits are held at once."""


@final
class ProxyTuned(Tokenized):
    """A language model like any other, made of three.

    Args:
        strong: the model to steer.
        tuned_small: the small model after tuning.
        base_small: the small model before.
        alpha: strength; 1 adds the change once, 0 leaves the strong model as it is.

    Raises:
        UserError: the vocabularies differ, or alpha is no finite number.
    """

    def __init__(self, strong: Decoder, tuned_small: Decoder, base_small: Decoder, alpha: float = 1.0):
        if not np.isfinite(alpha):
            raise UserError(
                f"proxy-tuning with alpha {alpha}: give a number; 1 adds the change of the small model once"
            )
        for small in (tuned_small, base_small):
            _same_tokens(strong, small)
        self.parts = (strong, tuned_small, base_small) if alpha else (strong,)
        self._strong, self._alpha = strong, float(alpha)
        self.name = f"proxy:{strong.name},{tuned_small.name},{base_small.name}" + ("" if alpha == 1 else f",{alpha:g}")
        self.digest = made_of({"proxy": [strong.digest, tuned_small.digest, base_small.digest], "alpha": self._alpha})
        self.engine = "; ".join(dict.fromkeys(part.engine for part in self.parts))
        self.column = 0
        self.rows = decoding.together(len(strong.tokens))

    @property
    def tokenizer_model(self) -> Model:
        """The checkpoint whose tokenizer it uses: the strong one."""
        return self._strong.tokenizer_model

    def sample(
        self, prompts: Sequence[str], n: int, how: Sampling, seeds: Sequence[Sequence[int]]
    ) -> list[list[Answer]]:
        """n answers to each prompt, the k-th to prompt i sampled with seeds[i][k]."""
        prefixes = [self.encode(prompt, how.prompting) for prompt in prompts]
        return decoding.generate(self, prefixes, [row[:n] for row in seeds], how)

    def logprobs(self, prompts: Sequence[str], texts: Sequence[str], prompting: Prompting = PLAIN) -> list[np.ndarray]:
        """For each text after its prompt float32 (T,): log p of its tokens."""
        prefixes = [self.encode(prompt, prompting) for prompt in prompts]
        continuations = [self.after(text) for text in texts]
        found = []
        for part in _slices([len(ids) for ids in continuations]):
            logits = self.logits(prefixes[part], continuations[part])
            for ids, own in zip(continuations[part], logits, strict=True):
                logp = torch.log_softmax(own, 1)
                tokens = torch.tensor(ids, dtype=torch.int64, device=logp.device)
                found.append(logp.gather(1, tokens[:, None])[:, 0].cpu().numpy())
        return found

    def logits(self, prefixes: Sequence[Sequence[int]], texts: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """For each pair float32 (T, V): row t follows the prefix and the first t tokens of the text."""
        logits = [part.logits(prefixes, texts) for part in self.parts]
        return [steer(each, self._alpha) for each in zip(*logits, strict=True)]

    def begin(self, ids: Sequence[Sequence[int]]) -> _ProxySteps:
        """Reads B prefixes of token ids with every part."""
        return _ProxySteps([part.begin(ids) for part in self.parts], self._alpha)


@final
class _ProxySteps:
    """The steps of every part, in step."""

    def __init__(self, parts: Sequence[Steps], alpha: float):
        self._parts, self._alpha = parts, alpha
        self._combine()

    def add(self, tokens: torch.Tensor) -> None:
        """Appends one token to each prefix: int64 (B,)."""
        for part in self._parts:
            part.add(tokens)
        self._combine()

    def keep(self, rows: torch.Tensor) -> None:
        """Continues with these rows, int64, alone; rows may be left out or repeated."""
        for part in self._parts:
            part.keep(rows)
        self._combine()

    def _combine(self) -> None:
        self.logits = steer([part.logits for part in self._parts], self._alpha)


def steer(logits: Sequence[torch.Tensor], alpha: float) -> torch.Tensor:
    """s_M + alpha (s_M+ - s_M-).

    Args:
        logits: s_M, s_M+ and s_M-, each (..., V), or s_M alone. Rows that a model has beyond the others' V are left
            out.
        alpha: strength.
    """
    if len(logits) == 1:
        return logits[0]
    width = min(s.shape[-1] for s in logits)
    strong, tuned, base = (s[..., :width].to(logits[0].device) for s in logits)
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
    """Slices of consecutive rows with at most _TOGETHER tokens, or of a single row."""
    start, tokens = 0, 0
    for at, length in enumerate(lengths):
        if at > start and tokens + length > _TOGETHER:
            yield slice(start, at)
            start, tokens = at, 0
        tokens += length
    if lengths:
        yield slice(start, len(lengths))
