"""EfficientNet-lite: its sizes, its arithmetic, its files, and studies of it."""

from __future__ import annotations

import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import images
import lite
import outgrow
import tiny_models
from outgrow import cli, models, tasks
from outgrow.core.errors import UserError
from outgrow.models import loader
from outgrow.models.efficientnet_config import VARIANTS, configured, rounded
from outgrow.store import Store
from outgrow.tasks import Reading

CIFAR = Path(__file__).parents[3] / "shared" / "data" / "cifar10" / "cifar10.parquet"


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    return lite.save(tmp_path_factory.mktemp("lite"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> tuple[bytes, ...]:
    return tasks.load(str(images.shapes(tmp_path_factory.mktemp("shapes"))), Reading(image="picture"))[0].images


@pytest.mark.parametrize(
    ("name", "published", "norms"),
    [
        ("efficientnet-lite0", "4.7M", 21_008),
        ("efficientnet-lite1", "5.4M", 26_832),
        ("efficientnet-lite2", "6.1M", 29_048),
    ],
)
def test_a_variant_has_as_many_weights_as_were_published(name: str, published: str, norms: int) -> None:
    import torch

    from outgrow.models.efficientnet import EfficientNetLite

    with torch.device("meta"):
        net = EfficientNetLite(configured(name))
    count = sum(weights.numel() for weights in net.parameters())
    channels = sum(module.out_channels for module in net.modules() if isinstance(module, torch.nn.Conv2d))
    # A batch norm's scale, one for each channel of a convolution, is part of the weights here.
    assert channels == norms and f"{(count + channels) / 1e6:.1f}M" == published
    entry = next(entry for entry in models.catalogue() if entry.name == name)
    assert (entry.parameters, entry.kind) == (count, "vision")


def test_stem_and_head_stay_while_the_family_grows() -> None:
    # 1.1 times 16, 24, 40, 80, 112, 192, 320 is 17.6, 26.4, 44, 88, 123.2, 211.2, 352.
    assert configured("efficientnet-lite2").hidden_sizes == [32, 16, 24, 48, 88, 120, 208, 352, 1280]
    # 1.2 times 2, 2, 3, 3, 4 blocks, rounded up.
    assert configured("efficientnet-lite2").depths == [1, 1, 3, 3, 4, 4, 5, 1, 1]
    assert [configured(name).image_size for name in VARIANTS] == [224, 240, 260]
    assert rounded(11) == 16  # 8 is the nearest multiple below 12, and less than nine tenths of 11


def test_features_are_those_of_the_published_network_place_by_place(small: Path, pictures, tmp_path: Path) -> None:
    import torch

    store, state = Store(tmp_path), lite.published()
    model = models.resolve(str(small), store)
    assert (model.kind, model.width, model.depth) == ("vision", 12, 9)
    read = models.image_features(model, pictures[:4], store, layers=range(1, 10), precision="float32")
    pixels = models.vision.Images(model)
    batch = pixels.batch(pixels.open(pictures[:4], tmp_path), range(4), np.ones(4, bool))
    with torch.no_grad():
        logits = loader.load(model, "float32")(torch.from_numpy(batch)).numpy()
    for at in range(4):
        means, scores = lite.slowly(state, pictures[at])
        for layer, mean in enumerate(means):
            np.testing.assert_allclose(read.x[layer, at, : len(mean)], mean, rtol=1e-3, atol=1e-3)
            assert not read.x[layer, at, len(mean) :].any()
        np.testing.assert_allclose(logits[at], scores, rtol=1e-3, atol=1e-3)
    assert read.flops > 0


def test_the_last_stages_are_read_where_no_layer_is_named(small: Path, pictures, tmp_path: Path) -> None:
    model = models.resolve(str(small), Store(tmp_path))
    assert models.image_features(model, pictures[:3], Store(tmp_path)).layers == (8, 9)


def test_bfloat16_says_nearly_the_same(small: Path, pictures, tmp_path: Path) -> None:
    model, x = models.resolve(str(small), Store(tmp_path)), {}
    for precision in ("float32", "bfloat16"):
        x[precision] = models.image_features(model, pictures[:40], Store(tmp_path), precision=precision).x[1, :, :12]
    exact, near = (value - x["float32"].mean(0) for value in x.values())
    assert (exact * near).sum() / np.sqrt((exact**2).sum() * (near**2).sum()) > 0.95


@pytest.mark.parametrize("name", ["stages.0.1.bias", "stages.4.7.project.bias"])
def test_a_weight_too_few_or_too_many_is_one_line(name: str, small: Path, pictures, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    folder = tmp_path / "changed"
    shutil.copytree(small, folder)
    weights = load_file(folder / "model.safetensors")
    if weights.pop(name, None) is None:
        weights[name] = np.zeros(8, np.float32)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=f"1 weights .*the first '{name}'") as caught:
        models.image_features(models.resolve(str(folder), Store(tmp_path)), pictures[:2], Store(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_study_of_images_has_it_on_either_side(small: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    path, other = images.shapes(tmp_path, rows=160), lite.save(tmp_path / "other", seed=1)
    study = outgrow.Study(
        tasks=[str(path)], weak=[str(small)], strong=str(other), methods=["naive"], seeds=2, weak_gold=12,
        reading=Reading(image="picture", split="none"), out=tmp_path / "run",
    )  # fmt: skip
    rows = {row["method"]: row["value"] for row in study.run().summary.to_dicts()}
    assert rows["ceiling"] > rows["floor"] > 1 / 3
    strong = json.loads((tmp_path / "run" / "details.json").read_text())
    assert str(other) in json.dumps(strong)


@pytest.mark.parametrize(
    "verb, line",
    [
        ("run", "reads images, and the items of task 't' have none"),
        ("learn", "is no model that could read new texts: learn with a model's name as --strong"),
    ],
)
def test_a_task_of_texts_gives_one_clear_line(
    verb: str, line: str, small: Path, tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    path = tmp_path / "t.csv"
    lines = [f"{text} {i},{i % 2},{i % 2}" for i, text in enumerate(tiny_models.texts(160))]
    path.write_text("\n".join(["text,label,vote", *lines]))
    by = ["--weak", "tfidf"] if verb == "run" else ["--votes", "vote"]
    with pytest.raises(SystemExit) as ended:
        cli.main([verb, str(path), *by, "--strong", str(small), "--out", str(tmp_path / "run")])
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert ended.value.code == 2 and line in said


def test_a_task_of_images_gives_a_model_of_texts_one_clear_line(
    small: Path, encoder: Path, tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    asked = ["run", str(images.shapes(tmp_path, rows=160)), "--image", "picture", "--split", "none"]
    with pytest.raises(SystemExit) as ended:
        cli.main([*asked, "--weak", str(encoder), "--strong", str(small), "--out", str(tmp_path / "run")])
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert ended.value.code == 2 and "reads text, and the items of task 'shapes' are images alone" in said


def test_beside_a_model_of_texts_it_is_the_one_that_sees(small: Path, encoder: Path, tmp_path: Path) -> None:
    model = models.resolve(f"{small},{encoder}", Store(tmp_path))
    assert (model.kind, model.width) == ("joined", 12 + 24)


@pytest.mark.checkpoint
@pytest.mark.shared_data
def test_the_published_network_knows_airliners_from_horses(tmp_path: Path) -> None:
    import torch

    if not CIFAR.exists():
        pytest.skip(f"{CIFAR} is not there")
    store = Store.default() if os.environ.get("OUTGROW_STORE") else Store(tmp_path / "store")
    try:
        model = models.resolve("efficientnet-lite0", store)
    except UserError as error:
        pytest.skip(f"efficientnet-lite0 cannot be had: {error}")
    kinds = [0, 7, 1, 5]  # airplane, horse, automobile, dog
    table = pl.read_parquet(CIFAR, columns=["split", "jpeg", "label"]).filter(pl.col("split") == "test")
    shown = pl.concat([table.filter(pl.col("label") == kind).head(16) for kind in kinds])
    given, gold = shown["jpeg"].to_list(), np.repeat(np.arange(4), 16)
    read = models.image_features(model, given, Store(tmp_path / "features"), precision="float32")

    def split_half(x: np.ndarray) -> float:
        """Share of every second image that is nearest to the mean of its own class among the others."""
        means = np.stack([x[(gold == kind) & (np.arange(64) % 2 == 0)].mean(0) for kind in range(4)])
        near = ((x[1::2, None] - means) ** 2).sum(-1).argmin(-1)
        return float((near == gold[1::2]).mean())

    from PIL import Image

    pixels = np.stack([np.asarray(Image.open(io.BytesIO(one)).convert("RGB"), np.float64).ravel() for one in given])
    assert split_half(read.x[1]) > max(0.75, split_half(pixels) + 0.2)
    # Classes of ImageNet, by their numbers there: 404 is an airliner and 339 a sorrel horse.
    with torch.no_grad():
        classifier = loader.load(model, "float32").classifier
        scores = classifier(torch.tensor(read.x[1, :32])).numpy()
    assert ((scores[:, 404] > scores[:, 339]) == (gold[:32] == 0)).mean() > 0.8
