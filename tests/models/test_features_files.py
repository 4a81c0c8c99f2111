"""Features from a file in the place of a model's: the same figures, and one line for what does not fit."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import studies
import tiny_models
from outgrow import cli, models, tasks
from outgrow.core.errors import UserError
from outgrow.store import Store
from outgrow.students.features import space_of
from outgrow.tasks.task import Task

ROWS = 160


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A table, two checkpoints, and what these make of the table's items as strong.npz and weak.parquet."""
    folder = tmp_path_factory.mktemp("features") / "a folder [1]"  # no pattern
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTGROW_STORE", str(folder / "store"))
        task = tasks.load(str(studies.table(folder, ROWS)))[0]
        strong = read(tiny_models.save(folder / "model", encoder=False), task)
        weak = read(tiny_models.save(folder / "small", encoder=True), task)
        deal = np.random.default_rng(0).permutation(len(task))
        np.savez(folder / "strong.npz", id=task.ids[deal], x=strong[deal])
        pl.DataFrame({"id": task.ids[deal], "x": weak[deal].tolist()}).write_parquet(folder / "weak.parquet")
        yield folder


def read(model: Path, task: Task) -> np.ndarray:
    """(N, L, D) float32."""
    store = Store.default()
    return models.features(models.resolve(str(model), store), [t for (t,) in task.texts], store).x.swapaxes(0, 1)


def task_of(place: Path) -> Task:
    return tasks.load(str(place / "table.jsonl"))[0]


def space(place: Path, file: str, task: Task | None = None):
    task = task or task_of(place)
    return space_of(task, f"features:{place / file}", np.ones(len(task), bool), Store.default())


@pytest.fixture(scope="module")
def both(place):
    """The study of the checkpoints, and that of their files."""
    asked = {"methods": ["naive", "logconf"], "seeds": 2}
    real = studies.study(place, weak=[str(place / "small")], strong=str(place / "model"), out=place / "real", **asked)
    files = [f"features:{place / name}" for name in ("weak.parquet", "strong.npz")]
    return real.run(), studies.study(place, weak=files[:1], strong=files[1], out=place / "files", **asked).run()


def test_a_study_of_files_has_the_cells_of_the_study_of_the_models_that_made_them(both):
    real, files = (result.cells.drop("weak", "strong") for result in both)
    assert "own-features" in files["method"].to_list()
    assert files.equals(real)


def test_the_report_names_the_file_and_its_sha256(both, place):
    models_of = json.loads((place / "files" / "details.json").read_text())["models"]
    study = json.loads((place / "files" / "study.json").read_text())
    page = (place / "files" / "report.html").read_text()
    for file in ("weak.parquet", "strong.npz"):
        digest = hashlib.sha256((place / file).read_bytes()).hexdigest()
        about = models_of[f"features:{place / file}"]
        assert about["kind"] == "features" and about["digest"] == digest and about["parameters"] is None
        assert study["resolved"]["models"][f"features:{place / file}"] == digest
        assert f"{file} (sha256 {digest[:16]})" in page


def test_the_zero_shot_contrast_steps_aside(both):
    _, files = both
    assert "gold-few" in files.cells["method"].to_list()
    assert "zero-shot" not in files.cells["method"].to_list()


def test_rows_of_items_that_the_task_has_not_are_not_read(place):
    task = tasks.load(str(place / "table.jsonl"), tasks.Reading(items=100))[0]
    whole, few = space(place, "strong.npz"), space(place, "strong.npz", task)
    assert len(task) < ROWS
    assert np.array_equal(few.features[:, 0], whole.features[:, 0, np.isin(task_of(place).ids, task.ids)])


@pytest.mark.parametrize("kind", ["text", "number"])
def test_the_ids_of_the_tables_own_column_name_its_items(kind, place, tmp_path):
    names = [f"row {i}" if kind == "text" else i for i in range(ROWS)]
    table = pl.read_ndjson((place / "table.jsonl").read_bytes()).with_columns(id=pl.Series(names))
    table.write_parquet(tmp_path / "table.parquet")
    x = np.random.default_rng(0).normal(size=(ROWS, 3))
    pl.DataFrame({"id": names, "a": x[:, 0], "b": x[:, 1], "c": x[:, 2]}).write_parquet(tmp_path / "x.parquet")
    np.savez(tmp_path / "x.npz", id=names, x=x)
    task = tasks.load(str(tmp_path / "table.parquet"))[0]
    row = {text: i for i, text in enumerate(table["text"])}
    expected = x[[row[t] for (t,) in task.texts]].astype(np.float32)
    for file in ("x.parquet", "x.npz"):
        assert np.array_equal(space(tmp_path, file, task).features, expected[None, None])


def broken(place: Path, **changes) -> dict:
    with np.load(place / "strong.npz") as file:
        return dict(file) | changes


