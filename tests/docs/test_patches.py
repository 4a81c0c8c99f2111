"""No test replaces a constant of the package: a limit is an argument, a function, or reached by the input."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")
SCRIPT = re.compile(r"^[ \t]*[a-z_][\w.]*\.(_?[A-Z][A-Z0-9_]+)\b[^\n=]*=[^=]", re.MULTILINE)
"""An assignment to a constant in a program that a test writes for another process."""


def replaced(text: str) -> Iterator[str]:
    """Names of the constants that the code of a test replaces."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Call(func=ast.Attribute(attr="setattr" | "delattr"), args=[_, ast.Constant(str(name)), *_]) if (
                CONSTANT.fullmatch(name)
            ):
                yield name
            case ast.Call(func=ast.Attribute(attr="setattr"), args=[ast.Constant(str(path)), _]) if CONSTANT.fullmatch(
                name := path.rpartition(".")[2]
            ):
                yield name
            case ast.Assign() | ast.AugAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in (inner for one in targets for inner in ast.walk(one)):
                    stored = isinstance(target, ast.Attribute) and isinstance(target.ctx, ast.Store)
                    if stored and CONSTANT.fullmatch(target.attr):
                        yield target.attr
            case ast.Constant(str(script)):
                yield from SCRIPT.findall(script)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('monkeypatch.setattr(sweep, "IN_MEMORY", 0)', ["IN_MEMORY"]),
        ('patch.setattr("outgrow.metrics.gap.DRAWS", 400)', ["DRAWS"]),
        ('monkeypatch.delattr(local, "_WORTH")', ["_WORTH"]),
        ("generator.READ = 0", ["READ"]),
        ("t.checkpoint.EVERY, t.checkpoint.SHARE = 0.0, 1.0", ["EVERY", "SHARE"]),
        ('RUN = """\nimport x\nx.y.FEWEST_STEPS = 3\n"""', ["FEWEST_STEPS"]),
        ('monkeypatch.setattr(Store, "put", dies)', []),
        ('monkeypatch.setattr("outgrow.models.resolve", None)', []),
        ("SIZES = {}\nfound.made = t.RATES", []),
        ('assert text.EXACT == "a.B"', []),
    ],
)
def test_the_rule_itself_sees_what_is_replaced(text: str, found: list[str]) -> None:
    assert list(replaced(text)) == found


def test_no_test_replaces_a_constant() -> None:
    files = {path: list(replaced(path.read_text(encoding="utf-8"))) for path in ROOT.rglob("*.py")}
    assert len(files) > 100
    assert {path.name: names for path, names in files.items() if names and path != Path(__file__)} == {}
