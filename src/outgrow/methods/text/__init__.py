"""Methods for tasks that are answered in words: whole recipes from supervisors' answers to a student that writes.

    @method(paper="Burns et al. 2023, section 3")
    def naive(weak, student):
        return student.tune(weak.examples([beams[0].text for beams in weak.beams[0]]))

One file a paper, found by walking the folder. As in `methods/`, positional arguments are resources found by name, keyword-only ones
hyper-parameters; what comes back is a model. Gold of transfer items is reached through `executor` alone, at a counted price.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from outgrow.core.registry import Registry, marked
from outgrow.generation import Answer
from outgrow.methods import Method, method
from outgrow.verifiers import Verdict

if TYPE_CHECKING:
    from outgrow.training.causal import Example

RESOURCES = {
    "weak": "what the supervisors write to the transfer items (WeakAnswers)",
    "committee": "the same where several supervisors write; needs --weak A+B",
    "likelihood": "(numbers of items, an answer to each) -> (J, answers) log p by each supervisor; needs supervisors that are models",
    "sure": "(n,) mean log p of the tokens of the best supervisor's likeliest answer; needs supervisors that are models",
    "aligned": "the best supervisor's checkpoint after and before gold; needs one that was tuned, with the student's vocabulary",
    "bridge": "(a supervisor's number, numbers of items, an answer to each) -> p of their tokens as the student cuts them; needs the same",
    "student": "the strong model, to be trained on answers to transfer items (Student)",
    "verify": "the task's own check of answers to transfer items, which sees no gold; needs a task that has one",
    "executor": "whether answers to transfer items are right, by gold, each asked for at a counted price (Executor)",
}
"""What a method can ask for, and what a study needs to have it."""

Verify = Callable[[Sequence[int], Sequence[str]], list[Verdict]]
"""(numbers of transfer items, an answer to each) -> what the check says."""


@final
@dataclass(frozen=True)
class WeakAnswers:
    """What J supervisors write to n transfer items."""

    prompts: tuple[str, ...]
    """(n,)"""
    names: tuple[str, ...]
    """(J,)"""
    beams: tuple[tuple[tuple[Answer, ...], ...], ...]
    """[j][i]: at most WIDTH answers of supervisor j to item i, the likeliest first."""
    skill: np.ndarray
    """(J,) share of weak-train answers that each gets right without having seen their gold; equal weights where none is known."""

    @property
    def weights(self) -> np.ndarray:
        """(J,) what each supervisor counts; they sum to 1."""
        total = self.skill.sum()
        return self.skill / total if total > 0 else np.full(len(self.names), 1 / len(self.names))

    @property
    def best(self) -> list[Answer]:
        """(n,) the likeliest answer of the supervisor that is best on weak-train."""
        return [beams[0] for beams in self.beams[int(self.skill.argmax())]]

    @property
    def pooled(self) -> list[list[str]]:
        """(n,) the different answers of all supervisors to each item."""
        return [list(dict.fromkeys(a.text for beams in of for a in beams)) for of in zip(*self.beams, strict=True)]

    def examples(self, answers: Sequence[str | None]) -> list[Example]:
        """One answer an item to be learned; items whose answer is None are left out."""
        from outgrow.training.causal import Example

        asked = enumerate(zip(self.prompts, answers, strict=True))
        return [
            Example(prompt, answer, whole=self.whole(i, answer)) for i, (prompt, answer) in asked if answer is not None
        ]

    def whole(self, item: int, answer: str) -> bool:
        """Whether an answer to an item ends where its text does: not where all who wrote it were cut at the token limit."""
        cut = [one.cut for beams in self.beams for one in beams[item] if one.text == answer]
        return not cut or not all(cut)


TEXT_METHODS = Registry("method for generation tasks", __name__, "outgrow.text_methods", marked(Method))
find, registry = TEXT_METHODS.find, TEXT_METHODS.all

__all__ = ["RESOURCES", "TEXT_METHODS", "Verify", "WeakAnswers", "find", "method", "registry"]
