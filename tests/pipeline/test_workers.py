"""Replicates side by side: the same rows, one line where one fails, and no process left after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import killing
from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.pipeline import executors as workers


def work(folder: Path, number: int):
    """Leaves a file with its process behind, and does what its number says."""
    progress.say(f"number {number} begins")
    (folder / f"{number}").write_text(str(os.getpid()))
    yield
    if number == 13:
        raise UserError("number 13: choose another")
    if number == 66:
        os._exit(3)
    while number >= 90:
        time.sleep(0.1)
    yield


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(") ")[-1][0] != "Z"
    except FileNotFoundError:
        return False


def gone(processes: list[int]) -> bool:
    until = time.monotonic() + 30
    while any(map(alive, processes)) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(map(alive, processes))


def test_every_number_is_worked_at_in_some_process_and_each_is_heard(tmp_path: Path, capsys) -> None:
    assert len(list(workers.side_by_side(work, (tmp_path,), [0, 1, 2], 2))) == 6
    processes = [int((tmp_path / str(number)).read_text()) for number in range(3)]
    assert processes[0] != processes[1] and os.getpid() not in processes
    said = capsys.readouterr().err
    assert all(f"replicate {number + 1}: number {number} begins\n" in said for number in range(3))
    assert gone(processes)
    assert len(list(workers.side_by_side(work, (tmp_path,), [7], 1))) == 2
    assert (tmp_path / "7").read_text() == str(os.getpid()), "one alone works here"


@pytest.mark.parametrize(
    ("number", "error", "said"),
    [(13, UserError, "^number 13: choose another$"), (66, RuntimeError, "ended before its time")],
)
def test_where_one_fails_the_others_end_too(tmp_path: Path, number: int, error: type, said: str) -> None:
    with pytest.raises(error, match=said):
        list(workers.side_by_side(work, (tmp_path,), [99, number], 2))
    assert all(not alive(int(file.read_text())) for file in tmp_path.iterdir())


SCRIPT = """
import sys
from pathlib import Path
import test_workers
from outgrow.pipeline import executors as workers
list(workers.side_by_side(test_workers.work, (Path(sys.argv[1]),), [98, 99], 2))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_script_that_is_killed_takes_them_with_it(tmp_path: Path, how: signal.Signals) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    (tmp_path / "out").mkdir()
    paths = killing.PATHS
    command = [sys.executable, str(script), str(tmp_path / "out")]
    with subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": paths}, stderr=subprocess.DEVNULL, start_new_session=True
    ) as parent:
        until = time.monotonic() + 60
        while len([file for file in (tmp_path / "out").iterdir() if file.read_text()]) < 2:
            assert time.monotonic() < until
            time.sleep(0.05)
        processes = [int(file.read_text()) for file in (tmp_path / "out").iterdir()]
        # Ctrl-C at a terminal reaches all of them.
        os.killpg(parent.pid, how) if how == signal.SIGINT else parent.send_signal(how)
    assert gone(processes)
