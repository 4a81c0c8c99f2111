"""Columns of probabilities beside a column of labels: recognised, read by all readers of votes, refused where wrong."""

from __future__ import annotations

import polars as pl
import pytest

from outgrow.audits.tables import read as evidence
from outgrow.core.errors import UserError
from outgrow.tasks import load
from outgrow.tasks.tables import annotators
from outgrow.tasks.tables.frames import of_frame
from outgrow.tasks.tables.options import Reading

FRAME = pl.DataFrame({
    "text": ["win a prize", "see you", "so", "very"],
    "label": ["spam", "ham", None, "ham"],
    "rule": ["spam", None, "ham", "spam"],
    "tiny": ["spam", "ham", None, "spam"],
    "tiny p(spam)": [1.0, 0.25, None, 0.5],
    "tiny p(ham)": [0.0, 0.75, None, 0.5],
})  # fmt: skip
READING = Reading()


def votes(frame: pl.DataFrame, reading: Reading = READING) -> dict[str, dict[str, list[float] | None]]:
    """By annotator and text the probabilities of (spam, ham), None where it abstains."""
    task = annotators.of_table(of_frame(frame), reading).task
    assert task.classes == ("spam", "ham")
    return {
        name: {
            text: None if row[0] != row[0] else row.tolist() for (text,), row in zip(task.texts, of, strict=True)
        }
        for name, of in task.votes.items()
    }  # fmt: skip


def test_a_table_with_columns_of_probabilities_needs_neither_votes_nor_classes_named() -> None:
    assert votes(FRAME) == {"tiny": {"win a prize": [1, 0], "see you": [0.25, 0.75], "so": None, "very": [0.5, 0.5]}}


def test_votes_that_are_named_are_all_that_is_read_with_probabilities_where_there_are_any() -> None:
    both = votes(FRAME, Reading(votes=("rule,tiny",)))
    assert both["tiny"] == votes(FRAME)["tiny"] and both["rule"]["very"] == [1, 0]
    assert list(votes(FRAME, Reading(votes=("rule",), classes=("spam", "ham")))) == ["rule"]


def test_an_audit_reads_the_table_as_it_is() -> None:
    found = evidence(of_frame(FRAME), READING)
    assert found.votes is not None and found.votes.names == ("tiny",)
    assert found.probs is not None and sorted(found.probs[:, 0].tolist()) == [0.25, 0.5, 1.0]


def test_a_study_reads_the_probabilities_of_a_column_of_votes(tmp_path) -> None:
    path = tmp_path / "labelled.parquet"
    wide = pl.concat([FRAME.drop_nulls("label").with_columns(pl.col("text") + f" {k}") for k in range(20)])
    wide.write_parquet(path)
    task, _ = load(str(path), Reading(votes=("tiny",), classes=("spam", "ham")))
    assert {tuple(row) for row in task.votes["tiny"].tolist()} == {(1.0, 0.0), (0.25, 0.75), (0.5, 0.5)}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tiny p(ham)": [0.0, 0.9, None, 0.5]}, "the probabilities of 'tiny' in row 1 are no numbers from 0 to 1"),
        ({"tiny p(ham)": [0.0, None, None, 0.5]}, "'tiny' in row 1 are no numbers"),
        ({"tiny p(ham)": ["a", "0.75", None, "0.5"]}, "'tiny' in row 0 are no numbers"),
        ({"tiny": ["spam", "spam", None, "ham"]}, "column 'tiny' and its probabilities disagree in row 1: mend both"),
        ({"tiny": ["spam", None, "ham", "ham"]}, "column 'tiny' and its probabilities disagree in rows 1, 2: mend"),
        ({"tiny p(news)": [0.0, 0.0, None, 0.0]}, "and the classes are spam, ham: say `classes` = spam ham news"),
    ],
)
def test_probabilities_that_are_none_and_other_classes_are_said_in_one_line(changes, said) -> None:
    with pytest.raises(UserError, match=said.replace("(", r"\(")):
        votes(FRAME.with_columns(**{n: pl.Series(c, strict=False) for n, c in changes.items()}),
              Reading(classes=("spam", "ham")))  # fmt: skip


@pytest.mark.parametrize("named", [("tiny p(spam)", "tiny p(ham)"), ("tiny", "tiny p(spam)"), ("tiny p(ham)",)])
@pytest.mark.parametrize("labels", [True, False])
def test_columns_of_probabilities_that_are_named_are_one_annotator(named: tuple[str, ...], labels: bool) -> None:
    frame = FRAME if labels else FRAME.drop("tiny")
    assert votes(frame, Reading(votes=named)) == votes(FRAME)


def test_probabilities_of_an_annotator_without_a_column_of_labels_are_read() -> None:
    assert votes(FRAME.drop("tiny"), Reading(votes=("tiny",))) == votes(FRAME)


@pytest.mark.parametrize("name", ["gpt_{}", "gpt p({})"])
def test_a_student_that_reads_votes_reads_columns_of_probabilities_of_another_table(name: str) -> None:
    frame = pl.DataFrame({name.format("ham"): [0.25, None], name.format("spam"): [0.75, None], "rule": ["ham", "spam"]})
    found = annotators.reread(of_frame(frame), READING, None, ("gpt", "rule"), ("ham", "spam"))
    assert found[:, 0].tolist() == [[0.25, 0.75], [1, 0]] and (found[0, 1] != found[0, 1]).all()
    other = frame.rename({name.format("ham"): "gpt_seconds", name.format("spam"): "gpt_tokens"})
    assert (annotators.reread(of_frame(other), READING, None, ("gpt", "rule"), ("ham", "spam"))[1, 1] == [0, 1]).all()
