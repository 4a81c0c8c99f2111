"""Votes that are scores or probabilities: cut at a threshold, or read class by class."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from outgrow import tasks
from outgrow.audits.tables import read as evidence
from outgrow.core.errors import UserError
from outgrow.tasks import Reading
from outgrow.tasks.tables import annotators
from outgrow.tasks.tables.frames import of_frame

ITEMS = 40
TEXTS = [f"text {i}" for i in range(ITEMS)]


def load(columns: dict[str, list], **said: Any) -> annotators.Annotations:
    return annotators.load(of_frame(pl.DataFrame({"text": TEXTS} | columns, strict=False), "t"), Reading(**said))


def says(columns: dict[str, list], **said: Any) -> str:
    with pytest.raises(UserError) as raised:
        load(columns, **said)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def of(given: annotators.Annotations, annotator: str) -> list[list[float]]:
    """What an annotator believes of each item, in the order of the table."""
    column = given.task.votes[annotator]
    at = {text[0]: n for n, text in enumerate(given.task.texts)}
    return [[round(float(p), 4) for p in column[at[text]]] for text in TEXTS]


def nearly(one: list[list[float]], other: list[list[float]]) -> bool:
    return np.allclose(np.array(one), np.array(other), atol=1e-4, equal_nan=True)


SCORES = [1 + (i * 7) % 5 for i in range(ITEMS)]
"""From 1 to 5."""


def test_scores_are_cut_at_the_threshold_which_belongs_to_the_upper_class() -> None:
    given = load({"judge": SCORES, "other": [6 - s for s in SCORES]}, votes=("judge", "other"), threshold=4)
    assert given.task.classes == ("0", "1")
    assert of(given, "judge") == [[float(s < 4), float(s >= 4)] for s in SCORES]
    assert of(given, "other") == [[float(6 - s < 4), float(6 - s >= 4)] for s in SCORES]


def test_the_classes_of_a_threshold_are_named_lower_first() -> None:
    said = {"votes": ("judge",), "threshold": 2.5, "classes": ("ham", "spam")}
    gold = ["spam" if s > 3 else "ham" for s in SCORES]
    given = load({"judge": [None, *map(str, SCORES[1:])], "label": gold}, **said)
    assert given.task.classes == ("ham", "spam") and np.isnan(of(given, "judge")[0]).all()
    assert of(given, "judge")[1:] == [[float(s < 2.5), float(s >= 2.5)] for s in SCORES[1:]]
    at = [t[0] for t in given.task.texts]
    assert [given.gold.labels[at.index(text)] for text in TEXTS] == [int(s > 3) for s in SCORES]


def test_gold_of_scores_is_cut_as_well() -> None:
    given = load({"judge": SCORES, "human": SCORES}, votes=("judge",), threshold=3, label="human")
    at = [t[0] for t in given.task.texts]
    assert [given.gold.labels[at.index(text)] for text in TEXTS] == [int(s >= 3) for s in SCORES]


def test_scores_are_classes_in_order_where_they_are_named() -> None:
    given = load({"judge": SCORES}, votes=("judge",), classes=("1", "2", "3", "4", "5"))
    assert given.task.classes == ("1", "2", "3", "4", "5")
    assert of(given, "judge") == [[float(s == c) for c in range(1, 6)] for s in SCORES]
    assert "`threshold` cuts scores into two classes" in says({"judge": SCORES, "b": SCORES}, votes=("judge", "b"))


def test_scores_of_a_long_table_are_cut(tmp_path: Path) -> None:
    rows = [{"item": i, "worker": w, "label": SCORES[(i + w) % ITEMS]} for i in range(ITEMS) for w in range(3)]
    pl.DataFrame(rows).write_csv(tmp_path / "votes.csv")
    found = evidence(str(tmp_path / "votes.csv"), Reading(threshold=4))
    assert found.votes is not None and found.votes.classes == ("0", "1")
    assert found.votes.label.tolist() == [int(row["label"] >= 4) for row in rows]


def test_a_study_reads_scores_too(tmp_path: Path) -> None:
    pl.DataFrame({"text": TEXTS, "label": [int(s > 3) for s in SCORES], "judge": SCORES}).write_csv(tmp_path / "t.csv")
    task, _ = tasks.load(str(tmp_path / "t.csv"), Reading(votes=("judge",), threshold=4))
    assert set(task.votes) == {"judge"} and task.classes == ("0", "1")


@pytest.mark.parametrize(
    ("columns", "said", "line"),
    [
        ({"judge": ["good"] * ITEMS}, {"threshold": 3}, "t: column 'judge' holds 'good' in rows 0, 1, 2, 3, 4 and 35"),
        ({"judge": SCORES}, {"threshold": 3, "classes": ("a", "b", "c")}, "`threshold` = 3 cuts scores into two"),
        ({"judge": SCORES}, {"threshold": float("nan")}, "`threshold` = nan: give a number"),
        ({"judge": SCORES}, {"threshold": 0}, "t: every vote is"),
    ],
)
def test_what_a_threshold_cannot_cut_is_one_line(columns: dict, said: dict, line: str) -> None:
    if line.endswith("every vote is"):
        assert load(columns, votes=("judge",), **said).task.classes == ("0", "1")
    else:
        assert says(columns, votes=("judge",), **said).startswith(line)


# probabilities

P = [round(0.05 + 0.9 * ((i * 11) % ITEMS) / ITEMS, 3) for i in range(ITEMS)]
"""Of spam."""
COLUMNS = {
    "gpt_ham": [round(1 - p, 3) for p in P],
    "gpt_spam": P,
    "claude_ham": P,
    "claude_spam": [round(1 - p, 3) for p in P],
}


@pytest.mark.parametrize(
    "votes", [("gpt", "claude"), tuple(COLUMNS), (",".join(COLUMNS),)], ids=["annotators", "columns", "commas"]
)
@pytest.mark.parametrize("classes", [(), ("ham", "spam")])
def test_a_column_a_class_is_one_vote_of_probabilities(votes: tuple[str, ...], classes: tuple[str, ...]) -> None:
    given = load(COLUMNS, votes=votes, classes=classes)
    assert given.task.classes == ("ham", "spam") and list(given.task.votes) == ["gpt", "claude"]
    assert nearly(of(given, "gpt"), [[1 - p, p] for p in P])
    assert nearly(of(given, "claude"), [[p, 1 - p] for p in P])


def test_columns_that_do_not_add_up_to_one_are_no_probabilities_of_one_annotator() -> None:
    assert "holds fractions" in says(COLUMNS | {"gpt_ham": [0.9] * ITEMS}, votes=tuple(COLUMNS))
    rules = {"rule_1": [i % 2 for i in range(ITEMS)], "rule_2": [1 - i % 2 for i in range(ITEMS)]}
    assert list(load(rules, votes=("rule_1", "rule_2")).task.votes) == ["rule_1", "rule_2"], "whole votes stay votes"


def test_an_object_in_each_cell_holds_probabilities_or_counts(tmp_path: Path) -> None:
    rows = [
        {"text": text, "soft": {"ham": 1 - p, "spam": p}, "crowd": {"ham": 1, "spam": i % 4}}
        for i, (text, p) in enumerate(zip(TEXTS, P, strict=True))
    ]
    rows[3]["soft"] = None
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pl.DataFrame([row | {name: json.dumps(row[name]) for name in ("soft", "crowd")} for row in rows]).write_csv(
        tmp_path / "t.csv"
    )
    for name in ("t.jsonl", "t.csv"):
        if name == "t.csv":
            rows[3]["soft"] = None
        given = annotators.load(str(tmp_path / name), Reading(votes=("soft", "crowd")))
        assert given.task.classes == ("ham", "spam")
        # of i % 4 + 1 votes, i % 4 are for spam
        assert nearly(of(given, "crowd"), [[1 / (1 + i % 4), i % 4 / (1 + i % 4)] for i in range(ITEMS)])
        expected = [[1 - p, p] for p in P]
        expected[3] = [float("nan")] * 2
        assert nearly(of(given, "soft"), expected)


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ({"ham": 0.2, "spam": 0.3}, "votes in column 'soft' that are none of ham, spam in row 2"),
        ({"ham": -0.5, "spam": 1.5}, "votes in column 'soft' that are none of ham, spam in row 2"),
        (
            {"ham": "x", "spam": 1},
            "column 'soft' holds objects of probabilities and {'ham': 'x', 'spam': 1} beside them",
        ),
        ({"egg": 1.0}, "votes in column 'soft' that are none of ham, spam in row 2"),
        ("ham", "column 'soft' holds objects of probabilities and 'ham' beside them"),
        ([0.5, 0.5], "column 'soft' holds objects of probabilities and [0.5, 0.5] beside them"),
    ],
)
def test_an_object_that_is_no_distribution_is_one_line(tmp_path: Path, cell: Any, line: str) -> None:
    cells: list = [{"ham": 1 - p, "spam": p} for p in P]
    cells[2] = cell
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps({"text": t, "soft": c}) + "\n" for t, c in zip(TEXTS, cells, strict=True)))
    with pytest.raises(UserError) as raised:
        annotators.load(str(path), Reading(votes=("soft",), classes=("ham", "spam")))
    found = str(raised.value).replace("line 3", "row 2")
    assert line in found and "\n" not in found
