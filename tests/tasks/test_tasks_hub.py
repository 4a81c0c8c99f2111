"""Hub data sets, tried on local folders of the same layout; no test needs the network."""

import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outgrow import tasks
from outgrow.core.errors import UserError
from outgrow.tasks import POOL, TEST, Reading

ROWS = [{"text": f"item {i}", "label": i % 2} for i in range(90)]


@pytest.fixture
def no_extra(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)


@pytest.fixture
def extra(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    pytest.importorskip("datasets", reason="the extra outgrow[hub] is not installed")
    import datasets

    monkeypatch.setattr(datasets, "load_dataset", partial(datasets.load_dataset, cache_dir=str(tmp_path / "cache")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "owned" / "data"
    data.mkdir(parents=True)
    for split, rows in (("train", ROWS[:60]), ("validation", ROWS[60:65]), ("test", ROWS[65:])):
        pl.DataFrame(rows).write_parquet(data / f"{split}-00000-of-00001.parquet")
    return tmp_path / "owned"


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("prefix", ["hub:", ""])
def test_the_splits_of_a_folder_become_the_split(extra, folder: Path, prefix: str) -> None:
    task, gold = tasks.load(f"{prefix}{folder}")
    assert task.name == "owned" and task.source == "folder owned"
    assert (task.side == POOL).sum() == 60 and (task.side == TEST).sum() == 25
    assert task.counts == {"rows": 90, "rows left out: split validation": 5, "items": 85}
    for (text,), label in zip(task.texts, gold.labels, strict=True):
        assert int(text.split()[1]) % 2 == label


@pytest.mark.filterwarnings("default")
def test_a_bad_row_is_known_by_its_split_and_number(extra, folder: Path) -> None:
    rows = [*ROWS[:60], {"text": "", "label": 0}]
    pl.DataFrame(rows).write_parquet(folder / "data" / "train-00000-of-00001.parquet")
    with pytest.raises(UserError, match="missing text in row train:61: mend them"):
        tasks.load(f"hub:{folder}")


@pytest.mark.filterwarnings("default")
def test_the_names_that_a_data_set_gives_its_classes_are_used(extra) -> None:
    import datasets

    from outgrow.tasks.tables.hub import _joined
    from outgrow.tasks.tables.layouts import from_table

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes", "maybe"])}
    )
    parts = {
        split: datasets.Dataset.from_list([r | {"label": hidden or r["label"]} for r in rows], features=features)
        for split, rows, hidden in (("train", ROWS[:60], 0), ("test", ROWS[60:], 0), ("hidden", ROWS[:5], -1))
    }
    table = _joined("x", parts, "x@1")
    task, _ = from_table(table, Reading())
    assert task.classes == ("no", "yes"), "in the order of the data set, as far as they occur"
    assert task.counts["rows left out: split hidden"] == 5
    with pytest.raises(UserError, match="missing label in rows hidden:1, hidden:2"):
        from_table(table, Reading(test_values=("hidden",)))


@pytest.mark.filterwarnings("default")
def test_without_a_network_a_hub_name_fails_fast_in_one_line(extra, monkeypatch) -> None:
    def refuse(*_, **__):
        raise OSError("no way out")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr("huggingface_hub.is_offline_mode", lambda: False)
    start = time.monotonic()
    with pytest.raises(
        UserError, match=r"^no network for hub:owner/name: cannot reach .* use a local folder"
    ) as raised:
        tasks.load("hub:owner/name")
    assert time.monotonic() - start < 5 and "\n" not in str(raised.value)


@pytest.mark.filterwarnings("default")
def test_a_folder_without_data_is_one_line(extra, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    with pytest.raises(UserError, match=r"^cannot read hub:.*bare") as raised:
        tasks.load(f"hub:{tmp_path / 'bare'}")
    assert "\n" not in str(raised.value)


def test_a_folder_that_is_not_there_is_one_line() -> None:
    with pytest.raises(UserError, match=r"no folder './nowhere' for hub:./nowhere"):
        tasks.load("hub:./nowhere")


def test_a_missing_extra_prints_its_install_line(no_extra) -> None:
    with pytest.raises(UserError, match=r"hub:owner/name needs the package datasets: pip install 'outgrow\[hub\]'"):
        tasks.load("hub:owner/name")


@pytest.mark.parametrize(
    ("name", "path", "config", "revision"),
    [
        ("owner/name", "owner/name", None, None),
        ("owner/name:sst2", "owner/name", "sst2", None),
        ("owner/na.me@v1.0", "owner/na.me", None, "v1.0"),
        ("owner/name:en-fr@refs/pr/3", "owner/name", "en-fr", "refs/pr/3"),
        ("squad", "squad", None, None),
    ],
)
def test_a_name_holds_its_config_and_revision(name: str, path: str, config: str | None, revision: str | None) -> None:
    from outgrow.tasks.tables.hub import FORM

    found = FORM.fullmatch(name)
    assert (found["path"], found["config"], found["revision"]) == (path, config, revision)


def test_the_hub_is_imported_only_for_hub_names() -> None:
    code = "import sys; from outgrow import tasks; tasks.names(); assert 'datasets' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.filterwarnings("default")
def test_the_same_rows_as_a_file_and_as_a_folder_give_the_same_items(extra, folder: Path, tmp_path: Path) -> None:
    pl.DataFrame(
        [r | {"split": "train" if i < 60 else "validation" if i < 65 else "test"} for i, r in enumerate(ROWS)]
    ).write_parquet(tmp_path / "f.parquet")
    (one, gold), (other, gold_2) = tasks.load(f"hub:{folder}"), tasks.load(str(tmp_path / "f.parquet"))
    assert np.array_equal(one.ids, other.ids) and one.texts == other.texts
    assert np.array_equal(gold.labels, gold_2.labels) and np.array_equal(one.side, other.side)
