"""bubblewrap's command line for a box."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from outgrow.verifiers.sandbox import start, syscalls
from outgrow.verifiers.sandbox.box import IN, PYTHON, SITE, Box
from outgrow.verifiers.sandbox.limits import DISK

_NOBODY = "65534"
_HOME = "/python"
"""Where the interpreter lies."""
_ISOLATION = (
    *("--unshare-all", "--unshare-user", "--uid", _NOBODY, "--gid", _NOBODY, "--die-with-parent", "--clearenv"),
    *("--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"),
)


def arguments(box: Box, handles: list[int]) -> list[str]:
    """bubblewrap's arguments for a box.

    Args:
        box: what to run.
        handles: open files for bubblewrap to inherit, to which those that it reads are added; the first is where the
            box says that it has begun.
    """
    given = [*_ISOLATION, *_environment(box), *_system(), *_interpreter()]
    for inside, path in (dict(box.readable) | (_packages() if box.packages else {})).items():
        given += ["--ro-bind", path, inside]
    for device in ("/dev/null", "/dev/zero", "/dev/urandom"):
        given += ["--dev-bind", device, device]
    if box.proc:
        given += ["--proc", "/proc"]
    for name, data in box.files.items():
        data = data.encode(errors="surrogatepass") if isinstance(data, str) else data
        given += ["--ro-bind-data", str(memory_file(data, handles)), f"{IN}/{name}"]
    given += ["--size", str(DISK), "--tmpfs", "/tmp", "--remount-ro", "/", "--chdir", "/tmp"]
    calls = memory_file(syscalls.seccomp_filter(box.threads, box.command[0] != PYTHON), handles)
    limits = (str(box.seconds), str(box.memory), str(handles[0]), str(calls))
    interpreter = (f"{_HOME}/bin/python3", "-P", "-s", "-S", "-B", "-c", start.script())
    return [*given, "--", *interpreter, *limits, *box.command]


def memory_file(data: bytes, handles: list[int]) -> int:
    """An open file with these bytes that lies in no folder; its handle is added to `handles`."""
    handle = os.memfd_create("box")
    handles.append(handle)
    with os.fdopen(os.dup(handle), "wb") as file:
        file.write(data)
    os.lseek(handle, 0, os.SEEK_SET)
    return handle


def _environment(box: Box) -> list[str]:
    variables = {
        "LD_LIBRARY_PATH": f"{_HOME}/{sys.platlibdir}",
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "LANG": "C.UTF-8",
        "HOME": "/tmp",
        **box.variables,
    }
    return [word for name, value in variables.items() for word in ("--setenv", name, value)]


def _system() -> list[str]:
    """The system's shared libraries."""
    given: list[str] = []
    for path in ("/usr/lib", "/usr/lib64", "/lib", "/lib64"):
        if os.path.islink(path):
            given += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            given += ["--ro-bind", path, path]
    return given


def _interpreter() -> list[str]:
    """The interpreter and its standard library, with installed packages hidden."""
    library = Path(sys.base_prefix) / sys.platlibdir
    given = ["--ro-bind", str(library), f"{_HOME}/{sys.platlibdir}"]
    given += ["--ro-bind", os.path.realpath(sys.executable), f"{_HOME}/bin/python3"]
    for hidden in [*library.glob("python3*/site-packages"), *library.glob("python3*/dist-packages")]:
        place = f"{_HOME}/{sys.platlibdir}/{hidden.relative_to(library)}"
        given += ["--size", "4096", "--tmpfs", place, "--remount-ro", place]
    return given


def _packages() -> dict[str, str]:
    """Folders of installed packages, as path inside -> path outside."""
    names = ("site-packages", "dist-packages")
    places = [path for path in sys.path if os.path.basename(path) in names and os.path.isdir(path)]
    return {f"{SITE}/{number}": path for number, path in enumerate(places)}
