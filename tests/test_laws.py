"""Laws that every method obeys. The suite walks the registry: a new method is tested unasked."""

from __future__ import annotations

import numpy as np
import pytest

from outgrow import methods
from outgrow.labels import WeakLabels
from outgrow.students.probe import Probe, Space

R, N, D, C = 2, 240, 12, 2
METHODS = sorted(methods.registry())


def world(seed: int = 0, flips: float = 0.2, classes: int = C):
    """Separable items with noisy weak labels: (space, train mask, groups, weak labels, gold)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, 1, N, D)).astype(np.float32)
    gold = (x[1, 0] @ rng.normal(size=(D, classes))).argmax(-1)
    said = np.where(rng.random((R, N)) < flips, rng.integers(0, classes, (R, N)), gold)
    probs = (0.8 * np.eye(classes)[said] + 0.2 / classes).astype(np.float32)[:, None]
    train = np.zeros((R, N), bool)
    for r in range(R):
        train[r, rng.permutation(180)[:140]] = True
    probs = np.where(train[:, None, :, None], probs, np.float32(np.nan))
    pool = np.arange(N) < 180
    return Space(x, (1, 2), pool), train, np.arange(N), WeakLabels(probs, ("weak",)), gold


def run(name: str, space, train, groups, weak) -> np.ndarray:
    student = Probe(space, train, groups, 0, range(R))
    return methods.find(name).run(weak, student).predict(~space.reference)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("classes", [2, 3])
def test_rows_sum_to_one(name, classes):
    space, train, groups, weak, _ = world(classes=classes)
    probs = run(name, space, train, groups, weak)
    assert probs.shape == (R, 60, classes)
    assert np.allclose(probs.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("name", METHODS)
def test_the_same_seed_gives_the_same_bytes(name):
    assert run(name, *world()[:4]).tobytes() == run(name, *world()[:4]).tobytes()


@pytest.mark.parametrize("name", METHODS)
def test_it_learns_an_easy_task(name):
    space, train, groups, weak, gold = world(flips=0.1)
    right = (run(name, space, train, groups, weak).argmax(-1) == gold[180:]).mean()
    assert right > 0.85


@pytest.mark.parametrize("name", METHODS)
def test_the_order_of_classes_does_not_matter(name):
    space, train, groups, weak, _ = world()
    flipped = WeakLabels(weak.probs[..., ::-1].copy(), weak.names)
    assert np.allclose(run(name, space, train, groups, weak), run(name, space, train, groups, flipped)[..., ::-1], atol=1e-5)


@pytest.mark.parametrize("name", METHODS)
def test_an_abstention_is_a_row_that_is_not_trained_on(name):
    space, train, groups, weak, _ = world()
    gone = np.flatnonzero(train.all(0))[:20]
    silent = weak.probs.copy()
    silent[:, :, gone] = np.nan
    left_out = train.copy()
    left_out[:, gone] = False
    heard = WeakLabels(silent, weak.names)
    assert np.allclose(run(name, space, train, groups, heard), run(name, space, left_out, groups, heard), atol=1e-5)
    assert not np.allclose(run(name, space, train, groups, heard), run(name, space, train, groups, weak), atol=1e-5)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_names_its_paper_and_says_what_it_does_in_a_line(name):
    found = methods.find(name)
    assert found.paper
    assert 10 < len(found.line) < 120
    assert set(found.resources) <= {"weak", "student"}
