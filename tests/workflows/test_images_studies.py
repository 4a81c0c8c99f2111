"""Studies on images from end to end: votes of a table supervise a convnet, and what cannot run says so on one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import images
import outgrow
import tiny_models
from outgrow import cli
from outgrow.students import convnet
from outgrow.tasks import Reading

SHARED = Path(__file__).parents[3] / "shared" / "data" / "cifar10" / "cifar10.parquet"


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path: Path) -> None:
    """A store of its own, and hardly any training."""
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    monkeypatch.setattr(convnet, "default_steps", lambda count: 12)


def study(path: Path, out: Path, **changes) -> outgrow.Study:
    asked = {
        "reading": Reading(image="picture", votes=("vote",)),
        "strong": "convnet:8",
        "methods": ["naive"],
        "seeds": 2,
    }
    return outgrow.Study(tasks=[str(path)], out=out, **(asked | changes))


def test_votes_supervise_a_convnet_and_the_floor_is_what_they_are_worth(tmp_path: Path) -> None:
    path = images.shapes(tmp_path, rows=160)
    result = study(path, tmp_path / "run", seeds=1).run()
    rows = {row["method"]: row for row in result.summary.to_dicts()}
    assert rows["naive"]["weak"] == "column:vote"
    gold = pl.read_parquet(next((tmp_path / "run" / "predictions").rglob("gold.parquet")))
    said = pl.read_parquet(next((tmp_path / "run" / "predictions").rglob("floor.parquet"))).filter(
        pl.col("replicate") == 0
    )
    right = said.select("p0", "p1", "p2").to_numpy().argmax(1) == gold["label"].to_numpy()
    assert rows["floor"]["value"] == pytest.approx(right.mean()) and right.mean() > 0.6
    assert {"ceiling", "gold-naive", "shuffled", "gold-few", "iid-noise"} <= set(rows)
    cells = (tmp_path / "run" / "cells.parquet").read_bytes()
    study(path, tmp_path / "again", seeds=1).run()
    assert (tmp_path / "again" / "cells.parquet").read_bytes() == cells


def test_a_column_of_lists_is_several_supervisors(tmp_path: Path) -> None:
    path = images.shapes(tmp_path, rows=160)
    frame = pl.read_parquet(path)
    pairs = [None if row is None else row[:2] for row in frame["three"].to_list()]
    frame.with_columns(pl.Series("two", pairs, dtype=pl.List(pl.String))).write_parquet(path)
    result = study(path, tmp_path / "run", reading=Reading(image="picture"), weak=["column:two"], seeds=1).run()
    assert {"supervisor:column:two[0]", "supervisor:column:two[1]"} <= set(result.summary["method"])
    assert set(result.summary["weak"]) == {"column:two[0]+column:two[1]"}


def test_a_convnet_may_supervise_and_methods_may_ask_for_its_features(tmp_path: Path) -> None:
    path = images.shapes(tmp_path, rows=160)
    reading = Reading(image="picture", split="none")
    result = study(path, tmp_path / "run", reading=reading, weak=["convnet:8"], methods=["knn_filter"], seeds=1).run()
    assert {"floor", "knn_filter"} <= set(result.summary["method"])


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (
            ("--weak", "tfidf", "--strong", "convnet:8"),
            "tfidf reads text, and the items of task 'shapes' are images alone",
        ),
        (
            ("--weak", "column:vote", "--strong", "CAUSAL"),
            "reads text, and the items of task 'shapes' are images alone",
        ),
        (
            ("--weak", "column:vote", "--strong", "CAUSAL", "--student", "lora"),
            "reads text, and the items of task 'shapes' are images",
        ),
        (
            ("--weak", "prompt:CAUSAL", "--strong", "convnet:8"),
            "reads text, and the items of task 'shapes' are images alone",
        ),
        (
            ("--weak", "planted:length:0.3", "--strong", "convnet:8"),
            "reads text, and the items of task 'shapes' are images alone",
        ),
        (
            ("--weak", "planted:features:0.3", "--strong", "convnet:8"),
            "'convnet:8' has no features before it is trained",
        ),
        (
            ("--weak", "column:vote", "--strong", "convnet:8", "--student", "full"),
            "is trained from scratch whatever the kind of student",
        ),
        (("--weak", "column:vote", "--strong", "convnet:9"), "write it as convnet or convnet:WIDTH"),
    ],
)
def test_what_cannot_run_on_images_says_so_and_exits_with_2(
    tmp_path: Path, causal: Path, capsys, flags, said: str
) -> None:
    path = images.shapes(tmp_path, rows=160)
    command = [
        "run",
        str(path),
        "--image",
        "picture",
        "--seeds",
        "1",
        "--method",
        "naive",
        "--out",
        str(tmp_path / "run"),
    ]
    with pytest.raises(SystemExit) as ended:
        cli.main([*command, *(flag.replace("CAUSAL", str(causal)) for flag in flags)])
    assert ended.value.code == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert said in last


def test_learn_says_that_it_teaches_students_of_text(tmp_path: Path, capsys) -> None:
    path = images.shapes(tmp_path, rows=160)
    with pytest.raises(SystemExit) as ended:
        cli.main(["learn", str(path), "--image", "picture", "--votes", "vote", "--out", str(tmp_path / "student")])
    assert ended.value.code == 2
    assert "images go through `outgrow run` with --image" in capsys.readouterr().err


def test_convnets_are_not_for_tables_of_texts(tmp_path: Path, capsys) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,label\n" + "\n".join(f"{text} {i},{i % 2}" for i, text in enumerate(tiny_models.texts(160))))
    with pytest.raises(SystemExit):
        cli.main(["run", str(path), "--weak", "tfidf", "--strong", "convnet", "--out", str(tmp_path / "run")])
    assert "convnet reads images, and the items of task 't' have none" in capsys.readouterr().err


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data/cifar10")
def test_people_who_labelled_cifar_supervise_a_convnet(tmp_path: Path) -> None:
    path = tmp_path / "cifar10.parquet"
    pl.read_parquet(SHARED, n_rows=400).write_parquet(path)
    result = study(
        path, tmp_path / "run", reading=Reading(image="jpeg", label="label"), weak=["column:human_labels"], seeds=1
    ).run()
    rows = {row["method"]: row["value"] for row in result.summary.to_dicts()}
    people = [rows[f"supervisor:column:human_labels[{j}]"] for j in range(3)]
    assert all(0.6 < p < 1 for p in people) and rows["label-model:majority"] > np.mean(people) - 0.05
