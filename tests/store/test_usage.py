"""What a store holds is told by kind, and goes by kind, age or size, never while a process makes an artifact."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from outgrow import cli
from outgrow.core.errors import UserError
from outgrow.store import Store, disk, usage

DAY = 86400


@pytest.fixture
def filled(tmp_path: Path) -> Store:
    """Three artifacts of `a`, ten, five and no days old, and one of a family of `b`, a day old."""
    store = Store(tmp_path / "store")
    for kind, key, days in (("a", 0, 10), ("a", 1, 5), ("a", 2, 0), ("b/family", 0, 1)):
        made = store.put(kind, {"key": key}, {"x": np.zeros(1000, np.uint8)}, {})
        os.utime(made.path / "record.json", (time.time() - days * DAY,) * 2)
    return store


def _told(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["store", *arguments])
    out, err = capsys.readouterr()
    return stopped.value.code, out, err


def test_artifacts_are_counted_the_oldest_first(filled) -> None:
    found = usage.kept(filled)
    assert [one.kind for one in found] == ["a", "a", "b", "a"]
    assert all(one.size == sum(file.stat().st_size for file in one.path.iterdir()) > 1000 for one in found)


def test_what_goes_is_chosen_by_kind_age_and_size_together(filled) -> None:
    found = usage.kept(filled)
    assert usage.chosen(found, ["b"]) == [found[2]]
    assert usage.chosen(found, before=time.time() - 3 * DAY) == found[:2]
    assert usage.chosen(found, ["a"], before=time.time() - 7 * DAY) == [found[0]]
    total = sum(one.size for one in found)
    assert usage.chosen(found, at_most=total) == []
    assert usage.chosen(found, at_most=total - 1) == found[:1]
    assert usage.chosen(found, ["b"], at_most=0) == [found[2]]
    with pytest.raises(UserError, match="unknown kind of artifact in the store 'c'"):
        usage.chosen(found, ["c"])


def test_what_was_removed_is_made_again_and_the_rest_stays(filled) -> None:
    usage.remove(filled, usage.chosen(usage.kept(filled), before=time.time() - 7 * DAY))
    assert filled.get("a", {"key": 0}) is None and filled.get("a", {"key": 1}) is not None
    made = filled.make("a", {"key": 0}, lambda: ({"x": np.ones(2)}, {}))
    assert made.arrays["x"].sum() == 2


def test_files_of_others_in_the_folder_of_the_store_are_neither_counted_nor_removed_nor_locked(filled) -> None:
    theirs = filled.root / "a" / "notes" / "record.json"
    theirs.parent.mkdir()
    theirs.write_text("mine")
    with FileLock(filled.root / "uv.lock"):
        assert len(usage.kept(filled)) == 4
        usage.remove(filled, usage.kept(filled))
    assert theirs.read_text() == "mine" and usage.kept(filled) == []


def test_nothing_goes_while_another_process_makes_an_artifact(filled) -> None:
    code = (
        "import sys, time; from pathlib import Path; from outgrow.store import Store\n"
        "def build():\n    print('making', flush=True)\n    time.sleep(60)\n"
        "Store(Path(sys.argv[1])).make('b', {'n': 1}, build)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(filled.root)], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with pytest.raises(UserError, match=r"another process is making b in .*: prune when it has ended"):
            usage.remove(filled, usage.kept(filled))
        process.kill()
    assert len(usage.kept(filled)) == 4
    # The dead process's lock file is there still, and holds nobody up.
    assert any(filled.root.rglob(f"*{disk.LOCK}"))
    usage.remove(filled, usage.kept(filled))
    assert usage.kept(filled) == []


def test_the_command_shows_asks_and_removes(filled, monkeypatch, capsys) -> None:
    monkeypatch.setenv("OUTGROW_STORE", str(filled.root))
    code, out, _ = _told(capsys)
    assert code == 0 and "4 artifacts" in out.splitlines()[0]
    assert [line.split()[:2] for line in out.splitlines()[2:]] == [["a", "3"], ["b", "1"]]
    code, out, _ = _told(capsys, "--json")
    facts = json.loads(out)
    assert facts["artifacts"] == 4 and [row["kind"] for row in facts["kinds"]] == ["a", "b"]
    assert facts["kinds"][0]["oldest_days"] == 10 and facts["kinds"][0]["newest_days"] == 0
    code, _, err = _told(capsys, "prune")
    assert code == 2 and "prune needs --kind, --older-than or --at-most" in err
    code, _, err = _told(capsys, "prune", "--older-than", "7")
    assert code == 2 and "Nobody can be asked here: say --yes" in err and len(usage.kept(filled)) == 4
    code, out, _ = _told(capsys, "prune", "--older-than", "7", "--yes")
    assert code == 0 and "removed: 1 artifacts" in out and len(usage.kept(filled)) == 3
    code, out, _ = _told(capsys, "prune", "--at-most", "0KB", "--yes", "--json")
    assert code == 0 and json.loads(out)["removed"] == 3 and usage.kept(filled) == []
    code, _, err = _told(capsys, "prune", "--at-most", "many")
    assert code == 2 and "--at-most many: write a size such as 500MB or 20GB" in err
