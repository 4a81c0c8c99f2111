"""Mistakes on the command line: one line that says what is wrong, exit 2, no folder, and nothing read in vain."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from outgrow import cli, models

ROWS = 200
MODEL = ("--strong", "smollm2-135m")
RUN = (*MODEL, "--weak", "column:vote", "--out", "out")
LEARN = (*MODEL, "--votes", "vote,other", "--out", "out")
CROWD = ("--strong", "votes", "--id", "id", "--out", "out")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Tables that are wrong in one way each, beside a good one."""
    folder = tmp_path_factory.mktemp("bad")
    gold = np.arange(ROWS) % 2
    flips = np.random.default_rng(0).random((2, ROWS)) < 0.2
    good = pl.DataFrame(
        {
            "id": [f"item {i}" for i in range(ROWS)],
            "text": [f"{'true' if g else 'false'} {i}" for i, g in enumerate(gold)],
            "label": gold,
            "vote": gold ^ flips[0],
            "other": gold ^ flips[1],
        }
    )
    nothing = pl.lit(None).cast(pl.Int64)
    tables = {
        "good": good,
        "columns": good.rename({"text": "said", "label": "gold"}),
        "empty": good.head(0),
        "silent": good.with_columns(vote=nothing, other=nothing),
        "rare": good.with_columns(vote=pl.Series([0, 1, 0] + [None] * (ROWS - 3))),
        "unknown": good.with_columns(vote=pl.Series([7, *[1] * (ROWS - 1)])),
        "nogold": good.with_columns(label=nothing),
        "nolabel": good.drop("label"),
        "onegold": good.with_columns(label=1),
    }
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    whole = (folder / "good.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    (folder / "novotes.csv").write_text("item,worker,label\n")
    (folder / "strangers.csv").write_text("item,worker,label\nnobody,ann,1\n")
    (folder / "silent.csv").write_text("item,worker,label\nitem 1,ann,\nitem 2,bob,\n")
    return folder


BAD = [
    # wrong columns
    (["run", "columns.parquet", *RUN], "no column 'label'"),
    (["run", "good.parquet", "--text", "txet", *RUN], "no column 'txet' for --text"),
    (["run", "good.parquet", "--label", "gold", *RUN], "no column 'gold' for --label"),
    (["run", "good.parquet", *MODEL, "--weak", "column:vtoe", "--out", "out"], "no column 'vtoe'"),
    (["learn", "columns.parquet", *LEARN], "no column"),
    (["learn", "good.parquet", "--text", "txet", *LEARN], "no column 'txet' for --text"),
    (["learn", "good.parquet", *MODEL, "--votes", "vote,ohter", "--out", "out"], "did you mean 'other'?"),
    # truncated and empty files
    (["run", "cut.parquet", *RUN], "cut.parquet is damaged"),
    (["run", "good.parquet", "--auxiliary", "cut.parquet", *RUN], "cut.parquet is damaged"),
    (["run", "empty.parquet", *RUN], "has no rows"),
    (["learn", "cut.parquet", *LEARN], "cut.parquet is damaged"),
    (["learn", "empty.parquet", *LEARN], "has no rows"),
    (["learn", "good.parquet", "--votes-table", "cut.parquet", *CROWD], "cut.parquet is damaged"),
    (["learn", "good.parquet", "--votes-table", "novotes.csv", *CROWD], "has no rows"),
    # misspelt names
    (["run", "good.parquet", "--method", "niave", *RUN], "did you mean 'naive'?"),
    (["run", "good.parquet", "--label-model", "dawid_skeen", *RUN], "did you mean 'dawid_skene'?"),
    (["run", "good.parquet", "--weak", "column:vote", "--strong", "smolm2-135m"], "did you mean 'smollm2-135m'?"),
    (["run", "good.parquet", "--ladder", "minilm-l7", *RUN], "minilm-l6"),
    (["run", "good.parquet", "--student", "laro", *RUN], "kind of student 'laro'"),
    (["learn", "good.parquet", "--method", "niave", *LEARN], "did you mean 'naive'?"),
    (["learn", "good.parquet", "--label-model", "maen", *LEARN], "did you mean 'mean'?"),
    (["learn", "good.parquet", "--votes", "vote,other", "--strong", "smolm2-135m"], "did you mean 'smollm2-135m'?"),
    # missing files
    (["run", "nowhere.parquet", *RUN], "no file nowhere.parquet"),
    (["run", "good.parquet", "--auxiliary", "nowhere.parquet", *RUN], "no file nowhere.parquet"),
    (["run", "good.parquet", "--weak-features", "nowhere.npz", *MODEL], "no such file"),
    (["learn", "nowhere.parquet", *LEARN], "no file nowhere.parquet"),
    (["learn", "good.parquet", "--votes-table", "nowhere.csv", *CROWD], "no file nowhere.csv"),
    (["predict", "nowhere", "good.parquet"], "no student in nowhere"),
    (["compare", "nowhere"], "nowhere is no run folder"),
    # votes that are all missing, or next to all
    (["run", "silent.parquet", *RUN], "0 items outside the test split have a vote of 'column:vote'"),
    (
        ["run", "silent.parquet", *MODEL, "--weak", "column:vote+column:other", "--out", "out"],
        "have a vote of 'column:vote+column:other'",
    ),
    (["run", "rare.parquet", *RUN], "give at least 40"),
    (["learn", "silent.parquet", "--classes", "0", "1", *LEARN], "every vote is empty"),
    (["learn", "good.parquet", "--classes", "0", "1", "--votes-table", "silent.csv", *CROWD], "every vote is empty"),
    # votes for a class that is none
    (["run", "unknown.parquet", *RUN], "votes in column 'vote' that are none of 0, 1 in row 1"),
    (
        ["learn", "unknown.parquet", "--classes", "0", "1", *LEARN],
        "votes in column 'vote' that are none of 0, 1 in row 1",
    ),
    (["learn", "good.parquet", "--votes-table", "strangers.csv", *CROWD], "not in good (item nobody"),
    # no gold where there must be some
    (["run", "nogold.parquet", *RUN], "missing label in rows 1, 2"),
    (["run", "nogold.parquet", "--skip-bad-rows", *RUN], "no row is left"),
    (["run", "nolabel.parquet", *RUN], "no column 'label'"),
    (["run", "onegold.parquet", *MODEL, "--weak", "tfidf", "--out", "out"], "is of one class (1)"),
]


@pytest.mark.parametrize("arguments, says", BAD, ids=[" ".join(arguments[:4]) for arguments, _ in BAD])
def test_one_line_says_what_to_mend(arguments, says, place, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(place)
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    for name in ("features", "zero_shot"):
        monkeypatch.setattr(models, name, lambda *_, **__: pytest.fail("a model has read"))
    before = sorted(place.iterdir())
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    captured = capsys.readouterr()
    assert (stopped.value.code, captured.out) == (2, ""), captured.out
    assert captured.err.startswith("outgrow: ") and captured.err.count("\n") == 1 and says in captured.err, captured.err
    assert sorted(place.iterdir()) == before
