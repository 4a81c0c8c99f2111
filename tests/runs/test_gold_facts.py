"""What weak labels add to gold, and what more gold would."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from outgrow import methods
from outgrow.pipeline.vote_cell import VoteCell, table_of
from outgrow.runs import gold_facts
from outgrow.students.probe import Space
from outgrow.tasks import Reading
from outgrow.tasks.tables import annotators
from outgrow.tasks.task import TEST

ROWS = 300


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> VoteCell:
    """Three annotators, of whom two follow the same wrong hint half of the time; gold of all, 60 of a test split."""
    rng = np.random.default_rng(0)
    truth, hint = rng.integers(2, size=(2, ROWS))
    said = np.array(["no", "yes"])
    votes = {
        name: said[np.where(rng.random(ROWS) < p, truth, hint)] for name, p in (("a", 0.9), ("b", 0.4), ("c", 0.4))
    }
    path: Path = tmp_path_factory.mktemp("table") / "data.parquet"
    texts = [f"text {i}" for i in range(ROWS)]
    pl.DataFrame({"id": range(ROWS), "message": texts, **votes, "truth": said[truth]}).write_parquet(path)
    given = annotators.load(str(path), Reading(text="message", votes=("a,b,c",), label="truth"))
    side = np.where(np.arange(ROWS) < 60, TEST, given.task.side)
    given = replace(given, task=replace(given.task, side=side))
    gold = given.gold.labels
    x = np.stack([gold + rng.normal(size=ROWS), hint[given.row] + rng.normal(size=ROWS)], 1).astype(np.float32)
    space = Space(x[None, None], (1,), side != TEST)
    return VoteCell(given, space, table_of(given.task), "bayesian", "linear", 0, True, "teaches")


def test_weak_labels_alone_are_those_that_no_gold_weighs_and_more_gold_is_more_than_what_teaches(cell) -> None:
    method = methods.find("gold_stack")
    student = cell.design.crossed(cell.predicted(method.fit(cell, **method.parameters)))
    found = gold_facts.gold(cell, method, student)
    judged, gold = cell.judged, cell.gold.labels

    def right(probs: np.ndarray) -> float:
        return float((probs.argmax(-1) == gold)[judged].mean())

    alone = {
        use: right(cell.design.crossed(methods.find("naive").fit(replace(cell, gold_use=use)).predict()))
        for use in ("judges", "weighs")
    }
    told = {row["name"]: row["accuracy"] for row in found["rows"]}
    assert alone["judges"] != alone["weighs"] and told["weak labels alone"] == pytest.approx(alone["judges"])
    # 300 items have gold, and the 60 of the test split teach nobody.
    more, wrong, doublings = found["more"], 1 - right(student), math.log2(1 + 100 / 240)
    added = more["doubling"]
    gain = added * doublings if added <= 0 else wrong * (1 - (wrong / (wrong + added)) ** doublings)
    assert added != 0 and more["gain"] == pytest.approx(gain)
