"""Declarations of functions that may be called, for prompts and for checks of calls."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final


@final
@dataclass(frozen=True)
class Argument:
    """The declaration of one argument."""

    kinds: tuple[str, ...]
    """The allowed types, in the declaration's words; () if none is given."""
    needed: bool
    options: tuple[Any, ...] = ()
    """The allowed values; () for any."""
    items: str = ""
    """The type of a list's elements."""


@final
@dataclass(frozen=True)
class Declaration:
    """A function that may be called."""

    name: str
    about: str
    arguments: Mapping[str, Argument]


def declared(functions: Any) -> dict[str, Declaration]:
    """Declarations by name, from the leaderboard's format or OpenAI's {"type": "function", "function": ...}.

    Raises:
        ValueError: a declaration is malformed, or Python cannot call the function by name.
    """
    if not isinstance(functions, list) or not functions:
        raise ValueError("no list of functions")
    found: dict[str, Declaration] = {}
    for one in functions:
        if isinstance(one, Mapping) and "name" not in one and isinstance(one.get("function"), Mapping):
            one = one["function"]
        name = one.get("name") if isinstance(one, Mapping) else None
        if not isinstance(name, str) or not name:
            raise ValueError("a function without a name")
        if not callable_by_name(name):
            raise ValueError(f"the function {name!r:.80} has a name that no call can be written with")
        if name in found:
            raise ValueError(f"two functions {name}")
        takes = one.get("parameters") or {}
        about = one.get("description") or ""
        properties = takes.get("properties") or {} if isinstance(takes, Mapping) else None
        needed = takes.get("required") or [] if isinstance(takes, Mapping) else None
        if not isinstance(properties, Mapping) or not isinstance(needed, list) or not isinstance(about, str):
            raise ValueError(f"no parameters of {name} that can be read")
        for argument in properties:
            if not isinstance(argument, str) or not argument.isidentifier():
                raise ValueError(f"the argument {argument!r:.80} of {name} has a name that no call can be written with")
        arguments = {
            argument: _argument(name, argument, said, argument in needed) for argument, said in properties.items()
        }
        if lacking := [argument for argument in needed if argument not in arguments]:
            raise ValueError(f"{name} requires {lacking[0]!r:.80}, of which nothing is said")
        found[name] = Declaration(name, about, arguments)
    return found


def callable_by_name(name: str) -> bool:
    """Whether a call of a function of this name can be written: names between dots."""
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in name.split("."))


def _argument(function: str, name: str, said: Any, needed: bool) -> Argument:
    if not isinstance(said, Mapping):
        raise ValueError(f"the argument {name} of {function} is {said!r:.80}")
    either = [said, *(said.get("anyOf") or ()), *(said.get("oneOf") or ())]
    kinds: list[str | None] = []
    for one in either:
        kind = one.get("type", []) if isinstance(one, Mapping) else None
        kinds += [kind] if isinstance(kind, str) else kind if isinstance(kind, list) else [None]
    options, items = said.get("enum") or (), said.get("items")
    named = [kind for kind in kinds if isinstance(kind, str)]
    if len(named) < len(kinds) or not isinstance(options, list | tuple):
        raise ValueError(f"the type of the argument {name} of {function} cannot be read")
    inside = items.get("type") if isinstance(items, Mapping) else None
    return Argument(tuple(dict.fromkeys(named)), needed, tuple(options), inside if isinstance(inside, str) else "")
