"""A thousand untrusted programs, a third of them hostile: how many checks a second, and what do they leave behind?

    python bench/sandbox.py [--runs 1000]

Checks a second are of small right and wrong programs by unit tests (two sandboxes each); processes, files and open handles are counted
before and after all of them, the hostile ones included.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from outgrow.verifiers import Attempt, registry
from outgrow.verifiers.sandbox.runner import find

TESTS = "assert add(1, 2) == 3\nassert add(-1, 5) == 4\n"
SMALL = ("def add(a, b):\n    return a + b\n", "def add(a, b):\n    return a - b\n")
HOSTILE = (
    "import os\nwhile True: os.fork()\n",
    "x = []\nwhile True: x.append(bytes(10 ** 7))\n",
    "while True: print('x' * 1000)\n",
    "open('left-behind', 'w').write('x')\nimport os\nos._exit(0)\n",
    "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n",
    "import socket\nsocket.create_connection(('127.0.0.1', 80))\n",
    "class Same:\n    def __eq__(self, other): return True\ndef add(a, b):\n    return Same()\n",
)


def asked(programs: tuple[str, ...], runs: int) -> list[Attempt]:
    """Programs that differ, so that each is run."""
    shown = {"entry_point": "add", "tests": TESTS}
    return [Attempt("", f"{programs[number % len(programs)]}# {number}\n", shown) for number in range(runs)]


def here() -> tuple[set[str], set[str], int]:
    """Processes of this machine that are sandboxes, files in the folder for temporary ones, open handles of ours."""
    boxes = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if b"bwrap" in line or b"/python/bin/python3" in line:
            boxes.add(path.parent.name)
    return boxes, set(os.listdir(tempfile.gettempdir())), len(os.listdir("/proc/self/fd"))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    check = registry()["unit_tests"].run
    print(f"bubblewrap: {os.path.basename(find())}; cores: {len(os.sched_getaffinity(0))}")
    before = here()
    small = asked(SMALL, runs * 2 // 3)
    began = time.monotonic()
    verdicts = check(small)
    took = time.monotonic() - began
    assert [verdict.sound for verdict in verdicts] == [number % 2 == 0 for number in range(len(small))]
    print(f"{len(small)} small checks in {took:.1f} s: {len(small) / took:.1f} a second")
    began = time.monotonic()
    hostile = check(asked(HOSTILE, runs - len(small)), seconds=2)
    print(f"{len(hostile)} hostile ones in {time.monotonic() - began:.1f} s")
    for (sound, why), count in Counter((verdict.sound, verdict.why[:70]) for verdict in hostile).most_common():
        print(f"    {count:4} {'UNCAUGHT' if sound is not False else 'unsound'}: {why}")
    after = here()
    left = [
        len(after[0] - before[0]),
        len({name for name in after[1] - before[1] if "bwrap" in name or "left-behind" in name}),
        after[2] - before[2],
    ]
    print(f"left behind: {left[0]} processes, {left[1]} files, {left[2]} open handles")
    sys.exit(any(left) or any(verdict.sound is not False for verdict in hostile))


if __name__ == "__main__":
    main()
