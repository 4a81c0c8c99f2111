"""A study from end to end, on tiny checkpoints: what it writes, that it resumes, and that gold stays sealed."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import forked
import studies
from outgrow import Study, UserError, methods
from outgrow.metrics.accuracy import accuracy
from outgrow.pipeline.class_cell import ClassCell
from outgrow.pipeline.spaces import Spaces
from outgrow.store import Store
from outgrow.tasks import load
from outgrow.tasks.task import Gold, Task


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A finished study, run once for this file: (folder, store)."""
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTGROW_STORE", str(folder / "store"))
        studies.study(folder).run()
    return folder


@pytest.fixture
def again(done, tmp_path, monkeypatch):
    """A copy of the finished study's inputs with a store of its own, still empty."""
    shutil.copy(done / "table.jsonl", tmp_path)
    shutil.copytree(done / "model", tmp_path / "model")
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    return tmp_path


def cells(folder: Path) -> bytes:
    return (folder / "run" / "cells.parquet").read_bytes()


def test_a_study_writes_every_row_with_floor_ceiling_controls_and_contrasts(done):
    summary = json.loads((done / "run" / "summary.json").read_text())
    kinds = {row["method"]: row["kind"] for row in summary}
    assert kinds == {
        "floor": "floor", "ceiling": "ceiling", "naive": "method", "logconf": "method", "shuffled": "control",
        "gold-naive": "control", "gold-few": "contrast", "iid-noise": "contrast", "cheat-stop": "contrast",
    }  # fmt: skip
    assert {row["replicates"] for row in summary} == {4}
    assert (done / "run" / "report.html").stat().st_size > 10_000


def test_gold_through_naive_is_the_ceiling_to_the_byte(done):
    place = next((done / "run" / "predictions").glob("*/*--*"))
    assert (place / "gold-naive.parquet").read_bytes() == (place / "ceiling.parquet").read_bytes()
    assert (place / "naive.parquet").read_bytes() != (place / "ceiling.parquet").read_bytes()


def test_every_score_can_be_recomputed_from_predictions_and_gold(done):
    frame = pl.read_parquet(done / "run" / "cells.parquet")
    base = next((done / "run" / "predictions").iterdir())
    gold = dict(pl.read_parquet(base / "gold.parquet").select("id", "label").iter_rows())
    for file in base.glob("*--*/*.parquet"):
        by_replicate: dict[int, list[bool]] = {}
        for key, replicate, *probs in pl.read_parquet(file).iter_rows():
            by_replicate.setdefault(replicate, []).append(int(np.argmax(probs)) == gold[key])
        stored = frame.filter(pl.col("method") == file.stem).sort("replicate")["value"].to_list()
        assert stored == pytest.approx([np.mean(right) for _, right in sorted(by_replicate.items())])


def test_more_replicates_leave_the_first_ones_as_they_were(done, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(done / "store"))
    more = studies.study(done, seeds=8, out=done / "more").run().cells
    few = pl.read_parquet(done / "run" / "cells.parquet")
    joined = few.join(more, on=["method", "metric", "replicate"], suffix="_more")
    assert len(joined) == len(few)
    assert (joined["value"] == joined["value_more"]).all()


def test_another_seed_names_another_study(done, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(done / "store"))
    other = studies.study(done, seed=1, out=done / "other").run().cells
    assert other["value"].to_list() != pl.read_parquet(done / "run" / "cells.parquet")["value"].to_list()


COMMAND = (
    "run",
    "table.jsonl",
    "--weak",
    "tfidf",
    "--strong",
    "model",
    "--method",
    "naive",
    "logconf",
    "--seeds",
    "4",
    "--out",
    "run",
)


