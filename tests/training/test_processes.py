"""Two processes that train one student: what one process does, up to the order of sums; one of them writes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np

import forked
import killing
import studies
import tiny_models

TRAIN = """
import atexit, os, sys
from pathlib import Path
model, out = map(Path, sys.argv[2:4])

@atexit.register
def threads():
    # The first to be registered is the last to be called. A group's thread that is left may abort the process later.
    names = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").glob("*")]
    (out / f"threads-{os.environ.get('RANK', 0)}.txt").write_text(" ".join(name for name in names if "gloo" in name))

sys.path.insert(0, sys.argv[1])
import numpy as np
import test_finetune as t
from outgrow.store import Store
from outgrow.students import finetune
from outgrow.training import processes
finetune.default_steps = lambda epochs, count: 3
finetune.default_rate = lambda model, kind: 1e-3
t.loader.chosen_precision = lambda asked=None: asked or "float32"
if not processes.main():
    Store.put = None
    processes.follow()
else:
    targets, rows = t.one_hot(t.gold()), np.arange(t.COUNT)[None] < t.TAUGHT
    for kind, texts in (("lora", t.sentences()), ("full", t.duels())):
        student = t.student(model, out / "store", kind, texts, replicates=(0, 1))
        for name, fitted in (
            ("logconf", student.fit(targets, loss=t.Logconf(alpha=0.9), steps=3)),
            ("generative", student.adapted(np.repeat(rows, 2, 0), 1).fit(targets, steps=2)),
            ("few", student.on(np.tile(np.arange(t.COUNT) < 1, (2, 1))).fit(targets, steps=2)),
        ):
            np.save(out / f"{kind}-{name}.npy", fitted.predict())
    processes.call(None)
"""
LAUNCH = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def environment(**more: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": killing.PATHS, "OMP_NUM_THREADS": "1"} | more


def together(command: list[str], cwd: Path, count: int) -> None:
    """Runs so many processes of one group, started as a launcher starts them."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    group = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    started = [
        forked.start(command, cwd, environment(**group, RANK=str(rank), LOCAL_RANK=str(rank))) for rank in range(count)
    ]
    for process in started:
        with process:
            _, error = process.communicate()
            assert process.returncode == 0, error


def ran(command: list[str], cwd: Path, **more: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, env=environment(**more), cwd=cwd, capture_output=True, text=True, timeout=280)


def test_two_processes_learn_what_one_does(tmp_path):
    model = tiny_models.save(tmp_path / "model", encoder=False)
    script = tmp_path / "train.py"
    script.write_text(TRAIN)
    for name, count in (("one", 1), ("two", 2)):
        (tmp_path / name).mkdir()
        command = [sys.executable, str(script), str(Path(__file__).parents[1]), str(model), str(tmp_path / name)]
        together(command, tmp_path, count)
    assert [(tmp_path / "two" / f"threads-{rank}.txt").read_text() for rank in (0, 1)] == ["", ""]
    files = sorted(path.name for path in (tmp_path / "one").glob("*.npy"))
    assert len(files) == 6
    for file in files:
        one, two = (np.load(tmp_path / name / file) for name in ("one", "two"))
        assert np.allclose(one, two, atol=1e-5), file
        assert np.abs(one - 0.5).max() > 1e-3, "it has learned something"


COMMAND = """
import sys
from outgrow import cli
from outgrow.students import finetune
finetune.default_steps = lambda epochs, count: 1
cli.main(sys.argv[1:])
"""


def test_a_study_under_a_launcher_is_run_once_and_a_mistake_ends_both(tmp_path):
    model, table = tiny_models.save(tmp_path / "model", encoder=False), studies.table(tmp_path)
    (tmp_path / "command.py").write_text(COMMAND)
    asked = [
        *LAUNCH,
        "command.py",
        "run",
        str(table),
        "--weak",
        "tfidf",
        "--strong",
        str(model),
        "--student",
        "lora",
        "--seeds",
        "1",
    ]
    done = ran([*asked, "--method", "generative", "--out", "run"], tmp_path, OUTGROW_STORE=str(tmp_path / "store"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "report.html").exists() and done.stdout.count("report.html") == 1
    wrong = ran([*asked, "--method", "genertive"], tmp_path, OUTGROW_STORE=str(tmp_path / "store"))
    assert wrong.returncode and wrong.stderr.count("did you mean 'generative'?") == 1
