"""How language models are asked for labels: what a user may say about it, and the prompts that follow."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from outgrow.core.errors import UserError
from outgrow.tasks.prompting import AUTO, Prompting

INSTRUCTIONS = "Read the text and say which label fits it."
_DECORATION = re.compile(r"[\W_]*")
_JOINTS = re.compile(r"[\s_-]+")
_DENIAL = re.compile(r"(?<!\w)(?:no|not|non|never|neither|nor|cannot)(?!\w)|n['’]t(?!\w)")
"""What may turn the meaning of a word that comes after it."""


@final
@dataclass(frozen=True)
class Asking:
    """How models are asked for labels.

    On the command line each field is the flag of the same name.

    Example:
        >>> Asking(words=("bad", "good"), samples=-1)
        Traceback (most recent call last):
        ...
        outgrow.core.errors.UserError: `samples` = -1: give a number from 0 on
    """

    words: tuple[str, ...] = ()
    """What a model answers for each of the classes, in their order; the names of the classes where not given."""
    instructions: Path | None = None
    """A text file: what a model is told before the text."""
    examples: Path | None = None
    """A table of a few texts with their classes in `label`, which every prompt shows."""
    prompting: str = AUTO
    """How models are asked: chat, plain, or auto, which is chat for servers and for models with a chat template."""
    balance: bool = False
    """The classes have about equal shares: each class's probabilities are divided by their mean over the table."""
    samples: int = 4
    """Answers that are sampled, for each order of the labels, from a server that gives no log-probabilities; with 0 it
    is refused."""

    def __post_init__(self) -> None:
        Prompting(self.prompting)
        if self.samples < 0:
            raise UserError(f"`samples` = {self.samples}: give a number from 0 on")


@final
@dataclass(frozen=True)
class Question:
    """What is asked about every text."""

    words: tuple[str, ...]
    """What may be answered, a word a class."""
    instructions: str = INSTRUCTIONS
    examples: tuple[tuple[str, str], ...] = ()
    """Texts, and the word that is right for each."""

    def prompts(self, text: str, chat: bool) -> tuple[str, str]:
        """The prompts about a text, with the words in their order and in the reverse order.

        The words stand after the text, so that a model reads what both prompts share once.

        Args:
            text: what is to be labelled.
            chat: whether the prompt is what a user says; else the model continues it.

        Example:
            >>> one, other = Question(("ham", "spam")).prompts("Win a prize", chat=True)
            >>> one.splitlines()[-1], other.splitlines()[-1]
            ('Label (ham or spam):', 'Label (spam or ham):')
        """
        shown = "".join(f"Text: {example}\nLabel: {word}\n\n" for example, word in self.examples)
        head = f"{self.instructions}\n\n{shown}Text: {text}\n\n"
        tail = "Answer with the label alone.\n" if chat else ""
        one, other = (f"{head}{tail}Label ({_listed(words)}):" for words in (self.words, self.words[::-1]))
        return one, other


def _listed(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}"


def spelled(text: str) -> str:
    """A word or an answer as they are compared: without case, decoration before it, and kinds of joints.

    Example:
        >>> spelled("**Not_Spam"), spelled(" not-spam.")
        ('not spam', 'not spam.')
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _JOINTS.sub(" ", folded[_DECORATION.match(folded).end() :])  # type: ignore[union-attr]


def named(answer: str, words: Sequence[str]) -> int | None:
    """The index of the word that an answer gives: the longest that it begins with, else the only one that it holds.

    A word that it holds after a denial is not given.

    Example:
        >>> [named(answer, ["ham", "spam"]) for answer in ("Spam.", "The label is ham", "Not spam", "who knows")]
        [1, 0, None, None]
    """
    said, known = spelled(answer), [spelled(word) for word in words]
    begun = [word for word in known if said.startswith(word) and not said[len(word) :][:1].isalnum()]
    if begun:
        return known.index(max(begun, key=len))
    found = {word: re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said) for word in known}
    start = {word: match.start() for word, match in found.items() if match is not None}
    held = [word for word in start if not any(word in other for other in start if other != word)]
    if len(held) != 1 or _DENIAL.search(said[: start[held[0]]]):
        return None
    return known.index(held[0])
