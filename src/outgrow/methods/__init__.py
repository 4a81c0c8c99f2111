"""Methods: whole recipes from weak labels to a fitted student, one small file each, found by walking the folder.

A method's positional arguments are resources, found by name in `RESOURCES`. Its keyword-only arguments are its
hyper-parameters, and at once the command-line option, the TOML key and the record. It returns anything with
`.predict(mask) -> probabilities (R, n, C)`. Every method but naive names two planted worlds, one where its idea wins
against naive and one where it does not, and a test holds it to them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from outgrow.core.errors import UserError, unknown
from outgrow.core.registry import Registry, first_line, mark, marked
from outgrow.core.worlds import World

RESOURCES = {
    "weak": "what the supervisors say of the transfer items (WeakLabels)",
    "student": "the strong model, to be trained on transfer items",
    "features": "per replicate (N, K) the student's features in the layer that the weak labels choose",
    "weak_features": "the same of the first supervisor that is a probe; needs such a supervisor",
    "rivals": "(N,) items of one number are candidates of one question; where there are no questions, of one group",
    "rights": "(N,) how many of an item's rivals, itself among them, are right where the form of the task says so; -1: not known",
    "answers": "(N,) items of one number are the same answer, to this question or that",
    "weak_train": "the weak-train items with gold, and what supervisors say of them that have not seen it (WeakTrain)",
    "generator": "the student as a language model of its texts; needs a causal model and --student lora or full",
    "ladder": "students of sizes in between, the weakest first; needs --ladder MODEL",
    "auxiliary": "other tasks with their gold, in the student's axes; needs --auxiliary TASK and --student linear or mlp",
    "oracle": "gold of transfer items at a counted price (Oracle)",
    "teach": "what supervisors say that learned these targets too, a function; needs a supervisor that learns (planted ones do not)",
    "rng": "randomness of its own (numpy Generator)",
}
"""What a method can ask for, and what a study needs to have it."""


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

    def fit(self, resources: Any, **parameters: Any) -> Any:
        """Run it on the attributes of `resources` that it asks for; None where one of them is not to be had."""
        given = [getattr(resources, name) for name in self.resources]
        return None if any(one is None for one in given) else self.run(*given, **parameters)

    def lacks(self, resources: Any) -> list[str]:
        """What it asks for and cannot have, in words."""
        return [f"{name}: {RESOURCES[name]}" for name in self.resources if getattr(resources, name) is None]

    def configured(self, given: dict[str, Any]) -> dict[str, Any]:
        """Every hyper-parameter: the given values over the defaults, of the defaults' types."""
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
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a function as a method; `differs` says where it departs from the paper, and is shown in the report."""

    def marker(run: Callable[..., Any]) -> Callable[..., Any]:
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


METHODS = Registry("method", __name__, "outgrow.methods", marked(Method))
find, registry = METHODS.find, METHODS.all
