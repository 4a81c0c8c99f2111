"""The sandbox against programs that attack the kernel: other system calls, endless files, places to write to."""

import os
import platform
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from outgrow.core.errors import UserError
from outgrow.verifiers.sandbox import cgroup, start, syscalls
from outgrow.verifiers.sandbox.box import BoxResult
from outgrow.verifiers.sandbox.limits import FILES
from outgrow.verifiers.sandbox.runner import run

REFUSED = {
    # name: number on x86_64, on aarch64
    "semget": (64, 190),
    "semop": (65, 193),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "memfd_create": (319, 279),
    "socket": (41, 198),
    "connect": (42, 203),
    "sendmsg": (46, 211),
    "recvmsg": (47, 212),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "seccomp": (317, 277),
    "personality": (135, 92),
    "capset": (126, 91),
    "setuid": (105, 146),
    "setsid": (112, 157),
    "setpgid": (109, 154),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
    "timer_create": (222, 107),
    "timerfd_create": (283, 85),
    "signalfd4": (289, 74),
    "mknodat": (259, 33),
    "init_module": (175, 105),
    "kexec_load": (246, 104),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "quotactl": (179, 60),
    "acct": (163, 89),
    "splice": (275, 76),
    "vmsplice": (278, 75),
    "tee": (276, 77),
    "setxattr": (188, 5),
    "mlock": (149, 228),
    "mbind": (237, 235),
    "move_pages": (279, 239),
    "sched_setaffinity": (203, 122),
    "rt_sigqueueinfo": (129, 138),
    "execve": (59, 221),
    "execveat": (322, 281),
    "prctl": (157, 167),
    "landlock_create_ruleset": (444, 444),
}


def python(text: str, **limits) -> BoxResult:
    return run({"main.py": text}, ("python", "main.py"), **limits)


@pytest.mark.sandbox
def test_calls_off_the_list_are_refused_and_nothing_is_left_undone() -> None:
    which = 0 if platform.machine() == "x86_64" else 1
    text = f"""
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
for name, number in {[(name, numbers[which]) for name, numbers in REFUSED.items()]}:
    ctypes.set_errno(0)
    given = libc.syscall(number, 0, 0, 0o1600, 0, 0, 0)
    if given != -1 or ctypes.get_errno() != errno.EPERM:
        print(name, given, ctypes.get_errno())
"""
    ran = python(text)
    assert (ran.outcome, ran.stdout) == ("done", b""), ran


@pytest.mark.sandbox
def test_calls_that_are_newer_than_the_list_do_not_exist() -> None:
    text = "import ctypes, errno\nlibc = ctypes.CDLL(None, use_errno=True)\nfor n in (435, 447, 452, 460, 600):\n    assert libc.syscall(n, 0, 0, 0, 0) == -1\n    assert ctypes.get_errno() == errno.ENOSYS, n"
    assert python(text).outcome == "done"


@pytest.mark.sandbox
def test_a_call_of_another_kind_of_processor_ends_the_program() -> None:
    if platform.machine() != "x86_64":
        pytest.skip("x32 calls are of x86_64")
    ran = python("import ctypes\nctypes.CDLL(None).syscall(0x40000000 + 39)\nprint('alive')")
    assert (ran.outcome, ran.stdout) == ("failed", b"")


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "text",
    [
        "import fcntl, os\nr, w = os.pipe()\nfcntl.fcntl(w, 1031, 1 << 20)",
        "import fcntl\nfcntl.ioctl(0, 0x5412, b'x')",
        "import socket\nsocket.socketpair(socket.AF_INET)",
        "import resource\nresource.prlimit(1, resource.RLIMIT_NOFILE, (4, 4))",
        "import os\nos.execv('/python/bin/python3', ['python3', '-c', 'print(1)'])",
    ],
)
def test_uses_of_a_call_that_are_not_listed_are_refused(text: str) -> None:
    ran = python(text)
    assert ran.outcome == "failed"
    assert b"PermissionError" in ran.stderr


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "make",
    [
        "open(str(n), 'w').close()",
        "os.mkdir(str(n))",
        "os.symlink('x', str(n))",
        "open('x', 'w').close() if n == 0 else os.link('x', str(n))",
    ],
)
def test_a_million_files_folders_or_links_are_a_few_thousand(make: str) -> None:
    text = f"import os\nn = 0\ntry:\n    for n in range(10 ** 6): {make}\nexcept OSError as error:\n    print(n, error.strerror)"
    ran = python(text, seconds=10)
    number, _, why = ran.stdout.decode().strip().partition(" ")
    assert (ran.outcome, why) == ("done", "No space left on device")
    assert int(number) <= FILES


