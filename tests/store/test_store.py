"""The store keeps what it was given, shares it between processes, and hands out nothing damaged."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from outgrow.core.errors import UserError
from outgrow.store import Store, container, disk, forget, guarded, made_of

PARTS = {"model": "m", "layers": [1, 2], "ridge": 0.5}
ARRAYS = {
    "x": np.arange(12, dtype=np.float32).reshape(3, 4),
    "chosen": np.array([True, False, True]),
    "n": np.array(7, np.int64),
    "half": np.arange(5, dtype=np.float16),
    "none": np.zeros((0, 3)),
}
ROUNDS = 100
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "a store")


def _files(store: Store) -> list[str]:
    return sorted(str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file())


def test_what_was_put_is_got(store: Store) -> None:
    assert store.get("things", PARTS) is None
    store.put("things", PARTS, ARRAYS, {"seconds": 1.5, "names": ["a", "b"], "none": None})
    found = store.get("things", PARTS)
    assert found.meta == {"seconds": 1.5, "names": ["a", "b"], "none": None}
    assert found.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found.arrays[name].dtype == array.dtype and found.arrays[name].shape == array.shape
        np.testing.assert_array_equal(found.arrays[name], array)
    assert store.get("others", PARTS) is None


def test_arrays_are_read_only_and_mapped(store: Store) -> None:
    x = store.put("things", PARTS, ARRAYS, {}).arrays["x"]
    with pytest.raises(ValueError):
        x[0, 0] = 1
    assert isinstance(x.base, np.memmap) or "mmap" in type(getattr(x.base, "base", x.base)).__name__


def test_another_reader_of_the_layout_reads_the_same(store: Store) -> None:
    turned = {"turned": np.arange(6, dtype=np.int16).reshape(2, 3).T, "big": np.arange(4, dtype=">f8")}
    folder = store.put("things", PARTS, {**ARRAYS, **turned}, {}).path
    read = load_file(folder / "data.safetensors")
    assert read.keys() == ARRAYS.keys() | turned.keys()
    for name, array in {**ARRAYS, **turned}.items():
        np.testing.assert_array_equal(read[name], array)


def test_every_array_starts_at_a_multiple_of_its_width(store: Store) -> None:
    arrays = {"a": np.ones(3, np.int8), "b": np.ones(5, np.float64), "c": np.ones(1, np.int16), "d": np.ones(3, bool)}
    for name, array in store.put("things", PARTS, arrays, {}).arrays.items():
        assert array.ctypes.data % array.dtype.itemsize == 0, name


def test_what_cannot_be_kept_is_refused_before_anything_is_written(store: Store) -> None:
    with pytest.raises(TypeError, match="'words' has dtype"):
        store.put("things", PARTS, {"words": np.array(["a"])}, {})
    with pytest.raises(TypeError, match="cannot be kept"):
        store.put("things", PARTS, ARRAYS, {"path": Path("x")})
    assert _files(store) == []


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def _turned(value: object, rng: random.Random) -> object:
    if isinstance(value, dict):
        names = list(value)
        rng.shuffle(names)
        return {name: _turned(value[name], rng) for name in names}
    return tuple(_turned(part, rng) for part in value) if isinstance(value, list) else value


@given(st.dictionaries(st.text(), json_like), st.randoms())
def test_the_key_does_not_depend_on_the_order_of_a_dict(parts: dict, rng: random.Random) -> None:
    assert made_of(parts) == made_of(_turned(parts, rng))


def test_the_key_tells_apart_what_differs() -> None:
    parts = [{"a": 1}, {"a": 1.0}, {"a": "1"}, {"a": True}, {"a": None}, {"a": [1]}, {"a": {}}, {"b": 1}, {}]
    assert len({made_of(each) for each in parts}) == len(parts)
    assert made_of({"a": np.int64(1), "b": np.float32(0.5)}) == made_of({"b": 0.5, "a": 1})
    with pytest.raises(TypeError, match="not a string"):
        made_of({"a": {1: "x"}})


def test_make_builds_once(store: Store) -> None:
    calls = []

    def build():
        calls.append(1)
        return ARRAYS, {"n": len(calls)}

    assert store.make("things", PARTS, build).meta == store.make("things", PARTS, build).meta == {"n": 1}
    assert len(calls) == 1


def test_make_that_fails_leaves_nothing_and_may_be_tried_again(store: Store) -> None:
    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.make("things", PARTS, fail)
    assert _files(store) == []
    assert store.make("things", PARTS, lambda: (ARRAYS, {})).arrays["n"] == 7


def test_the_same_artifact_has_the_same_bytes(tmp_path: Path) -> None:
    one, two = (Store(tmp_path / name).put("things", PARTS, ARRAYS, {"b": 1, "a": 2}).path for name in "12")
    for name in ("data.safetensors", "record.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_files_are_an_artifact_too(store: Store, capsys) -> None:
    def build(folder: Path) -> dict:
        (folder / "inner").mkdir()
        (folder / "inner" / "words.txt").write_text("abc")
        return {"licence": "MIT"}

    found = store.make_files("checkpoints", PARTS, build)
    assert (found.path / "inner" / "words.txt").read_text() == "abc" and found.meta == {"licence": "MIT"}
    assert found.arrays == {}
    (found.path / "inner" / "words.txt").write_text("abd")
    assert store.get("checkpoints", PARTS) is None
    assert "words.txt" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["data.safetensors", "record.json"])
def test_a_flipped_byte_anywhere_is_noticed_named_and_made_again(store: Store, name: str, capsys) -> None:
    good = store.put("things", PARTS, ARRAYS, {"n": 1}).path
    whole = (good / name).read_bytes()
    rng = random.Random(name)
    for position in {0, len(whole) - 1, *rng.sample(range(len(whole)), 60)}:
        damaged = bytearray(whole)
        damaged[position] ^= 1 << rng.randrange(8)
        (good / name).write_bytes(damaged)
        assert store.get("things", PARTS) is None, f"byte {position} of {name}"
        told = capsys.readouterr().err
        assert told.count("\n") == 1 and "damaged things" in told and name in told
        assert not good.exists()
        assert store.make("things", PARTS, lambda: (ARRAYS, {"n": 1})).meta == {"n": 1}
        assert (good / name).read_bytes() == whole


@pytest.mark.parametrize("name", ["data.safetensors", "record.json"])
@pytest.mark.parametrize("how", ["shortened", "emptied", "removed", "longer"])
def test_a_torn_file_is_noticed(store: Store, name: str, how: str) -> None:
    file = store.put("things", PARTS, ARRAYS, {}).path / name
    whole = file.read_bytes()
    if how == "removed":
        file.unlink()
    else:
        file.write_bytes({"shortened": whole[:-1], "emptied": b"", "longer": whole + b" "}[how])
    assert store.get("things", PARTS) is None
    assert store.make("things", PARTS, lambda: (ARRAYS, {})).arrays["n"] == 7


def test_an_artifact_under_a_name_that_is_not_its_own_is_noticed(store: Store) -> None:
    folder = store.put("things", PARTS, ARRAYS, {}).path
    folder.rename(folder.parent / made_of({"other": 1}))
    assert store.get("things", {"other": 1}) is None


def test_a_file_is_read_once_for_its_checksum(store: Store, monkeypatch) -> None:
    file = store.put("things", PARTS, ARRAYS, {}).path / "data.safetensors"
    long_ago = time.time_ns() - 10**10
    os.utime(file, ns=(long_ago, long_ago))
    reads = []
    real = disk.sha256
    monkeypatch.setattr(disk, "sha256", lambda path: (reads.append(path), real(path))[1])
    for _ in range(3):
        assert store.get("things", PARTS) is not None
    assert reads == [file]
    file.write_bytes(file.read_bytes()[::-1])
    assert store.get("things", PARTS) is None, "changed since, and so read again"


def test_what_another_process_has_put_right_meanwhile_is_not_removed(store: Store, monkeypatch) -> None:
    good = store.put("things", PARTS, ARRAYS, {"n": 1}).path
    (good / "record.json").write_text("damaged")
    real, seen = Store._examine, []

    def slow(self, folder):
        found = real(self, folder)
        seen.append(found[1])
        if len(seen) == 1:
            # After our look and before our removal, the other process removes it, and makes it again.
            store.make("things", PARTS, lambda: (ARRAYS, {"n": 2}))
        return found

    monkeypatch.setattr(Store, "_examine", slow)
    assert store.get("things", PARTS).meta == {"n": 2}
    assert seen[0] == "record.json" and seen[-1] is None
    assert len(_files(store)) == 2


def _put_many(root: Path, start, results, number: int) -> None:
    store = Store(root)
    start.wait()
    for key in range(ROUNDS):
        # What two writers make may differ in its facts (seconds), never in its use.
        made = store.put("things", {"key": key}, {"x": np.full(1000, key)}, {"by": number})
        results.put((key, made.meta["by"], float(made.arrays["x"].mean())))


def test_two_processes_write_the_same_artifacts_at_once(store: Store) -> None:
    start, results = SPAWN.Barrier(2), SPAWN.Queue()
    processes = [SPAWN.Process(target=_put_many, args=(store.root, start, results, number)) for number in range(2)]
    for process in processes:
        process.start()
    told = [results.get(timeout=60) for _ in range(2 * ROUNDS)]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    writers: dict[int, set] = {}
    for key, by, mean in told:
        assert mean == key
        writers.setdefault(key, set()).add(by)
    assert all(len(by) == 1 for by in writers.values()), "both see the artifact of whoever came first"
    assert len(_files(store)) == ROUNDS * 2, "nothing but data and records"


def test_a_cleaner_that_comes_before_the_lock_costs_another_lock_and_nothing_else(store: Store, monkeypatch) -> None:
    real, made = os.open, []

    def cleaned_after(path, *given, **more):
        found = real(path, *given, **more)
        if not made and ".tmp-" in str(path):
            made.append(path)
            with monkeypatch.context() as patch:
                patch.setattr(os, "open", real)
                disk.clean(store.root / "things")
        return found

    monkeypatch.setattr(os, "open", cleaned_after)
    assert store.put("things", PARTS, ARRAYS, {"n": 1}).meta == {"n": 1}
    assert made
    assert len(_files(store)) == 2


def _make_slowly(root: Path, log: Path, start) -> None:
    def build():
        with log.open("a") as file:
            file.write("built\n")
        time.sleep(0.5)
        return {"x": np.ones(3)}, {}

    start.wait()
    assert Store(root).make("things", PARTS, build).arrays["x"].sum() == 3


def test_expensive_work_is_not_done_twice(store: Store, tmp_path: Path) -> None:
    start = SPAWN.Barrier(3)
    processes = [SPAWN.Process(target=_make_slowly, args=(store.root, tmp_path / "log", start)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert (tmp_path / "log").read_text() == "built\n"
    assert len(_files(store)) == 2


KILLED = """
import sys, time
from pathlib import Path
from outgrow.store import Store, container
import numpy as np
real = container.chunks
def slow(arrays):
    for number, chunk in enumerate(real(arrays)):
        yield chunk
        if number == 1:
            print("writing", flush=True)
            time.sleep(60)
