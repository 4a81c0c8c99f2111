"""Texts to token ids and back, by the tokenizer of a checkpoint."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from outgrow.core.errors import UserError
from outgrow.core.seeding import hashed
from outgrow.generation import PLAIN, Prompting
from outgrow.models.checkpoints import Model, config_of
from outgrow.models.damage import reading
from outgrow.models.tokens import Coder, tokenizer_of
from outgrow.tasks.prompting import PROMPT

_PLACEHOLDER = "outgrowstandsforwhatissaid"
"""Stands for a prompt once, to find what a chat template puts around it."""


class Tokenized(ABC):
    """A language model with a known tokenizer."""

    name: str

    @property
    @abstractmethod
    def tokenizer_model(self) -> Model:
        """The checkpoint whose tokenizer it uses. Raises UserError where none is known."""

    @property
    def template(self) -> bool:
        """Whether it has a chat template."""
        return bool(self._tokenizer.chat_template)

    def encode(self, prompt: str, prompting: Prompting = PLAIN) -> list[int]:
        """The ids of a prompt to continue, with the special tokens that the model wants before it and none after.

        Text in a prompt is never a control token; text that a chat template puts around it may be.

        Args:
            prompt: a text.
            prompting: how the prompt is put to the model.

        Raises:
            UserError: there is no chat template, or it cannot keep the prompt's text from being a control token.
        """
        if not prompting.chats(self.template):
            return self._coder.prompt(prompting.examples + prompt)
        if prompting.instruction:
            said = prompting.instruction.replace(PROMPT, prompt)
            return [*self._said(said), *self.after(prompting.opening + prompt)]
        return self._said(prompt)

    def _said(self, prompt: str) -> list[int]:
        """The ids of a user's message in the chat template."""
        text = self._chatted(prompt)
        if not self._coder.controls(prompt):
            return self._marked.encode(text, add_special_tokens=False).ids
        around = self._chatted(_PLACEHOLDER).split(_PLACEHOLDER)
        if len(around) != 2 or not (text.startswith(around[0]) and text.endswith(around[1])):
            raise UserError(
                f"a prompt of {self.name!r} holds the text of a control token, and its chat template changes "
                f"or repeats the prompt: take it out of {prompt[:60]!r}"
            )
        before, behind = (self._marked.encode(part, add_special_tokens=False).ids for part in around)
        return [*before, *self.after(text[len(around[0]) : len(text) - len(around[1])]), *behind]

    def after(self, text: str) -> list[int]:
        """The ids of a text that continues a prompt, without special tokens."""
        return self._coder.after(text)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Positions of the tokens of `after` in the text: (first character, one past the last)."""
        return self._coder.spans(text)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids that continue a prompt, special tokens left out."""
        fast, before = self._coder.fast, self._coder.before
        return fast.decode([*before, *ids])[len(fast.decode(before)) :]

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """All tokens in the order of their ids."""
        named = {number: token for token, number in self._tokenizer.get_vocab().items()}
        return tuple(named.get(number, "") for number in range(max(named) + 1))

    @cached_property
    def vocabulary(self) -> str:
        """Digest of the tokens in their order."""
        return hashed(*self.tokens)

    @cached_property
    def ends(self) -> frozenset[int]:
        """Ids that end an answer: those of the generation configuration, of the model and of the tokenizer."""
        from transformers import GenerationConfig

        named = [config_of(self.tokenizer_model.path, self.name).eos_token_id, self._tokenizer.eos_token_id]
        if (self.tokenizer_model.path / "generation_config.json").exists():
            with reading(f"generation_config.json of {self.name!r}"):
                named.append(
                    GenerationConfig.from_pretrained(self.tokenizer_model.path, local_files_only=True).eos_token_id
                )
        found = [i for one in named if one is not None for i in (one if isinstance(one, list) else [one])]
        if wrong := [i for i in found if isinstance(i, bool) or not isinstance(i, int) or i < 0]:
            raise UserError(
                f"cannot read model {self.name!r}: its eos_token_id is {wrong[0]!r}; "
                "see its config.json and generation_config.json"
            )
        return frozenset(found)

    @cached_property
    def _tokenizer(self) -> Any:
        return tokenizer_of(self.tokenizer_model)

    @cached_property
    def _coder(self) -> Coder:
        return Coder(self._tokenizer, self.ends)

    @cached_property
    def _marked(self) -> Any:
        """A second tokenizer, for chat templates: in it the text of a control token is that token."""
        fast = tokenizer_of(self.tokenizer_model).backend_tokenizer
        fast.no_padding()
        fast.no_truncation()
        return fast

    def _chatted(self, prompt: str) -> str:
        """A user's message in the model's chat template."""
        if not self._tokenizer.chat_template:
            raise UserError(
                f"model {self.name!r} has no chat template: use an instruction-tuned model, or prompts to be continued"
            )
        messages = [{"role": "user", "content": prompt}]
        with reading(f"the chat template of {self.name!r}", "see its chat_template.jinja, or tokenizer_config.json"):
            return self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
