"""A cgroup (version 2) around a box, where one can be made: beside or below our own, if memory and pids are delegated.

A cgroup bounds what no limit of a process does: all memory that the kernel keeps for what runs in it (names of files,
page tables, buffers), and the number of processes. Where the system gives none (version 1, a container, no delegation)
the other limits stand.
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

_CONTROLLERS = {"memory", "pids"}
_WAIT = 100
"""Hundredths of a second for killed processes to be gone."""
_number = itertools.count()


def create(memory: int, processes: int) -> Path | None:
    """A new cgroup with at most `memory` bytes and `processes` processes; None where none can be made."""
    above = parent()
    return None if above is None else _create_below(above, memory, processes)


def _create_below(above: Path, memory: int, processes: int) -> Path | None:
    group = above / f"outgrow-{os.getpid()}-{next(_number)}"
    try:
        group.mkdir()
        for name, value in (("memory.max", memory), ("pids.max", processes)):
            (group / name).write_text(str(value))
        with suppress(FileNotFoundError):
            (group / "memory.swap.max").write_text("0")
    except OSError:
        remove(group)
        return None
    return group


def entry(group: Path | None) -> Sequence[str]:
    """Words before a command by which it, with all that it starts, runs in the cgroup; or not at all if it cannot."""
    if group is None:
        return ()
    return ("/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs"))


def out_of_memory(group: Path | None) -> bool:
    """Whether the kernel killed a process of the cgroup for want of memory."""
    if group is None:
        return False
    with suppress(OSError):
        return re.search(r"^oom_kill [1-9]", (group / "memory.events").read_text(), re.MULTILINE) is not None
    return False


def remove(group: Path | None) -> None:
    """Kills what is left in the cgroup, and removes it."""
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
            # A killed process is still on its way out.
            time.sleep(0.01)
        else:
            return


@cache
def parent(proc: str = "/proc/self") -> Path | None:
    """The cgroup to make ours below: our own or the one above it, if it is writable and delegates memory and pids."""
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
            delegated = set((above / "cgroup.subtree_control").read_text().split())
        except OSError:
            continue
        if delegated >= _CONTROLLERS and os.access(above, os.W_OK) and _can_enter(above):
            return above
    return None


def _can_enter(above: Path) -> bool:
    """Whether a process can enter a cgroup below it: the kernel asks for more rights than the folder's mode shows."""
    group = _create_below(above, 64 << 20, 8)
    if group is None:
        return False
    entered = subprocess.run([*entry(group), "true"], capture_output=True, check=False).returncode == 0
    remove(group)
    return entered
