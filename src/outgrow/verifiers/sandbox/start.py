"""The first lines that run inside a box: they set limits, give up all rights, load the filter, become the program.

bubblewrap cannot bound the number of files, so these lines do: they alone hold the right to mount, and give it up for
good before anything foreign is read.
"""

from __future__ import annotations

from outgrow.verifiers.sandbox.box import IN, SITE
from outgrow.verifiers.sandbox.limits import DISK, FILES, HANDLES

OUT_OF_MEMORY = 97
"""The exit status of a box in which Python ran out of memory."""

_SCRIPT = f"""
import ctypes, os, resource, sys
os.setsid()
seconds, memory, began, calls = map(int, sys.argv[1:5])
command = sys.argv[5:]
for what, most in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, {DISK}),
                   (resource.RLIMIT_NOFILE, {HANDLES}), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_MEMLOCK, 0),
                   (resource.RLIMIT_MSGQUEUE, 0)):
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))
kernel = ctypes.CDLL(None, use_errno=True)
def do(what, failed):
    if failed:
        sys.exit(f"{{what}}: {{os.strerror(ctypes.get_errno())}}")
# MS_REMOUNT, MS_NOSUID and MS_NODEV
bound = b"size={DISK},nr_inodes={FILES}"
do("no bound on the number of files", kernel.mount(None, b"/tmp", None, ctypes.c_ulong(0x26), bound))
# _LINUX_CAPABILITY_VERSION_3, this process, two times the sets effective, permitted and inheritable
do("rights are not given up", kernel.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()))
with os.fdopen(calls, "rb") as file:
    calls = file.read()
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("lines", ctypes.c_char_p)]
# PR_SET_SECCOMP, SECCOMP_MODE_FILTER
calls = ctypes.byref(Program(len(calls) // 8, calls))
do("no filter of system calls", kernel.prctl(22, ctypes.c_ulong(2), calls, ctypes.c_ulong(0), ctypes.c_ulong(0)))
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
    os._exit({OUT_OF_MEMORY})
"""


def script() -> str:
    """The lines as a program of Python.

    Its arguments: seconds, bytes of memory, a handle to write "begun" to, one to read the filter from, the command.
    """
    return _SCRIPT
