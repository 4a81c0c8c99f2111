"""Methods: whole recipes from weak labels to a fitted student, one small file each, found by walking the folder.

A method's positional arguments are resources, found by name: `weak` (WeakLabels of the transfer rows) and `student`.
Its keyword-only arguments are its hyper-parameters, and at once the command-line option, the TOML key and the record.
It returns anything with `.predict(mask) -> probabilities (R, n, C)`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from outgrow.errors import UserError, unknown


@final
@dataclass(frozen=True)
class Method:
    """A registered method: `run(weak, student, **parameters)`."""

    name: str
    line: str
    paper: str
    differs: str
    run: Callable[..., Any]
    resources: tuple[str, ...]
    parameters: dict[str, Any]

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


def method(*, paper: str, differs: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a function as a method; `differs` says where it departs from the paper, and is shown in the report."""

    def mark(run: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(run).parameters.values()
        run.method = Method(  # type: ignore[attr-defined]
            name=run.__name__.rstrip("_"),
            line=(inspect.getdoc(run) or "").splitlines()[0],
            paper=paper,
            differs=differs,
            run=run,
            resources=tuple(p.name for p in signature if p.kind is not p.KEYWORD_ONLY),
            parameters={p.name: p.default for p in signature if p.kind is p.KEYWORD_ONLY},
        )
        return run

    return mark


def registry() -> dict[str, Method]:
    """Every method by name, found by walking the folder."""
    found = {}
    for info in pkgutil.iter_modules(__path__):
        for value in vars(importlib.import_module(f"{__name__}.{info.name}")).values():
            marked = getattr(value, "method", None)
            if isinstance(marked, Method):
                found[marked.name] = marked
    return dict(sorted(found.items()))


def find(name: str) -> Method:
    """The method of that name."""
    known = registry()
    if name not in known:
        raise unknown("method", name, known)
    return known[name]