container.chunks = slow
Store(Path(sys.argv[1])).make("things", {"a": 1}, lambda: ({"x": np.ones(2_000_000)}, {}))
"""


def test_kill_in_the_middle_of_writing_leaves_nothing_visible_and_no_lock(store: Store) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, str(store.root)], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        # While its writer lives, nobody removes its unfinished files.
        assert store.get("things", {"a": 1}) is None
        disk.clean(store.root / "things")
        assert any(".tmp-" in name for name in _files(store))
        process.send_signal(signal.SIGKILL)
    assert store.get("things", {"a": 1}) is None
    assert any(".tmp-" in name for name in _files(store)), "the kill left something to clean"
    made = store.make("things", {"a": 1}, lambda: ({"x": np.ones(2)}, {}))
    assert len(made.arrays["x"]) == 2
    assert len(_files(store)) == 2, "what the killed process left is gone"


@pytest.fixture
def small_disk(tmp_path: Path):
    """A disk of 2 MB."""
    folder = tmp_path / "small disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no mount command here")
    if done.returncode:
        pytest.skip(f"mounting a small disk is not permitted here: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_one_clear_line_and_corrupts_nothing(small_disk: Path) -> None:
    store = Store(small_disk / "store")
    store.put("things", {"a": 1}, {"x": np.ones(1000)}, {})
    large = {"x": np.ones((1000, 1000))}
    for tried in (
        lambda: store.put("things", {"a": 2}, large, {}),
        lambda: store.make("things", {"a": 2}, lambda: (large, {})),
        lambda: store.scratch((1000, 1000), np.float64),
    ):
        with pytest.raises(UserError) as told:
            tried()
        text = str(told.value)
        assert "\n" not in text and "disk full" in text and str(store.root) in text and "OUTGROW_STORE" in text
    assert len(_files(store)) == 2, "no temporary file stays"
    assert store.get("things", {"a": 2}) is None
    assert store.get("things", {"a": 1}).arrays["x"].sum() == 1000
    store.put("things", {"a": 3}, {"x": np.ones(1000)}, {})


def test_a_full_disk_told_by_the_safetensors_library_is_the_same_line(small_disk: Path) -> None:
    from safetensors.numpy import save_file

    store = Store(small_disk)

    def build(folder: Path) -> dict:
        save_file({"x": np.ones((1000, 1000))}, folder / "model.safetensors")
        return {}

    with pytest.raises(UserError, match="disk full"):
        store.make_files("checkpoints", PARTS, build)
    assert _files(store) == []


def test_a_full_disk_at_the_rename_is_the_same_line(store: Store, monkeypatch) -> None:
    def full(self, target):
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(UserError, match="disk full"):
        store.put("things", PARTS, ARRAYS, {})
    assert _files(store) == []


def test_a_store_that_is_a_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        for tried in (
            lambda root=root: Store(root).get("things", PARTS),
            lambda root=root: Store(root).put("things", PARTS, ARRAYS, {}),
            lambda root=root: Store(root).scratch((3,)),
        ):
            with pytest.raises(UserError, match="has a file where a folder must be"):
                tried()


def test_a_store_that_cannot_be_made_is_one_clear_line() -> None:
    if not Path("/proc/self").exists():
        pytest.skip("no /proc here, where nobody can make a folder")
    with pytest.raises(UserError, match="cannot make the folder /proc/nowhere"):
        Store(Path("/proc/nowhere")).put("things", PARTS, ARRAYS, {})


def test_a_full_disk_told_by_polars_is_the_same_line(small_disk: Path) -> None:
    import polars

    with pytest.raises(UserError, match="disk full at"), guarded(small_disk / "cells.parquet"):
        polars.DataFrame({"x": np.random.default_rng(0).random(10**6)}).write_parquet(small_disk / "cells.parquet")


def test_a_forbidden_store_is_one_clear_line(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from outgrow.core.errors import UserError\n"
        "from outgrow.store import Store\n"
        "os.seteuid(65534) if os.geteuid() == 0 else None\n"
        "try: Store(sys.argv[1]).make('things', {}, lambda: ({}, {}))\n"
        "except UserError as error: print(error)\n"
    )
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o500)
    command = [sys.executable, "-c", code, str(locked / "store")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    locked.chmod(0o700)
    assert told.count("\n") == 1 and "permission denied" in told and "OUTGROW_STORE" in told


def test_somebody_elses_error_keeps_its_own_path(tmp_path: Path) -> None:
    told = disk.mended(PermissionError(13, "Permission denied", "/data/model.bin"), tmp_path / "store" / "things")
    assert str(told).startswith("/data/model.bin: permission denied")
    assert disk.mended(FileNotFoundError(2, "No such file"), tmp_path) is None
    assert disk.mended(ValueError("anything"), tmp_path) is None


def test_scratch_is_zeros_that_can_be_written_forgotten_and_put(store: Store) -> None:
    x = store.scratch((300, 4096))
    assert x.shape == (300, 4096) and x.dtype == np.float32 and not x.any()
    x[:] = np.arange(300)[:, None]
    forget(x)
    forget(np.ones(3))
    assert (x[:, 7] == np.arange(300)).all()
    made = store.put("things", PARTS, {"x": x}, {})
    np.testing.assert_array_equal(made.arrays["x"], x)
    assert len(_files(store)) == 2, "scratch has no name on the disk"
    assert store.scratch((0, 5)).shape == (0, 5)


def test_writing_does_not_copy_into_memory(store: Store) -> None:
    code = (
        "import resource, sys\n"
        "from outgrow.store import Store, forget\n"
        "store = Store(sys.argv[1])\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10\n"
        "store.put('things', {'a': 1}, {'x': store.scratch((1024, 256))}, {})\n"
        "before = peak()\n"
        "x = store.scratch((64, 2**20))\n"
        "for row in x:\n"
        "    row[:] = 1\n"
        "    forget(row)\n"
        "made = store.put('things', {}, {'x': x}, {})\n"
        "print(peak() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(store.root)], capture_output=True, text=True, check=True)
    # 64 x 2^20 x 4 bytes = 256 MB
    assert float(done.stdout) < 40, "megabytes of memory for 256 megabytes of data"


def test_the_record_says_what_the_artifact_was_made_of(store: Store) -> None:
    folder = store.put("things", {**PARTS, "seed": np.int64(3)}, ARRAYS, {}).path
    record = json.loads((folder / "record.json").read_text())
    assert record["made_of"] == {"model": "m", "layers": [1, 2], "ridge": 0.5, "seed": 3}
    assert record["files"]["data.safetensors"]["size"] == (folder / "data.safetensors").stat().st_size


def test_the_default_store_is_named_by_the_environment(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "here"))
    assert Store.default().root == tmp_path / "here"
    monkeypatch.delenv("OUTGROW_STORE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setattr(sys, "platform", "linux")
    assert Store.default().root == tmp_path / "caches" / "outgrow"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert Store.default().root == Path.home() / "Library" / "Caches" / "outgrow"


def test_an_empty_container_has_no_arrays(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"".join(container.chunks({})))
    assert container.read(tmp_path / "empty") == {}
