"""Designs: who teaches and who judges, whole groups, and smaller sets inside larger ones."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from outgrow.pipeline.design import CrossFit, Halves
from outgrow.tasks.task import FREE, TEST

GROUPS = np.repeat(np.arange(100), 3)


@pytest.fixture
def halves() -> Halves:
    task = SimpleNamespace(name="pairs", groups=GROUPS, side=np.full(300, FREE, np.int8))
    return Halves(task, 0, 1, 4)  # type: ignore[arg-type]


def test_every_item_of_halves_is_of_one_side_and_blocks_number_their_replicates(halves) -> None:
    sides = [halves.splits.weak_train, halves.teach, halves.judge]
    assert (np.sum(sides, 0) == 1).all() and list(halves.replicates) == [4, 5, 6, 7]
    assert (halves.judge == halves.judge[0]).all() and not (halves.teach == halves.teach[0]).all()


def test_few_takes_whole_groups_and_grows_by_adding(halves) -> None:
    small, large = halves.few(halves.teach, 10), halves.few(halves.teach, 50)
    assert (small <= large).all() and (large <= halves.teach).all()
    # Groups of three: the first that reach 10 and 50 are 12 and 51 items.
    assert (small.sum(1) == 12).all() and (large.sum(1) == 51).all()


def test_cross_fitting_judges_every_item_by_a_replicate_that_its_group_did_not_teach() -> None:
    side = np.where(GROUPS < 10, TEST, FREE)
    design = CrossFit(GROUPS, side, 0)
    assert len(design.replicates) == 6 and (design.judge.sum(0) == 1).all()
    assert not (design.teach & design.judge).any()
    assert not design.teach[:, side == TEST].any(), "items of the data's own test split teach nobody"
    assert design.teach[0, side == FREE].all(), "the replicate that is saved learns from all others"
    for group in np.unique(GROUPS):
        assert len(set(design.fold[group == GROUPS].tolist())) == 1


def test_crossed_takes_each_item_from_the_replicate_that_judges_it() -> None:
    design = CrossFit(GROUPS, np.full(300, FREE), 3)
    probs = np.tile(np.arange(6.0)[:, None, None], (1, 300, 2))
    assert (design.crossed(probs)[:, 0] == design.fold).all()
