"""Texts and token ids, as the tokenizer of a checkpoint has it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from outgrow.errors import UserError
from outgrow.models.checkpoints import Model, config_of
from outgrow.models.tokens import tokenizer_of
from outgrow.rng import hashed

_BEFORE = ":"
"""The tokens of a text that goes on are those it has after this; alone, some tokenizers would put a space before it or drop one."""


class Tokenized(ABC):
    """A language model that knows its tokens."""

    name: str

    @property
    @abstractmethod
    def spelled(self) -> Model:
        """The checkpoint whose tokenizer it uses. Raises UserError where none is known."""

    def encode(self, prompt: str, chat: bool) -> list[int]:
        """The ids of a prompt, with the special tokens that the model wants before it. Raises UserError for a chat without a template."""
        if chat:
            if not self._tokenizer.chat_template:
                raise UserError(f"model {self.name!r} has no chat template: use an instruction-tuned model, or prompts to be continued")
            said = [{"role": "user", "content": prompt}]
            text = self._tokenizer.apply_chat_template(said, add_generation_prompt=True, tokenize=False)
            return self._fast.encode(text, add_special_tokens=False).ids
        marks = (self._tokenizer.bos_token_id, self._tokenizer.eos_token_id, 0)
        return self._fast.encode(prompt).ids or [next(mark for mark in marks if mark is not None)]

    def after(self, text: str) -> list[int]:
        """The ids of a text that goes on where a prompt ends, without special tokens."""
        both = self._fast.encode(_BEFORE + text, add_special_tokens=False).ids
        joined = both[: len(self._before)] == self._before
        return both[len(self._before) :] if joined else self._fast.encode(text, add_special_tokens=False).ids

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where in the text the tokens of `after` stand: the first character of each, and the one past its last."""
        both = self._fast.encode(_BEFORE + text, add_special_tokens=False)
        if both.ids[: len(self._before)] != self._before:
            return self._fast.encode(text, add_special_tokens=False).offsets
        return [(max(0, start - len(_BEFORE)), stop - len(_BEFORE)) for start, stop in both.offsets[len(self._before) :]]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids that go on where a prompt ended, special tokens left out."""
        return self._fast.decode([*self._before, *ids])[len(self._fast.decode(self._before)) :]

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """All of them, in the order of their ids."""
        named = {number: token for token, number in self._tokenizer.get_vocab().items()}
        return tuple(named.get(number, "") for number in range(max(named) + 1))

    @cached_property
    def vocabulary(self) -> str:
        """Digest of the tokens in their order."""
        return hashed(*self.tokens)

    @cached_property
    def ends(self) -> frozenset[int]:
        """Ids that end an answer: those of the configurations for generating and of the model, and of the tokenizer."""
        from transformers import GenerationConfig

        named = [config_of(self.spelled.path, self.name).eos_token_id, self._tokenizer.eos_token_id]
        if (self.spelled.path / "generation_config.json").exists():
            named.append(GenerationConfig.from_pretrained(self.spelled.path, local_files_only=True).eos_token_id)
        return frozenset(i for one in named if one is not None for i in (one if isinstance(one, list) else [one]))

    @cached_property
    def _tokenizer(self) -> Any:
        return tokenizer_of(self.spelled)

    @cached_property
    def _fast(self) -> Any:
        fast = self._tokenizer.backend_tokenizer
        fast.no_padding()
        fast.no_truncation()
        return fast

    @cached_property
    def _before(self) -> list[int]:
        return self._fast.encode(_BEFORE, add_special_tokens=False).ids
