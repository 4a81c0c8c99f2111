"""Methods for generation tasks: whole recipes from supervisors' answers to a tuned student, one paper a file.

    @method(paper="Burns et al. 2023, section 3")
    def naive(weak: WeakAnswers, student: TextStudent) -> Model:
        return student.tune(weak.examples([answer.text for answer in weak.best]))

As in `methods/`, positional arguments are resources, found by name (`TextResources`), and keyword-only arguments are
hyper-parameters. A method returns a model. Only `executor` leads to gold of transfer items, at a counted price.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from outgrow.core.registry import Registry, marked
from outgrow.generation import Answer
from outgrow.methods import Method, method, plain

if TYPE_CHECKING:
    from outgrow.training.causal import Example

RESOURCES = {
    "weak": "the supervisors' answers to the transfer items (WeakAnswers)",
    "committee": "the same of several supervisors; needs --weak A+B",
    "likelihood": "log-probability of answers by each supervisor; needs supervisors that are models",
    "sure": "(n,) mean log p a token of the best supervisor's likeliest answer; needs supervisors that are models",
    "aligned": "the best supervisor's checkpoint after and before gold; needs one tuned, of the student's vocabulary",
    "bridge": "a supervisor's word scores on the student's tokens; needs supervisors that are models",
    "student": "the strong model, to be trained on answers to transfer items (TextStudent)",
    "verify": "the task's own check of answers to transfer items, which sees no gold; needs a task that has one",
    "executor": "whether answers to transfer items are right, by gold, at a counted price (Executor)",
}
"""What a method can ask for (types: `methods/resources.py`), and what a study needs to have it."""


@final
@dataclass(frozen=True)
class WeakAnswers:
    """The answers of J supervisors to n transfer items."""

    prompts: tuple[str, ...]
    """(n,)"""
    names: tuple[str, ...]
    """(J,)"""
    beams: tuple[tuple[tuple[Answer, ...], ...], ...]
    """[j][i]: at most WIDTH answers of supervisor j to item i, in order of likelihood."""
    skill: np.ndarray
    """(J,) share of weak-train items that each answers right without having seen their gold; equal where unknown."""

    @property
    def weights(self) -> np.ndarray:
        """(J,) the weight of each supervisor; they sum to 1."""
        total = self.skill.sum()
        return self.skill / total if total > 0 else np.full(len(self.names), 1 / len(self.names))

    @property
    def best(self) -> list[Answer]:
        """(n,) the likeliest answers of the supervisor that is best on weak-train."""
        return [beams[0] for beams in self.beams[int(self.skill.argmax())]]

    @property
    def pooled(self) -> list[list[str]]:
        """(n,) the distinct answers of all supervisors to each item."""
        return [list(dict.fromkeys(a.text for beams in of for a in beams)) for of in zip(*self.beams, strict=True)]

    def examples(self, answers: Sequence[str | None]) -> list[Example]:
        """Training examples of one answer (n,) an item; items whose answer is None are left out."""
        from outgrow.training.causal import Example

        asked = enumerate(zip(self.prompts, answers, strict=True))
        return [
            Example(prompt, answer, whole=self.whole(i, answer)) for i, (prompt, answer) in asked if answer is not None
        ]

    def whole(self, item: int, answer: str) -> bool:
        """Whether an answer is complete: False where every sample of it was cut at the token limit."""
        cut = [one.cut for beams in self.beams for one in beams[item] if one.text == answer]
        return not cut or not all(cut)


TEXT_METHODS = Registry("method for generation tasks", __name__, "outgrow.text_methods", marked(Method), plain)
find, registry = TEXT_METHODS.find, TEXT_METHODS.all

__all__ = ["RESOURCES", "TEXT_METHODS", "WeakAnswers", "find", "method", "registry"]
