"""Baselines are registered and ask for resources by name, as methods do; what a cell does not have is left out."""

from __future__ import annotations

import inspect
from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest

import studies
from outgrow import label_models, methods
from outgrow.core.errors import UserError
from outgrow.methods import text as sequences
from outgrow.pipeline.baselines import baseline, read, registry
from outgrow.pipeline.class_cell import ClassCell
from outgrow.pipeline.text_cell import TextCell
from outgrow.pipeline.vote_cell import VoteCell

CELLS = {"classes": ClassCell, "texts": TextCell, "votes": VoteCell}


@pytest.mark.parametrize("kind", CELLS)
def test_every_resource_is_an_attribute_of_the_cell(kind) -> None:
    cell = CELLS[kind]
    known = {name for name, _ in inspect.getmembers(cell)} | {field.name for field in fields(cell)}
    for one in registry(kind).values():
        assert set(one.resources) <= known, one.name
    assert (sequences if kind == "texts" else methods).RESOURCES.keys() <= known


def test_rows_come_floor_first_and_every_cell_has_a_ceiling() -> None:
    for kind in CELLS:
        kinds = [one.kind for one in registry(kind).values()]
        assert kinds[0] == "floor" and kinds.count("ceiling") == 1
    assert list(registry("classes"))[-1] == list(registry("texts"))[-1] == "gold-curve"


def test_a_baseline_that_lacks_a_resource_does_not_run() -> None:
    @baseline(kind="contrast")
    def never(weak, missing):
        raise AssertionError

    one = read(never)
    assert one.resources == ("weak", "missing") and one.fit(SimpleNamespace(weak=1, missing=None)) is None


def test_keyword_arguments_are_the_rows_of_a_family() -> None:
    @baseline(kind="curve", rows=lambda cells: {f"gold:{n}": {"count": n} for n in (2, 4) if n < cells[0].size})
    def some(size, *, count):
        return size - count

    cells = [SimpleNamespace(size=3)]
    assert read(some).named(cells) == {"gold:2": {"count": 2}} and read(some).fit(cells[0], count=2) == 1


def test_rows_of_gold_alone_do_not_depend_on_what_supervisors_say() -> None:
    deaf = {name for name, one in registry("classes").items() if not one.heard}
    assert deaf == {"ceiling", "gold-naive", "zero-shot", "gold-few", "gold-curve"}


def test_the_ceiling_of_votes_learns_of_every_fold_from_the_gold_of_the_others() -> None:
    rng = np.random.default_rng(0)
    gold, fold = rng.integers(2, size=200), np.arange(200) % 5 + 1
    seen = []

    class Student:
        def on(self, train):
            seen.append(train)
            return self

        def fit(self, targets):
            return targets

    targets = np.tile(np.eye(2, dtype=np.float32)[gold], (6, 1, 1))
    for r in range(1, 6):
        targets[r, fold == r] = np.nan
    cell = SimpleNamespace(student=Student(), gold_targets=targets)
    assert registry("votes")["ceiling"].fit(cell) is targets
    (train,) = seen
    assert train[0].all() and all((train[r] == (fold != r)).all() for r in range(1, 6))
    assert registry("votes")["ceiling"].fit(SimpleNamespace(student=Student(), gold_targets=None)) is None


def test_what_a_floor_is_chosen_from_counts_in_its_key() -> None:
    called = {one.__name__ for one in registry("classes")["floor"].calls()}
    assert called == set(label_models.registry()) and "dawid_skene" in called


def test_a_method_with_the_name_of_a_baseline_is_refused(tmp_path) -> None:
    def ceiling(weak, student):
        """Train on the weak labels."""
        return student.fit(weak.beliefs)

    with pytest.raises(UserError, match="'ceiling' has the name of a row that every study has"):
        studies.study(tmp_path, methods=[ceiling], seeds=1).run()
