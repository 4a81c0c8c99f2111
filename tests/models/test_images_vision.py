"""Features of images out of random checkpoints of every layout, and studies on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import images
import tiny_models
from outgrow import models, tasks
from outgrow.core.errors import UserError
from outgrow.models import loader, sweep
from outgrow.store import Store
from outgrow.students.features import space_of, texts_of
from outgrow.students.probe import Probe
from outgrow.tasks import Reading

SIZE = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 32,
    "image_size": 32,
    "patch_size": 8,
}


def config(kind: str):
    import transformers as t

    made = {
        "vit": lambda: t.ViTConfig(**SIZE),
        "dinov2": lambda: t.Dinov2Config(**SIZE),
        "clip": lambda: t.CLIPConfig(
            vision_config=SIZE,
            text_config={
                "hidden_size": 16,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "intermediate_size": 16,
                "vocab_size": 40,
                "bos_token_id": 1,
                "eos_token_id": 2,
            },
        ),
        "siglip_vision_model": lambda: t.SiglipVisionConfig(**SIZE),
        "resnet": lambda: t.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1]),
    }
    return made[kind]()


def save(folder: Path, kind: str) -> Path:
    """A random checkpoint of that type with a processor to 32 x 32, in a folder."""
    import torch
    from transformers import AutoModel, ViTImageProcessorPil

    with torch.random.fork_rng(), loader.quiet():
        torch.manual_seed(3)
        AutoModel.from_config(config(kind)).save_pretrained(folder)
        ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def vit(tmp_path_factory) -> Path:
    return save(tmp_path_factory.mktemp("vit"), "vit")


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    return tasks.load(str(images.shapes(tmp_path_factory.mktemp("shapes"))), Reading(image="picture", split="none"))


def slowly(folder: Path, image: bytes) -> list[np.ndarray]:
    """What every block of a ViT says of one image, the mean over its 16 patches."""
    import torch
    from transformers import AutoImageProcessor, AutoModel

    with loader.quiet(), torch.no_grad():
        net = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
        processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
        pixels = processor([tasks.images.decoded(image)], return_tensors="pt")["pixel_values"]
        return [
            state[0, 1:].mean(0).numpy() for state in net(pixel_values=pixels, output_hidden_states=True).hidden_states
        ]


def test_features_of_a_vit_are_the_means_over_its_patches(vit: Path, given, tmp_path: Path) -> None:
    store = Store(tmp_path)
    model, pictures = models.resolve(str(vit), store), given[0].images[:9]
    assert (model.kind, model.width, model.depth) == ("vision", 24, 3)
    read = models.image_features(model, [*pictures, pictures[0]], store, layers=(1, 2), precision="float32")
    assert read.x.shape == (2, 10, 24) and np.array_equal(read.x[:, 0], read.x[:, 9])
    for i in (0, 5):
        states = slowly(vit, pictures[i])
        for at, layer in enumerate((1, 2)):
            assert np.allclose(read.x[at, i], states[layer], atol=1e-4)
    assert read.flops > 0 and not read.cached


def test_a_killed_reading_goes_on_at_its_shard(vit: Path, given, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sweep.BATCH_TOKENS, "cpu", 160)
    monkeypatch.setitem(sweep.SHARD_TOKENS, "cpu", 320)
    model, pictures = models.resolve(str(vit), Store(tmp_path / "a")), given[0].images[:70]
    whole = models.image_features(model, pictures, Store(tmp_path / "a"))
    compute, done = sweep.Sweep._compute, []

    def dies(self, *shard):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(len(done))
        return compute(self, *shard)

    monkeypatch.setattr(sweep.Sweep, "_compute", dies)
    with pytest.raises(KeyboardInterrupt):
        models.image_features(model, pictures, Store(tmp_path / "b"))
    monkeypatch.setattr(sweep.Sweep, "_compute", lambda self, *shard: done.append(len(done)) or compute(self, *shard))
    again = models.image_features(model, pictures, Store(tmp_path / "b"))
    assert np.array_equal(whole.x, again.x) and done == [0, 1, 2, 3]
    assert models.image_features(model, pictures, Store(tmp_path / "b")).cached


@pytest.mark.parametrize("kind", ["dinov2", "clip", "siglip_vision_model", "resnet"])
def test_other_layouts_are_read(kind: str, given, tmp_path: Path) -> None:
    task, store = given[0], Store(tmp_path / "store")
    space = space_of(task, str(save(tmp_path / kind, kind)), np.ones(len(task), bool), store)
    assert space.features.shape == (2, 1, len(task), 32 if kind == "resnet" else 24)
    assert np.isfinite(space.features).all() and space.features.std(2).max() > 0


def test_a_probe_on_a_random_vit_tells_colours(vit: Path, given, tmp_path: Path) -> None:
    task, gold = given
    train = np.arange(len(task)) % 4 > 0
    space = space_of(task, str(vit), train, Store(tmp_path))
    fitted = Probe(space, train[None], task.groups, 0, (0,)).fit(np.eye(3, dtype=np.float32)[gold.labels])
    assert (fitted.predict(~train)[0].argmax(-1) == gold.labels[~train]).mean() > 0.8


def test_image_and_text_joined_show_whether_they_match_and_neither_alone_does(
    vit: Path, encoder: Path, tmp_path: Path
) -> None:
    path = images.statements(tmp_path, rows=600, words=("lyon", "paris", "rome"))  # words that the tiny encoder knows
    task, gold = tasks.load(str(path), Reading(image="picture"))
    train, score = np.arange(len(task)) % 3 > 0, {}
    for name in (str(vit), str(encoder), f"{vit},{encoder}"):
        space = space_of(task, name, train, Store(tmp_path))
        fitted = Probe(space, train[None], task.groups, 0, (0,)).fit(np.eye(2, dtype=np.float32)[gold.labels])
        score[name] = (fitted.predict(~train)[0].argmax(-1) == gold.labels[~train]).mean()
    assert score[f"{vit},{encoder}"] > 0.85
    assert max(score[str(vit)], score[str(encoder)]) < 0.65


def test_what_cannot_be_read_is_one_line(vit: Path, encoder: Path, given, tmp_path: Path) -> None:
    task, store, pool = given[0], Store(tmp_path), np.ones(len(given[0]), bool)
    words, _ = tasks.load(_texts(tmp_path))
    for model, about, said in [
        (str(encoder), task, "reads text, and the items of task 'shapes' are images alone"),
        (str(vit), words, "reads images, and the items of task 'words' have none"),
        ("convnet", task, "has no features before it is trained"),
        (f"{encoder},{vit}", task, "a model of images and one of texts, in this order"),
    ]:
        with pytest.raises(UserError, match=said):
            space_of(about, model, pool, store)
    with pytest.raises(UserError, match="only models of texts are fine-tuned here"):
        texts_of(task, str(vit), store)


def _texts(folder: Path) -> str:
    path = folder / "words.csv"
    path.write_text("text,label\n" + "\n".join(f"{text},{i % 2}" for i, text in enumerate(tiny_models.texts(40))))
    return str(path)
