"""Tables of images as tasks: what is read, what is refused, what belongs together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import images
from outgrow import tasks
from outgrow.core.errors import UserError
from outgrow.tasks import Reading

READING = Reading(image="picture")


def read(path: Path, reading: Reading = READING):
    return tasks.load(str(path), reading)


def changed(path: Path, column: str, row: int, value) -> Path:
    """The same table with one value changed."""
    frame = pl.read_parquet(path)
    values = frame[column].to_list()
    values[row] = value
    frame.with_columns(pl.Series(column, values, dtype=frame[column].dtype)).write_parquet(path)
    return path


def test_a_column_of_bytes_is_a_task_of_images(tmp_path: Path) -> None:
    path = images.shapes(tmp_path)
    task, gold = read(path)
    frame = pl.read_parquet(path)
    assert task.kind == "classify" and task.classes == ("blue", "green", "red")
    assert set(task.texts) == {()}
    label = dict(zip(frame["picture"].to_list(), frame["label"].to_list(), strict=True))
    assert [task.classes[c] for c in gold.labels] == [label[image] for image in task.images]


def test_bytes_records_and_paths_are_the_same_task(tmp_path: Path) -> None:
    path = images.shapes(tmp_path, rows=40)
    frame = pl.read_parquet(path).select("picture", "label")
    pictures = frame["picture"].to_list()
    (tmp_path / "at").mkdir()
    for i, data in enumerate(pictures):
        (tmp_path / "at" / f"{i}.png").write_bytes(data)
    records = [{"bytes": p if i % 2 else None, "path": f"at/{i}.png"} for i, p in enumerate(pictures)]
    frame.write_parquet(tmp_path / "bytes.parquet")
    frame.with_columns(pl.Series("picture", records)).write_parquet(tmp_path / "records.parquet")
    paths = frame.with_columns(pl.Series("picture", [f"at/{i}.png" for i in range(40)]))
    paths.write_csv(tmp_path / "paths.csv")
    paths.write_ndjson(tmp_path / "paths.jsonl")
    found = [read(tmp_path / name)[0] for name in ("bytes.parquet", "records.parquet", "paths.csv", "paths.jsonl")]
    for other in found[1:]:
        assert other.images == found[0].images
        assert np.array_equal(other.ids, found[0].ids) and np.array_equal(other.groups, found[0].groups)


def test_the_digest_and_the_ids_hang_on_the_images(tmp_path: Path) -> None:
    path = images.shapes(tmp_path, rows=40)
    one = read(path)[0]
    assert read(path)[0].digest == one.digest
    two = read(changed(path, "picture", 0, images.png(np.zeros((4, 4, 3), np.uint8))))[0]
    assert two.digest != one.digest and len(set(two.ids) & set(one.ids)) == 39


def test_rows_of_one_image_stay_together(tmp_path: Path) -> None:
    path = images.statements(tmp_path, rows=60)
    twice = pl.read_parquet(path)
    pl.concat([twice, twice.with_columns(text=pl.lit("a grey shape"), label=pl.lit("false"))]).write_parquet(path)
    task, _ = read(path)
    assert len(task) == 120 and len(np.unique(task.groups)) == 60
    for group in np.unique(task.groups):
        assert len({task.images[i] for i in np.flatnonzero(task.groups == group)}) == 1


def test_an_image_and_a_text_are_one_item(tmp_path: Path) -> None:
    task, _ = read(images.statements(tmp_path))
    assert task.images is not None and {t for (t,) in task.texts} == {f"a {c} shape" for c in images.COLOURS}


def test_a_column_called_image_is_not_read_beside_a_text_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(json.dumps({"text": f"t {i}", "image": "none.png", "label": i % 2}) for i in range(40)))
    assert tasks.load(str(path))[0].images is None
    with pytest.raises(UserError, match=r"no image file in lines 1, 2, 3, 4, 5 and 35 more"):
        tasks.load(str(path), Reading(image="image"))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"no image", "an image that cannot be decoded in row 4"),
        ("cut", "an image that cannot be decoded in row 4"),
        (None, "missing picture in row 4"),
        (b"", "missing picture in row 4"),
    ],
)
def test_bad_images_are_named_by_row_or_counted(tmp_path: Path, value, said: str) -> None:
    path = images.shapes(tmp_path, rows=60)
    if value == "cut":
        value = pl.read_parquet(path)["picture"][3][:-60]
    changed(path, "picture", 3, value)
    with pytest.raises(UserError, match=said) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    task, _ = read(path, Reading(image="picture", skip_bad_rows=True))
    assert len(task) == 59
    assert task.counts[f"rows left out: {said.removesuffix(' in row 4')}"] == 1


def test_lists_of_votes_are_voters_who_abstain_where_there_is_no_list(tmp_path: Path) -> None:
    path = images.shapes(tmp_path)
    changed(path, "three", 0, ["red", "red", None])
    task, gold = read(path, Reading(image="picture", votes=("three[1]",), split="none"))
    assert list(task.votes) == ["three[0]", "three[1]", "three[2]"]
    silent = np.isnan(task.votes["three[1]"]).any(-1)
    assert silent.sum() == 59
    assert (task.votes["three[1]"].argmax(-1) == gold.labels)[~silent].mean() > 0.99
    assert np.isnan(task.votes["three[2]"]).all()


def test_a_test_split_of_which_the_votes_say_nothing_is_left_out(tmp_path: Path, capsys) -> None:
    path = images.shapes(tmp_path)
    task, _ = read(path, Reading(image="picture", votes=("vote", "three")))
    assert "no votes of vote, three[0], three[1] on the test split" in capsys.readouterr().err
    assert len(task) == 180 and set(task.side.tolist()) == {tasks.FREE}
    assert task.counts["rows left out: in the test split, of which votes say nothing"] == 60
    assert len(read(path)[0]) == 240
    task, _ = read(changed(path, "vote", 0, "red"), Reading(image="picture", votes=("vote",)))
    assert len(task) == 240


def test_a_hub_folder_of_images_is_read(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="the extra hub is not installed")
    frame = pl.read_parquet(images.shapes(tmp_path, rows=40))
    made = datasets.Dataset.from_dict({"picture": frame["picture"].to_list(), "label": frame["label"].to_list()})
    made = made.cast_column("picture", datasets.Image())
    (tmp_path / "hub").mkdir()
    made.to_parquet(tmp_path / "hub" / "train.parquet")
    task, _ = tasks.load(f"hub:{tmp_path / 'hub'}", READING)
    assert set(task.images) == set(frame["picture"].to_list())
