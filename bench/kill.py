"""A study killed at twenty random moments, each time started again: the same bytes as one that was left alone?

    python bench/kill.py [--kills 20]

Every time with an empty store (checkpoints apart), on a real checkpoint: cities, TF-IDF -> MiniLM, 8 replicates.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STUDY = ["cities", "--items", "800", "--weak", "tfidf", "--strong", "minilm-l6", "--seeds", "8"]


def start(folder: Path) -> subprocess.Popen:
    """The command, with a store and a run folder of its own."""
    command = [sys.executable, "-m", "outgrow", "run", *STUDY, "--out", str(folder / "run")]
    return subprocess.Popen(
        command,
        env={**os.environ, "OUTGROW_STORE": str(folder / "store")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def finished(process: subprocess.Popen, folder: Path) -> str:
    """The digest of the cells that it leaves."""
    if process.wait() != 0:
        raise SystemExit(f"the study ended with {process.returncode}")
    return hashlib.sha256((folder / "run" / "cells.parquet").read_bytes()).hexdigest()


def fresh(root: Path, name: str, models: Path) -> Path:
    """An empty store that knows the checkpoints."""
    folder = root / name
    (folder / "store").mkdir(parents=True)
    (folder / "store" / "models").symlink_to(models)
    return folder


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=20)
    kills = options.parse_args().kills
    from outgrow import models
    from outgrow.store import Store

    known = Store.default()
    models.resolve("minilm-l6", known)
    moments = random.Random(0)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        began = time.monotonic()
        expected = finished(start(home := fresh(root, "alone", known.root / "models")), home)
        length = time.monotonic() - began
        same = 0
        for number in range(kills):
            folder = fresh(root, str(number), known.root / "models")
            process, moment = start(folder), moments.uniform(0, length)
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
            killed = process.wait() == -signal.SIGKILL
            again = finished(start(folder), folder) == expected
            same += again
            print(
                f"{'killed' if killed else 'ended'} after {moment:.1f} of {length:.1f} s: {'the same' if again else 'OTHER'} bytes",
                flush=True,
            )
            shutil.rmtree(folder)
    print(f"\n{same} of {kills} runs ended with the bytes of the undisturbed run")
    sys.exit(same != kills)


if __name__ == "__main__":
    main()
