"""The package works on systems that lack what POSIX has, apart from the sandbox and processes side by side."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from outgrow.core import machine

FOREIGN = """
import sys, os, pkgutil, importlib
import numpy, polars, pydantic, rich.console, rich.progress, scipy.optimize, scipy.sparse, scipy.stats, torch, filelock
import sklearn.linear_model, sklearn.feature_extraction.text, multiprocessing.connection, tempfile, transformers
import vl_convert, jinja2, cyclopts, safetensors.numpy, narwhals
for name in {modules}:
    sys.modules[name] = None
for name in {functions}:
    vars(os).pop(name, None)
"""
MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "readline", "curses")
FUNCTIONS = (
    "fork", "killpg", "memfd_create", "mkfifo", "pidfd_open", "posix_fallocate", "sched_getaffinity", "setsid",
    "sysconf",
)  # fmt: skip
START = FOREIGN.format(modules=MODULES, functions=FUNCTIONS)
EVERY = """
import outgrow
for found in pkgutil.walk_packages(outgrow.__path__, "outgrow."):
    if ".programs." not in found.name and found.name != "outgrow.__main__":
        importlib.import_module(found.name)
print("imported")
"""
STUDY = """
from outgrow.cli import main
main("run table.csv --text t --label y --weak tfidf --strong-features f.npz --seeds 4".split())
"""


def _run(code: str, folder: Path) -> str:
    environment = {**os.environ, "OUTGROW_STORE": str(folder / "store")}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_is_imported_without_what_posix_alone_has(tmp_path) -> None:
    assert _run(START + EVERY, tmp_path) == "imported\n"


def test_a_study_of_heads_runs_without_what_posix_alone_has(tmp_path) -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 300)
    words = np.array([["calm", "mild"], ["loud", "wild"]])
    lines = [f"{i},{words[y][i % 2]} {i},{y}" for i, y in enumerate(label)]
    (tmp_path / "table.csv").write_text("id,t,y\n" + "\n".join(lines) + "\n")
    np.savez(tmp_path / "f.npz", id=np.arange(300).astype(str), x=rng.normal(size=(300, 4)) + 2 * label[:, None])
    assert "naive" in _run(START + STUDY, tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has /proc/meminfo")
def test_memory_is_what_the_system_says() -> None:
    (line,) = (line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal:"))
    # The kernel counts pages of 4 KiB and says kibibytes.
    assert machine.memory() == int(line.split()[1]) * 1024
