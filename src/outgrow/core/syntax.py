"""What a module's text says, without importing it: what binds each of its names, and what that reads."""

from __future__ import annotations

import ast
import os
import sys
from collections import ChainMap
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import final

PACKAGE, INIT = "outgrow", "__init__.py"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
Chain = tuple[str, ...]
"""A name and the attributes after it."""


@cache
def file_of(module: str) -> Path:
    """Where a module stands; a path to nowhere where it has no source."""
    head, *rest = module.split(".")
    if head == PACKAGE:
        folder = Path(__file__).parents[1]
    elif module == head:
        return Path(getattr(sys.modules.get(head), "__file__", None) or os.devnull)
    else:
        folder = file_of(head).parent if file_of(head).name == INIT else Path(os.devnull)
    path = folder.joinpath(*rest)
    return path / INIT if (path / INIT).is_file() else path.with_suffix(".py")


@cache
def parsed(name: str) -> Module | None:
    file = file_of(name)
    return (
        Module(name, file.read_text(encoding="utf-8"), file.name == INIT)
        if file.suffix == ".py" and file.is_file()
        else None
    )


@final
class Module:
    """What binds each name of a module, and what it imports under which name."""

    def __init__(self, name: str, text: str, package: bool):
        self.name, self._package = name, name if package else name.rpartition(".")[0]
        self.bound: dict[str, list[ast.stmt]] = {"": []}
        self.imports: dict[str, tuple[str, str]] = {}
        self._read: dict[str, tuple[str, frozenset[tuple[str, Chain]]]] = {}
        for statement in ast.parse(text).body:
            if isinstance(statement, ast.If) and ast.unparse(statement.test).endswith("TYPE_CHECKING"):
                for one in statement.body:
                    self._bind(one)
            else:
                self._bind(statement)

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

    def _names(
        self, node: ast.AST, scope: ChainMap[str, tuple[str, str] | None], found: set[tuple[str, Chain]]
    ) -> None:
        """Adds what a tree reads; `scope` holds what functions around it bind, with where they import it from."""
        chain: Chain = ()
        while isinstance(node, ast.Attribute):
            chain = (node.attr, *chain)
            node = node.value
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                origin, name = scope.get(node.id, (self.name, node.id)) or ("", "")
                found |= {(origin, (name, *chain) if name else chain)} if origin else set()
            return
        if isinstance(node, ast.Constant):
            stem = str(node.value).removesuffix(".py")
            # A file beside this one that is run, not imported.
            if (
                stem.isidentifier()
                and (stem != node.value or stem.startswith("_"))
                and file_of(f"{self._package}.{stem}").is_file()
            ):
                found.add((f"{self._package}.{stem}", ()))
            return
        inner: list[ast.AST] = []
        bound: dict[str, tuple[str, str] | None] = {}
        if isinstance(node, FUNCTIONS):
            inner = list(node.body) if isinstance(node.body, list) else [node.body]
            given = node.args
            arguments = (
                a.arg for a in (*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg) if a
            )
            bound = dict.fromkeys((*arguments, *_binds(inner)))
            for one in _own(inner):
                if isinstance(one, ast.Import | ast.ImportFrom):
                    bound |= self._imported(one)
        elif isinstance(node, COMPREHENSIONS):
            # The first of what is gone through is looked up outside.
            self._names(node.generators[0].iter, scope, found)
            inner = list(ast.iter_child_nodes(node))
            bound = dict.fromkeys(
                one.id for g in node.generators for one in ast.walk(g.target) if isinstance(one, ast.Name)
            )
        for child in ast.iter_child_nodes(node):
            self._names(child, scope.new_child(bound) if child in inner else scope, found)

    def _imported(self, node: ast.Import | ast.ImportFrom) -> dict[str, tuple[str, str]]:
        """By name the module that it comes from, and what it is called there ("": it is the module)."""
        if isinstance(node, ast.Import):
            return {
                a.asname or a.name.partition(".")[0]: (a.name if a.asname else a.name.partition(".")[0], "")
                for a in node.names
            }
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
    found: set[str] = set()
    others: set[str] = set()
    for node in _own(body):
        if isinstance(
            node,
            ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.ExceptHandler | ast.MatchAs | ast.MatchStar,
        ):
            found |= {node.name} if node.name else set()
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
