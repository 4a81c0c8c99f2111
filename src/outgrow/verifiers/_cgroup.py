"""A cgroup for a sandbox, where one can be made: version 2, beside or below our own, with memory and pids handed on.

A cgroup bounds what no limit of a process does: all memory that the kernel keeps for what runs in it (names of files, page tables, buffers), and the
number of processes. Where the system gives us none (version 1, a container, no delegation) there is none, and the other limits stand.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

_NEEDS = {"memory", "pids"}
_WAIT = 100
"""Hundredths of a second for what was killed to be gone."""
_number = itertools.count()


def made(memory: int, processes: int) -> Path | None:
    """A new cgroup with these limits; None where none can be made."""
    above = parent()
    return None if above is None else _below(above, memory, processes)


def _below(above: Path, memory: int, processes: int) -> Path | None:
    group = above / f"outgrow-{os.getpid()}-{next(_number)}"
    try:
        group.mkdir()
        for name, value in (("memory.max", memory), ("pids.max", processes)):
            (group / name).write_text(str(value))
        with suppress(FileNotFoundError):
            (group / "memory.swap.max").write_text("0")
    except OSError:
        gone(group)
        return None
    return group


def inside(group: Path | None) -> Sequence[str]:
    """What to put before a command so that it, and all that it starts, runs in there; it does not run where it could not enter."""
    return () if group is None else ("/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs"))


def ran_out(group: Path | None) -> bool:
    """Whether the kernel ended something in there for want of memory."""
    if group is None:
        return False
    with suppress(OSError):
        return re.search(r"^oom_kill [1-9]", (group / "memory.events").read_text(), re.MULTILINE) is not None
    return False


def gone(group: Path | None) -> None:
    """Ends what is left in there, and takes it away."""
    if group is None:
        return
    with suppress(OSError):
        (group / "cgroup.kill").write_text("1")
    for _ in range(_WAIT):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            # What was killed is still on its way out.
            time.sleep(0.01)
        else:
            return


@cache
def parent(proc: str = "/proc/self") -> Path | None:
    """The cgroup in which ours can be made: our own, or the one above it, if it hands memory and pids on and can be written to."""
    try:
        own = re.search(r"^0::(/.*)$", Path(proc, "cgroup").read_text(), re.MULTILINE)
        mounts = [line.split() for line in Path(proc, "mountinfo").read_text().splitlines()]
    except OSError:
        return None
    tops = [Path(fields[4]) for fields in mounts if fields[fields.index("-") + 1] == "cgroup2"]
    if own is None or not tops:
        return None
    here = tops[0] / own[1].lstrip("/")
    for above in (here, here.parent) if here != tops[0] else (here,):
        try:
            handed = set((above / "cgroup.subtree_control").read_text().split())
        except OSError:
            continue
        if handed >= _NEEDS and os.access(above, os.W_OK) and _enters(above):
            return above
    return None


def _enters(above: Path) -> bool:
    """Whether a process of ours can be put into one below it: the kernel asks for more rights than a folder shows."""
    group = _below(above, 64 << 20, 8)
    if group is None:
        return False
    entered = subprocess.run([*inside(group), "true"], capture_output=True, check=False).returncode == 0
    gone(group)
    return entered
