"""`outgrow predict` reads what `run` reads: images, pairs, features and prompts; what does not fit is one line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import test_images_vision
import test_saved

import images
import outgrow
from outgrow import cli
from outgrow.core.errors import UserError
from outgrow.generation import PLAIN
from outgrow.students import inputs
from outgrow.students.saved_text import SavedGenerator
from outgrow.students.student_file import AnswerSettings
from outgrow.tasks import Reading
from outgrow.workflows.predict import predict


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTGROW_STORE", str(tmp_path_factory.mktemp("store")))
        yield


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> tuple[Path, Path]:
    """(a study of images, its table)"""
    place = tmp_path_factory.mktemp("images")
    table, vit = images.shapes(place, rows=160), test_images_vision.save(place / "vit", "vit")
    reading = Reading(image="picture", votes=("vote",))
    asked = {"tasks": [str(table)], "strong": str(vit), "methods": ["naive"], "seeds": 1, "reading": reading}
    return outgrow.Study(**asked, out=place / "run").run().path, table


def told(capsys, *command: str) -> str:
    """The last line of a command that ends with 2."""
    with pytest.raises(SystemExit) as ended:
        cli.main(list(command))
    assert ended.value.code == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_a_student_of_images_labels_a_table_a_folder_and_pixels_alike(ran, tmp_path: Path) -> None:
    run, table = ran
    labels = pl.read_parquet(predict(run, str(table), out=tmp_path / "table.parquet"))
    added = ["label", "p_blue", "p_green", "p_red"]
    assert labels.columns == ["row", "label_read", "vote", "three", "split", *added] and labels.height == 160
    assert labels["label_read"].equals(pl.read_parquet(table)["label"].alias("label_read"))
    encoded = pl.read_parquet(table)["picture"].to_list()
    (tmp_path / "seen").mkdir()
    for number, data in enumerate(encoded):
        (tmp_path / "seen" / f"{number:03d}.png").write_bytes(data)
    (tmp_path / "seen" / "notes.txt").write_text("no image")
    again = pl.read_parquet(predict(run, str(tmp_path / "seen"), out=tmp_path / "folder.parquet"))
    assert again["file"].to_list() == [f"{number:03d}.png" for number in range(160)]
    from outgrow.tasks.images import decoded

    np.savez(tmp_path / "pixels.npz", id=np.arange(160) + 7, x=np.stack([np.asarray(decoded(d)) for d in encoded]))
    third = pl.read_parquet(predict(run, str(tmp_path / "pixels.npz"), out=tmp_path / "pixels.parquet"))
    assert third["id"].to_list() == list(range(7, 167))
    for other in (again, third):
        assert other.select("label", "^p_.*$").equals(labels.select("label", "^p_.*$"))
    task, _ = outgrow.tasks.load(str(table), Reading(image="picture"))
    said = pl.read_parquet(next(run.glob("predictions/*/*--*/naive.parquet")))
    row = {name: number for number, name in enumerate(task.ids.tolist())}
    image = {data: number for number, data in enumerate(encoded)}
    at = [image[task.images[row[name]]] for name in said["id"]]
    found = labels.select("p_blue", "p_green", "p_red").to_numpy()[at]
    assert np.allclose(found, said.select("p0", "p1", "p2").to_numpy(), atol=2e-2)


def test_images_that_cannot_be_read_are_one_line(ran, tmp_path: Path, capsys) -> None:
    run, table = ran
    out = ("--out", str(tmp_path / "labels.parquet"))
    (tmp_path / "empty").mkdir()
    assert "holds no image" in told(capsys, "predict", str(run), str(tmp_path / "empty"), *out)
    (tmp_path / "empty" / "a.png").write_bytes(b"no image")
    assert "cannot be decoded in row 1" in told(capsys, "predict", str(run), str(tmp_path / "empty"), *out)
    pl.read_parquet(table).drop("picture").write_parquet(tmp_path / "t.parquet")
    line = told(capsys, "predict", str(run), str(tmp_path / "t.parquet"), *out)
    assert "no column 'picture', which the student reads (or name its column here with --image)" in line
    np.savez(tmp_path / "x.npz", x=np.zeros((2, 4, 4), np.float32))
    assert "the pixels are float32 of shape (2, 4, 4)" in told(
        capsys, "predict", str(run), str(tmp_path / "x.npz"), *out
    )
    (tmp_path / "x.npz").write_bytes(b"no archive")
    assert "cannot read" in told(capsys, "predict", str(run), str(tmp_path / "x.npz"), *out)


def test_of_a_pair_the_better_text_is_told_and_the_order_of_columns_does_not_matter(
    tmp_path: Path, causal, encoder, capsys
) -> None:
    task, name, fitted, _ = test_saved.taught("pair", tmp_path, causal, encoder)
    folder = test_saved.keep(tmp_path, task, name, fitted)
    rows = pl.read_parquet(tmp_path / "pairs.parquet").rename({"chosen": "one", "rejected": "two"})
    rows.write_parquet(tmp_path / "new.parquet")
    asked = (str(folder), str(tmp_path / "new.parquet"))
    ways = [Reading(chosen="one", rejected="two"), Reading(chosen="two", rejected="one")]
    one, two = (
        pl.read_parquet(predict(folder, asked[1], reading=reading, out=tmp_path / f"{n}.parquet"))
        for n, reading in enumerate(ways)
    )
    assert one.columns == ["row", "prompt", "one", "two", "label", "p_first", "p_second"]
    assert np.allclose(one["p_first"], two["p_second"], atol=2e-2)
    said = dict(zip(task.texts, fitted.predict()[0].tolist(), strict=True))
    said |= {(b, a): [second, first] for (a, b), (first, second) in said.items()}
    whole = [(f"{prompt}\n{a}", f"{prompt}\n{b}") for prompt, a, b in rows.iter_rows()]
    assert np.allclose(one.select("p_first", "p_second").to_numpy(), [said[pair] for pair in whole], atol=2e-2)
    assert one["label"].to_list() == ["first" if p > 0.5 else "second" for p in one["p_first"]]
    line = told(capsys, "predict", *asked, "--chosen", "one", "--out", str(tmp_path / "x.csv"))
    assert "no column 'rejected', which the student reads (or name its column here with --rejected)" in line


def test_a_student_of_features_labels_the_rows_of_a_file(tmp_path: Path, causal, encoder, capsys) -> None:
    task, name, fitted, x = test_saved.taught("features", tmp_path, causal, encoder)
    folder = test_saved.keep(tmp_path, task, name, fitted)
    np.save(tmp_path / "x.npy", x)
    named = pl.read_parquet(predict(folder, str(tmp_path / "x.npz")))
    bare = pl.read_parquet(predict(folder, str(tmp_path / "x.npy"), out=tmp_path / "bare.parquet"))
    assert named["id"].to_list() == task.ids.tolist() and bare.columns == ["row", "label", "p_0", "p_1"]
    assert bare.select("row", "label", "^p_.*$").equals(named.select("row", "label", "^p_.*$"))
    assert np.allclose(named.select("p_0", "p_1").to_numpy(), fitted.predict()[0], atol=1e-5)
    np.save(tmp_path / "x.npy", x[:, :, :5])
    assert "features of width 6, and these have 5" in told(capsys, "predict", str(folder), str(tmp_path / "x.npy"))
    (tmp_path / "x.npy").write_bytes(b"no array")
    assert "cannot read" in told(capsys, "predict", str(folder), str(tmp_path / "x.npy"))
    assert "give a .npz, .parquet, .npy file of features" in told(capsys, "predict", str(folder), "x.csv")


def generator(layout: str, **columns: str) -> SavedGenerator:
    return SavedGenerator(Path(), AnswerSettings(tokens=4, stop=(), prompting=PLAIN, layout=layout), columns, {})


def test_prompts_come_from_the_column_that_taught_or_the_one_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"asked": " 1 + 1 = ", "n": 1, "tags": ["a"]}\n{"asked": "2 + 2 =", "n": null, "tags": []}\n')
    found = inputs.prompted(generator("prompt", prompt="asked"), str(path), Reading())
    assert found.items == ["1 + 1 =", "2 + 2 ="]
    assert found.columns == {"asked": [" 1 + 1 = ", "2 + 2 ="], "n": [1, None], "tags": ['["a"]', "[]"]}
    assert inputs.prompted(generator("prompt"), str(path), Reading(prompt="asked")).items == found.items
    with pytest.raises(UserError, match="no column 'prompt', which the student reads"):
        inputs.prompted(generator("prompt"), str(path), Reading())
    path.write_text('{"asked": "a"}\n{"asked": " "}\n')
    with pytest.raises(UserError, match="no text in line 2"):
        inputs.prompted(generator("prompt"), str(path), Reading(prompt="asked"))


def test_prompts_of_a_layout_are_those_of_the_task_without_its_gold(tmp_path: Path) -> None:
    from outgrow.tasks import generation
    from outgrow.tasks.tables.prompts import Columns

    function = {
        "name": "area",
        "description": "Area.",
        "parameters": {"type": "dict", "properties": {}, "required": []},
    }
    rows = {
        "question": [[{"role": "user", "content": f"how large is {i}"}] for i in range(3)],
        "functions": [[function]] * 3,
        "ground_truth": [[{"area": {}}]] * 3,
    }
    lines = [json.dumps({name: cells[i] for name, cells in rows.items()}) for i in range(3)]
    (tmp_path / "t.jsonl").write_text("\n".join(lines) + "\n")
    task, _ = generation.load(str(tmp_path / "t.jsonl"), None, 0, Columns(scorer="calls"), ())
    (tmp_path / "new.jsonl").write_text("\n".join(json.dumps({**json.loads(x), "ground_truth": None}) for x in lines))
    asked = inputs.prompted(generator("calls"), str(tmp_path / "new.jsonl"), Reading())
    assert sorted(asked.items) == sorted(task.prompts) and len(set(asked.items)) == 3
    (tmp_path / "bad.jsonl").write_text('{"question": [], "functions": 3}\n')
    with pytest.raises(UserError, match="no functions and question as the leaderboard writes them in line 1"):
        inputs.prompted(generator("calls"), str(tmp_path / "bad.jsonl"), Reading())
