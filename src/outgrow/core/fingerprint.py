"""The code part of a key: a hash of every definition that the computation of an artifact can reach.

    code = fingerprint("features")                         the code of this kind of artifact (`core/artifacts.py`)
    code = fingerprint("block", method.run, mean)          and members of registries, which no import shows

A definition is the binding of a name at the top of a module: a function, a class, a constant. It reaches the
definitions of the names that it reads, in its own module or imported, including imports inside functions and for the
type checker alone. Other statements of a module belong to all its definitions. The hash covers syntax trees without
docstrings, comments and layout, and the meaning of names of other modules. Nothing is imported or run. Members that
are found by name (a method, a verifier) have to be given.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, final

from outgrow.core import progress
from outgrow.core.artifacts import MARKS, OBSERVERS, PINNED, ROOTS
from outgrow.core.objects import Place, Unseen, foreign, made_of, placed
from outgrow.core.syntax import INIT, PACKAGE, Chain, Module, file_of, parsed

__all__ = ["Code", "fingerprint", "observes", "placed"]

ENDS = PINNED | MARKS


def fingerprint(kind: str, *found: Any) -> str:
    """sha256 (hex) of the code that computes a kind of artifact.

    Args:
        kind: a kind of artifact of `core/artifacts.py`.
        found: further functions, classes or instances of classes that the computation uses. Functions that no module
            defines count with the values that they see (`objects.py`); a value that cannot be identified makes the
            fingerprint unique to this process.
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
    heads = {module.partition(".")[0] for module, _ in found} - {PACKAGE}
    return _installed(frozenset({PACKAGE, *heads}), bool(heads)).digest(kind, *found)


@cache
def _installed(own: frozenset[str], near: bool) -> Code:
    return Code(own=own, near=near)


@cache
def _passing(name: str, unseen: str) -> str:
    progress.say(
        f"{name} depends on an object that cannot be told from another ({unseen}): what it computes is not kept for "
        "another run; give it a `version` of your own to have it kept"
    )
    return os.urandom(32).hex()


@final
class Code:
    """The modules of the packages in `own`, and with `near` all that no installer put where they are.

    `sources` replaces the texts of modules.
    """

    def __init__(self, sources: Mapping[str, str] | None = None, own: Collection[str] = (PACKAGE,), near: bool = False):
        self._own, self._near = own, near
        self._modules = {name: Module(name, text, file_of(name).name == INIT) for name, text in (sources or {}).items()}
        self._looked: dict[Place, tuple[str, frozenset[Place]]] = {}
        self._closures: dict[str, set[Place]] = {}

    def digest(self, kind: str, *found: Place) -> str:
        """sha256 (hex) of every definition that a kind of artifact and `found` reach."""
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
        """The module of that name; None if it is not in `own`."""
        head = name.partition(".")[0]
        if head not in self._own and not (self._near and head in sys.modules and not foreign(head)):
            return None
        return self._modules.get(name) or parsed(name)

    def _look(self, place: Place) -> tuple[str, frozenset[Place]]:
        """A definition's own hash, and the places that it reads."""
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
        """The places that a name with attributes means in a module; a module used as a value means all its names."""
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
    """Whether a module only observes, so that it changes no result."""
    return any(module == name or module.startswith(f"{name}.") for name in OBSERVERS)
