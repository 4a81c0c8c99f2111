"""Jobs: installed libraries read foreign texts in a box, many to one process.

A job that hangs or crashes loses no other.
"""

from __future__ import annotations

import importlib.util
import io
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from outgrow.core.errors import UserError
from outgrow.verifiers.sandbox import limits
from outgrow.verifiers.sandbox.box import PYTHON, BoxResult
from outgrow.verifiers.sandbox.programs.plain_values import receive, send
from outgrow.verifiers.sandbox.programs.sources import JOB_SERVER, PLAIN_VALUES, Program
from outgrow.verifiers.sandbox.runner import in_parallel, run


@final
@dataclass(frozen=True)
class LostJob:
    """A job without a reply."""

    outcome: str
    """ "time", "memory" or "output", the limit that it hit; or "failed: ..."."""


def run_jobs(
    program: Program,
    package: str,
    jobs: Sequence[Any],
    label: str,
    *,
    seconds: int = limits.JOB_SECONDS,
    memory: int = limits.JOB_MEMORY,
) -> list[Any]:
    """Replies of a program's function `answer` to jobs, in boxes where installed packages can be imported.

    Args:
        program: one that defines answer(job).
        package: an installed package that it imports.
        jobs: plain values (`programs/plain_values.py`).
        label: of the progress bar.
        seconds: on the processor, of one job.
        memory: bytes of address space of one box.

    Returns:
        For each job its reply, a plain value, or `LostJob`.

    Raises:
        UserError: the package is not installed, or there is no sandbox.
    """
    if importlib.util.find_spec(package) is None:
        raise UserError(f"{package} is not installed: pip install 'outgrow[verify]'")
    workers = min(len(os.sched_getaffinity(0)), max(len(jobs) // 16, 1))
    parts = [jobs[start::workers] for start in range(workers)]
    replies: list[Any] = [None] * len(jobs)
    for start, part in enumerate(in_parallel(lambda part: _run_part(program, part, seconds, memory), parts, label)):
        replies[start::workers] = part
    return replies


def _run_part(program: Program, jobs: Sequence[Any], seconds: int, memory: int) -> list[Any]:
    """Replies to jobs, by one box after another: each box goes on behind the job that the one before lost."""
    replies: list[Any] = []
    while len(replies) < len(jobs):
        left = jobs[len(replies) :]
        requests = io.BytesIO()
        for job in left:
            send(requests, job)
        result = run(
            dict([JOB_SERVER.file, PLAIN_VALUES.file, program.file]),
            (PYTHON, JOB_SERVER.name, program.name.removesuffix(".py"), str(seconds)),
            stdin=requests.getvalue(),
            seconds=limits.JOB_IMPORTS + seconds * len(left),
            memory=memory,
            output=limits.JOB_OUTPUT,
            packages=True,
            threads=True,
        )
        stream = io.BytesIO(result.stdout)
        try:
            receive(stream)
        except (EOFError, ValueError) as error:
            stderr = result.stderr.decode(errors="replace")[-2000:]
            raise RuntimeError(f"{program.name} did not start: {result.outcome} {stderr}") from error
        try:
            while True:
                replies.append(receive(stream))
        except EOFError:
            pass
        if len(replies) < len(jobs):
            replies.append(_lost(result))
    return replies


def _lost(result: BoxResult) -> LostJob:
    if result.code == 128 + signal.SIGPROF:
        return LostJob("time")
    if result.outcome == "failed":
        last = result.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return LostJob(f"failed: {last[:200]}")
    return LostJob(result.outcome)
