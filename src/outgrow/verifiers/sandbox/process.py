"""A running box: started, watched, and killed where it goes beyond a limit."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress

from outgrow.core.errors import UserError
from outgrow.verifiers.sandbox import cgroup, command, limits, start
from outgrow.verifiers.sandbox.box import Box, BoxResult

ALIVE: set[BoxProcess] = set()
"""Boxes that run now: killed when the work is given up."""


class BoxProcess:
    """A box that is running."""

    def __init__(self, bubblewrap: str, box: Box):
        self.box, self.outcome, self.begin = box, "", time.monotonic()
        self.output: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        self._begun, begun = os.pipe()
        handles: list[int] = [begun]
        threads = limits.THREADS if box.threads else limits.PROCESSES
        self.group = cgroup.create(box.memory + 2 * limits.DISK + limits.KERNEL, threads)
        try:
            arguments = command.arguments(box, handles)
            stdin = command.memory_file(box.stdin, handles)
            self.process = subprocess.Popen(
                [*cgroup.entry(self.group), bubblewrap, *arguments],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                cwd="/",
                pass_fds=(*handles, *box.handles),
                start_new_session=True,
            )
        except BaseException:
            os.close(self._begun)
            cgroup.remove(self.group)
            raise
        finally:
            for handle in handles:
                os.close(handle)
        assert self.process.stdout is not None and self.process.stderr is not None
        self.streams = {"stdout": self.process.stdout, "stderr": self.process.stderr}
        self.exit = os.pidfd_open(self.process.pid)
        ALIVE.add(self)
        self.deadline = self.begin + limits.WALL_FACTOR * box.seconds + limits.WALL_EXTRA

    def kill(self, outcome: str) -> None:
        """Ends the box and all that it started."""
        self.outcome = self.outcome or outcome
        # The whole group: while bubblewrap is still setting up, its death alone would not reach what it started.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Settles the outcome once bubblewrap has exited, and frees what the box held."""
        ALIVE.discard(self)
        code = self.process.wait()
        if not self.outcome:
            killed = code in (128 + signal.SIGKILL, 128 + signal.SIGXCPU)
            limit = killed and time.monotonic() - self.begin >= self.box.seconds
            self.outcome = "time" if limit else {0: "done", start.OUT_OF_MEMORY: "memory"}.get(code, "failed")
            if self.outcome == "failed" and cgroup.out_of_memory(self.group):
                self.outcome = "memory"
        cgroup.remove(self.group)
        for stream in self.streams.values():
            stream.close()
        os.close(self.exit)

    def result(self) -> BoxResult:
        """What came of it. Raises UserError where bubblewrap never reached the program."""
        begun = os.read(self._begun, 1) == b"x"
        os.close(self._begun)
        if not begun and self.outcome != "time":
            error = " ".join(bytes(self.output["stderr"]).decode(errors="replace").split())
            raise UserError(f"the sandbox did not start: {error or self.outcome}; nothing was run")
        out, err = (bytes(self.output[name][: self.box.output]) for name in ("stdout", "stderr"))
        return BoxResult(self.outcome, self.process.returncode, out, err, time.monotonic() - self.begin)


def watch(processes: Sequence[BoxProcess]) -> None:
    """Reads the output of boxes until all have exited; kills those that take too long or write too much."""
    with selectors.DefaultSelector() as selector:
        waiting = {}
        for one in processes:
            for name, stream in one.streams.items():
                selector.register(stream, selectors.EVENT_READ, (one, name))
            # Its exit is waited for too: it may close its streams and live on.
            selector.register(one.exit, selectors.EVENT_READ, (one, ""))
            waiting[one] = len(one.streams) + 1
        while waiting:
            now = time.monotonic()
            for one in [one for one in waiting if now >= one.deadline]:
                one.kill("time")
                one.deadline = now + 1
            for key, _ in selector.select(max(min(one.deadline for one in waiting) - now, 0)):
                one, name = key.data
                data = os.read(key.fd, 1 << 16) if name else b""
                if data:
                    one.output[name] += data
                    if len(one.output[name]) > one.box.output:
                        one.kill("output")
                        del one.output[name][one.box.output :]
                else:
                    selector.unregister(key.fileobj)
                    waiting[one] -= 1
                    if not waiting[one]:
                        one.close()
                        del waiting[one]
