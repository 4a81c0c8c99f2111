"""Texts and token ids, as the tokenizer of a checkpoint has it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from outgrow.core.errors import UserError
from outgrow.core.seeding import hashed
from outgrow.models.checkpoints import Model, config_of
from outgrow.models.damage import reading
from outgrow.models.tokens import Coder, tokenizer_of

_SAID = "outgrowstandsforwhatissaid"
"""Said once in the place of a prompt, to find what a chat template puts around it."""


class Tokenized(ABC):
    """A language model that knows its tokens."""

    name: str

    @property
    @abstractmethod
    def spelled(self) -> Model:
        """The checkpoint whose tokenizer it uses. Raises UserError where none is known."""

    def encode(self, prompt: str, chat: bool) -> list[int]:
        """The ids of a prompt that the model is to go on from, with the special tokens that it wants before it and none after it.

        What a prompt says is never a control token; what a chat template puts around it is. Raises UserError for a chat without a template.
        """
        if not chat:
            return self._coder.prompt(prompt)
        text = self._chatted(prompt)
        if not self._coder.controls(prompt):
            return self._marked.encode(text, add_special_tokens=False).ids
        around = self._chatted(_SAID).split(_SAID)
        if len(around) != 2 or not (text.startswith(around[0]) and text.endswith(around[1])):
            raise UserError(
                f"a prompt of {self.name!r} holds the text of a control token, and its chat template changes what is said or says it twice: "
                f"take it out of {prompt[:60]!r}"
            )
        begun, ended = (self._marked.encode(part, add_special_tokens=False).ids for part in around)
        return [*begun, *self.after(text[len(around[0]) : len(text) - len(around[1])]), *ended]

    def after(self, text: str) -> list[int]:
        """The ids of a text that goes on where a prompt ends, without special tokens."""
        return self._coder.after(text)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where in the text the tokens of `after` stand: the first character of each, and the one past its last."""
        return self._coder.spans(text)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids that go on where a prompt ended, special tokens left out."""
        fast, before = self._coder.fast, self._coder.before
        return fast.decode([*before, *ids])[len(fast.decode(before)) :]

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
            with reading(f"generation_config.json of {self.name!r}"):
                named.append(GenerationConfig.from_pretrained(self.spelled.path, local_files_only=True).eos_token_id)
        found = [i for one in named if one is not None for i in (one if isinstance(one, list) else [one])]
        if wrong := [i for i in found if isinstance(i, bool) or not isinstance(i, int) or i < 0]:
            raise UserError(
                f"cannot read model {self.name!r}: its eos_token_id is {wrong[0]!r}; see its config.json and generation_config.json"
            )
        return frozenset(found)

    @cached_property
    def _tokenizer(self) -> Any:
        return tokenizer_of(self.spelled)

    @cached_property
    def _coder(self) -> Coder:
        return Coder(self._tokenizer, self.ends)

    @cached_property
    def _marked(self) -> Any:
        """A tokenizer of its own for what chat templates say, in which control tokens are what they are."""
        fast = tokenizer_of(self.spelled).backend_tokenizer
        fast.no_padding()
        fast.no_truncation()
        return fast

    def _chatted(self, prompt: str) -> str:
        """What a user says, in the model's chat template."""
        if not self._tokenizer.chat_template:
            raise UserError(
                f"model {self.name!r} has no chat template: use an instruction-tuned model, or prompts to be continued"
            )
        said = [{"role": "user", "content": prompt}]
        with reading(f"the chat template of {self.name!r}", "see its chat_template.jinja, or tokenizer_config.json"):
            return self._tokenizer.apply_chat_template(said, add_generation_prompt=True, tokenize=False)
