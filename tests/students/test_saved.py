"""A student of texts, pairs, images or features in a folder predicts what the fitted one did, in any process."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import test_images_vision

import images
import outgrow
import studies
import tiny_models
from outgrow import tasks
from outgrow.core.errors import UserError
from outgrow.core.records import VERSION
from outgrow.store import Store, record
from outgrow.students.convnet import Convnet, Pictures
from outgrow.students.ensemble import Pool
from outgrow.students.features import space_of, texts_of
from outgrow.students.finetune import Finetune
from outgrow.students.probe import Probe
from outgrow.students.saving import save, saved_student
from outgrow.students.student_file import FACTS
from outgrow.tasks import Reading

AGAIN = """
import pickle, sys
import numpy as np
import outgrow
for folder, items in pickle.load(open(sys.argv[1], "rb")).items():
    np.save(f"{folder}/again.npy", outgrow.load(folder).predict_proba(items))
"""
KINDS = (
    "text", "pair", "fine-tuned pair", "image", "patches", "image and text", "convnet", "convnet and text", "features",
)  # fmt: skip


def pairs(folder: Path, rows: int = 80) -> Path:
    """Two texts of known words a row; `true` stands in the better one."""
    rng, path = np.random.default_rng(3), folder / "pairs.parquet"
    made = [[" ".join([*rng.choice(tiny_models.WORDS[:9], 4), end]) for end in ("true", "false")] for _ in range(rows)]
    frame = {
        "prompt": [f"so {i}" for i in range(rows)],
        "chosen": [a for a, _ in made],
        "rejected": [b for _, b in made],
    }
    pl.DataFrame(frame).write_parquet(path)
    return path


def taught(kind: str, place: Path, causal: Path, encoder: Path):
    """(task, name of the model, fitted student, the items as a saved student reads them)."""
    store = Store.default()
    if "pair" in kind:
        task, gold = tasks.load(str(pairs(place)))
    elif kind in ("text", "features"):
        task, gold = tasks.load(str(studies.table(place, 80)))
    else:
        table = images.statements if kind.endswith("and text") else images.shapes
        task, gold = tasks.load(str(table(place, rows=80)), Reading(image="picture"))
    everywhere, shown = np.ones(len(task), bool), task.images or ()
    target = np.eye(len(task.classes), dtype=np.float32)[gold.labels]
    rows = (everywhere[None], task.groups, 0, (0,))
    if kind.startswith("convnet"):
        fitted = Convnet(Pictures(task, "convnet:8", store), *rows).fit(target, steps=6)
        beside = [text for item in task.texts for text in item]
        return task, "convnet:8", fitted, list(zip(shown, beside, strict=True)) if beside else shown
    if kind == "fine-tuned pair":
        read = texts_of(task, str(causal), store)
        return task, str(causal), Finetune(read, "lora", *rows).fit(target, steps=6), list(task.texts)
    vit = place / "vit"
    name = {
        "text": str(causal),
        "pair": str(encoder),
        "image": str(vit),
        "patches": "patches:8",
        "image and text": f"{vit},{encoder}",
        "features": f"features:{place / 'x.npz'}",
    }[kind]
    if str(vit) in name:
        test_images_vision.save(vit, "vit")
    x = np.random.default_rng(0).normal(size=(len(task), 2, 6)).astype(np.float32)
    if kind == "features":
        np.savez(place / "x.npz", id=task.ids, x=x)
    fitted = Probe(space_of(task, name, everywhere, store), *rows).fit(target)
    texts = [item[0] if len(item) == 1 else item for item in task.texts]
    items = {
        "image": shown,
        "patches": shown,
        "features": x,
        "image and text": list(zip(shown, texts, strict=kind == "image and text")),
    }.get(kind, texts)
    return task, name, fitted, items


def keep(place: Path, task, name: str, fitted) -> Path:
    found = saved_student(fitted, task, name, {}, ("some",), {"method": "naive"}, Store.default())
    save(found, place / "student", fitted)
    return place / "student"


@pytest.fixture(scope="module")
def kept(tmp_path_factory, causal, encoder):
    """By kind a student's folder, what the fitted one said, and its items."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTGROW_STORE", str(tmp_path_factory.mktemp("store")))
        for kind in KINDS:
            place = tmp_path_factory.mktemp(kind.replace(" ", "-"))
            task, name, fitted, items = taught(kind, place, causal, encoder)
            made[kind] = keep(place, task, name, fitted), fitted.predict()[0], items
        yield made


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_student_says_what_the_fitted_one_said(kind: str, kept) -> None:
    folder, said, items = kept[kind]
    # Features depend a little on what is read beside an item.
    assert np.allclose(outgrow.load(folder).predict_proba(items), said, atol=2e-2)
    assert len(np.unique(said.round(3), axis=0)) > 5, "they are not all the same"


