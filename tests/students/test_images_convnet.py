"""The small network from scratch: it learns, obeys the student's protocol, and is the same after loading."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import images
from outgrow import tasks
from outgrow.core.errors import UserError
from outgrow.losses.logconf import Logconf
from outgrow.store import Store
from outgrow.students import convnet
from outgrow.students.convnet import Convnet, Pictures
from outgrow.tasks import Reading


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A task of images, its gold, and a mask of test items."""
    task, gold = tasks.load(str(images.shapes(tmp_path_factory.mktemp("shapes"), rows=160)), Reading(image="picture"))
    return task, gold, task.side == tasks.TEST


def student(given, folder: Path, replicates=(0, 1), name: str = "convnet:8") -> Convnet:
    task, _, test = given
    train = np.broadcast_to(~test, (len(replicates), len(task)))
    return Convnet(Pictures(task, name, Store(folder)), train, task.groups, 0, replicates)


def one_hot(given) -> np.ndarray:
    task, gold, _ = given
    return np.eye(len(task.classes), dtype=np.float32)[gold.labels]


def test_it_learns_colours_from_gold(given, tmp_path: Path) -> None:
    _, gold, test = given
    fitted = student(given, tmp_path, (0,)).fit(one_hot(given))
    probs = fitted.predict(test)
    assert probs.shape == (1, test.sum(), 3) and np.allclose(probs.sum(-1), 1, atol=1e-5)
    assert (probs[0].argmax(-1) == gold.labels[test]).mean() > 0.9


def test_the_same_seed_gives_the_same_bytes_and_another_replicate_others(given, tmp_path: Path) -> None:
    runs = [student(given, tmp_path / name).fit(one_hot(given), steps=6).predict() for name in "ab"]
    assert np.array_equal(*runs)
    assert not np.array_equal(runs[0][0], runs[0][1])


def test_replicates_that_were_trained_are_not_trained_again(given, tmp_path: Path, monkeypatch) -> None:
    whole = student(given, tmp_path / "whole").fit(one_hot(given), steps=6).predict()
    student(given, tmp_path / "cut", (0,)).fit(one_hot(given), steps=6)  # killed before replicate 1
    trained = []
    train = convnet.ConvnetRun._train
    monkeypatch.setattr(convnet.ConvnetRun, "_train", lambda run: trained.append(run.replicate) or train(run))
    assert np.array_equal(student(given, tmp_path / "cut").fit(one_hot(given), steps=6).predict(), whole)
    assert trained == [1]


def test_a_row_without_a_label_or_weight_is_a_row_not_trained_on(given, tmp_path: Path) -> None:
    _, _, test = given
    rng, targets = np.random.default_rng(0), one_hot(given)
    left_out = rng.random(len(test)) < 0.3
    silent = targets.copy()
    silent[left_out] = np.nan
    strange = targets.copy()
    strange[left_out] = strange[left_out][:, ::-1]
    one = student(given, tmp_path / "a", (0,)).fit(silent, steps=5).predict()
    two = student(given, tmp_path / "b", (0,)).fit(strange, weights=~left_out, steps=5).predict()
    three = student(given, tmp_path / "c", (0,)).on((~test & ~left_out)[None]).fit(strange, steps=5).predict()
    assert np.array_equal(one, two) and np.array_equal(one, three)


def test_no_labels_at_all_leave_every_class_as_likely(given, tmp_path: Path) -> None:
    probs = student(given, tmp_path, (0,)).fit(np.full_like(one_hot(given), np.nan)).predict()
    assert np.allclose(probs, 1 / 3)


def test_a_saved_network_says_the_same(given, tmp_path: Path) -> None:
    task = given[0]
    fitted = student(given, tmp_path).fit(one_hot(given), steps=6, loss=Logconf())
    fitted.save(tmp_path / "saved", replicate=1)
    loaded = convnet.load(tmp_path / "saved")
    assert loaded.classes == task.classes and loaded.loss == Logconf()
    assert np.allclose(loaded.predict(task.images), fitted.predict()[1], atol=1e-5)
    with pytest.raises(UserError, match="trained on images alone"):
        loaded.predict(task.images[:1], ["a red shape"])
    with pytest.raises(UserError, match="no convnet in"):
        convnet.load(tmp_path)


def test_a_text_beside_the_image_is_read(tmp_path: Path) -> None:
    task, gold = tasks.load(str(images.statements(tmp_path, rows=500)), Reading(image="picture"))
    train = np.arange(len(task)) % 5 > 0
    both = Convnet(Pictures(task, "convnet:8", Store(tmp_path)), train[None], task.groups, 0, (0,))
    fitted = both.fit(np.eye(2, dtype=np.float32)[gold.labels], steps=250)
    assert (fitted.predict(~train)[0].argmax(-1) == gold.labels[~train]).mean() > 0.9
    fitted.save(tmp_path / "saved")
    again = convnet.load(tmp_path / "saved").predict(task.images, [text for (text,) in task.texts])
    assert np.allclose(again, fitted.predict()[0], atol=1e-5)


@pytest.mark.parametrize("name", ["convnet:", "convnet:7", "convnet:9999", "convnet:wide"])
def test_a_width_that_cannot_be_is_explained(name: str) -> None:
    from outgrow import models

    with pytest.raises(UserError, match="write it as convnet or convnet:WIDTH"):
        models.check(name)
