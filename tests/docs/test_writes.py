"""Files that a user keeps are written whole: by `store.disk.write` and `write_all`, and by nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import outgrow

SOURCE = Path(outgrow.__file__).parent
WRITERS = {
    "write_text", "write_bytes", "write_parquet", "write_csv", "write_ndjson", "write_json", "save_file",
    "save_pretrained", "to_csv", "to_json", "to_parquet", "savez", "savefig",
}  # fmt: skip
OWN = {
    "store/": "temporary folders, which it renames",
    "models/": "temporary folders of the store",
    "training/causal.py": "temporary folders of the store",
    "training/pruned.py": "temporary folders of the store",
    "verifiers/": "sandboxes and control groups",
}
"""Where files are written in parts that are no user's, and what they go into."""
FILES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))


def writes(text: str) -> list[str]:
    """Calls in a module that write a file under its own name; a function that is handed to `disk.write_all` may."""
    tree = ast.parse(text)
    handed = {
        argument.id
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "disk.write_all"
        for argument in call.args
        if isinstance(argument, ast.Name)
    }
    skipped = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name in handed
        for inner in ast.walk(node)
    }
    found = []
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or call in skipped:
            continue
        name = ast.unparse(call.func).rpartition(".")[2]
        modes = [part.value for part in call.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        modes += [key.value.value for key in call.keywords if key.arg == "mode" and isinstance(key.value, ast.Constant)]
        opened = name in ("open", "fdopen") and any(
            set(mode) <= set("rwaxbt+") and set(mode) & set("wax+") for mode in modes
        )
        if name in WRITERS or opened:
            found.append(f"{call.lineno}: {ast.unparse(call)}")
    return found


@pytest.mark.parametrize("file", [file for file in FILES if not file.startswith(tuple(OWN))])
def test_no_file_of_a_user_is_written_in_parts(file: str) -> None:
    assert writes((SOURCE / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "path.write_text('a')",
        "frame.write_parquet(path)",
        "open(path, 'w')",
        "path.open(mode='ab')",
        "def fill(part):\n    net.save_pretrained(part)\nfill(folder)",
    ],
)
def test_a_direct_write_is_found(text: str) -> None:
    assert len(writes(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "disk.write(path, 'a')",
        "disk.write(path, frame.write_parquet)",
        "open(path)",
        "path.open('rb')",
        "def fill(part):\n    net.save_pretrained(part)\ndisk.write_all(folder, fill)",
    ],
)
def test_what_is_written_whole_or_only_read_is_not(text: str) -> None:
    assert writes(text) == []
