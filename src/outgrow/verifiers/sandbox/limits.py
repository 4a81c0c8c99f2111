"""Every limit of the sandbox. Times are seconds, sizes bytes.

    time        `SECONDS` on the processor, by the kernel; `WALL_FACTOR` times that and `WALL_EXTRA` on the wall, by us
    memory      `MEMORY` of address space, by the kernel
    processes   one with one thread: the filter of system calls refuses more (or only threads, if a box asks for them).
                RLIMIT_NPROC would not do, for it does not bind root
    files       `DISK` each and in /tmp together, `FILES` of them (folders and links count); `HANDLES` open ones
    output      `OUTPUT` of stdout and of stderr
    cgroup      where one can be made: memory, files and `KERNEL` together, `PROCESSES` or `THREADS`

The first three are defaults of a `Box`, which a verifier's settings can change. Two limits travel with the programs
that run inside, which can import nothing of ours: the size of one value (`programs/plain_values.py`) and the steps of
z3 (`programs/solver.py`).
"""

from __future__ import annotations

SECONDS = 5
"""On the processor."""
MEMORY = 512 << 20
OUTPUT = 1 << 20
"""Of stdout and of stderr each; a box that writes more is killed."""

WALL_FACTOR, WALL_EXTRA = 3, 2
"""A box is killed after WALL_FACTOR * its seconds + WALL_EXTRA on the wall."""

DISK = 16 << 20
"""Of one file, and of all files together."""
FILES = 4096
HANDLES = 64

PROCESSES = 8
"""In a cgroup: bubblewrap, what it starts, and room for its helpers."""
THREADS = 512
"""Threads and processes in a cgroup, where threads are allowed."""
KERNEL = 64 << 20
"""Beyond memory and files, in a cgroup: bubblewrap, and what the kernel keeps for the box."""

JOB_SECONDS = 5
"""On the processor, of one job of an installed library (`jobs.py`)."""
JOB_IMPORTS = 60
"""On the processor, for that library's imports."""
JOB_MEMORY = 4 << 30
JOB_OUTPUT = 64 << 20

LEAN_SECONDS = 60
LEAN_MEMORY = 16 << 30
