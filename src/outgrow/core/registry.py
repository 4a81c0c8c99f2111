"""One registry: how the members of a kind (methods, supervisors, audits, ...) are found by name.

    METHODS = Registry("method", __name__, "outgrow.methods", marked(Method))
    METHODS.find("naive")

A member is a record with a name that a decorator puts on the function it describes (`mark`). Members come from three
places:

    the folder of the kind      every file in it whose name does not begin with _
    installed packages          entry points of the group of the kind, each of them a member or a module of members
    a caller                    objects where names go, for as long as `lending` lasts

    [project.entry-points."outgrow.methods"]        in the pyproject.toml of another package
    tempered = "toy.methods:tempered"
"""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar, final

from outgrow.core import progress
from outgrow.core.errors import UserError, unknown

_NAME = re.compile(r"[\w. -]+")
MARK = "__outgrow__"
"""The attribute of a function that holds its record."""


_LENDS: ContextVar[bool] = ContextVar("lends", default=False)


def lends() -> bool:
    """Whether objects are lent now: another process would not find them."""
    return _LENDS.get()


class Member(Protocol):
    """What a registry holds."""

    @property
    def name(self) -> str: ...


F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R")
T = TypeVar("T", bound=Member)


def mark(function: F, record: Member) -> F:
    """The function, with the record that makes it a member of a kind."""
    setattr(function, MARK, record)
    return function


def marked(*kinds: type[R]) -> Callable[[object], R | None]:
    """What reads the record of one of these classes off a marked function, or is given it; None where there is none."""

    def read(value: object) -> R | None:
        if isinstance(value, kinds):
            return value
        record = vars(value).get(MARK) if inspect.isfunction(value) else None
        return record if isinstance(record, kinds) else None

    return read


def name_of(value: Callable[..., Any]) -> str:
    """What rows call a function, a class or an instance of one."""
    return value.__name__ if inspect.isroutine(value) or isinstance(value, type) else type(value).__name__


def first_line(value: object) -> str:
    """The first line of a docstring, "" where there is none."""
    return (inspect.getdoc(value) or "").partition("\n")[0]


def _points(group: str) -> list[EntryPoint]:
    """The entry points of a group, in the order of their names."""
    return sorted(entry_points(group=group), key=lambda point: (point.name, point.value))


@final
@dataclass(frozen=True)
class _Found(Generic[T]):
    """The members of a kind, where each stands, and what could not be read."""

    members: dict[str, T]
    places: dict[str, str]
    broken: dict[str, str]
    """By the name of an entry point why it gives no member, in one line."""


@final
class Registry(Generic[T]):
    """The members of one kind by name, found when first asked for.

    Args:
        kind: What a member is called, in the singular, for messages: "method".
        package: The package whose folder holds the kind's own members.
        group: The entry points by which other packages add members: "outgrow.methods".
        read: The record of a value that is a member, None for any other value.
        make: The record of a callable that nobody marked, for kinds whose members may be plain functions.
    """

    def __init__(
        self,
        kind: str,
        package: str,
        group: str,
        read: Callable[[object], T | None],
        make: Callable[[Callable[..., Any]], T] | None = None,
    ):
        self.kind, self.group = kind, group
        self._package, self._read, self._make = package, read, make
        self._lent: ContextVar[Mapping[str, T]] = ContextVar(group)

    def all(self) -> dict[str, T]:
        """Every member, in the order of their names. Raises UserError where two have the same name."""
        return dict(sorted({**self._found.members, **self._lent.get({})}.items()))

    def find(self, name: str) -> T:
        """The member of that name. Raises UserError, with the nearest name, where there is none."""
        known = self.all()
        if name in known:
            return known[name]
        if name in self._found.broken:
            raise UserError(self._found.broken[name])
        raise unknown(self.kind, name, known)

    def of(self, value: object) -> T:
        """The record of an object that is a member, or can be one. Raises UserError for any other object."""
        record = self._read(value)
        if record is None:
            if self._make is None or not callable(value):
                raise UserError(f"{value!r:.80} is no {self.kind}: mark a function as one")
            record = self._make(value)
        if not _NAME.fullmatch(record.name):
            raise UserError(f"{value!r:.80} has no name for a {self.kind}: define it by def, so that rows can name it")
        return record

    @contextmanager
    def lending(self, *values: object) -> Iterator[None]:
        """While it lasts these objects are members, too. Raises UserError where one has another member's name."""
        known = self.all()
        for value in values:
            record = self.of(value)
            if known.setdefault(record.name, record) != record:
                raise UserError(
                    f"there is another {self.kind} {record.name!r} beside {value!r:.80}: give yours another name"
                )
        token = self._lent.set({name: one for name, one in known.items() if name not in self._found.members})
        before = _LENDS.set(_LENDS.get() or bool(values))
        try:
            yield
        finally:
            self._lent.reset(token)
            _LENDS.reset(before)

    def lend(self, stack: ExitStack, given: Any, made: Callable[[Any], object] = lambda value: value) -> list[str]:
        """The names of what is given; objects among it are members until the stack is left.

        Args:
            stack: how long they are members.
            given: a name or an object, or a list of these.
            made: makes a member of an object.

        Raises:
            UserError: an object has another member's name, or is no member of the kind.
        """
        values = list(given) if isinstance(given, list | tuple) else [given]
        objects = {id(value): made(value) for value in values if not isinstance(value, str | Path)}
        stack.enter_context(self.lending(*objects.values()))
        return [str(one) if isinstance(one, str | Path) else self.of(objects[id(one)]).name for one in values]

    def broken(self) -> dict[str, str]:
        """By the name of an entry point that gives no member why not, in one line."""
        return dict(self._found.broken)

    @cached_property
    def _found(self) -> _Found[T]:
        found: _Found[T] = _Found({}, {}, {})
        folder = import_module(self._package)
        for file in pkgutil.iter_modules(folder.__path__):
            if not file.name.startswith("_"):
                module = import_module(f"{self._package}.{file.name}")
                for record in self._members(module):
                    self._add(found, record, module.__name__)
        for point in _points(self.group):
            self._plug(found, point)
        members = dict(sorted(found.members.items()))
        return _Found(members, found.places, found.broken)

    def _members(self, module: ModuleType) -> Iterator[T]:
        yield from (record for value in vars(module).values() if (record := self._read(value)) is not None)

    def _plug(self, found: _Found[T], point: EntryPoint) -> None:
        """Add the members of an entry point; a failure in another package must not stop what does not need it."""
        place = f"{point.value} of package {point.dist.name if point.dist else '(unknown)'}"
        try:
            value = point.load()
        except Exception as error:
            why = f"{type(error).__name__}: {error}".partition("\n")[0]
            self._broken(found, point, f"{place} cannot be imported ({why}): mend or uninstall that package")
            return
        records = list(self._members(value)) if isinstance(value, ModuleType) else [self._read(value)]
        if not records or None in records:
            self._broken(
                found, point, f"{place} is no {self.kind}: name a {self.kind} or a module of them, or uninstall it"
            )
        for record in records:
            if record is not None:
                self._add(found, record, place)

    def _broken(self, found: _Found[T], point: EntryPoint, why: str) -> None:
        line = f"{self.kind} {point.name!r}: {why}"
        progress.say(line)
        found.broken[point.name] = line

    def _add(self, found: _Found[T], record: T, place: str) -> None:
        if found.members.setdefault(record.name, record) != record:
            raise UserError(
                f"{self.kind} {record.name!r} is defined twice, in {found.places[record.name]} and in {place}: "
                "rename one, or uninstall its package"
            )
        found.places.setdefault(record.name, place)
