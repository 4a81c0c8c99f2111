"""Function calling: is the call in an answer one that gold allows?

Calls are written as in Python, `name(arg=value, ...)`, several as a list, no call as "none". Gold is a list of
{function: {argument: [allowed values]}}, or None if no call is right; "" among the values allows an argument to be left
out. Calls are compared by their syntax trees, in any order, strings without case, blanks and punctuation (the Berkeley
function-calling leaderboard, Patil et al. 2025, section 3). Unlike there, an integer equals a float of the same value,
and "none" has to be written.
"""

from __future__ import annotations

import ast
import io
import keyword
import re
import tokenize
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

NONE = "none"
_WORDS = {"true": True, "false": False, "null": None}
_PUNCTUATION = re.compile(r"[ ,./\-_*^]")


@final
@dataclass(frozen=True)
class Call:
    """A function's name, and its arguments by name."""

    name: str
    arguments: Mapping[str, Any]


Gold = Sequence[Mapping[str, Mapping[str, Sequence[Any]]]] | None


def read(text: str) -> list[Call] | None:
    """The calls in an answer, [] for "none"; None if they cannot be parsed.

    Example:
        >>> read('weather(city="Oslo")')
        [Call(name='weather', arguments={'city': 'Oslo'})]
    """
    text = text.strip()
    if text.lower() == NONE:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(_renamed(text), mode="eval").body
        nodes = tree.elts if isinstance(tree, ast.List | ast.Tuple) else [tree]
        return [_call(node) for node in nodes] or None
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None


_MARK = "\u00b7"
"""A character that occurs in identifiers, and in no name of an argument."""


def _renamed(text: str) -> str:
    """The text with a mark after argument names that are keywords (class="first"), which Python cannot parse."""
    if not any(f"{word}" in text for word in keyword.kwlist) or _MARK in text:
        return text
    try:
        tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type != tokenize.NL]
    except (tokenize.TokenError, SyntaxError):
        return text
    lines = text.split("\n")
    for before, token, after in reversed(list(zip(tokens, tokens[1:], tokens[2:], strict=False))):
        if keyword.iskeyword(token.string) and after.string == "=" and before.string in ("(", ","):
            row, column = token.end[0] - 1, token.end[1]
            lines[row] = lines[row][:column] + _MARK + lines[row][column:]
    return "\n".join(lines)


def allowed(said: Sequence[Call] | None, gold: Gold) -> bool:
    """Whether these are the calls that gold asks for, in any order."""
    if said is None:
        return False
    wanted = [(name, arguments) for call in gold or () for name, arguments in call.items()]
    if len(said) != len(wanted):
        return False
    fits = [
        [i for i, call in enumerate(said) if call.name == name and _object(call.arguments, arguments)]
        for name, arguments in wanted
    ]
    return _paired(fits)


def _paired(fits: Sequence[Sequence[int]]) -> bool:
    """Whether there is a perfect matching, by augmenting paths."""
    taken: dict[int, int] = {}

    def gets(one: int, tried: set[int]) -> bool:
        for i in fits[one]:
            if i not in tried:
                tried.add(i)
                if i not in taken or gets(taken[i], tried):
                    taken[i] = one
                    return True
        return False

    return all(gets(one, set()) for one in range(len(fits)))


def _object(said: Mapping[str, Any], gold: Mapping[str, Any]) -> bool:
    """Whether every argument is known and allowed, and none is missing."""
    options = {key: _options(value) for key, value in gold.items()}
    known = all(key in options and _among(value, options[key]) for key, value in said.items())
    return known and all(key in said or "" in values for key, values in options.items())


def _options(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _among(said: Any, options: Sequence[Any]) -> bool:
    return any(_same(said, option) for option in options)


def _same(said: Any, gold: Any) -> bool:
    if isinstance(gold, dict):
        return isinstance(said, dict) and _object(said, gold)
    if isinstance(gold, list):
        return isinstance(said, list | tuple) and len(said) == len(gold) and all(map(_same, said, gold))
    if isinstance(gold, str):
        return isinstance(said, str) and _plain(said) == _plain(gold)
    return isinstance(said, bool) == isinstance(gold, bool) and type(said) not in (str, list, dict) and said == gold


def _plain(text: str) -> str:
    return _PUNCTUATION.sub("", text).lower().replace("'", '"')


def _call(node: ast.AST) -> Call:
    """The call at a node of the tree. Raises ValueError where there is none, or an argument has no name."""
    if not isinstance(node, ast.Call) or node.args or any(one.arg is None for one in node.keywords):
        raise ValueError("no call")
    return Call(_name(node.func), {str(one.arg).replace(_MARK, ""): _value(one.value) for one in node.keywords})


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    raise ValueError("no name")


def _value(node: ast.AST) -> Any:
    if isinstance(node, ast.Name) and node.id in _WORDS:
        return _WORDS[node.id]
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(element) for element in node.elts]
    if isinstance(node, ast.Dict):
        keys = [None if key is None else _value(key) for key in node.keys]
        if not all(isinstance(key, str) for key in keys):
            raise ValueError("a key that is no text")
        return dict(zip(keys, map(_value, node.values), strict=True))
    return ast.literal_eval(node)
