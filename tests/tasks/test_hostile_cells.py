"""Whatever bytes and cells a table holds: it is read, or refused in one line, and nothing commands a terminal."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import hostile_tables as odd
from outgrow.core.errors import UserError
from outgrow.core.progress import visible
from outgrow.tasks.tables import annotators, recorded_answers
from outgrow.tasks.tables.files import read_file
from outgrow.tasks.tables.formats import READERS
from outgrow.tasks.tables.options import Reading
from outgrow.tasks.tables.prompts import Columns, from_table
from outgrow.workflows import audit

ROWS = 24
often = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
SINGLE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(["ham", "spam", "-1", "1", "0", "NaN", "N/A", "0.5", "[0, 1]", "{}", "1e999"]),
    st.sampled_from(
        [
            10**400,
            -(2**63) - 1,
            -0.0,
            float("inf"),
            "\ud800",
            odd.ESCAPE,
            odd.OVERRIDE,
            "ha\u200bm",
            "\uff11",
            "[" * 2000,
        ]
    ),
)
CELLS = st.recursive(
    SINGLE,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=4,
)
COLUMN = st.lists(CELLS, min_size=1, max_size=4)


def table(folder: Path, **columns: list) -> str:
    """A table whose columns go through their cells again and again."""
    path = folder / "t.jsonl"
    path.write_text(
        "\n".join(json.dumps({name: cells[i % len(cells)] for name, cells in columns.items()}) for i in range(ROWS))
    )
    return str(path)


def one_line(error: UserError) -> bool:
    return bool(str(error).strip())


@often
@given(st.binary(max_size=200), st.sampled_from(sorted(READERS)))
@example(b"\x00", ".csv")
@example(b'"', ".csv")
@example(b"\r", ".csv")
@example(b"PAR1PAR1", ".parquet")
@example(b'{"a": 1, "a": 2}', ".jsonl")
def test_any_bytes_are_a_table_or_one_line(tmp_path: Path, data: bytes, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    path.write_bytes(data)
    try:
        found = read_file(path)
    except UserError as error:
        assert path.name in str(error)
    else:
        assert all(len(found.column(name)) == len(found.lines) > 0 for name in found.names)


@often
@given(COLUMN, COLUMN, COLUMN)
def test_any_cells_of_votes_and_gold_are_read_or_are_one_line(tmp_path: Path, label: list, a: list, b: list) -> None:
    source = table(
        tmp_path, id=[f"n{i}" for i in range(ROWS)], text=[f"text {i}" for i in range(ROWS)], label=label, a=a, b=b
    )
    try:
        given_ = annotators.load(source, Reading(votes=("a", "b")))
    except UserError as error:
        assert one_line(error)
        return
    said = np.stack(list(given_.task.votes.values()))
    # Whoever says something says it with probabilities; nobody votes for a class that gold or votes did not name.
    assert np.isnan(said.sum(-1)).any() or np.allclose(said.sum(-1), 1)
    assert ((given_.gold.labels >= -1) & (given_.gold.labels < len(given_.task.classes))).all()


@often
@given(COLUMN, COLUMN, COLUMN, COLUMN)
def test_any_cells_of_a_long_table_are_read_or_are_one_line(
    tmp_path: Path, item: list, worker: list, label: list, gold: list
) -> None:
    source = table(tmp_path, item=item, worker=worker, label=label, gold=gold)
    try:
        found = audit.read(source, Reading())
    except UserError as error:
        assert one_line(error)
        return
    assert found.votes is not None and (found.votes.label < len(found.votes.classes)).all()


@often
@given(COLUMN, COLUMN, COLUMN)
def test_any_cells_of_judgements_are_read_or_are_one_line(tmp_path: Path, one: list, two: list, three: list) -> None:
    for names in (
        ("judge", "forward", "swapped"),
        ("present", "removed", "judge"),
        ("first", "second", "chosen"),
        ("item", "model", "answer"),
    ):
        source = table(
            tmp_path, **{"item": [f"n{i}" for i in range(ROWS)], **dict(zip(names, (one, two, three), strict=True))}
        )
        try:
            audit.read(source, Reading())
        except UserError as error:
            assert one_line(error)


@often
@given(
    COLUMN,
    COLUMN,
    COLUMN,
    st.sampled_from([None, "number", "letter", "words", "exact", "json", "equal", "slots", "calls"]),
)
def test_any_cells_of_answers_are_read_or_are_one_line(
    tmp_path: Path, prompt: list, gold: list, answer: list, scorer: str | None
) -> None:
    columns = Columns(scorer=scorer)
    structured = {"text": prompt, "slots": gold, "question": prompt, "functions": gold, "ground_truth": answer}
    source = read(
        table(
            tmp_path, prompt=prompt, answer=gold, a=answer, item=prompt, model=answer, gold=gold, draw=[0], **structured
        )
    )
    if source is None:
        return
    for way in (
        lambda: recorded_answers.wide(source, ["a"], columns),
        lambda: recorded_answers.long(source, columns),
        lambda: from_table(source, columns, None, ["a"]),
    ):
        try:
            way()
        except UserError as error:
            assert one_line(error)


def read(path: str):
    try:
        return read_file(Path(path))
    except UserError:
        return None


@given(st.text(st.characters(), max_size=40))
@example(odd.ESCAPE)
@example(odd.OVERRIDE)
@example("a\ud800\x85\u2028")
def test_what_is_shown_commands_nothing_and_loses_nothing(text: str) -> None:
    shown = visible(text)
    assert not [
        c
        for c in shown
        if (unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") and c not in "\n\t") or c in "\u202d\u202e"
    ]
    assert visible(shown) == shown
    if text.isprintable():
        assert shown == text


@pytest.mark.parametrize("text", ["Grüße, 你好, שלום, 👩\u200d🔬", "a\tb\nc", "1\xa0000"])
def test_writing_of_all_kinds_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text
