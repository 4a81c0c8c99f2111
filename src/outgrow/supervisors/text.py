"""Who teaches where answers are words.

MODEL           a model that is tuned on the weak-train gold
shots:MODEL     a model that is asked with SHOTS gold examples before every prompt
column:NAME     nobody here: the answers stand in that column of the table; of a list the first counts as the likeliest
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
from outgrow.tasks.generation import GenerationTask

SHOTS = 8
"""Gold examples before the prompt of a supervisor that is shown some."""

Kind = Literal["tuned", "shots", "column"]


@final
@dataclass(frozen=True)
class Named:
    """A supervisor as it is asked for."""

    name: str
    kind: Kind
    of: str
    """The model, or the column."""


@final
@dataclass(frozen=True)
class ModelSupervisor:
    """A weak model that answers."""

    name: str
    task: GenerationTask
    writers: Writers
    model: Model
    before: Model
    """Its checkpoint before it learned from gold."""
    prefix: str = ""
    """What stands before every prompt: examples, of a supervisor that is shown some instead of learning from them."""

    def answers(self, items: Sequence[int]) -> list[str]:
        """(n,) what it writes to these items."""
        return self.writers.likeliest(self.model, self._asked(items))

    def beams(self, items: Sequence[int], width: int) -> list[tuple[Answer, ...]]:
        """At most `width` answers to each item, the likeliest first."""
        return self.writers.beams(self.model, self._asked(items), width)

    def logprobs(self, items: Sequence[int], texts: Sequence[str]) -> list[np.ndarray]:
        """Of an answer to each item (T + 1,) float64: log p of its tokens, and of its end."""
        return self.writers.each(self.model, self._asked(items), texts)

    def _asked(self, items: Sequence[int]) -> list[str]:
        return [self.prefix + self.task.prompts[i] for i in items]


@final
@dataclass(frozen=True)
class RecordedSupervisor:
    """Answers that were written elsewhere."""

    name: str
    rows: Sequence[Sequence[str]]
    """[item]: its different answers."""

    def answers(self, items: Sequence[int]) -> list[str]:
        """(n,) the first answer to each item."""
        return [self.rows[i][0] for i in items]

    def beams(self, items: Sequence[int], width: int) -> list[tuple[Answer, ...]]:
        """At most `width` answers to each item; nothing is known of their tokens."""
        return [tuple(Answer(text, (), (), "stop", 0) for text in self.rows[i][:width]) for i in items]


Supervisor = ModelSupervisor | RecordedSupervisor


def parse(weak: str) -> list[Named]:
    """The supervisors of "a+b". Raises UserError, one line."""
    found = []
    for name in weak.split("+"):
        kind, colon, of = name.partition(":")
        if not kind or (colon and not of):
            raise UserError(f"supervisor {name!r}: give a model, shots:MODEL or column:NAME")
        found.append(Named(name, kind, of) if colon and kind in ("shots", "column") else Named(name, "tuned", name))  # type: ignore[arg-type]
    return found


def shown(task: GenerationTask, answers: Mapping[int, str]) -> str:
    """Items with gold answers, as they stand before a prompt."""
    return "".join(f"{task.prompts[i]}{answer}\n\n" for i, answer in answers.items())
