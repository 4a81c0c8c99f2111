"""Pairs of which votes say which text is better, or that neither is."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from outgrow import tasks
from outgrow.core.errors import UserError
from outgrow.tasks import Reading
from outgrow.tasks.tables import annotators
from outgrow.tasks.tables.frames import of_frame

ITEMS = 40
FIRST, SECOND = [f"a good reply {i}" for i in range(ITEMS)], [f"a bad reply {i}" for i in range(ITEMS)]
SAID = ["first", "second", "tie", "", "first"] * (ITEMS // 5)
SURE = {"first": 1.0, "second": 0.0, "tie": 0.5, "": float("nan")}


def table(**columns: list) -> Any:
    return of_frame(pl.DataFrame({"first": FIRST, "second": SECOND} | columns, strict=False), "t")


def better(given: annotators.Annotations, annotator: str) -> list[float]:
    """By row how probable it is to an annotator that the first text is better."""
    found = [float("nan")] * ITEMS
    for n, pair in enumerate(given.task.texts):
        replies = [text.split("\n")[-1] for text in pair]
        first = next(i for i, text in enumerate(replies) if text in FIRST)
        found[FIRST.index(replies[first])] = float(given.task.votes[annotator][n][first])
    return found


def same(one: list[float], other: list[float]) -> bool:
    return np.allclose(np.array(one), np.array(other), equal_nan=True)


def test_votes_on_pairs_are_read_whatever_the_order_of_the_texts() -> None:
    given = annotators.load(table(ann=SAID, bob=["first"] * ITEMS), Reading(votes=("ann", "bob")))
    assert given.task.kind == "prefer" and given.task.classes == ("first", "second")
    assert same(better(given, "ann"), [SURE[word] for word in SAID]) and same(better(given, "bob"), [1.0] * ITEMS)
    order = [pair[0] in FIRST for pair in given.task.texts]
    assert 0 < sum(order) < ITEMS, "which text comes first is decided by hashes"


@pytest.mark.parametrize(
    "words",
    [
        {"first": "left", "second": "right", "tie": "tie", "": None},
        {"first": "A", "second": "B", "tie": "Tie", "": "skip"},
        {"first": "model_a", "second": "model_b", "tie": "tie (bothbad)", "": ""},
        {"first": "1", "second": "2", "tie": "1.5", "": ""},
        {"first": "0.9", "second": "0.2", "tie": "0.5", "": ""},
    ],
)
def test_other_words_and_numbers_for_the_better_text(words: dict) -> None:
    given = annotators.load(table(ann=[words[word] for word in SAID]), Reading(votes=("ann",)))
    sure = SURE | ({"first": 0.9, "second": 0.2} if words["first"] == "0.9" else {})
    assert same(better(given, "ann"), [sure[word] for word in SAID])


def test_the_column_p_is_the_probability_of_the_first_and_needs_no_flag() -> None:
    p = [float(i % 2) for i in range(ITEMS)]
    assert same(better(annotators.load(table(p=p), Reading()), "p"), p)


def test_gold_of_pairs_is_known_where_one_of_them_is_better() -> None:
    given = annotators.load(table(ann=SAID, label=SAID), Reading(votes=("ann",)))
    gold = {pair[g] if g >= 0 else None for pair, g in zip(given.task.texts, given.gold.labels, strict=True)}
    assert gold == {
        None,
        *(FIRST[i] for i in range(ITEMS) if SAID[i] == "first"),
        *(SECOND[i] for i in range(ITEMS) if SAID[i] == "second"),
    }
    known = sum(word in ("first", "second") for word in SAID)
    assert (given.gold.labels >= 0).sum() == known == 24


def test_a_long_table_of_votes_on_pairs(tmp_path: Path) -> None:
    rows = [
        {
            "pair": i,
            "prompt": f"say {i}",
            "one": FIRST[i],
            "two": SECOND[i],
            "rater": w,
            "better": "left" if w < 2 else "tie",
        }
        for i in range(ITEMS)
        for w in range(3)
    ]
    pl.DataFrame(rows).write_csv(tmp_path / "t.csv")
    reading = Reading(id="pair", first="one", second="two", votes=("better",))
    given = annotators.load(str(tmp_path / "t.csv"), reading)
    assert same(better(given, "worker 0"), [1.0] * ITEMS) and same(better(given, "worker 2"), [0.5] * ITEMS)
    assert given.task.template == "{prompt}\n{reply}" and given.task.texts[0][0].startswith("say ")


def test_a_study_takes_pairs_with_gold_and_leaves_ties_out(tmp_path: Path) -> None:
    said = [word or "tie" for word in SAID]
    pl.DataFrame({"first": FIRST, "second": SECOND, "label": said, "ann": SAID}).write_csv(tmp_path / "t.csv")
    task, gold = tasks.load(str(tmp_path / "t.csv"), Reading(votes=("ann",)))
    assert len(task) == 24 and set(gold.labels.tolist()) <= {0, 1}
    right = {pair[g] for pair, g in zip(task.texts, gold.labels.tolist(), strict=True)}
    assert right == {(FIRST if word == "first" else SECOND)[i] for i, word in enumerate(said) if word != "tie"}


def test_a_table_of_texts_with_columns_first_and_second_stays_one_of_texts() -> None:
    given = annotators.load(table(text=FIRST, ann=["x", "y"] * 20), Reading(votes=("ann",)))
    assert given.task.kind == "classify"


@pytest.mark.parametrize(
    ("votes", "line"),
    [
        (["first", "secnd"] * 20, "t: column 'ann' holds 'secnd' in rows 1, 3, 5, 7, 9 and 15 more"),
        ([0, 1] * 20, "t: column 'ann' holds 0 and 1, the number of the better text or the probability"),
        ([1, 3] * 20, "t: column 'ann' holds 3 in rows 1"),
        (FIRST, "t: column 'ann' holds 'a good reply 0' in rows 0"),
    ],
)
def test_a_verdict_that_is_none_is_one_line(votes: list, line: str) -> None:
    with pytest.raises(UserError) as raised:
        annotators.load(table(ann=votes), Reading(votes=("ann",)))
    assert str(raised.value).startswith(line) and "\n" not in str(raised.value)


def test_pairs_of_the_same_text_are_one_line_or_left_out() -> None:
    with pytest.raises(UserError, match="first and second are the same in row 3"):
        annotators.load(table(ann=SAID, second=[*SECOND[:3], FIRST[3], *SECOND[4:]]), Reading(votes=("ann",)))
