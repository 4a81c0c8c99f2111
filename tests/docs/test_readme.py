"""README: its Python examples are valid, name what the package offers, and print what stands below them."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

import outgrow
from outgrow import cli

YOUTUBE = Path(__file__).parents[3] / "shared" / "data" / "wrench_youtube" / "wrench_youtube.parquet"
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", README, re.DOTALL)
"""(code, what stands below it as its output)"""


def numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"-?\d+\.\d+", text)]


def test_readme_begins_with_the_readers_own_data_then_a_study_then_a_committee() -> None:
    headings = re.findall(r"^## (.+)$", README, re.MULTILINE)
    assert headings[:3] == ["Your own data", "A study", "A committee"]


def test_every_example_is_followed_by_its_output_and_uses_public_names_alone() -> None:
    assert len(EXAMPLES) == README.count("```python") == 2
    for code, _ in EXAMPLES:
        tree = ast.parse(code)
        names = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "outgrow"
        }
        assert names and names <= set(outgrow.__all__)


@pytest.mark.docs
@pytest.mark.checkpoint
@pytest.mark.timeout(900)
def test_the_study_prints_what_stands_below_it(tmp_path, monkeypatch) -> None:
    code, printed = next(pair for pair in EXAMPLES if "outgrow.Study" in pair[0])
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), {})
    assert re.sub(r"[\d.]+", "0", out.getvalue()) == re.sub(r"[\d.]+", "0", printed)
    # A processor without bfloat16 units, or another number of threads, changes the third digit of scores.
    for here, there in zip(out.getvalue().splitlines(), printed.splitlines(), strict=True):
        assert numbers(here)[0] == pytest.approx(numbers(there)[0], abs=0.01)
        assert numbers(here)[1:] == pytest.approx(numbers(there)[1:], abs=0.1)
    assert (tmp_path / "report.html").is_file()


@pytest.mark.docs
@pytest.mark.checkpoint
@pytest.mark.shared_data
@pytest.mark.skipif(not YOUTUBE.exists(), reason="needs ../shared/data/wrench_youtube")
@pytest.mark.timeout(900)
def test_learning_from_ten_rules_prints_what_stands_below_it(tmp_path, monkeypatch, capsys) -> None:
    found = re.search(r"    outgrow (learn wrench[^\n]*)\n[^\n]*\n\n```\n(.*?)```", README, re.DOTALL)
    command, printed = found.groups()
    monkeypatch.chdir(tmp_path)
    (tmp_path / YOUTUBE.name).symlink_to(YOUTUBE)
    with pytest.raises(SystemExit) as stopped:
        cli.main(shlex.split(command))
    assert stopped.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    there = " ".join(printed.split())
    assert re.sub(r"[\d.]+", "0", said).startswith(re.sub(r"[\d.]+", "0", there))
    assert numbers(said)[: len(numbers(there))] == pytest.approx(numbers(there), abs=2)

    code, shown = next(pair for pair in EXAMPLES if "outgrow.load" in pair[0])
    exec(compile(code, "README.md", "exec"), {})
    assert numbers(capsys.readouterr().out) == pytest.approx(numbers(shown), abs=0.1)
