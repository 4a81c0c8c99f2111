"""Patches without labels: the encoder is what its paper writes, sees no test item, and a linear head on it learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import images
import outgrow
import tiny_models
from outgrow import cli, models, tasks
from outgrow.core.errors import UserError
from outgrow.models import patches
from outgrow.store import Store
from outgrow.students.features import space_of
from outgrow.students.probe import Probe
from outgrow.tasks import Reading

SHARED = Path(__file__).parents[3] / "shared" / "data" / "cifar10" / "cifar10.parquet"


def stripes(rng: np.random.Generator, upright: bool) -> bytes:
    """Stripes of any colours, phase and width: neither a colour nor a pixel says which way they run."""
    at = np.mgrid[:40, :40][int(upright)] + rng.integers(8)
    light = (at // rng.integers(2, 5) % 2)[..., None]
    pixels = np.where(light, *rng.integers(0, 256, (2, 3))) + rng.normal(0, 6, (40, 40, 3))
    return images.png(pixels.clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A task of images, its gold, and a mask of items that are not test."""
    task, gold = tasks.load(str(images.shapes(tmp_path_factory.mktemp("shapes"), rows=160)), Reading(image="picture"))
    return task, gold, task.side != tasks.TEST


def read(folder: Path, pictures, pool=None, name: str = "patches:16") -> np.ndarray:
    store = Store(folder)
    pool = np.ones(len(pictures), bool) if pool is None else pool
    return models.patch_features(models.resolve(name, store), pictures, pool, store).x


def right(task, gold, pool, folder: Path) -> float:
    """How often a linear head is right on items outside the pool, taught by gold inside."""
    probe = Probe(space_of(task, "patches:16", pool, Store(folder)), pool[None], task.groups, 0, (0,))
    said = probe.fit(np.eye(len(task.classes), dtype=np.float32)[gold.labels]).predict(~pool)[0]
    return (said.argmax(-1) == gold.labels[~pool]).mean()


def test_a_linear_head_learns_colours(given, tmp_path: Path) -> None:
    assert right(*given, tmp_path) > 0.9


def test_a_linear_head_learns_textures(given, tmp_path: Path) -> None:
    task, gold, pool = given
    rng = np.random.default_rng(1)
    labels = rng.integers(2, size=len(task))
    pictures = tuple(stripes(rng, bool(c)) for c in labels)
    assert right(replace(task, images=pictures, classes=("a", "b")), replace(gold, labels=labels), pool, tmp_path) > 0.9


def test_features_are_what_the_paper_writes(given, tmp_path: Path) -> None:
    picture = given[0].images[0]
    store = Store(tmp_path)
    learned, _ = patches._learn(sorted(given[0].images), 16)
    pixels = tasks.images.squares([picture], 32)[0].astype(float)
    sums = np.zeros((4, 16))
    for row in range(27):
        for column in range(27):
            p = pixels[:, row : row + 6, column : column + 6].reshape(-1)
            p = (p - p.mean()) / np.sqrt(p.var() + 10)
            y = (p - learned["mean"]) @ learned["whiten"]
            z = np.array([np.linalg.norm(y - c) for c in learned["centroids"]])
            sums[2 * (row >= 14) + (column >= 14)] += np.maximum(0, z.mean() - z)
    found = models.patch_features(models.resolve("patches:16", store), given[0].images, np.ones(160, bool), store)
    assert found.x.shape == (1, 160, 64) and found.flops > 0 and not found.cached
    np.testing.assert_allclose(found.x[0, 0], np.sqrt(sums).reshape(-1), rtol=1e-4, atol=1e-3)


def test_whitened_patches_are_white(given) -> None:
    learned, _ = patches._learn(sorted(given[0].images), 16)
    p = patches._normal(tasks.images.squares(given[0].images, 32)).reshape(-1, 108).cpu().numpy()
    y = (p - learned["mean"]) @ learned["whiten"]
    spread = np.linalg.eigvalsh(np.cov(y.T))
    assert spread.max() < 1.3 and np.isfinite(learned["centroids"]).all()


def test_the_same_images_give_the_same_bytes_in_any_order(given, tmp_path: Path) -> None:
    pictures, pool = given[0].images, given[2]
    one = read(tmp_path / "a", pictures, pool)
    two = read(tmp_path / "b", pictures[::-1], pool[::-1])
    assert np.array_equal(one, two[:, ::-1])
    assert np.array_equal(one, read(tmp_path / "a", pictures, pool))


def test_centroids_come_from_the_pool_alone(given, tmp_path: Path) -> None:
    pictures, pool = given[0].images, given[2]
    rng = np.random.default_rng(2)
    others = tuple(p if known else stripes(rng, True) for p, known in zip(pictures, pool, strict=True))
    one, two = read(tmp_path / "a", pictures, pool), read(tmp_path / "b", others, pool)
    assert np.array_equal(one[:, pool], two[:, pool])
    assert not np.array_equal(one, read(tmp_path / "c", pictures))


def test_a_study_may_name_it_on_either_side(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    path = images.shapes(tmp_path, rows=160)
    asked = {"tasks": [str(path)], "strong": "patches:16", "methods": ["naive"], "seeds": 1}
    votes = outgrow.Study(**asked, weak=["column:vote"], reading=Reading(image="picture"), out=tmp_path / "votes").run()
    rows = {row["method"]: row["value"] for row in votes.summary.to_dicts()}
    assert rows["ceiling"] > 0.8 and rows["naive"] < rows["ceiling"]
    weak = outgrow.Study(
        **asked, weak=["patches:8"], reading=Reading(image="picture", split="none"), out=tmp_path / "weak"
    ).run()
    assert set(weak.summary["weak"]) == {"patches:8"}


def test_beside_a_model_of_texts_it_is_the_one_that_sees(causal: Path, tmp_path: Path) -> None:
    task, _ = tasks.load(str(images.statements(tmp_path, rows=40)), Reading(image="picture"))
    assert space_of(task, f"patches:8,{causal}", np.ones(40, bool), Store(tmp_path)).features.shape[2] == 40


def test_a_table_of_texts_gives_one_clear_line(tmp_path: Path, capsys) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,label\n" + "\n".join(f"{text} {i},{i % 2}" for i, text in enumerate(tiny_models.texts(160))))
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", str(path), "--weak", "tfidf", "--strong", "patches", "--out", str(tmp_path / "run")])
    assert ended.value.code == 2
    assert (
        capsys.readouterr()
        .err.strip()
        .splitlines()[-1]
        .endswith("patches reads images, and the items of task 't' have none: name their column with --image")
    )


@pytest.mark.parametrize("name", ["patches:", "patches:7", "patches:9999", "patches:many"])
def test_a_number_that_cannot_be_is_explained(name: str) -> None:
    with pytest.raises(UserError, match="write it as patches or patches:K"):
        models.check(name)


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data/cifar10")
def test_photographs_are_told_apart_better_than_by_chance(tmp_path: Path) -> None:
    path = tmp_path / "cifar10.parquet"
    pl.read_parquet(SHARED, n_rows=500).write_parquet(path)
    task, gold = tasks.load(str(path), Reading(image="jpeg", label="label", split="none"))
    assert right(task, gold, np.arange(len(task)) < 400, tmp_path) > 0.2
