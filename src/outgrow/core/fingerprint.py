"""The code part of a key: a hash of every definition that what computes an artifact can reach.

    code = fingerprint("features")                         what computes this kind of artifact (`core/artifacts.py`)
    code = fingerprint("block", method.run, mean)          and what was found by name, which no import shows

A definition is what a statement at the top of a module binds: a function, a class, a constant. It reaches what its names mean, in
its own module or imported, also by imports inside of functions and for the type checker alone; a module's other statements belong to
all its definitions. Hashed are syntax trees without docstrings, comments and layout, and what each name of another module means.
Nothing is imported and nothing run. What is found by its name (a method, a verifier) cannot be seen in here: it is given.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, final

from outgrow.core import progress
from outgrow.core.artifacts import MARKS, OBSERVERS, PINNED, ROOTS
from outgrow.core.objects import Place, Unseen, made_of, placed
from outgrow.core.syntax import INIT, PACKAGE, Chain, Module, file_of, parsed

__all__ = ["Code", "fingerprint", "observes", "placed"]

ENDS = PINNED | MARKS


def fingerprint(kind: str, *found: Any) -> str:
    """sha256 (hex) of the code that computes a kind of artifact, and of `found`: functions, classes or instances of classes.

    Functions that no module defines count with the values that they see (`objects.py`). Where one of these cannot be told from
    another, the number is one of this process alone: what they compute is computed anew each time.
    """
    try:
        places, texts = made_of(*found)
    except Unseen as unseen:
        names = " and ".join(str(getattr(one, "__qualname__", one)) for one in found if placed(one) is None)
        return _passing(names or str(found[0]), str(unseen))
    digest = _hashed(kind, tuple(sorted(places)))
    return hashlib.sha256("\n".join([digest, *texts]).encode()).hexdigest() if texts else digest


@cache
def _hashed(kind: str, found: tuple[Place, ...]) -> str:
    return _installed(frozenset({PACKAGE, *(module.partition(".")[0] for module, _ in found)})).digest(kind, *found)


@cache
def _installed(own: frozenset[str]) -> Code:
    return Code(own=own)


@cache
def _passing(name: str, unseen: str) -> str:
    progress.say(
        f"{name} depends on an object that cannot be told from another ({unseen}): what it computes is not kept for another run; "
        "give it a `version` of your own to have it kept"
    )
    return os.urandom(32).hex()


@final
class Code:
    """The modules of the packages in `own`, those in `sources` with another text."""

    def __init__(self, sources: Mapping[str, str] | None = None, own: Collection[str] = (PACKAGE,)):
        self._own = own
        self._modules = {name: Module(name, text, file_of(name).name == INIT) for name, text in (sources or {}).items()}
        self._looked: dict[Place, tuple[str, frozenset[Place]]] = {}
        self._closures: dict[str, set[Place]] = {}

    def digest(self, kind: str, *found: Place) -> str:
        """sha256 (hex) of all that a kind of artifact and `found` reach."""
        places = sorted(self.closure(kind, *found))
        return hashlib.sha256("".join(self._look(place)[0] for place in places).encode()).hexdigest()

    def closure(self, kind: str, *found: Place) -> set[Place]:
        """Every definition that a kind of artifact and `found` reach."""
        if found and kind not in self._closures:
            self._closures[kind] = self.closure(kind)
        seen = set(self._closures[kind]) if found else set[Place]()
        left = [*found] or [*ROOTS[kind]]
        while left:
            place = left.pop()
            if place not in seen and place not in ENDS and not observes(place[0]) and self.module(place[0]):
                seen.add(place)
                parts = place[0].split(".")
                left += [*self._look(place)[1], *((".".join(parts[:n]), "") for n in range(1, len(parts) + 1))]
        return seen

    def module(self, name: str) -> Module | None:
        """The module of that name; None where it is none of our own."""
        if name.partition(".")[0] not in self._own:
            return None
        return self._modules.get(name) or parsed(name)

    def _look(self, place: Place) -> tuple[str, frozenset[Place]]:
        """A definition's own hash, and what it leads to."""
        if place not in self._looked:
            module = self.module(place[0])
            assert module is not None
            text, names = module.read(place[1])
            meant = {name: self._meant(*name) for name in sorted(names)}
            said = [(name[1], sorted(to)) for name, to in meant.items()]
            self._looked[place] = (
                hashlib.sha256(repr((place, text, said)).encode()).hexdigest(),
                frozenset().union(*meant.values()),
            )
        return self._looked[place]

    def _meant(self, where: str, chain: Chain) -> frozenset[Place]:
        """What a name and its attributes mean in a module. A module that is used as a value means all that is in it."""
        module = self.module(where)
        if module is None:
            return frozenset({(where, chain[0] if chain else "")})
        if not chain:
            return frozenset((where, name) for name in module.bound)
        head, rest = chain[0], chain[1:]
        own = frozenset({(where, head)} if head in module.bound else ())
        if module.imports.get(head, (where, head)) != (where, head):
            origin, attribute = module.imports[head]
            return own | self._meant(origin, (attribute, *rest) if attribute else rest)
        if own:
            return own
        if self.module(f"{where}.{head}"):
            return self._meant(f"{where}.{head}", rest)
        if "*" in module.imports:
            return self._meant(module.imports["*"][0], chain)
        return frozenset(
            {(where, "__getattr__")} if "__getattr__" in module.bound and not head.startswith("__") else ()
        )


@cache
def observes(module: str) -> bool:
    """Whether a module only looks on: what it does changes no result."""
    return any(module == name or module.startswith(f"{name}.") for name in OBSERVERS)
