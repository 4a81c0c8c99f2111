"""The parts of an object in a key: its code, and the values that it sees.

    function of a module      the place of its definition, whose source is read with all it reaches (`fingerprint.py`)
    any other function        its compiled code, its defaults, the variables around it, and the globals that it reads
    instance                  its class and its fields; of an installed package its pickled bytes
    object with a `version`   that text alone, which its owner states and changes

Nothing is called but pickle.
"""

from __future__ import annotations

import dis
import hashlib
import inspect
import pickle
import re
import sys
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path, PurePath
from types import CodeType, FunctionType, MethodDescriptorType, ModuleType, WrapperDescriptorType
from typing import Any

import numpy as np

from outgrow.core.syntax import PACKAGE, parsed

Place = tuple[str, str]
"""A module and a name in it; the name "" stands for its statements that bind nothing."""
_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...), PurePath)
_HOMES = {"site-packages", "dist-packages"}
"""Folders into which packages are installed."""


class Unseen(Exception):
    """An object cannot be identified; with its name."""


def placed(one: Any) -> Place | None:
    """The place of a function, a class or the class of an instance; None if its source does not determine it."""
    while isinstance(one, partial):
        one = one.func
    one = inspect.unwrap(one) if inspect.isroutine(one) or inspect.isclass(one) else type(one)
    name = one.__qualname__
    module = None if "<" in name else parsed(one.__module__)
    head = name.partition(".")[0]
    return None if module is None or head not in module.bound else (one.__module__, head)


def made_of(*found: Any) -> tuple[set[Place], list[str]]:
    """The definitions that objects consist of, and texts for the rest of them.

    Args:
        found: functions, classes, or instances, of which only the class counts; of a partial its function, and its
            callable arguments with their fields.

    Raises:
        Unseen: a part of them cannot be identified.
    """
    places: set[Place] = set()
    texts: list[str] = []
    for one in found:
        while isinstance(one, partial):
            for given in (*one.args, *one.keywords.values()):
                if callable(given):
                    texts += _object(given, places)
            one = one.func
        whole = isinstance(one, type) or inspect.isroutine(one) or _stated(one) is not None
        texts += _object(one if whole else type(one), places)
    return places, texts


def _object(one: Any, places: set[Place]) -> list[str]:
    """Texts of an object that was given; where it is defined is added to `places`, also in an installed package."""
    if _stated(one) is None and (isinstance(one, type) or inspect.isroutine(one)) and (place := placed(one)):
        places.add(place)
        return []
    return list(_value(one, places, set()))


def _value(one: Any, places: set[Place], seen: set[int]) -> Iterator[str]:
    if isinstance(one, _PLAIN):
        yield f"{type(one).__name__} {one!r}"
        return
    if id(one) in seen:
        yield "again"
        return
    seen.add(id(one))
    kind = type(one)
    if (version := _stated(one)) is not None:
        yield f"{kind.__qualname__} version {version}"
    elif isinstance(one, list | tuple):
        yield f"{kind.__qualname__} {len(one)}"
        for part in one:
            yield from _value(part, places, seen)
    elif isinstance(one, dict):
        yield f"{kind.__qualname__} {len(one)}"
        for key, part in one.items():
            yield from _value(key, places, seen)
            yield from _value(part, places, seen)
    elif isinstance(one, set | frozenset):
        yield f"{kind.__qualname__} {sorted(map(repr, one))}"
    elif isinstance(one, ModuleType):
        yield from _module(one, places)
    elif isinstance(one, partial):
        for part in (one.func, one.args, one.keywords):
            yield from _value(part, places, seen)
    elif inspect.ismethod(one):
        yield from _value(one.__func__, places, seen)
        yield from _value(one.__self__, places, seen)
    elif isinstance(one, type) or inspect.isroutine(one):
        yield from _code(one, places, seen)
    elif isinstance(one, re.Pattern | np.ufunc):
        yield f"{one.pattern!r} {one.flags}" if isinstance(one, re.Pattern) else one.__name__
    elif kind.__dictoffset__ and not foreign(kind.__module__):
        yield from _code(kind, places, seen)
        yield from _value(vars(one), places, seen)
    else:
        try:
            yield f"{kind.__qualname__} {hashlib.sha256(pickle.dumps(one, 4)).hexdigest()}"
        except Exception:
            raise Unseen(kind.__qualname__) from None


def _code(one: Any, places: set[Place], seen: set[int]) -> Iterator[str]:
    """A function or a class; of Python's own the name alone."""
    if isinstance(one, WrapperDescriptorType | MethodDescriptorType) or one.__module__ == "builtins":
        yield one.__qualname__
        return
    place = placed(one)
    yield f"{one.__module__} {one.__qualname__}"
    if place is not None:
        if not foreign(place[0]):
            places.add(place)
    elif isinstance(function := inspect.unwrap(one), FunctionType):
        yield from _compiled(function.__code__)
        for part in (function.__defaults__, function.__kwdefaults__):
            yield from _value(part, places, seen)
        for cell in function.__closure__ or ():
            yield from _value(cell.cell_contents, places, seen)
        for name in sorted(_globals(function.__code__) & function.__globals__.keys()):
            yield name
            yield from _value(function.__globals__[name], places, seen)
    elif isinstance(one, type):
        for name, part in vars(one).items():
            if not name.startswith("__") or name in ("__init__", "__call__"):
                yield name
                yield from _value(part, places, seen)
        for base in one.__bases__:
            yield from _code(base, places, seen)
    elif one.__module__ is None or not foreign(one.__module__):
        raise Unseen(one.__qualname__)


def _compiled(code: CodeType) -> Iterator[str]:
    """Code without the lines on which it stands."""
    yield repr((code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_flags))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _compiled(constant)
        else:
            yield repr(sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant)


def _globals(code: CodeType) -> set[str]:
    found = {one.argval for one in dis.get_instructions(code) if one.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return found.union(*(_globals(inner) for inner in code.co_consts if isinstance(inner, CodeType)))


def _module(module: ModuleType, places: set[Place]) -> Iterator[str]:
    yield module.__name__
    text = parsed(module.__name__)
    if text is not None and not foreign(module.__name__):
        places.update((module.__name__, name) for name in text.bound)


def _stated(one: Any) -> str | None:
    """The version that the owner of an object states."""
    if isinstance(one, ModuleType | type):
        return None
    version = getattr(one, "version", None)
    return version if isinstance(version, str) else None


@cache
def foreign(module: str) -> bool:
    """Whether a module belongs to Python or to an installed package: of these no key looks at the code."""
    head = module.partition(".")[0]
    if head in (PACKAGE, "__main__"):
        return False
    file = getattr(sys.modules.get(module), "__file__", None)
    return head in sys.stdlib_module_names or file is None or not _HOMES.isdisjoint(Path(file).parts)
