"""Frozen dataclasses as JSON, and JSON as frozen dataclasses: the one way in which records are written and read.

    @dataclass(frozen=True)
    class Point:
        n: int
        value: float | None
        note: str | None = absent()

    dump(Point(3, 0.5))                                {"n": 3, "value": 0.5}
    load(Point, {"n": 3, "value": 0.5}, "points.json") Point(n=3, value=0.5, note=None)

A field whose default is `absent()` is in the JSON only if it has a value. A file holds the `version` of its form beside
its fields; files from before there were versions are version 0. A field that a later version adds has a default, and
one that it renames names its former key (`renamed`), so that earlier files still open; keys that the class does not
know are ignored.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from outgrow.core.errors import UserError

T = TypeVar("T")
VERSION = 1
"""Of every form that is not in `VERSIONS`; goes up when an earlier reader would misread a file."""
VERSIONS: dict[type, int] = {}
"""Versions of the forms that have changed alone."""
ABSENT, FORMER = "absent", "former"
PLAIN: dict[Any, tuple[type, ...]] = {
    bool: (bool,),
    int: (int,),
    float: (float, int),
    str: (str,),
    type(None): (type(None),),
}
"""By annotation the types that JSON may give for it."""
WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", type(None): "null"}
REMEDY = "it is damaged, or of another version: run the same command again, into another folder"


def absent() -> Any:
    """The default of a field that is left out of the JSON where it is None."""
    return field(default=None, metadata={ABSENT: True})


def renamed(former: str) -> dict[str, str]:
    """The metadata of a field that had the key `former` in files of earlier versions."""
    return {FORMER: former}


def versioned(version: int) -> Callable[[type[T]], type[T]]:
    """Mark the class of a file as of this version."""

    def mark(cls: type[T]) -> type[T]:
        VERSIONS[cls] = version
        return cls

    return mark


def version_of(cls: type) -> int:
    """The version that files of this class are written in."""
    return VERSIONS.get(cls, VERSION)


def dump(value: Any) -> Any:
    """A dataclass, and whatever it holds, as what JSON can say; what is not finite as None."""
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((f, getattr(value, f.name)) for f in fields(value))
        return {f.name: dump(part) for f, part in pairs if part is not None or ABSENT not in f.metadata}
    if isinstance(value, Mapping):
        return {str(key): dump(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | np.ndarray):
        return [dump(part) for part in value]
    if isinstance(value, np.generic):
        return dump(value.item())
    if isinstance(value, Path):
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def load(cls: type[T], data: Any, where: str | Path) -> T:
    """The dataclass that the JSON holds, with or without the version of a file.

    Raises:
        UserError: where a key is missing or of the wrong kind, or the version is not known yet; `where` names the file.
    """
    if isinstance(data, dict) and "version" in data:
        data = dict(data)
        version = data.pop("version")
        if not isinstance(version, int) or version > version_of(cls):
            raise UserError(
                f"{where} is of version {version!r}, and this outgrow reads up to {version_of(cls)}: update outgrow"
            )
    try:
        found: T = _read(cls, _finite(data), ())
    except _Misfit as error:
        raise UserError(f"{where}: {error}: {REMEDY}") from None
    return found


def parse(text: str | bytes, where: str | Path) -> Any:
    """What a JSON text says. Raises UserError where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} is not valid JSON ({error}): run the same command again") from None


class _Misfit(Exception):
    """A value is not of the declared kind."""


def _read(kind: Any, value: Any, path: tuple[str, ...]) -> Any:
    """The value as the type annotation `kind` says; `path` are the keys that lead to it."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any or (kind in PLAIN and type(value) in PLAIN[kind]):
        return value
    if origin in (Union, UnionType):
        for one in inner:
            with suppress(_Misfit):
                return _read(one, value, path)
        known = next((one for one in inner if is_dataclass(one) or get_origin(one) is not None), None)
        if known is not None and value is not None:
            return _read(known, value, path)
    elif origin is Literal and value in inner:
        return value
    elif origin is tuple and isinstance(value, list) and (inner[-1] is ... or len(value) == len(inner)):
        kinds = inner[:1] * len(value) if inner[-1] is ... else inner
        return tuple(_read(one, part, (*path, str(n))) for n, (one, part) in enumerate(zip(kinds, value, strict=True)))
    elif origin in (dict, Mapping) and isinstance(value, dict):
        return {key: _read(inner[1], part, (*path, key)) for key, part in value.items()}
    elif is_dataclass(kind) and isinstance(value, dict):
        return _record(kind, value, path)
    at = f"key {'.'.join(path)!r}" if path else "the content"
    raise _Misfit(f"{at} is {value!r:.40}, not {_named(kind)}")


def _record(kind: Any, value: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    kinds = _kinds(kind)
    former = {one.metadata[FORMER]: one.name for one in fields(kind) if FORMER in one.metadata}
    value = {former.get(key, key): part for key, part in value.items()}
    for one in fields(kind):
        if one.name not in value and one.default is MISSING and one.default_factory is MISSING:
            raise _Misfit(f"no key {'.'.join((*path, one.name))!r}")
    known = {name: _read(one, value[name], (*path, name)) for name, one in kinds.items() if name in value}
    return kind(**known)


@cache
def _kinds(kind: type) -> dict[str, Any]:
    """The fields of a dataclass and their types."""
    hints = get_type_hints(kind)
    return {one.name: hints[one.name] for one in fields(kind)}


def _named(kind: Any) -> str:
    """A type in words."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(_named(one) for one in inner)
    if origin is Literal:
        return " or ".join(map(repr, inner))
    if origin is tuple:
        return "a list" if inner[-1] is ... else f"a list of {len(inner)}"
    return WORDS.get(kind, "an object")


def _finite(value: Any) -> Any:
    """NaN and infinities as None; an interval with such an end is none. Numbers of numpy are plain ones."""
    if isinstance(value, np.generic):
        return _finite(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        ends = [_finite(part) for part in value]
        return (
            None if len(ends) == 2 and any(isinstance(end, float) and not math.isfinite(end) for end in value) else ends
        )
    return value
