"""Supervisors: anything weak that labels items with class probabilities. One file a kind, found by walking the folder.

A name is `KIND:ARGUMENT` (`prompt:smollm2-135m`, `column:rule_1`), a bare kind that needs no argument (`tfidf`), or a
bare model name, which means `probe:MODEL`. Several joined by `+` supervise together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from outgrow.core.errors import UserError, unknown
from outgrow.core.registry import Registry, first_line, mark, marked
from outgrow.models import files, scratch
from outgrow.tasks.task import Task


@final
@dataclass(frozen=True)
class SupervisorView:
    """What a supervisor may look at: the task, and gold on this replicate's weak-train rows only."""

    task: Task
    gold: np.ndarray
    """(R, N) int64: class of the weak-train rows that it may learn from, -1 everywhere else."""
    pool: np.ndarray
    """(N,) bool: items that are not test."""
    seed: int
    replicates: tuple[int, ...]
    store: Any
    spaces: Any
    """`spaces(model, pool)`: the features of the task's items in a model."""
    head: str
    """What is trained on features: "linear" or "mlp"."""
    truth: np.ndarray | None = None
    """(N,) all gold, for planted supervisors alone."""
    strong: str = ""
    """The student's model, for planted supervisors alone."""

    def targets(self) -> np.ndarray:
        """One-hot gold (R, N, C) float32; NaN where there is none."""
        out = np.eye(len(self.task.classes), dtype=np.float32)[self.gold]
        out[self.gold < 0] = np.nan
        return out


@final
@dataclass(frozen=True)
class Kind:
    """A kind of supervisor: `label(view, argument) -> probabilities (R, N, C) float32`, NaN over C = abstained."""

    name: str
    line: str
    label: Callable[[SupervisorView, str], np.ndarray]
    argument: str
    learns: bool
    """Whether its labels depend on gold, and so on the replicate."""
    planted: bool
    """Whether its errors are planted, which takes all gold."""
    check: Callable[[str], object] | None
    """Raises UserError for an argument that can mean nothing, before anything expensive is done."""

    @property
    def teachable(self) -> bool:
        """Whether more gold mends it: planted errors are what they are, whatever is learned."""
        return self.learns and not self.planted


def supervisor(
    *, argument: str = "", learns: bool = True, planted: bool = False, check: Callable[[str], object] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a function as a kind of supervisor, named like the function; `argument` names what follows the colon."""

    def marker(label: Callable[..., Any]) -> Callable[..., Any]:
        return mark(label, Kind(label.__name__, first_line(label), label, argument, learns, planted, check))

    return marker


SUPERVISORS = Registry("kind of supervisor", __name__, "outgrow.supervisors", marked(Kind))
find, registry = SUPERVISORS.find, SUPERVISORS.all


def spread(name: str, task: Task) -> str:
    """The name with every column that holds lists of votes as its voters: column:c becomes column:c[0]+column:c[1]+..."""
    out = []
    for member in name.split("+"):
        kind, _, column = member.partition(":")
        lists = kind == "column" and column not in task.votes
        out += [f"column:{voter}" for voter in task.votes if lists and voter.startswith(f"{column}[")] or [member]
    return "+".join(out)


def parse(name: str) -> list[tuple[Kind, str]]:
    """The (kind, argument) of each member of a name."""
    kinds = registry()
    out = []
    for member in name.split("+"):
        word, colon, argument = member.partition(":")
        if word in kinds:
            kind = kinds[word]
            if bool(kind.argument) != bool(argument):
                usage = f"{word}:{kind.argument.upper()}" if kind.argument else word
                raise UserError(f"supervisor {member!r}: write it as {usage}")
            if kind.check:
                kind.check(argument)
            out.append((kind, argument))
        elif (
            colon
            and "/" not in word
            and not files.named(member)
            and not scratch.named(member)
            and not scratch.patched(member)
        ):
            raise unknown("kind of supervisor", word, kinds)
        else:
            out.append((kinds["probe"], member))
    return out
