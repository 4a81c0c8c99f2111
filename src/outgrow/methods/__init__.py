"""Methods: whole recipes from weak labels to a fitted student, one paper a file.

    @method(paper="Burns et al. 2023 (arXiv 2312.09390), section 3")
    def naive(weak: WeakLabels, student: Student) -> Fitted:
        return student.fit(weak.beliefs)

A method's positional arguments are resources, found by name (`resources.py`). Its keyword-only arguments are its
hyper-parameters, and at once command-line options, TOML keys and part of the run's record. It returns a `Fitted`:
anything with `.predict(mask) -> probabilities (R, n, C)`. Every method but naive names two planted worlds, one where
its idea wins against naive and one where it does not, and a test holds it to them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, final

from outgrow.core.errors import UserError, unknown
from outgrow.core.registry import Registry, first_line, mark, marked
from outgrow.core.worlds import World

F = TypeVar("F", bound=Callable[..., Any])
RESOURCES = {
    "weak": "weak labels of the transfer items (WeakLabels)",
    "student": "the strong model, to be trained on transfer items (Student)",
    "features": "for each replicate the student's features (N, K), in the layer that the weak labels choose",
    "weak_features": "the same of the first supervisor that is a probe; needs such a supervisor",
    "rivals": "(N,) items of one number are candidates of one question, or else members of one group",
    "rights": "(N,) how many of an item's rivals, itself included, are right by the form of the task; -1: unknown",
    "answers": "(N,) items of one number are the same answer, to whichever question",
    "weak_train": "the weak-train items: gold, and weak labels of copies that have not seen it (WeakTrain)",
    "known_gold": "gold of the weak-train items as targets, which the student may learn, too; `learn` has it by --gold",
    "tuned": "the student where it can be trained on after a training; needs --student lora or full",
    "generator": "the student as a language model of its texts; needs a causal model and --student lora or full",
    "ladder": "students of sizes in between, the weakest first; needs --ladder MODEL",
    "auxiliary": "other tasks with gold, in the student's axes; needs --auxiliary TASK and --student linear or mlp",
    "oracle": "gold of transfer items at a counted price (GoldSale)",
    "teach": "retrains the supervisors on gold plus targets; needs a supervisor that learns (planted ones do not)",
    "rng": "the method's own randomness (numpy Generator)",
}
"""What a method can ask for (types: `methods/resources.py`), and what a study needs to have it."""


@final
@dataclass(frozen=True)
class Method:
    """A registered method: `run(*resources, **parameters)`."""

    name: str
    line: str
    paper: str
    differs: str
    run: Callable[..., Any]
    resources: tuple[str, ...]
    parameters: dict[str, Any]
    wins: World | None
    """Where its idea must beat naive."""
    ties: World | None
    """Where it must not."""
    usual: bool
    """Whether it runs where no method is named."""

    @property
    def kind(self) -> Literal["method", "gold"]:
        """The kind of its rows: "gold" where its student learns from the supervisors' gold, too."""
        return "gold" if "known_gold" in self.resources else "method"

    def fit(self, resources: object, **parameters: Any) -> Any:
        """Run the method on the resources that it asks for; None if one of them is missing."""
        given = [getattr(resources, name) for name in self.resources]
        return None if any(one is None for one in given) else self.run(*given, **parameters)

    def check(self, known: Collection[str]) -> None:
        """Raises UserError for a resource that is not among the known ones, or a hyper-parameter without a default."""
        for name in self.resources:
            if name not in known:
                raise unknown(f"resource of method {self.name}", name, known)
        for name, value in self.parameters.items():
            if value is inspect.Parameter.empty:
                raise UserError(f"{self.name}.{name} has no default: give the hyper-parameter one")

    def lacks(self, resources: object) -> list[str]:
        """The missing resources that it asks for, each with its description."""
        return [f"{name}: {RESOURCES[name]}" for name in self.resources if getattr(resources, name) is None]

    def configured(self, given: dict[str, Any]) -> dict[str, Any]:
        """All hyper-parameters: the given values, in the types of the defaults, and the defaults for the others."""
        out = dict(self.parameters)
        for key, value in given.items():
            if key not in out:
                raise unknown(f"parameter of method {self.name}", key, out or ["(it has none)"])
            kind = type(out[key])
            try:
                out[key] = kind(value)
            except (TypeError, ValueError):
                raise UserError(f"{self.name}.{key} = {value!r}: give a value of type {kind.__name__}") from None
        return out


def method(
    *, paper: str, differs: str = "", wins: World | None = None, ties: World | None = None, usual: bool = False
) -> Callable[[F], F]:
    """Mark a function as a method.

    Args:
        paper: the source, as it is shown in lists and reports.
        differs: where the implementation departs from the paper.
        wins: a planted world in which the method must beat naive.
        ties: a planted world in which it must not.
        usual: whether the method runs where no method is named.

    Example:
        >>> @method(paper="own")
        ... def bold(weak, student, *, power: float = 2.0):
        ...     '''Train on sharper weak labels.'''
        ...     return student.fit(weak.beliefs**power / (weak.beliefs**power).sum(-1, keepdims=True))
        >>> METHODS.of(bold).line, METHODS.of(bold).resources, METHODS.of(bold).parameters
        ('Train on sharper weak labels.', ('weak', 'student'), {'power': 2.0})
    """

    def marker(run: F) -> F:
        signature = inspect.signature(run).parameters.values()
        record = Method(
            name=run.__name__.rstrip("_"),
            line=first_line(run),
            paper=paper,
            differs=differs,
            run=run,
            resources=tuple(p.name for p in signature if p.kind is not p.KEYWORD_ONLY),
            parameters={p.name: p.default for p in signature if p.kind is p.KEYWORD_ONLY},
            wins=wins,
            ties=ties,
            usual=usual,
        )
        return mark(run, record)

    return marker


def plain(run: Callable[..., Any]) -> Method:
    """The record of a function that nobody marked. Raises UserError for anything else that can be called."""
    if not inspect.isroutine(run):
        raise UserError(f"{run!r:.80} is no function: write the method as one, its parameters as keyword arguments")
    return METHODS.of(method(paper="own")(run))


METHODS = Registry("method", __name__, "outgrow.methods", marked(Method), plain)
find, registry = METHODS.find, METHODS.all
