"""Real files of the three layouts load without a flag."""

import time
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outgrow import tasks
from outgrow.tasks import POOL, TEST, Reading
from outgrow.tasks.splits import draw

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared data is not beside this checkout"),
]

KINDS = {
    "choose": ("sciq", "dream", "arc_challenge", "commonsenseqa_dev"),
    "classify": ("boolq", "creak", "ethics_justice", "mctaco", "cola", "imdb", "ag_news", "trec6"),
    "prefer": ("hh_harmless", "hh_helpful", "ethics_utilitarianism"),
}


def file(name: str) -> Path:
    return DATA / name / f"{name}.parquet"


@pytest.mark.parametrize(("kind", "name"), [(k, n) for k, names in KINDS.items() for n in names])
def test_a_real_file_loads_without_a_flag(kind: str, name: str) -> None:
    rows = pl.read_parquet(file(name))
    start = time.process_time()
    task, gold = tasks.load(str(file(name)))
    assert time.process_time() - start < 5
    assert task.kind == kind and task.name == name
    left = sum(n for why, n in task.counts.items() if why.startswith("rows left out"))
    items = task.counts["questions"] if kind == "choose" else len(task)
    assert task.counts["rows"] == len(rows) == items + left, "every row is an item or counted"
    assert not set(task.groups[task.side == TEST]) & set(task.groups[task.side == POOL])
    tested = rows.filter(pl.col("split") == "test")
    if kind == "choose":
        assert len(np.unique(task.question[task.side == TEST])) == len(tested)
        assert (np.bincount(task.question, gold.labels) == 1).all() and (np.bincount(task.question) >= 2).all()
    else:
        assert (task.side == TEST).sum() == len(tested)
    if kind == "classify":
        classes = [task.classes[c] for c in gold.labels[task.side == TEST]]
        assert Counter(classes) == Counter(tested["label"].cast(str).to_list())
    if kind == "prefer":
        assert abs(gold.labels.mean() - 0.5) < 4 * 0.5 / np.sqrt(len(task))
    splits = draw(task, 0, range(2))
    assert np.array_equal(splits.test[0], task.side == TEST)


@pytest.mark.parametrize(("name", "functions"), [("wrench_youtube", 10), ("wrench_trec", 68)])
def test_labelling_functions_are_read_as_votes(name: str, functions: int) -> None:
    task, _ = tasks.load(str(file(name)), Reading(votes=("weak_labels",)))
    assert len(task.votes) == functions
    rows = {r["text"]: r["weak_labels"] for r in pl.read_parquet(file(name)).iter_rows(named=True)}
    for j in (0, functions - 1):
        votes = task.votes[f"weak_labels[{j}]"]
        for i in range(0, len(task), 50):
            expected = rows[task.texts[i][0]][j] if task.texts[i][0] in rows else None
            if expected is not None:
                assert (votes[i].argmax() if not np.isnan(votes[i]).any() else -1) == expected


def test_soft_labels_of_small_models_are_read_as_votes() -> None:
    names = ("p1_gpt2", "p1_gpt2_xl")
    path = DATA / "w2s_sciq_weak_labels" / "w2s_sciq_weak_labels.parquet"
    task, gold = tasks.load(str(path), Reading(label="gt_label", votes=names))
    accuracy = {name: (task.votes[name].argmax(1) == gold.labels).mean() for name in names}
    rows = pl.read_parquet(path)
    for name in names:
        assert accuracy[name] == pytest.approx(((rows[name] > 0.5) == (rows["gt_label"] == 1)).mean(), abs=1e-3)
