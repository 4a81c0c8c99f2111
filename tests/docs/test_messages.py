"""Errors of the library speak of parameters: the names of flags live in cli/."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import outgrow

SOURCE = Path(outgrow.__file__).parent
FLAG = re.compile(r"(?<![\w-])--[a-z]")
TOLD = ("UserError", "unknown", "say")
"""What is called with a text for the user."""
ROOMS = sorted({path.name for path in SOURCE.iterdir() if path.is_dir()} - {"cli", "__pycache__"})


def flags(text: str) -> list[str]:
    """The lines of a module in which a message to the user names a flag."""
    found = []
    for call in ast.walk(ast.parse(text)):
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in TOLD:
            parts = [part for part in ast.walk(call) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            found += [f"{part.lineno}: {part.value}" for part in parts if FLAG.search(part.value)]
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_no_message_of_the_library_names_a_flag(room: str) -> None:
    assert {str(path): told for path in (SOURCE / room).rglob("*.py") if (told := flags(path.read_text("utf-8")))} == {}


def test_a_flag_in_a_message_is_found_and_one_in_a_command_is_not() -> None:
    assert flags('raise UserError(f"{name}: leave --weak out")') == ["1: : leave --weak out"]
    assert flags('run(["pip", "--quiet"])\n"""about --weak"""\nsay("a -- b")') == []