def nan(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x[3, 0, 0] = np.nan
    return x


BAD = {
    "missing ids": (lambda a: {"id": a["id"][12:], "x": a["x"][12:]}, "12 of 160 items"),
    "other ids": (
        lambda a: {"id": [f"strange {i}" for i in range(ROWS)], "x": a["x"]},
        "no item's: strange 0, strange 1, strange 2",
    ),
    "wrong rows": (lambda a: {"id": a["id"], "x": a["x"][:90]}, "160 ids for 90 rows"),
    "twice": (lambda a: {"id": np.r_[a["id"][:-1], a["id"][:1]], "x": a["x"]}, "stands 2 times"),
    "not a number": (lambda a: {"id": a["id"], "x": nan(a["x"])}, "1 rows hold NaN"),
    "too large": (lambda a: {"id": a["id"], "x": a["x"].astype(float) + 1e300}, "160 rows hold NaN or infinite"),
    "texts": (lambda a: {"id": a["id"], "x": a["x"].astype(str)}, "not numbers"),
    "pickled": (lambda a: {"id": a["id"].astype(object), "x": a["x"]}, "allow_pickle"),
    "no ids": (lambda a: {"x": a["x"]}, "it needs id"),
    "two arrays": (lambda a: {**a, "y": a["x"]}, "it needs id, and the features in one other"),
    "flat": (lambda a: {"id": a["id"], "x": a["x"][:, 0, 0]}, "rows x width"),
    "real ids": (lambda a: {"id": np.arange(ROWS) / 2, "x": a["x"]}, "one text or whole number"),
}


@pytest.mark.parametrize("how", BAD)
def test_a_file_that_does_not_fit_is_one_line_and_exit_2(how, place, tmp_path, capsys):
    change, says = BAD[how]
    np.savez(tmp_path / "bad.npz", **change(broken(place)))
    code, err = run(place, f"features:{tmp_path / 'bad.npz'}", tmp_path, capsys)
    assert (
        code == 2 and err.count("outgrow: ") == 1 and says in err.splitlines()[-1] and "bad.npz" in err.splitlines()[-1]
    ), err


def run(place: Path, strong: str, out: Path, capsys, *more: str, weak: str = "column:vote") -> tuple[int, str]:
    with pytest.raises(SystemExit) as stopped:
        cli.main(
            [
                "run",
                str(place / "table.jsonl"),
                "--weak",
                weak,
                "--strong",
                strong,
                "--seeds",
                "1",
                "--out",
                str(out / "run"),
                *more,
            ]
        )
    return stopped.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    "role", ["weak", "strong", "ladder", "weak, after one that fits", "strong of an auxiliary task"]
)
def test_ids_that_do_not_fit_are_said_before_any_model_reads(role, place, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(models, "features", lambda *_: pytest.fail("a model has read"))
    good, bad, more = f"features:{place / 'strong.npz'}", f"features:{tmp_path / 'bad.npz'}", []
    np.savez(tmp_path / "bad.npz", **BAD["missing ids"][0](broken(place)))
    weak, strong = str(place / "small"), str(place / "model")
    if role == "strong":
        strong = bad
    elif role == "ladder":
        more = ["--ladder", bad]
    elif role == "strong of an auxiliary task":
        table = pl.read_ndjson((place / "table.jsonl").read_bytes()).with_columns(pl.col("text") + " again")
        table.write_ndjson(tmp_path / "other.jsonl")
        strong, more = good, ["--auxiliary", str(tmp_path / "other.jsonl")]
    else:
        weak = bad if role == "weak" else f"{weak}+{good}+{bad}"
    code, err = run(place, strong, tmp_path, capsys, *more, weak=weak)
    assert code == 2 and err.count("\n") == 1 and "items of task" in err and "have no row" in err, err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "column, says",
    [
        ([[1.0, 2.0]] * (ROWS - 1) + [[1.0]], "rows of one length"),
        ([[1.0, None]] * ROWS, "not numbers"),
        ([None] * ROWS, "not numbers"),
        (["a"] * ROWS, "not numbers"),
    ],
)
def test_a_parquet_file_that_does_not_fit_is_one_line(column, says, place, tmp_path):
    pl.DataFrame({"id": task_of(place).ids, "x": column}, strict=False).write_parquet(tmp_path / "bad.parquet")
    with pytest.raises(UserError, match=says) as raised:
        space(tmp_path, "bad.parquet", task_of(place))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "name, says", [("x.npy", "give a .npz file"), ("x.npz", "no such file"), ("x.parquet", "no such file")]
)
@pytest.mark.parametrize("role", ["weak", "strong"])
def test_a_name_that_leads_to_no_file_is_refused_before_anything_is_read(role, name, says, place, tmp_path, capsys):
    file = f"features:{tmp_path / name}"
    strong, weak = (file, "column:vote") if role == "strong" else (str(place / "model"), file)
    code, err = run(place, strong, tmp_path, capsys, weak=weak)
    assert code == 2 and err.count("\n") == 1 and says in err, err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_a_damaged_file_is_one_line(suffix, place, tmp_path):
    whole = (place / ("strong.npz" if suffix == ".npz" else "weak.parquet")).read_bytes()
    for data in (b"", b"no such format", whole[: len(whole) // 2]):
        (tmp_path / f"bad{suffix}").write_bytes(data)
        with pytest.raises(UserError, match="cannot read") as raised:
            space(tmp_path, f"bad{suffix}", task_of(place))
        assert "\n" not in str(raised.value)


def test_a_file_reads_no_text(place, tmp_path, capsys):
    file = f"features:{place / 'strong.npz'}"
    code, err = run(place, str(place / "model"), tmp_path, capsys, weak=f"prompt:{file}")
    assert code == 2 and "it cannot be prompted" in err.splitlines()[-1]
    code, err = run(place, file, tmp_path, capsys, "--student", "lora")
    assert code == 2 and "not a model to fine-tune" in err.splitlines()[-1]


def test_pairs_of_texts_take_a_model(place, tmp_path):
    rows = [{"prompt": f"q {i}", "chosen": f"good {i}", "rejected": f"bad {i}"} for i in range(ROWS)]
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(UserError, match="are pairs"):
        space(place, "strong.npz", tasks.load(str(tmp_path / "pairs.jsonl"))[0])
