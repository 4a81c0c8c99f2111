"""Installed libraries that read foreign text do so in a sandbox, many texts to one process; one that hangs or falls takes no other with it."""

from __future__ import annotations

import importlib.util
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from outgrow.core.errors import UserError
from outgrow.verifiers._sandbox import each, run
from outgrow.verifiers._values import receive, send

_HERE = Path(__file__).parent
_READY = 60
"""Seconds on the processor for imports."""


@final
@dataclass(frozen=True)
class Lost:
    """No reply: the job ran out of "time" or "memory", or it "failed: ..."."""

    outcome: str


def served(
    module: str, package: str, jobs: Sequence[Any], label: str, *, seconds: int = 5, memory: int = 4 << 30
) -> list[Any]:
    """What answer(job) of `MODULE.py` here says to each job, in a sandbox where what is installed can be imported; `Lost` where it got none."""
    if importlib.util.find_spec(package) is None:
        raise UserError(f"{package} is not installed: pip install 'outgrow[verify]'")
    workers = min(len(os.sched_getaffinity(0)), max(len(jobs) // 16, 1))
    parts = [jobs[start::workers] for start in range(workers)]
    replies: list[Any] = [None] * len(jobs)
    for start, part in enumerate(each(lambda part: _part(module, part, seconds, memory), parts, label)):
        replies[start::workers] = part
    return replies


def _part(module: str, jobs: Sequence[Any], seconds: int, memory: int) -> list[Any]:
    files = {name: (_HERE / name).read_bytes() for name in ("_serving.py", "_values.py", f"{module}.py")}
    replies: list[Any] = []
    while len(replies) < len(jobs):
        asked = io.BytesIO()
        for job in jobs[len(replies) :]:
            send(asked, job)
        ran = run(
            files,
            ("python", "_serving.py", module, str(seconds)),
            stdin=asked.getvalue(),
            seconds=_READY + seconds * (len(jobs) - len(replies)),
            memory=memory,
            output=64 << 20,
            packages=True,
            threads=True,
        )
        said = io.BytesIO(ran.stdout)
        try:
            receive(said)
        except (EOFError, ValueError) as error:
            raise RuntimeError(
                f"{module} did not start: {ran.outcome} {ran.stderr.decode(errors='replace')[-2000:]}"
            ) from error
        try:
            while True:
                replies.append(receive(said))
        except EOFError:
            pass
        if len(replies) < len(jobs):
            last = ran.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            replies.append(
                Lost(
                    "time"
                    if ran.code == 128 + 27
                    else f"failed: {last[:200]}"
                    if ran.outcome == "failed"
                    else ran.outcome
                )
            )
    return replies
