"""Results as LaTeX, figures and JSON; completion of the shell; nothing overwritten unasked."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from outgrow import cli

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
import runs

TESTS = Path(__file__).parents[1]
ENGINE = shutil.which("pdflatex") or shutil.which("tectonic") or shutil.which("lualatex")


def told(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    out, err = capsys.readouterr()
    return stopped.value.code, out, err


@pytest.fixture(params=["run", "learn", "audit", "committee", "steer"])
def folder(request, tmp_path) -> Path:
    """A folder of every verb."""
    if request.param == "run":
        runs.one(tmp_path)
    else:
        shutil.copy(TESTS / "runs" / "version0" / f"{request.param}.json", tmp_path)
    return tmp_path


def strict(text: str) -> None:
    """Whether LaTeX would take the text: environments closed in order, rules in place, cells counted, signs escaped."""
    stack: list[str] = []
    columns = 0
    for line in text.splitlines():
        if line.startswith("%") or not line:
            continue
        if begun := re.fullmatch(r"\\begin\{(\w+)\}\{(l+)\}", line):
            stack.append(begun[1])
            columns = len(begun[2])
        elif ended := re.fullmatch(r"\\end\{(\w+)\}", line):
            assert stack.pop() == ended[1]
        elif line not in (r"\toprule", r"\midrule", r"\bottomrule"):
            assert stack == ["tabular"] and line.endswith(r" \\")
            row = line.removesuffix(r" \\")
            bare = re.sub(r"\\text[a-z]+\{\}|\$(?:\\to|-)\$|\\[&%$#_{}]", "", row)
            assert bare.count("&") == columns - 1, line
            assert not set(bare) & set("%$#_{}^\\"), line
    assert stack == []


def test_tables_are_what_latex_takes(folder, tmp_path, capsys) -> None:
    code, text, _ = told(capsys, "show", str(folder), "--format", "tex")
    assert code == 0 and text.count(r"\toprule") == text.count(r"\begin{tabular}") > 0
    strict(text)


@pytest.mark.skipif(ENGINE is None, reason="no LaTeX here")
def test_tables_compile(folder, tmp_path, capsys) -> None:
    _, text, _ = told(capsys, "show", str(folder), "--format", "tex")
    page = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n" + text + "\\end{document}\n"
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    done = subprocess.run([ENGINE, "page.tex"], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


def test_a_figure_is_drawn_once_and_not_over_another_file(tmp_path, capsys) -> None:
    runs.one(tmp_path)
    command = ("show", str(tmp_path), "--figure", str(tmp_path / "ladder.svg"))
    assert told(capsys, *command) == (0, f"{tmp_path / 'ladder.svg'}\n", "")
    code, _, err = told(capsys, *command)
    assert code == 2 and "the file is there; give another name, or --overwrite" in err
    assert told(capsys, *command, "--overwrite")[0] == 0


def test_lists_come_as_json(capsys) -> None:
    code, out, _ = told(capsys, "list", "losses", "--json")
    assert code == 0 and "xent" in {row[0] for row in json.loads(out)["losses"]}
    _, out, _ = told(capsys, "list", "--json", "--quiet")
    assert {"tasks", "models", "methods"} <= set(json.loads(out))
    assert told(capsys, "list", "loses", "--json")[0] == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_every_verb_and_its_flags(shell, capsys) -> None:
    code, out, _ = told(capsys, "completion", shell)
    assert code == 0
    assert [verb for verb in cli.VERBS if verb not in out] == []
    assert "older-than" in out
    if program := shutil.which(shell):
        done = subprocess.run([program, "-n"], input=out, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_a_citation_is_printed(tmp_path, capsys) -> None:
    runs.one(tmp_path)
    code, out, _ = told(capsys, "cite", str(tmp_path))
    assert code == 0 and "@software{outgrow," in out and "@misc{burns2023" in out
    code, _, err = told(capsys, "cite", str(tmp_path / "nothing"))
    assert code == 2 and "is no run folder" in err


def test_a_tracker_that_is_missing_stops_the_command_before_it_reads_anything(monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    for verb in ("run", "learn"):
        code, _, err = told(capsys, verb, "no-such-table.csv", "--track", "wandb")
        assert code == 2 and "--track wandb needs the package wandb" in err
