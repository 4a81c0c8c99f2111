"""The code part of a key: a hash of every definition that what computes an artifact can reach.

    code = fingerprint("features")                         what computes this kind of artifact (`core/artifacts.py`)
    code = fingerprint("block", method.run, mean)          and what was found by name, which no import shows

A definition is what a statement at the top of a module binds: a function, a class, a constant. It reaches what its names mean, in
its own module or imported, also by imports inside of functions and for the type checker alone; a module's other statements belong to
all its definitions. Hashed are syntax trees without docstrings, comments and layout, and what each name of another module means.
Nothing is imported and nothing run. What is found by its name (a method, a verifier) cannot be seen in here: it is given.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import os
import sys
from collections import ChainMap
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, final

from outgrow import progress
from outgrow.core.artifacts import OBSERVERS, PINNED, ROOTS

PACKAGE, INIT = "outgrow", "__init__.py"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
Place = tuple[str, str]
"""A module and a name in it; the name "" stands for its statements that bind nothing."""
Chain = tuple[str, ...]
"""A name and the attributes after it."""


def fingerprint(kind: str, *found: Any) -> str:
    """sha256 (hex) of the code that computes a kind of artifact, and of `found`: functions, classes or instances of classes.

    What has no source, or sees variables of a function around it, gets a number of this process alone: it is computed anew each time.
    """
    roots = []
    for one in found:
        place = placed(one)
        if place is None:
            return _passing(str(getattr(one, "__qualname__", one)))
        roots.append(place)
    return _hashed(kind, tuple(roots))


@cache
def _hashed(kind: str, found: tuple[Place, ...]) -> str:
    return _installed(frozenset({PACKAGE, *(module.partition(".")[0] for module, _ in found)})).digest(kind, *found)


@cache
def _installed(own: frozenset[str]) -> Code:
    return Code(own=own)


@cache
def _passing(name: str) -> str:
    progress.say(f"{name} has no source that could be read: what it computes is not kept for another run")
    return os.urandom(32).hex()


def placed(one: Any) -> Place | None:
    """Where it is defined; None where no source says all that it does."""
    while isinstance(one, partial):
        one = one.func
    one = inspect.unwrap(one) if inspect.isroutine(one) or inspect.isclass(one) else type(one)
    name = one.__qualname__
    return None if "<" in name or _parsed(one.__module__) is None else (one.__module__, name.partition(".")[0])


@final
class Code:
    """The modules of the packages in `own`, those in `sources` with another text."""

    def __init__(self, sources: Mapping[str, str] | None = None, own: Collection[str] = (PACKAGE,)):
        self._own = own
        self._modules = {name: Module(name, text, _file(name).name == INIT) for name, text in (sources or {}).items()}
        self._looked: dict[Place, tuple[str, frozenset[Place]]] = {}

    def digest(self, kind: str, *found: Place) -> str:
        """sha256 (hex) of all that a kind of artifact and `found` reach."""
        places = sorted(self.closure(kind, *found))
        return hashlib.sha256("".join(self._look(place)[0] for place in places).encode()).hexdigest()

    def closure(self, kind: str, *found: Place) -> set[Place]:
        """Every definition that a kind of artifact and `found` reach."""
        seen: set[Place] = set()
        left = [*ROOTS[kind], *found]
        while left:
            place = left.pop()
            if place not in seen and place not in PINNED and not observes(place[0]) and self.module(place[0]):
                seen.add(place)
                parts = place[0].split(".")
                left += [*self._look(place)[1], *((".".join(parts[:n]), "") for n in range(1, len(parts) + 1))]
        return seen

    def module(self, name: str) -> Module | None:
        """The module of that name; None where it is none of our own."""
        if name.partition(".")[0] not in self._own:
            return None
        return self._modules.get(name) or _parsed(name)

    def _look(self, place: Place) -> tuple[str, frozenset[Place]]:
        """A definition's own hash, and what it leads to."""
        if place not in self._looked:
            module = self.module(place[0])
            assert module is not None
            text, names = module.read(place[1])
            meant = {name: self._meant(*name) for name in sorted(names)}
            said = [(name[1], sorted(to)) for name, to in meant.items()]
            self._looked[place] = hashlib.sha256(repr((place, text, said)).encode()).hexdigest(), frozenset().union(*meant.values())
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
        return frozenset({(where, "__getattr__")} if "__getattr__" in module.bound and not head.startswith("__") else ())


def observes(module: str) -> bool:
    """Whether a module only looks on: what it does changes no result."""
    return any(module == name or module.startswith(f"{name}.") for name in OBSERVERS)


@cache
def _file(module: str) -> Path:
    """Where a module stands; a path to nowhere where it has no source."""
    head, *rest = module.split(".")
    if head == PACKAGE:
        folder = Path(__file__).parents[1]
    elif module == head:
        return Path(getattr(sys.modules.get(head), "__file__", None) or os.devnull)
    else:
        folder = _file(head).parent if _file(head).name == INIT else Path(os.devnull)
    path = folder.joinpath(*rest)
    return path / INIT if (path / INIT).is_file() else path.with_suffix(".py")


@cache
def _parsed(name: str) -> Module | None:
    file = _file(name)
    return Module(name, file.read_text(encoding="utf-8"), file.name == INIT) if file.suffix == ".py" and file.is_file() else None