def start(folder: Path) -> forked.Process:
    source = str(Path(__file__).parents[2] / "src")
    environment = os.environ | {"OUTGROW_STORE": str(folder / "store"), "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    return forked.start([sys.executable, "-m", "outgrow", *COMMAND], folder, environment, joined=True)


def finish(process: forked.Process) -> str:
    out, _ = process.communicate()
    assert process.returncode == 0, out
    return out


def test_killed_studies_go_on_and_end_with_the_same_bytes(again):
    undisturbed = start(again)
    began = time.monotonic()
    finish(undisturbed)
    length, expected = time.monotonic() - began, cells(again)
    shutil.rmtree(again / "store")
    shutil.rmtree(again / "run")
    moments = random.Random(0)
    for _ in range(2):
        process = start(again)
        time.sleep(moments.uniform(0.3, 0.9) * length)
        process.kill()
        process.communicate()
    finish(start(again))
    assert cells(again) == expected


def test_two_studies_at_once_on_one_store_are_both_right(again):
    twin = again / "twin"
    twin.mkdir()
    shutil.copy(again / "table.jsonl", twin)
    shutil.copytree(again / "model", twin / "model")
    (twin / "store").symlink_to(again / "store")
    (again / "store").mkdir()
    both = [start(again), start(twin)]
    for process in both:
        finish(process)
    assert cells(again) == cells(twin)


def test_a_flipped_byte_in_any_artifact_is_named_and_made_again(again, capsys):
    studies.study(again).run()
    expected = cells(again)
    store = again / "store"
    kinds = {f.relative_to(store).parts[0] for f in store.rglob("*") if f.is_file() and f.suffix != ".lock"}
    assert {"block", "labels", "features", "features-shards"} <= kinds
    for kind in sorted(kinds):
        for name in sorted({f.name for f in (store / kind).rglob("*") if f.is_file() and f.suffix != ".lock"}):
            file = min((store / kind).rglob(name))
            data = bytearray(file.read_bytes())
            data[len(data) // 2] ^= 1
            file.write_bytes(data)
            if kind not in ("block", "labels"):
                # What was made of it is gone, so that it is needed again.
                shutil.rmtree(store / "block")
            (again / "run" / "cells.parquet").unlink()
            capsys.readouterr()
            studies.study(again).run()
            assert cells(again) == expected, (kind, name)
            assert f"damaged {kind}" in capsys.readouterr().err, (kind, name)


def world(folder: Path, weak: str = "tfidf") -> tuple[ClassCell, Task, Gold]:
    task, gold = load(str(studies.table(folder, rows=400)))
    studies.tiny_models.save(folder / "model", encoder=False)
    return (
        ClassCell(task, gold, weak, str(folder / "model"), 0, 0, None, Spaces(task, Store.default()), {"test": 1}),
        task,
        gold,
    )


def test_weak_labels_outside_the_transfer_rows_are_hidden_from_methods(tmp_path, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    pair, _, _ = world(tmp_path)
    said = ~np.isnan(pair.weak.probs).any(-1)[:, 0]
    assert (said == pair.splits.transfer).all()


def test_other_gold_on_transfer_and_test_gives_methods_the_same_bytes(tmp_path, monkeypatch):
    """The end of every leak: change all gold that a method must not see, and it predicts the same to the byte."""
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    pair, _, gold = world(tmp_path)
    first = slice(0, 1)
    for name in ("naive", "hardened", "logconf", "product"):
        honest = methods.find(name).run(pair.weak, pair.student).predict(pair.test)[first]
        seen = pair.splits.weak_train[0]
        flipped = Gold(np.where(seen, gold.labels, 1 - gold.labels), gold.weights)
        other = replace(pair, gold=flipped, made_of={"test": 2})
        assert (other.labels[0] == pair.labels[0]).all()
        # replicate 0 knows gold on its own weak-train rows only, which are the same in both worlds
        assert np.array_equal(
            methods.find(name).run(_only(other, pair), other.student).predict(pair.test)[first], honest
        )


def _only(other: ClassCell, pair: ClassCell):
    """Weak labels of the other world for replicate 0, of this one for the rest: they share a batch."""
    probs = np.array(pair.weak.probs)
    probs[0] = other.weak.probs[0]
    return replace(pair.weak, probs=probs)


def test_what_a_method_lacks_and_what_it_buys_is_said(again, capsys):
    from outgrow.cli import main

    studies.study(again, methods=["bootstrap", "active"], parameters={"active": {"budget": 7}}).run()
    (pair,) = json.loads((again / "run" / "details.json").read_text())["pairs"]
    assert [entry["method"] for entry in pair["left_out"]] == ["bootstrap"]
    assert pair["bought"] == {"active": 7.0}
    with pytest.raises(SystemExit):
        main(["show", str(again / "run")])
    shown, page = capsys.readouterr().out, (again / "run" / "report.html").read_text()
    for text in ("bootstrap was left out. It needs ladder", "active bought 7 gold labels a replicate"):
        assert text in shown and text in page


def test_too_few_items_are_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    studies.table(tmp_path, rows=60)
    with pytest.raises(UserError, match="at least 20"):
        studies.study(tmp_path).run()
    assert not (tmp_path / "run").exists()


def test_replicates_out_of_range_are_refused():
    with pytest.raises(UserError, match="`seeds` = 0"):
        Study(seeds=0).run()


def test_a_column_of_votes_supervises_without_naming_it_twice(done, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(done / "store"))
    result = studies.study(done, weak=["column:vote"], out=done / "votes").run()
    base = next((done / "votes" / "predictions").iterdir())
    gold = pl.read_parquet(base / "gold.parquet")
    floor = next(iter(result.summary.filter(pl.col("method") == "floor")["value"]))
    votes = {r["text"]: r["vote"] for r in map(json.loads, (done / "table.jsonl").read_text().splitlines())}
    task, labels = load(str(done / "table.jsonl"))
    where = {i: n for n, i in enumerate(task.ids)}
    right = [votes[task.texts[where[i]][0]] == labels.labels[where[i]] for i in gold["id"]]
    assert floor == pytest.approx(np.mean(right))


def test_supervisors_together_show_every_member_the_best_and_their_mean(done, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(done / "store"))
    result = studies.study(done, weak=["tfidf+column:vote"], out=done / "both").run().summary
    rows = dict(zip(result["method"], result["value"], strict=True))
    each = [rows["supervisor:tfidf"], rows["supervisor:column:vote"]]
    assert min(each) <= rows["best member"] <= max(each) and rows["mean member"] == pytest.approx(np.mean(each))
    floor = result.filter(result["kind"] == "floor").row(0, named=True)
    assert floor["of"].startswith("label model ")


def test_accuracy_of_the_floor_is_the_supervisors_own(done):
    base = next((done / "run" / "predictions").iterdir())
    gold = pl.read_parquet(base / "gold.parquet")
    frame = pl.read_parquet(next(base.glob("*--*")) / "floor.parquet").filter(pl.col("replicate") == 0)
    score = accuracy(
        frame.select("p0", "p1").to_numpy()[None],
        gold["label"].to_numpy(),
        gold["weight"].to_numpy(),
        gold["group"].to_numpy(),
    )
    stored = pl.read_parquet(done / "run" / "cells.parquet").filter(
        (pl.col("method") == "floor") & (pl.col("replicate") == 0)
    )
    assert stored["value"][0] == pytest.approx(score.value)
