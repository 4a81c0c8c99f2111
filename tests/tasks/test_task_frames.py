"""Data frames as tables: the same checks as files, row positions as places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from outgrow.core.errors import UserError
from outgrow.tasks import Reading
from outgrow.tasks.tables import annotators
from outgrow.tasks.tables.files import read_file
from outgrow.tasks.tables.frames import of_frame
from outgrow.tasks.tables.layouts import from_table

ROWS = {
    "text": [f"message {i}" for i in range(60)],
    "label": [("ham", "spam")[i % 2] for i in range(60)],
    "rule": [None if i % 3 == 0 else ("ham", "spam")[i % 5 > 2] for i in range(60)],
    "scores": [[0.25, 0.75] if i % 2 else [1.0, 0.0] for i in range(60)],
    "sure": [i % 4 == 0 for i in range(60)],
}
FRAMES: dict[str, Callable[[dict[str, list]], Any]] = {
    "pandas": pd.DataFrame,
    "pandas with types of its own": lambda rows: pd.DataFrame(rows).convert_dtypes(),
    "pandas with an index": lambda rows: pd.DataFrame(rows).set_index(pd.Index(range(100, 160))),
    "polars": pl.DataFrame,
    "polars, lazy": pl.LazyFrame,
    "pyarrow": pa.table,
}


@pytest.mark.parametrize("made", FRAMES.values(), ids=FRAMES)
def test_a_frame_is_the_task_that_a_file_of_its_rows_is(made, tmp_path) -> None:
    reading = Reading(votes=("rule", "scores"), classes=("ham", "spam"))
    pl.DataFrame(ROWS).write_parquet(tmp_path / "mail.parquet")
    file, gold = from_table(read_file(tmp_path / "mail.parquet"), reading)
    frame, same = from_table(of_frame(made(ROWS), "mail"), reading)
    assert frame.digest == file.digest and frame.counts == file.counts
    assert np.array_equal(same.labels, gold.labels)
    assert frame.source.startswith("data frame mail, sha256 ")


def test_votes_in_a_second_frame_are_joined_as_those_of_a_second_file_are(tmp_path) -> None:
    items = pl.DataFrame({"id": [f"m{i}" for i in range(60)], "text": ROWS["text"]})
    votes = pl.DataFrame(
        {
            "item": [f"m{i}" for i in range(60) for _ in "ab"],
            "worker": ["a", "b"] * 60,
            "label": [("ham", "spam")[(i + j * (i % 5 == 0)) % 2] for i in range(60) for j in range(2)],
        }
    )
    items.write_csv(tmp_path / "items.csv")
    votes.write_csv(tmp_path / "votes.csv")
    file = annotators.load(str(tmp_path / "items.csv"), Reading(), str(tmp_path / "votes.csv"))
    frame = annotators.of_table(of_frame(items, "items"), Reading(), of_frame(votes.to_pandas(), "votes"))
    assert frame.task.digest == file.task.digest and frame.reading.votes == ("worker a", "worker b")
    # Every fifth item is the only kind that the two workers see differently.
    assert (frame.task.votes["worker a"] != frame.task.votes["worker b"]).any(1).sum() == 60 / 5


def test_frames_with_other_values_have_another_source_and_with_the_same_the_same() -> None:
    one, same, other = (of_frame(pl.DataFrame({"text": ["a", last]})).source for last in ("b", "b", "c"))
    assert one == same != other


def test_arrays_and_their_scalars_in_a_frame_are_values_of_python() -> None:
    frame = pd.DataFrame({"votes": [np.array([1, 0]), None], "n": pd.array([np.int64(3), pd.NA], dtype="Int64")})
    table = of_frame(frame)
    assert [table.column(name) for name in table.names] == [[[1, 0], None], [3, None]]
    assert {type(value) for value in table.column("votes")[0]} == {int}


def test_a_bad_row_of_a_frame_is_named_by_its_position_from_0() -> None:
    frame = pd.DataFrame({**ROWS, "label": [None, *ROWS["label"][1:-1], None]})
    with pytest.raises(UserError, match=r"^mail: missing label in rows 0, 59: mend them"):
        from_table(of_frame(frame, "mail"), Reading())


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ([1, 2], "mail is a list, no data frame"),
        ({"text": ["a"]}, "mail is a dict, no data frame"),
        (pd.Series(["a"]), "mail is a Series, no data frame"),
        (pd.DataFrame({"text": []}), "mail has no rows"),
        (pd.DataFrame({3: ["a"]}), "mail has a column called 3"),
        (pd.DataFrame([["a", "b"]], columns=["text", "text"]), "mail names a column twice"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(frame, said) -> None:
    with pytest.raises(UserError, match=f"^{said}[^\n]*$"):
        of_frame(frame, "mail")
