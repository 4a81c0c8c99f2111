"""Supervisors: anything weak that labels items with class probabilities; one kind a file.

    @supervisor(argument="name", learns=False)
    def column(view: SupervisorView, name: str) -> np.ndarray: ...        probabilities (R, N, C), NaN for an abstention

A name is `KIND:ARGUMENT` (`prompt:smollm2-135m`, `column:rule_1`), a bare kind that needs no argument (`tfidf`), or a
bare model name, which means `probe:MODEL`. Several names joined by `+` supervise together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, final

import numpy as np

from outgrow.core.errors import UserError, unknown
from outgrow.core.registry import Registry, first_line, mark, marked, name_of
from outgrow.models import checkpoints, files, scratch
from outgrow.tasks.task import Task

if TYPE_CHECKING:
    from outgrow.store import Store
    from outgrow.students.convnet import Pictures
    from outgrow.students.probe import Space

F = TypeVar("F", bound=Callable[..., np.ndarray])


class FeatureSpaces(Protocol):
    """Features and images of the task's items by model."""

    def __call__(self, model: str, pool: np.ndarray) -> Space:
        """The features in a model; `pool` (N,) bool sets means and scales."""
        ...

    def pictures(self, model: str) -> Pictures:
        """The images for a network that is trained from scratch."""
        ...


@final
@dataclass(frozen=True)
class SupervisorView:
    """The inputs of a supervisor: the task, and gold of the replicates' weak-train rows alone."""

    task: Task
    gold: np.ndarray
    """(R, N) int64: class numbers of the weak-train rows that it may learn from, -1 elsewhere."""
    pool: np.ndarray
    """(N,) bool: items that are not test."""
    seed: int
    replicates: tuple[int, ...]
    store: Store
    spaces: FeatureSpaces
    head: str
    """The kind of head on features: "linear" or "mlp"."""
    truth: np.ndarray | None = None
    """(N,) all gold; only for planted supervisors."""
    strong: str = ""
    """The student's model; only for planted supervisors."""

    def targets(self) -> np.ndarray:
        """One-hot gold (R, N, C) float32; NaN where there is none."""
        out = np.eye(len(self.task.classes), dtype=np.float32)[self.gold]
        out[self.gold < 0] = np.nan
        return out


@final
@dataclass(frozen=True)
class Kind:
    """A registered kind of supervisor."""

    name: str
    line: str
    label: Callable[..., np.ndarray]
    """(view, argument) or (view) -> probabilities (R, N, C) float32, NaN for an abstention."""
    argument: str
    """The name of the argument; "" if there is none."""
    learns: bool
    """Whether its labels depend on gold, and so on the replicate."""
    planted: bool
    """Whether its errors are planted, for which it sees all gold."""
    check: Callable[[str], object] | None
    """Raises UserError for an invalid argument, before anything expensive is done."""

    @property
    def teachable(self) -> bool:
        """Whether more gold improves it; planted errors do not depend on gold."""
        return self.learns and not self.planted


def supervisor(
    *, argument: str = "", learns: bool = True, planted: bool = False, check: Callable[[str], object] | None = None
) -> Callable[[F], F]:
    """Mark a function as a kind of supervisor of the same name.

    Args:
        argument: the name of the part after the colon; "" if there is none.
        learns: whether labels depend on gold, and so on the replicate.
        planted: whether errors are planted, for which it sees all gold.
        check: raises UserError for an invalid argument.

    Example:
        >>> @supervisor(learns=False)
        ... def even(view):
        ...     '''Even odds of every item.'''
        ...     classes = len(view.task.classes)
        ...     return np.full((len(view.gold), len(view.task), classes), 1 / classes, np.float32)
        >>> SUPERVISORS.of(even).line
        'Even odds of every item.'
    """

    def marker(label: F) -> F:
        return mark(label, Kind(label.__name__, first_line(label), label, argument, learns, planted, check))

    return marker


def _plain(function: Callable[..., Any]) -> Kind:
    from outgrow.supervisors._functions import from_texts, from_view, takes_view

    name, learns = name_of(function), takes_view(function)
    return Kind(
        name, first_line(function), partial(from_view if learns else from_texts, function), "", learns, False, None
    )


SUPERVISORS = Registry("supervisor", __name__, "outgrow.supervisors", marked(Kind), _plain)
find, registry = SUPERVISORS.find, SUPERVISORS.all


def spread(name: str, task: Task) -> str:
    """The name with columns of lists split by annotator: column:c becomes column:c[0]+column:c[1]+..."""
    out = []
    for member in name.split("+"):
        kind, _, column = member.partition(":")
        lists = kind == "column" and column not in task.votes
        out += [f"column:{voter}" for voter in task.votes if lists and voter.startswith(f"{column}[")] or [member]
    return "+".join(out)


def columns(names: Sequence[str]) -> list[str]:
    """The columns of votes that supervisors of these names read."""
    return [argument for name in names for kind, argument in parse(name) if kind.name == "column"]


def models_of(names: Sequence[str]) -> list[str]:
    """The models that supervisors of these names are made of."""
    return [argument for name in names for kind, argument in parse(name) if kind.argument == "model"]


def parse(name: str) -> list[tuple[Kind, str]]:
    """Kind and argument of each part of a name. Raises UserError for an unknown kind or a wrong argument."""
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
            and not scratch.of_chess(member)
        ):
            raise unknown("kind of supervisor", word, (one.partition(":")[0] for one in _words()))
        else:
            out.append((kinds["probe"], member))
    return out


def check(name: str) -> None:
    """Raises UserError for a name that no supervisors can have, with the nearest kind or model; fetches nothing."""
    for member, (kind, argument) in zip(name.split("+"), parse(name), strict=True):
        if kind.argument == "model":
            bare = member == argument
            what, words = ("supervisor", _words()) if bare else (f"model of supervisor {kind.name}", checkpoints.WORDS)
            checkpoints.check(argument, what, words)


def _words() -> list[str]:
    """What a supervisor may be called beside the name of a model."""
    kinds = (f"{kind.name}:{kind.argument.upper()}" if kind.argument else kind.name for kind in registry().values())
    return [*kinds, *checkpoints.WORDS]
