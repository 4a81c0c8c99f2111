"""Verifiers: is this answer right? Sound, unsound or cannot tell; one file a check, found by walking the folder.

    @verifier(paper="Cobbe et al. 2021, arXiv 2110.14168")
    def arithmetic(attempts) -> list[Verdict]

Positional arguments are what a verifier needs, found by name: `attempts` (the answers to check), `model` (a language
model that judges), `verdicts` (those of other verifiers on the same answers, by name); keyword-only arguments are its
settings. It never sees
gold: of an item it knows only `shown`. A file whose name begins with _ holds no verifier. Untrusted code runs in
`sandbox/`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, final

from outgrow.core.errors import UserError
from outgrow.core.registry import Registry, first_line, mark, marked


@final
@dataclass(frozen=True)
class Attempt:
    """One answer to check."""

    prompt: str
    answer: str
    shown: Mapping[str, Any] = field(default_factory=dict)
    """What a verifier may know of the item: visible tests, a puzzle, a schema, ..."""


@final
@dataclass(frozen=True)
class Verdict:
    """A verifier's judgement of one answer."""

    sound: bool | None
    """None: cannot tell."""
    why: str = ""
    """The reason in a few words: the line that failed, the limit that was hit, what is missing."""
    score: float | None = None
    """Higher is better; None where the verifier does not rank."""


@final
@dataclass(frozen=True)
class Verifier:
    """A registered check."""

    name: str
    line: str
    paper: str
    run: Callable[..., list[Verdict]]
    needs: tuple[str, ...]


NEEDS = ("attempts", "model", "verdicts")
"""What can be handed to a verifier, `attempts` first and always."""


def verifier(paper: str = "") -> Callable[[Callable], Callable]:
    """Mark a function as a verifier.

    Args:
        paper: the source, as it is shown in lists.

    Raises:
        TypeError: it asks for something else than `NEEDS`.

    Example:
        >>> @verifier(paper="own")
        ... def brief(attempts):
        ...     '''One word is sound.'''
        ...     return [Verdict(len(one.answer.split()) == 1) for one in attempts]
        >>> brief([Attempt("Which city?", "Lyon"), Attempt("Which city?", "It is Lyon")])[0].sound
        True
    """

    def marker(run: Callable) -> Callable:
        needs = tuple(p.name for p in inspect.signature(run).parameters.values() if p.kind is not p.KEYWORD_ONLY)
        if needs[:1] != NEEDS[:1] or set(needs) - set(NEEDS):
            needed, possible = ", ".join(needs) or "nothing", ", ".join(NEEDS)
            raise TypeError(f"verifier {run.__name__} needs {needed}: it can have {possible}, attempts first")
        return mark(run, Verifier(run.__name__, first_line(run), paper, run, needs))

    return marker


def _plain(run: Callable) -> Verifier:
    try:
        return VERIFIERS.of(verifier()(run))
    except TypeError as error:
        raise UserError(str(error)) from None


VERIFIERS = Registry("verifier", __name__, "outgrow.verifiers", marked(Verifier), _plain)
find, registry = VERIFIERS.find, VERIFIERS.all
