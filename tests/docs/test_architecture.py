"""docs/architecture.md names files and functions that are there, and every package."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "outgrow"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?!tests/)[\w/]+\.py(?::[\w.]+)?|\w[\w/]*/)`", PAGE)))
"""Files, functions and folders between backticks; a bare file is one of the folder that begins its row."""


def defined(path: Path) -> set[str]:
    """The functions, classes and values of a module, and the members of its classes."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
        if isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize("name", [name for name in NAMED if "/" in name])
def test_what_the_page_names_is_there(name: str) -> None:
    path, _, member = name.partition(":")
    assert (SOURCE / path).exists()
    assert not member or member in defined(SOURCE / path)


def test_bare_names_of_files_lie_in_the_folder_of_their_row() -> None:
    rows = re.findall(r"^\| `([\w/]+/)`.*$", PAGE, re.MULTILINE)
    assert len(rows) > 15
    for line in PAGE.splitlines():
        if place := re.match(r"\| `([\w/]+/)`", line):
            for name in re.findall(r"`(\w+\.py)`", line):
                assert (SOURCE / place[1] / name).is_file(), f"{place[1]}{name}"


def test_every_package_has_a_line() -> None:
    packages = {path.parent.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("__init__.py")} - {"."}
    said = PAGE.split("## The tree")[1]
    assert [
        name for name in sorted(packages) if f"`{name}/" not in said and f"{name.rpartition('/')[2]}/`" not in said
    ] == []


@pytest.mark.parametrize(
    "to_change, file, shown",
    [
        ("a label model", "label_models/dawid_skene.py", "def dawid_skene"),
        ("another CSV dialect", "tasks/tables/formats.py", "csv.reader"),
        ("a column of `summary.json`", "metrics/pgr.py", "class SummaryRow"),
        ("a chart's colour", "report/theme.py", "#"),
        ("a limit of the sandbox", "verifiers/sandbox/limits.py", "MEMORY"),
        ("the interval of PGR", "metrics/pgr.py", "fieller"),
    ],
)
def test_a_reader_finds_the_file_to_change(to_change: str, file: str, shown: str) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {to_change}")]
    assert f"`{file}" in row
    assert shown.lower() in (SOURCE / file).read_text(encoding="utf-8").lower()
