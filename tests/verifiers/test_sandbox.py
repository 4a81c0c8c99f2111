"""Untrusted code is contained, and what it tried is told."""

import io
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import pytest

from outgrow.core.errors import UserError
from outgrow.verifiers.sandbox import process, runner
from outgrow.verifiers.sandbox.box import Box, BoxResult
from outgrow.verifiers.sandbox.runner import find, in_parallel, run, run_connected

pytestmark = pytest.mark.sandbox


def python(text: str, **limits) -> BoxResult:
    return run({"main.py": text}, ("python", "main.py"), **limits)


def processes() -> set[str]:
    """The command lines of all bubblewraps there are, and of what runs in them."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if "bwrap" in line or "/python/bin/python3" in line:
            found.add(f"{path.parent.name} {line[:200]}")
    return found


def test_what_runs_well_is_done_with_its_output() -> None:
    ran = run(
        {"main.py": "import sys; print(sys.stdin.read().upper(), sys.argv[1]); print('aside', file=sys.stderr)"},
        ("python", "main.py", "x"),
        stdin=b"ab",
    )
    assert (ran.outcome, ran.code, ran.stdout, ran.stderr) == ("done", 0, b"AB x\n", b"aside\n")
    assert ran.seconds < 20


def test_an_exit_status_and_a_raised_error_are_failures() -> None:
    assert (python("raise SystemExit(3)").outcome, python("raise SystemExit(3)").code) == ("failed", 3)
    ran = python("1 / 0")
    assert ran.outcome == "failed"
    assert b"ZeroDivisionError" in ran.stderr


@pytest.mark.parametrize(
    "text", ["while True: pass", "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"]
)
def test_a_loop_ends_by_its_time_on_the_processor(text: str) -> None:
    ran = python(text, seconds=1)
    assert ran.outcome == "time"


def test_sleep_ends_by_the_clock() -> None:
    started = time.monotonic()
    assert python("import time; time.sleep(60)", seconds=1).outcome == "time"
    assert time.monotonic() - started < 15


def test_closing_its_streams_does_not_let_it_live_on() -> None:
    assert python("import os\nos.close(1)\nos.close(2)\nwhile True: pass", seconds=1).outcome == "time"


@pytest.mark.parametrize("text", ["x = bytearray(10 ** 10)", "x = []\nwhile True: x.append(bytes(10 ** 6) + b'1')"])
def test_a_memory_bomb_hits_its_limit(text: str) -> None:
    assert python(text, memory=256 << 20).outcome == "memory"


@pytest.mark.parametrize("where", ["stdout", "stderr"])
def test_endless_output_is_cut_and_killed(where: str) -> None:
    ran = python(f"import sys\nwhile True: sys.{where}.write('x' * 1000)", output=5000)
    assert ran.outcome == "output"
    assert len(getattr(ran, where)) == 5000


BOMBS = {
    "fork": "import os\nwhile True: os.fork()",
    "subprocess": "import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])",
    "shell": "import os\nassert os.system('true') == 0",
    "thread": "import threading\nthreading.Thread(target=print).start()",
    "clone": "import ctypes\nassert ctypes.CDLL(None).syscall(56 if __import__('os').uname().machine == 'x86_64' else 220, 17, 0, 0, 0, 0) != -1",
    "clone3": "import ctypes\nassert ctypes.CDLL(None).syscall(435, bytes([0] * 64), 64) != -1",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_no_second_process_comes_about(bomb: str) -> None:
    ran = python(BOMBS[bomb])
    assert ran.outcome == "failed"
    assert b"rror" in ran.stderr


def test_threads_may_be_had_and_processes_still_not() -> None:
    text = "import threading, os\nthreading.Thread(target=print, args=(7,)).start()\nos.fork()"
    ran = python(text, threads=True)
    assert (ran.outcome, ran.stdout) == ("failed", b"7\n")
    assert b"PermissionError" in ran.stderr


def test_nothing_of_ours_can_be_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the gold")
    for path in (
        secret,
        Path(__file__),
        Path(runner.__file__),
        Path.home(),
        Path(sys.prefix),
        Path("/etc/passwd"),
        Path("/proc/self"),
        Path("/root"),
    ):
        assert python(f"import os; assert not os.path.exists({str(path)!r})").outcome == "done", path
    seen = python("import os; print(sorted(os.listdir('/')), os.environ, os.getuid(), os.listdir('.'))").stdout.decode()
    assert set(eval(seen.split("]")[0] + "]")) <= {"dev", "in", "lib", "lib64", "python", "tmp", "usr"}
    assert str(Path.home()) not in seen and os.getcwd() not in seen
    assert python("import numpy").outcome == "failed"
    installed = python(
        "import os\nfor top, _, names in os.walk('/python'):\n    for name in names:\n        print(os.path.join(top, name))"
    ).stdout
    assert b"/os.py" in installed and b"-packages/" not in installed


def test_variables_of_ours_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTGROW_SECRET", "gold")
    assert b"OUTGROW" not in python("import os; print(os.environ)").stdout


@pytest.mark.parametrize(
    "place", ["/x", "/in/main.py", "/in/x", "/python/x", "/usr/lib/x", "/dev/x", "/python/bin/python3"]
)
def test_nothing_can_be_written_but_what_goes_away(place: str) -> None:
    ran = python(f"open({place!r}, 'w')")
    assert ran.outcome == "failed"
    assert b"Read-only" in ran.stderr or b"Permission denied" in ran.stderr or b"Text file busy" in ran.stderr


def test_its_tmp_is_its_own_bounded_and_gone() -> None:
    name = "outgrow-sandbox-test-left-behind"
    assert python(f"open({'/tmp'!r} + '/{name}', 'w').write('x')").outcome == "done"
    assert not (Path("/tmp") / name).exists()
    assert python(f"open({'/tmp'!r} + '/{name}')").outcome == "failed"
    assert b"File too large" in python("open('x', 'wb').write(bytes(10 ** 8))").stderr
    assert b"No space" in python("for n in range(100): open(str(n), 'wb').write(bytes(10 ** 6))").stderr


def test_there_is_no_network() -> None:
    for text in (
        "socket.socket()",
        "socket.create_connection(('127.0.0.1', 22), 1)",
        "urllib.request.urlopen('http://localhost', timeout=1)",
    ):
        assert python(f"import socket, urllib.request\n{text}").outcome == "failed"


def test_signals_reach_nobody_else() -> None:
    received = []
    old = signal.signal(signal.SIGTERM, lambda *_: received.append(1))
    try:
        text = f"import os, signal\nfor pid in (os.getppid(), {os.getpid()}, {os.getppid()}, 1, -1, 0):\n    try: os.kill(pid, signal.SIGTERM)\n    except OSError: pass"
        ran = python("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + text + "\nprint('alive')")
    finally:
        signal.signal(signal.SIGTERM, old)
    assert (ran.outcome, ran.stdout, received) == ("done", b"alive\n", [])


def test_namespaces_mounts_and_tracing_are_refused() -> None:
    for call in (
        "unshare(0x10000000)",
        "mount(b'none', b'/tmp', b'tmpfs', 0, 0)",
        "ptrace(0, 1, 0, 0)",
        "syscall(319, b'x', 0)",
        "shmget(0, 4096, 0o1600)",
    ):
        if "319" in call and os.uname().machine != "x86_64":
            continue
        ran = python(
            f"import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nassert libc.{call} == -1\nassert ctypes.get_errno() == 1, ctypes.get_errno()"
        )
        assert ran.outcome == "done", (call, ran.stderr)


def test_a_zip_of_symlinks_leads_nowhere(tmp_path: Path) -> None:
    target = tmp_path / "target.txt"
    target.write_text("unharmed")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, where in (("out", str(tmp_path)), ("up", "../../../../../.."), ("home", str(Path.home()))):
            link = zipfile.ZipInfo(name)
            link.create_system, link.external_attr = 3, 0o120777 << 16
            archive.writestr(link, where)
    text = """
