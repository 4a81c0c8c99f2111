"""A box: what is run, within which limits, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

from outgrow.verifiers.sandbox import limits

IN = "/in"
"""Where a box's files lie."""
SITE = "/site"
"""Where installed packages lie, in a box that may import them."""
PYTHON = "python"
"""The first word of a command that runs a Python file from `IN`."""


@final
@dataclass(frozen=True)
class Box:
    """A program to run in a sandbox.

    Args:
        files: contents by name; they lie in `IN`, read-only.
        command: ("python", name of a file, arguments ...), or an absolute path inside and its arguments.
        seconds: on the processor.
        memory: bytes of address space.
        output: bytes of stdout and of stderr each, after which the box is killed.
        stdin: what it reads on standard input.
        handles: open files of ours that it gets too, under their own numbers.
        readable: folders of ours that it may read: path inside -> path outside.
        packages: whether it may import what is installed here: for our own code on foreign data, never for foreign
            code.
        threads: whether it may start threads.
        variables: environment variables.
        proc: whether it has a /proc.
    """

    files: Mapping[str, bytes | str]
    command: Sequence[str]
    seconds: int = limits.SECONDS
    memory: int = limits.MEMORY
    output: int = limits.OUTPUT
    stdin: bytes = b""
    handles: tuple[int, ...] = ()
    readable: Mapping[str, str] = field(default_factory=dict)
    packages: bool = False
    threads: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    proc: bool = False


@final
@dataclass(frozen=True)
class BoxResult:
    """What came of a box."""

    outcome: str
    """ "done" (exit status 0), "failed", or the limit that it hit: "time", "memory" or "output"."""
    code: int
    """Its exit status; 128 and more where a signal ended it, -9 where we did."""
    stdout: bytes
    stderr: bytes
    seconds: float
    """On the wall."""
