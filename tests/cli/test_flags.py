"""The library speaks of parameters, the command line of flags."""

from __future__ import annotations

from pathlib import Path

import pytest

import outgrow
from outgrow import cli
from outgrow.cli.flags import flagged
from outgrow.runs import folder


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("`seeds` = 0: give a number above 0", "--seeds 0: give a number above 0"),
        ("leave `weak` and `weak_gold` out", "leave --weak and --weak-gold out"),
        ("or `overwrite=True` if it may go", "or --overwrite if it may go"),
        ("another of `methods`", "another of --method"),
        ("go on with `skip_bad_rows=True`", "go on with --skip-bad-rows"),
        ("run `outgrow learn` again", "run `outgrow learn` again"),
        ("a verifier is a function of `attempts`", "a verifier is a function of `attempts`"),
    ],
)
def test_parameters_in_backticks_become_flags_and_nothing_else_does(message: str, shown: str) -> None:
    assert flagged(message) == shown


def test_the_command_line_prints_the_flag_where_python_raises_the_parameter(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out").write_text("")
    with pytest.raises(outgrow.UserError, match=r"^`out` = out: there is a file of that name"):
        folder.claim(Path("out"), "run", {})
    with pytest.raises(SystemExit) as stopped:
        cli.main(["run", "cities", "--seeds", "1", "--weak", "tfidf", "--out", "out"])
    assert stopped.value.code == 2
    assert (
        capsys.readouterr().err.strip().splitlines()[-1].startswith("outgrow: --out out: there is a file of that name")
    )
