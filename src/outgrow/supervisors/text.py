"""Supervisors of generation tasks.

MODEL           a model tuned on weak-train gold
shots:MODEL     a model with SHOTS gold examples before every prompt
column:NAME     recorded answers in that column of the table; the first of a list counts as the likeliest
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from outgrow.core.errors import UserError
from outgrow.generation import Answer
from outgrow.models import Model
from outgrow.students.generator import Writers
from outgrow.tasks.task import GenerationTask
from outgrow.training import pruned

KINDS = ("shots:MODEL", "column:NAME")
SHOTS = 8
"""Number of gold examples in a few-shot prompt."""


@final
@dataclass(frozen=True)
class Named:
    """A supervisor as it is named."""

    name: str
    kind: Literal["tuned", "shots", "column"]
    of: str
    """The name of the model or the column."""


@final
@dataclass(frozen=True)
class ModelSupervisor:
    """A weak language model."""

    name: str
    task: GenerationTask
    writers: Writers
    model: Model
    before: Model
    """The checkpoint before it was tuned on gold."""
    prefix: str = ""
    """The text before every prompt: the gold examples of a few-shot supervisor."""

    def answers(self, items: Sequence[int]) -> list[str]:
        """(n,) its greedy answers to these items."""
        return self.writers.likeliest(self.model, self._asked(items))

    def beams(self, items: Sequence[int], width: int) -> list[tuple[Answer, ...]]:
        """At most `width` answers to each item, in order of likelihood."""
        return self.writers.beams(self.model, self._asked(items), width)

    def logprobs(self, items: Sequence[int], texts: Sequence[str]) -> list[np.ndarray]:
        """For an answer to each item (T + 1,) float64: log p of its tokens, and of its end."""
        return self.writers.each(self.model, self._asked(items), texts)

    def _asked(self, items: Sequence[int]) -> list[str]:
        return [self.prefix + self.task.prompts[i] for i in items]


@final
@dataclass(frozen=True)
class RecordedSupervisor:
    """A supervisor whose answers were recorded elsewhere."""

    name: str
    rows: Sequence[Sequence[str]]
    """[item]: the distinct answers to it."""

    def answers(self, items: Sequence[int]) -> list[str]:
        """(n,) the first answer to each item."""
        return [self.rows[i][0] for i in items]

    def beams(self, items: Sequence[int], width: int) -> list[tuple[Answer, ...]]:
        """At most `width` answers to each item, without tokens."""
        return [tuple(Answer(text, (), (), "stop", 0) for text in self.rows[i][:width]) for i in items]


Supervisor = ModelSupervisor | RecordedSupervisor


def parse(weak: str) -> list[Named]:
    """The supervisors of a name such as "a+b". Raises UserError for a part that is empty.

    Example:
        >>> [(one.kind, one.of) for one in parse("smollm2-135m+column:old")]
        [('tuned', 'smollm2-135m'), ('column', 'old')]
    """
    found = []
    for name in weak.split("+"):
        kind, colon, of = name.partition(":")
        if not kind or (colon and not of):
            raise UserError(f"supervisor {name!r}: give a model, shots:MODEL or column:NAME")
        if colon and kind == "shots":
            found.append(Named(name, "shots", of))
        elif colon and kind == "column":
            found.append(Named(name, "column", of))
        else:
            found.append(Named(name, "tuned", name))
    return found


def columns(names: Sequence[str]) -> list[str]:
    """The columns of recorded answers that supervisors of these names read."""
    return [one.of for name in names for one in parse(name) if one.kind == "column"]


def check(weak: str) -> None:
    """Raises UserError for a name that no supervisors can have, with the nearest kind or model; fetches nothing."""
    for one in parse(weak):
        if one.kind == "tuned":
            pruned.check(one.of, "supervisor", (*KINDS, pruned.USAGE))
        elif one.kind == "shots":
            pruned.check(one.of, "model of supervisor shots")


def shown(task: GenerationTask, answers: Mapping[int, str]) -> str:
    """Items with gold answers, as the beginning of a few-shot prompt."""
    return "".join(f"{task.prompts[i]}{answer}\n\n" for i, answer in answers.items())