@pytest.mark.parametrize("kind", ["text", "fine-tuned pair", "convnet", "features"])
def test_a_student_is_saved_into_another_folder_with_its_card_and_nothing_else(kind: str, kept, tmp_path) -> None:
    folder, _, items = kept[kind]
    (folder / "README.md").write_text("a card")
    (folder / "predictions.parquet").write_text("rows of the user")
    student = outgrow.load(folder)
    again = outgrow.load(student.save(tmp_path / "again"))
    assert np.array_equal(again.predict_proba(items[:9]), student.predict_proba(items[:9]))
    copied = {path.name for path in (tmp_path / "again").iterdir()}
    assert {"student.json", "README.md"} < copied and "predictions.parquet" not in copied
    for name in ("README.md", "predictions.parquet"):
        (folder / name).unlink()
    with pytest.raises(UserError, match="again is not empty: give a new folder for the student"):
        student.save(tmp_path / "again")


def test_the_likeliest_class_is_the_label(kept) -> None:
    folder, _, items = kept["text"]
    student = outgrow.load(folder)
    assert student.classes_.tolist() == list(student.classes)
    assert student.predict(items).tolist() == [student.classes[c] for c in student.predict_proba(items).argmax(1)]
    assert student.predict([]).shape == (0,) and len(set(student.predict(items))) == 2


def test_it_says_the_same_to_the_bit_in_another_process_with_an_empty_store(kept, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "one"))
    here = {str(folder): outgrow.load(folder).predict_proba(items) for folder, _, items in kept.values()}
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "other"))
    asked = tmp_path / "asked.pickle"
    asked.write_bytes(pickle.dumps({str(folder): items for folder, _, items in kept.values()}))
    subprocess.run([sys.executable, "-c", AGAIN, str(asked)], check=True, capture_output=True, timeout=240)
    assert len(here) == len(KINDS)
    for folder, probs in here.items():
        assert np.array_equal(np.load(f"{folder}/again.npy"), probs)


@pytest.mark.parametrize(
    ("kind", "items", "says"),
    [
        ("pair", ["one text"], "reads pairs: give pairs of texts"),
        ("image", ["a text"], "reads images: give encoded images"),
        ("features", np.zeros((2, 2, 5)), "reads features of width 6, and these have 5"),
        ("features", np.zeros(3), "reads features: give an array of rows x width"),
    ],
)
def test_items_that_it_does_not_read_are_one_line(kind: str, items, says: str, kept) -> None:
    with pytest.raises(UserError, match=says):
        outgrow.load(kept[kind][0]).predict_proba(items)


@pytest.mark.parametrize(("kind", "name"), [("convnet", "convnet.json"), ("image", "student.safetensors")])
def test_a_damaged_file_is_named(kind: str, name: str, kept) -> None:
    folder = kept[kind][0]
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(UserError, match=f"{name} is not as it was written"):
        outgrow.load(folder)
    (folder / name).write_bytes(whole)


def test_a_record_of_a_later_version_is_refused_and_one_without_what_is_read_is_of_texts(kept) -> None:
    folder, _, items = kept["text"]
    whole = (folder / FACTS).read_bytes()
    facts, said = record.decode(whole), outgrow.load(folder).predict_proba(items)
    assert (facts["version"], facts["reads"]) == (VERSION, "texts")
    (folder / FACTS).write_bytes(record.encode({**facts, "version": VERSION + 1}))
    with pytest.raises(UserError, match="update outgrow"):
        outgrow.load(folder)
    (folder / FACTS).write_bytes(record.encode({k: v for k, v in facts.items() if k != "reads"}))
    assert np.array_equal(outgrow.load(folder).predict_proba(items), said)
    (folder / FACTS).write_bytes(whole)


def test_what_does_not_fit_in_a_folder_says_so(tmp_path, monkeypatch, causal, encoder) -> None:
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    task, name, fitted, _ = taught("convnet", tmp_path, causal, encoder)
    pool = Pool(np.full((2, 1), 0.5), [fitted, fitted])
    with pytest.raises(UserError, match="pools 2 networks, and a folder holds one"):
        keep(tmp_path, task, name, pool)
    with pytest.raises(UserError, match="makes a object, which cannot be saved"):
        keep(tmp_path, task, name, object())


def test_convnet_json_of_before_it_had_a_version_opens(kept) -> None:
    from outgrow.students import convnet

    folder, said, items = kept["convnet"]
    facts = json.loads((folder / convnet.FACTS).read_text())
    assert facts.pop("version") == VERSION
    place = folder / "old"
    place.mkdir()
    (place / convnet.FACTS).write_text(json.dumps(facts))
    (place / convnet.ARRAYS).write_bytes((folder / convnet.ARRAYS).read_bytes())
    assert np.allclose(convnet.load(place).predict(items), said, atol=1e-4)
