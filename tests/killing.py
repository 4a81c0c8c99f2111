"""A process that is killed after its first kept step, and what it says when it is started again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import forked

HERE = Path(__file__).parent
PATHS = os.pathsep.join(
    [str(HERE.parent / "src"), str(HERE), *(str(path) for path in sorted(HERE.iterdir()) if path.is_dir())]
)
"""Where a script of a test finds the package and other tests."""


def resumed(script: str, *arguments: object) -> list[str]:
    """The words that the second process prints; both get the folder, the arguments, and the seconds to sleep a step."""

    def start(pause: float) -> forked.Process:
        environment = os.environ | {"PYTHONPATH": PATHS, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", script, *map(str, (HERE, *arguments, pause))]
        return forked.start(command, env=environment)

    with start(30) as killed:
        first = killed.stdout.readline()
        killed.kill()
    assert first == "1\n"
    with start(0) as again:
        said, error = again.communicate()
    assert again.returncode == 0, error
    return said.split()
