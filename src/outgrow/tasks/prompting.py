"""How the prompts of a task are put to a language model.

    plain    examples + prompt                                                 a text that the model continues
    chat     a user says the prompt                                            the model replies
             a user says the instruction; the reply begins with opening + prompt, and the model continues it

"auto" is chat for a model with a chat template, and plain for any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from outgrow.core.errors import unknown

AUTO, CHAT, PLAIN_FORM = "auto", "chat", "plain"
PROMPT = "{prompt}"
"""Stands for the prompt in an instruction."""
FORMS = (AUTO, CHAT, PLAIN_FORM)


@final
@dataclass(frozen=True)
class Prompting:
    """How prompts are put to a model. Raises UserError for an unknown form.

    Example:
        >>> Prompting("chatty")
        Traceback (most recent call last):
        ...
        outgrow.core.errors.UserError: unknown form of prompts 'chatty': did you mean 'chat'?
    """

    form: str = PLAIN_FORM
    """"auto", "chat" or "plain"."""
    examples: str = ""
    """Before a plain prompt: worked examples that show what an answer looks like."""
    instruction: str = ""
    """What a user says, {prompt} in it being the prompt, to a chat model whose reply begins with the prompt; "": the
    prompt is what the user says."""
    opening: str = ""
    """Text of the reply before the prompt."""

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise unknown("form of prompts", self.form, FORMS)

    def chats(self, template: bool) -> bool:
        """Whether a model is asked in its chat template; `template`: whether it has one."""
        return self.form == CHAT or (self.form == AUTO and template)


PLAIN, USUAL = Prompting(), Prompting(AUTO)