@pytest.mark.sandbox
def test_nothing_but_tmp_can_be_written_to() -> None:
    text = """
import os
for top, folders, _ in os.walk('/'):
    if top.startswith(os.getcwd()):
        continue
    try:
        open(os.path.join(top, 'written'), 'w').close()
    except OSError:
        continue
    print(top)
"""
    ran = python(text, seconds=20)
    assert (ran.outcome, ran.stdout) == ("done", b"")


@pytest.mark.sandbox
def test_the_right_to_mount_is_gone_and_does_not_come_back() -> None:
    text = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
sets = (ctypes.c_uint32 * 6)(*[9] * 6)
number = {'x86_64': 125, 'aarch64': 90}[__import__('os').uname().machine]
assert libc.syscall(number, (ctypes.c_uint32 * 2)(0x20080522, 0), sets) == -1
assert libc.mount(None, b'/tmp', None, ctypes.c_ulong(0x26), b'size=1G,nr_inodes=1000000') == -1
assert __import__('os').statvfs('/tmp').f_files == 4096
"""
    ran = python(text)
    assert ran.outcome == "done", ran.stderr


LIBRARY = {
    "asyncio": "import asyncio\nasync def f():\n    await asyncio.sleep(.01)\n    return 7\nassert asyncio.run(f()) == 7",
    "tempfile and shutil": "import tempfile, shutil, os\nd = tempfile.mkdtemp()\nopen(d + '/a', 'w').write('x')\nshutil.copy2(d + '/a', d + '/b')\nshutil.copytree(d, d + '2')\nos.replace(d + '/b', d + '/c')\nshutil.rmtree(d)",
    "sqlite3": "import sqlite3\nc = sqlite3.connect('x.db')\nc.execute('create table t(a)')\nc.execute('insert into t values (1)')\nc.commit()\nassert c.execute('select a from t').fetchall() == [(1,)]",
    "mmap": "import mmap\nopen('x', 'wb').write(bytes(5000))\nf = open('x', 'r+b')\nm = mmap.mmap(f.fileno(), 0)\nm[0] = 1\nm.flush()\nm.resize(9000)",
    "random, uuid, secrets, hashlib": "import random, uuid, secrets, hashlib\nrandom.random(); uuid.uuid4(); secrets.token_hex(); hashlib.sha256(b'').hexdigest()",
    "signals and clocks": "import signal, time\nsignal.signal(signal.SIGALRM, lambda *a: None)\nsignal.setitimer(signal.ITIMER_REAL, .01)\nsignal.pause()\nsignal.alarm(0)\ntime.sleep(.01)\ntime.perf_counter(); time.process_time(); time.strftime('%c')",
    "zip and tar": "import zipfile, tarfile\nopen('a', 'w').write('x')\nzipfile.ZipFile('z', 'w').write('a')\nt = tarfile.open('t', 'w:gz')\nt.add('a')\nt.close()\ntarfile.open('t').extractall('o')",
    "pipes and select": "import os, select\nr, w = os.pipe()\nos.write(w, b'x')\nassert select.select([r], [], [], 1)[0] == [r]\np = select.poll()\np.register(r)\nassert p.poll(1)",
    "numbers of the machine": "import os, platform, resource, sys\nos.cpu_count(); platform.platform(); resource.getrusage(0); resource.getrlimit(0); os.getpriority(0, 0); os.get_terminal_size if sys.stdout.isatty() else 0; os.sched_getaffinity(0)",
    "numbers with decimals and dates": "import decimal, fractions, datetime, statistics, itertools, functools, collections, heapq, bisect, re, json\nassert decimal.Decimal('.1') * 10 == 1\ndatetime.datetime.now()",
    "doctest and unittest": "import unittest\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(1, 1)\nunittest.main(argv=['x'], exit=False)",
    "exceptions of ctypes": "import ctypes\nassert ctypes.CDLL(None).abs(-3) == 3",
}


@pytest.mark.sandbox
@pytest.mark.parametrize("what", LIBRARY)
def test_the_standard_library_works_within_the_list(what: str) -> None:
    ran = python(LIBRARY[what])
    assert ran.outcome == "done", ran.stderr.decode()


@pytest.mark.sandbox
def test_a_limit_that_cannot_be_set_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {
        ("nr_inodes=", "nr_of_inodes="): "no bound on the number of files: Invalid argument",
        ("0x20080522", "0x1"): "rights are not given up: Invalid argument",
        ("kernel.prctl(22", "kernel.prctl(2222"): "no filter of system calls: Invalid argument",
    }
    script = start.script()
    for (right, wrong), why in broken.items():
        assert right in script
        with monkeypatch.context() as patch:
            patch.setattr(start, "script", partial(script.replace, right, wrong))
            with pytest.raises(UserError, match=f"the sandbox did not start: {why}; nothing was run"):
                python("print('ran')")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_list_agrees_with_the_headers_of_the_system(machine: str) -> None:
    import re

    path = Path(
        "/usr/include/x86_64-linux-gnu/asm/unistd_64.h" if machine == "x86_64" else "/usr/include/asm-generic/unistd.h"
    )
    if not path.exists():
        pytest.skip(f"no {path} here")
    told = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", path.read_text()))
    told.setdefault("newfstatat", told.get("fstatat", ""))
    assert {name: int(told[name]) for name in syscalls.numbers(machine)} == syscalls.numbers(machine)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_filter_is_a_program_that_the_kernel_takes_and_names_no_call_twice(machine: str) -> None:
    import struct

    for threads in (False, True):
        lines = list(struct.iter_unpack("=HBBI", syscalls.seccomp_filter(threads, False, machine)))
        assert len(lines) < 4096 and lines[-1] == (0x06, 0, 0, 0x00050001)
        assert all(
            at + 1 + max(one, other) < len(lines) for at, (code, one, other, _) in enumerate(lines) if code & 7 == 5
        )
    assert len(set(syscalls.numbers(machine).values())) == len(syscalls.numbers(machine))


# A cgroup


def told(folder: Path, own: str, control: str) -> Path:
    """A /proc/self whose cgroup is `own` below folder/top, where `control` is handed on."""
    top = folder / "top"
    (top / own.lstrip("/")).mkdir(parents=True)
    for place in {top / own.lstrip("/"), (top / own.lstrip("/")).parent}:
        (place / "cgroup.subtree_control").write_text(control)
    (folder / "cgroup").write_text(f"1:cpu:/\n0::{own}\n")
    (folder / "mountinfo").write_text(
        f"30 23 0:26 / {top} rw,nosuid - cgroup2 cgroup2 rw\n31 23 0:27 / /sys rw - sysfs sysfs rw\n"
    )
    return folder


def test_acgroup_is_made_where_memory_and_pids_are_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup.time, "sleep", lambda seconds: None)
    parent = cgroup.parent.__wrapped__
    assert (
        parent(str(told(tmp_path / "a", "/user/shell", "cpu memory pids"))) == tmp_path / "a" / "top" / "user" / "shell"
    )
    assert parent(str(told(tmp_path / "b", "/user/shell", "cpu"))) is None
    assert parent(str(tmp_path / "nothing")) is None
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "cgroup").write_text("4:memory:/x\n")
    (tmp_path / "v1" / "mountinfo").write_text("")
    assert parent(str(tmp_path / "v1")) is None


def test_what_runs_in_acgroup_has_entered_it_or_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(cgroup, "parent", lambda: tmp_path)
    group = cgroup.create(1000, 8)
    assert group is not None
    assert ((group / "memory.max").read_text(), (group / "pids.max").read_text()) == ("1000", "8")
    ran = subprocess.run(
        [*cgroup.entry(group), sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == (group / "cgroup.procs").read_text()
    missing = tmp_path / "missing"
    assert subprocess.run([*cgroup.entry(missing), "echo", "ran"], capture_output=True).stdout == b""
    assert not cgroup.out_of_memory(group)
    (group / "memory.events").write_text("oom 3\noom_kill 2\n")
    assert cgroup.out_of_memory(group)
    assert (cgroup.entry(None), cgroup.out_of_memory(None), cgroup.remove(None)) == ((), False, None)


@pytest.mark.sandbox
def test_a_sandbox_in_acgroup_runs_as_one_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(cgroup, "parent", lambda: tmp_path)
    began = time.monotonic()
    assert python("print(7)").stdout == b"7\n"
    assert len(os.listdir(tmp_path)) == 1 and time.monotonic() - began < 20