import os, stat, zipfile
with zipfile.ZipFile('/in/links.zip') as archive:
    for member in archive.infolist():
        assert stat.S_ISLNK(member.external_attr >> 16)
        os.symlink(archive.read(member).decode(), member.filename)
for path in ('out/target.txt', 'up/x', 'home/x'):
    try:
        open(path, 'w').write('harmed')
    except OSError:
        continue
    raise SystemExit('wrote ' + path)
raise SystemExit(9)
"""
    ran = run({"main.py": text, "links.zip": packed.getvalue()}, ("python", "main.py"))
    assert (ran.outcome, ran.code) == ("failed", 9)
    assert target.read_text() == "unharmed" and sorted(tmp_path.iterdir()) == [target]


def test_files_and_names_may_hold_anything() -> None:
    ran = run({"main.py": "print(open('/in/a b.txt', 'rb').read())", "a b.txt": b"\0\xff"}, ("python", "main.py"))
    assert ran.stdout == b"b'\\x00\\xff'\n"


def test_it_dies_with_us() -> None:
    text = "from outgrow.verifiers.sandbox.runner import run, find\nfind()\nprint('go', flush=True)\nrun({'m.py': 'while True: pass # dies with us'}, ('python', 'm.py'), seconds=50)"
    before = processes()
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None and parent.stdout.readline() == b"go\n"
        until = time.monotonic() + 20
        while not any("/python/bin" in line for line in processes() - before):
            assert time.monotonic() < until
        parent.kill()
    until = time.monotonic() + 20
    while processes() - before:
        assert time.monotonic() < until, processes() - before
        time.sleep(0.05)


def test_many_runs_leave_no_process_no_file_and_no_open_handle_behind() -> None:
    texts = [
        "print(1)",
        "import os\nwhile True: os.fork()",
        "1 / 0",
        "open('x', 'w').write('y')",
        "while True: print('x' * 999)",
    ] * 8
    before, files, handles = processes(), set(os.listdir(tempfile.gettempdir())), len(os.listdir("/proc/self/fd"))
    outcomes = [ran.outcome for ran in in_parallel(python, texts, "running")]
    assert outcomes == ["done", "failed", "failed", "done", "output"] * 8
    assert processes() - before == set()
    assert {
        name for name in set(os.listdir(tempfile.gettempdir())) - files if "bwrap" in name or "bubble" in name
    } == set()
    assert len(os.listdir("/proc/self/fd")) == handles


def test_work_that_is_given_up_ends_what_runs() -> None:
    def work(item: str) -> BoxResult:
        if item == "fails":
            time.sleep(0.5)
            raise KeyboardInterrupt
        return python(item, seconds=30)

    before, began = processes(), time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        in_parallel(work, ["fails", "while True: pass", "while True: pass", "while True: pass"], "running")
    assert time.monotonic() - began < 15
    assert processes() - before == set()


def test_what_is_killed_while_it_is_set_up_is_gone() -> None:
    before = processes()
    for wait in range(0, 40, 2):
        one = process.BoxProcess(find(), Box({"main.py": "while True: pass"}, ("python", "main.py"), seconds=20))
        time.sleep(wait / 1000)
        one.kill("failed")
        began = time.monotonic()
        process.watch([one])
        os.close(one._begun)
        assert time.monotonic() - began < 5
    assert processes() - before == set()


def test_a_program_says_the_same_each_time() -> None:
    text = "print({hash(word) for word in ('a', 'b')}, {'x', 'y', 'z'})"
    assert python(text).stdout == python(text).stdout


def test_without_bubblewrap_nothing_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(runner.shutil, "which", lambda name: None)
    monkeypatch.setattr(runner.importlib.util, "find_spec", lambda name: None)
    find.cache_clear()
    try:
        with pytest.raises(
            UserError, match=r"no bubblewrap, and untrusted code is never run without: .*outgrow\[verify\]"
        ):
            python("print(1)")
    finally:
        find.cache_clear()


def test_a_bubblewrap_that_does_not_work_here_runs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken, ran = tmp_path / "bwrap", tmp_path / "ran"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(runner.shutil, "which", lambda name: str(broken))
    monkeypatch.setattr(runner.importlib.util, "find_spec", lambda name: None)
    find.cache_clear()
    try:
        with pytest.raises(
            UserError,
            match=r"does not work here, .* user namespaces allowed\? .*No permissions to create new namespace",
        ):
            python(f"open({str(ran)!r}, 'w')")
    finally:
        find.cache_clear()
    assert not ran.exists()


def test_on_other_systems_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner.sys, "platform", "darwin")
    find.cache_clear()
    try:
        with pytest.raises(UserError, match="no sandbox on darwin"):
            python("print(1)")
    finally:
        find.cache_clear()


def test_two_boxes_talk_through_a_pipe_and_the_end_of_one_is_seen_by_the_other() -> None:
    reading, writing = os.pipe()
    first = Box(
        {"a.py": "import os, sys; os.write(int(sys.argv[1]), b'hello')"},
        ("python", "a.py", str(writing)),
        handles=(writing,),
    )
    second = Box(
        {"b.py": "import os, sys; print(os.fdopen(int(sys.argv[1])).read())"},
        ("python", "b.py", str(reading)),
        handles=(reading,),
    )
    assert [ran.stdout for ran in run_connected([first, second])] == [b"", b"hello\n"]
