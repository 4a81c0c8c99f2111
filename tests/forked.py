"""Processes that start with the heavy packages imported: what `python` with the same words does, seconds sooner.

    run([sys.executable, "-m", "outgrow", "list"], cwd=folder, env=environment).stdout
    with start([sys.executable, "-c", script]) as process:
        process.stdout.readline()
        process.kill()

A server, started on first use by a test process, imports what does not depend on a test and forks for each command. The
package itself and whatever starts threads is imported by the fork alone.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

SERVER = """
import gc, json, os, runpy, select, signal, socket, sys, traceback
import numpy, scipy.optimize, scipy.sparse, sklearn.linear_model, torch, transformers, tokenizers

def ran(words, path, cwd, environment):
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    module = words[0] == "-m"
    script = words[0] not in ("-m", "-c")
    first = os.path.dirname(os.path.abspath(words[0])) if script else cwd if module else ""
    sys.path[:] = [first, *environment.get("PYTHONPATH", "").split(os.pathsep), *path]
    sys.argv = words if script else [words[0], *words[2:]]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if script:
            runpy.run_path(words[0], run_name="__main__")
        elif module:
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            exec(compile(words[1], "<string>", "exec"), {"__name__": "__main__"})
        return 0
    except SystemExit as stop:
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
path = [entry for entry in sys.path if entry]
gc.freeze()
print("ready", flush=True)
while not select.select([listener, sys.stdin], [], [])[0] == [sys.stdin]:
    talk, _ = listener.accept()
    if os.fork():
        talk.close()
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
            except ChildProcessError:
                break
        continue
    listener.close()
    size, handles, _, _ = socket.recv_fds(talk, 8, 2)
    length, data = int.from_bytes(size, "big"), b""
    while len(data) < length:
        data += talk.recv(1 << 16)
    words, cwd, environment = json.loads(data)
    child = os.fork()
    if not child:
        talk.close()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, handle in zip((1, 2), handles):
            os.dup2(handle, number)
            os.close(handle)
        sys.stdout, sys.stderr = (open(number, "w", buffering=1 if number == 2 else -1) for number in (1, 2))
        code = ran(words, path, cwd, environment)
        import atexit
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    for handle in handles:
        os.close(handle)
    talk.sendall(child.to_bytes(8, "big"))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        talk.sendall(status.to_bytes(8, "big", signed=True))
    except OSError:
        pass
    os._exit(0)
"""


@functools.cache
def _address() -> str:
    """The socket of this process's server, which ends with this process."""
    folder = tempfile.TemporaryDirectory(prefix="forked")
    address = str(Path(folder.name) / "socket")
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(lambda: (server.stdin.close(), server.wait(), server.stdout.close(), folder.cleanup()))
    assert server.stdout.readline() == "ready\n"
    return address


class Process:
    """A started command, with as much of `subprocess.Popen` as tests need."""

    def __init__(self, command: Sequence[str], cwd: Path | None, env: Mapping[str, str] | None, joined: bool):
        assert command[0] == sys.executable
        own = [os.pipe() for _ in range(1 if joined else 2)]
        self.stdout: IO[str] = os.fdopen(own[0][0], encoding="utf-8")
        self.stderr: IO[str] | None = None if joined else os.fdopen(own[1][0], encoding="utf-8")
        given = [list(command[1:]), str(cwd or Path.cwd()), dict(os.environ if env is None else env)]
        data = json.dumps(given).encode()
        self._talk = socket.socket(socket.AF_UNIX)
        self._talk.connect(_address())
        socket.send_fds(self._talk, [len(data).to_bytes(8, "big")], [own[0][1], own[-1][1]])
        for _, handle in own:
            os.close(handle)
        self._talk.sendall(data)
        self.pid = int.from_bytes(self._talk.recv(8), "big")
        self.returncode: int | None = None

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Sends the signal, to a process that has not ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, how)

    def wait(self) -> int:
        """The exit status; that of a signal is negative."""
        if self.returncode is None:
            self.returncode = int.from_bytes(self._talk.recv(8), "big", signed=True)
            self._talk.close()
        return self.returncode

    def communicate(self) -> tuple[str, str]:
        """All that is left of both outputs, when it has ended."""
        import threading

        said: dict[str, str] = {}
        reader = threading.Thread(target=lambda: said.update(err=self.stderr.read() if self.stderr else ""))
        reader.start()
        out = self.stdout.read()
        reader.join()
        self._close()
        return out, said["err"]

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        self.wait()
        self.stdout.close()
        if self.stderr:
            self.stderr.close()


def start(
    command: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None, joined: bool = False
) -> Process:
    """Starts the command, whose first word is this Python; `joined`: standard error goes to the output as well."""
    return Process(command, cwd, env, joined)


def run(
    command: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The same to its end."""
    with start(command, cwd, env) as process:
        out, err = process.communicate()
        return subprocess.CompletedProcess(list(command), process.wait(), out, err)
