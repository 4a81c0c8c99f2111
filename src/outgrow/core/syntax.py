"""The syntax of a module, without importing it: the statements that bind each name, and the names they read."""

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
    """The file of a module; a path that does not exist if it has no source."""
    head, *rest = module.split(".")
    if head == PACKAGE:
        folder = Path(__file__).parents[1]
    elif module == head:
        # Neither namespace packages nor modules that are not imported have a file.
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
    """The statements that bind each name of a module, and its imports by name."""

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
        """A definition's syntax tree as text, and the names that it reads: the module of lookup, and the attributes."""
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
        """Add the names that a tree reads; `scope` holds the bindings of enclosing functions, and their imports."""
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
            # A file beside this one that is run and not imported.
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
            # The first iterable is looked up outside of the comprehension.
            self._names(node.generators[0].iter, scope, found)
            inner = list(ast.iter_child_nodes(node))
            bound = dict.fromkeys(
                one.id for g in node.generators for one in ast.walk(g.target) if isinstance(one, ast.Name)
            )
        for child in ast.iter_child_nodes(node):
            self._names(child, scope.new_child(bound) if child in inner else scope, found)

    def _imported(self, node: ast.Import | ast.ImportFrom) -> dict[str, tuple[str, str]]:
        """For each imported name the module it comes from, and its name there ("" for the module itself)."""
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
    """The nodes of one scope, including its functions and classes, but not their bodies."""
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
    """Remove docstrings and other bare strings from a statement."""
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        # Every class of nodes has other fields.
        if isinstance(part := getattr(node, field, None), list):
            part[:] = [one for one in part if not _text(one)]
            for one in part:
                _strip(one)


def _text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
