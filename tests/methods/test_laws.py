"""Laws that every method obeys. The suite walks the registry: a new method is tested unasked."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from statistics import median

import numpy as np
import pytest

from outgrow import methods
from outgrow.core.worlds import World, plant
from outgrow.label_models import WeakLabels
from planted import gain, resources

METHODS = sorted(methods.registry())
IDEAS = [name for name in METHODS if name != "naive"]
SMALL = World(items=360, rate=0.2, telling=0.3)
CROWD = replace(SMALL, supervisors=3)


@cache
def drawn(world: World):
    return plant(world, 0, 2)


def given(world: World = SMALL, **changes):
    found = resources(drawn(world))
    for key, value in changes.items():
        setattr(found, key, value)
    return found


def run(name: str, found) -> np.ndarray:
    fitted = methods.find(name).fit(found)
    assert fitted is not None, "everything it asks for is there"
    return fitted.predict(found.test)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    "world", [SMALL, CROWD, replace(SMALL, classes=3)], ids=["one", "three supervisors", "three classes"]
)
def test_rows_sum_to_one(name, world):
    probs = run(name, given(world))
    assert probs.shape == (2, 120, world.classes)
    assert np.isfinite(probs).all() and np.allclose(probs.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize("name", METHODS)
def test_the_same_seed_gives_the_same_bytes(name):
    assert run(name, given()).tobytes() == run(name, given()).tobytes()


@pytest.mark.parametrize("name", METHODS)
def test_it_learns_an_easy_task(name):
    found = given(replace(SMALL, rate=0.1, gap=0.3))
    assert (run(name, found).argmax(-1) == found.gold[found.test]).mean() > 0.85


@pytest.mark.parametrize("name", METHODS)
def test_the_order_of_items_does_not_matter(name):
    order = np.random.default_rng(1).permutation(SMALL.items)
    dealt = resources(drawn(SMALL), order=order)
    straight = run(name, given())
    place = np.argsort(np.argsort(order[dealt.test]))  # test items stand in the order of their numbers in `straight`
    assert np.allclose(run(name, dealt), straight[:, place], atol=1e-5)


@pytest.mark.parametrize("name", METHODS)
def test_the_order_of_classes_does_not_matter(name):
    planted = drawn(SMALL)
    mirrored = resources(replace(planted, gold=1 - planted.gold, said=planted.said[..., ::-1].copy()))
    mirrored.auxiliary = [replace(a, gold=1 - a.gold) for a in given().auxiliary]
    assert np.allclose(run(name, mirrored)[..., ::-1], run(name, given()), atol=1e-5)


@pytest.mark.parametrize("name", METHODS)
def test_the_order_of_supervisors_does_not_matter(name):
    planted = drawn(CROWD)
    turned = resources(replace(planted, said=planted.said[:, [2, 0, 1]]))
    assert np.allclose(run(name, turned), run(name, given(CROWD)), atol=1e-5)


@pytest.mark.parametrize("name", METHODS)
def test_an_abstention_is_a_row_that_is_not_trained_on(name):
    planted = drawn(SMALL)
    gone = np.flatnonzero(planted.transfer.all(0))[:20]
    silent = planted.said.copy()
    silent[:, :, gone] = np.nan
    heard = resources(replace(planted, said=silent))
    left_out = planted.transfer.copy()
    left_out[:, gone] = False
    never = resources(replace(planted, said=silent, transfer=left_out))
    assert np.allclose(run(name, heard), run(name, never), atol=1e-5)
    assert not np.allclose(run(name, heard), run(name, given()), atol=1e-5)


@pytest.mark.parametrize("name", METHODS)
def test_gold_that_it_must_not_see_does_not_change_a_byte(name):
    if "oracle" in methods.find(name).resources:
        pytest.skip("it buys gold, at a counted price")
    planted = drawn(SMALL)
    hidden = np.where(planted.weak_train.any(0), planted.gold, 1 - planted.gold)
    other = resources(replace(planted, gold=hidden))
    assert run(name, replace_resource(other, auxiliary=given().auxiliary)).tobytes() == run(name, given()).tobytes()


def replace_resource(found, **changes):
    for key, value in changes.items():
        setattr(found, key, value)
    return found


@pytest.mark.parametrize("name", [name for name in METHODS if "oracle" in methods.find(name).resources])
def test_gold_that_is_bought_is_counted_and_within_the_budget(name):
    found = given()
    run(name, found)
    assert (found.oracle.spent > 0).all()
    assert (found.oracle.spent <= methods.find(name).parameters["budget"]).all()


@pytest.mark.parametrize("name", IDEAS)
def test_its_idea_beats_naive_where_it_must_and_not_where_it_must_not(name):
    found = methods.find(name)
    assert found.wins and found.ties
    won, same = gain(name, found.wins)
    tied, as_well = gain(name, found.ties)
    assert won.ci[0] > 0, f"{won.value:+.3f} {won.ci} where it must win"
    assert tied.ci[0] <= 0, f"{tied.value:+.3f} {tied.ci} where it must not"
    assert not (same and as_well), "it predicts what naive predicts"


@pytest.mark.parametrize("name", METHODS)
def test_every_method_names_its_paper_and_says_what_it_does_in_a_line(name):
    found = methods.find(name)
    assert found.paper
    assert 10 < len(found.line) < 120
    assert set(found.resources) <= set(methods.RESOURCES)


def test_methods_are_small_files():
    import inspect

    lengths = [len(inspect.getsource(inspect.getmodule(methods.find(name).run)).splitlines()) for name in METHODS]
    assert median(lengths) <= 60


def test_the_usual_methods_are_few():
    assert [n for n in METHODS if methods.find(n).usual] == ["hardened", "logconf", "naive", "product"]


def test_weak_labels_of_one_supervisor_are_taken_at_their_word():
    weak = given().weak
    assert weak.beliefs is weak.belief.probs
    assert np.array_equal(weak.beliefs, weak.probs[:, 0], equal_nan=True)
    assert isinstance(weak, WeakLabels)