@final
class Module:
    """What binds each name of a module, and what it imports under which name."""

    def __init__(self, name: str, text: str, package: bool):
        self.name, self._package = name, name if package else name.rpartition(".")[0]
        self.bound: dict[str, list[ast.stmt]] = {"": []}
        self.imports: dict[str, tuple[str, str]] = {}
        self._read: dict[str, tuple[str, frozenset[tuple[str, Chain]]]] = {}
        for statement in ast.parse(text).body:
            checker = isinstance(statement, ast.If) and ast.unparse(statement.test).endswith("TYPE_CHECKING")
            for one in statement.body if checker else [statement]:
                self._bind(one)

    def _bind(self, one: ast.stmt) -> None:
        if isinstance(one, ast.FunctionDef | ast.ClassDef):
            names = {one.name}
        elif isinstance(one, ast.Import | ast.ImportFrom):
            self.imports |= self._imported(one)
            return
        elif _text(one):
            return
        else:
            names = _binds([one]) or {""}
            for inner in _own([one]):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    self.imports |= self._imported(inner)
        for name in names:
            self.bound.setdefault(name, []).append(one)

    def read(self, name: str) -> tuple[str, frozenset[tuple[str, Chain]]]:
        """A definition's syntax tree as text, and the names of modules that it reads: where they are looked up, and their attributes."""
        if name not in self._read:
            found: set[tuple[str, Chain]] = set()
            for statement in self.bound.get(name, ()):
                _strip(statement)
                self._names(statement, ChainMap(), found)
            self._read[name] = "".join(map(ast.dump, self.bound.get(name, ()))), frozenset(found)
        return self._read[name]

    def _names(self, node: ast.AST, scope: ChainMap[str, tuple[str, str] | None], found: set[tuple[str, Chain]]) -> None:
        """Adds what a tree reads; `scope` holds what functions around it bind, with where they import it from."""
        if isinstance(node, ast.Name | ast.Attribute):
            chain: Chain = ()
            while isinstance(node, ast.Attribute):
                node, chain = node.value, (node.attr, *chain)
            if not isinstance(node, ast.Name):
                return self._names(node, scope, found)
            if not isinstance(node.ctx, ast.Load):
                return None
            if node.id not in scope:
                found.add((self.name, (node.id, *chain)))
            elif imported := scope[node.id]:
                found.add((imported[0], (imported[1], *chain) if imported[1] else chain))
            return None
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            # A file beside this one that is run, not imported.
            stem = node.value.removesuffix(".py")
            if stem.isidentifier() and (stem != node.value or stem.startswith("_")) and _file(f"{self._package}.{stem}").is_file():
                found.add((f"{self._package}.{stem}", ()))
            return None
        inner = scope
        if isinstance(node, FUNCTIONS):
            body = node.body if isinstance(node.body, list) else [node.body]
            given = node.args
            arguments = [a.arg for a in (*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg) if a]
            imports = [one for one in _own(body) if isinstance(one, ast.Import | ast.ImportFrom)]
            inner = scope.new_child(dict.fromkeys((*arguments, *_binds(body))))
            for one in imports:
                inner |= self._imported(one)
            for part in body:
                self._names(part, inner, found)
            outer = [node.args, *getattr(node, "decorator_list", ()), *filter(None, [getattr(node, "returns", None)])]
            for part in outer:
                self._names(part, scope, found)
            return None
        if isinstance(node, COMPREHENSIONS):
            inner = scope.new_child(dict.fromkeys(one.id for g in node.generators for one in ast.walk(g.target) if isinstance(one, ast.Name)))
            # The first of what is gone through is looked up outside.
            self._names(node.generators[0].iter, scope, found)
        for child in ast.iter_child_nodes(node):
            self._names(child, inner, found)
        return None

    def _imported(self, node: ast.Import | ast.ImportFrom) -> dict[str, tuple[str, str]]:
        """By name the module that it comes from, and what it is called there ("": it is the module)."""
        if isinstance(node, ast.Import):
            return {a.asname or a.name.partition(".")[0]: (a.name if a.asname else a.name.partition(".")[0], "") for a in node.names}
        origin = node.module or ""
        if node.level:
            base = self._package.split(".")[: len(self._package.split(".")) - node.level + 1]
            origin = ".".join([*base, *filter(None, [node.module])])
        return {a.asname or a.name: (origin, a.name) for a in node.names}


def _own(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of one scope: functions and classes in it, not what is in them."""
    left = list(body)
    while left:
        node = left.pop()
        yield node
        if isinstance(node, COMPREHENSIONS):
            left += [one.target for one in ast.walk(node) if isinstance(one, ast.NamedExpr)]
        elif not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            left += ast.iter_child_nodes(node)


def _binds(body: Iterable[ast.AST]) -> set[str]:
    """The names that statements bind in their scope."""
    found, others = set(), set()
    for node in _own(body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            found.add(node.name or "_")
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {a.asname or a.name.partition(".")[0] for a in node.names}
        elif isinstance(node, ast.Global):
            others |= set(node.names)
    return found - others


def _strip(node: ast.AST) -> None:
    """Takes docstrings, and other texts that nobody reads, out of a statement."""
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        if isinstance(part := getattr(node, field, None), list):
            part[:] = [one for one in part if not _text(one)]
            for one in part:
                _strip(one)


def _text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
