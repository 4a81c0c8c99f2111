"""Fine-tuned students on tiny random checkpoints: they learn, resume to the byte, and are saved as checkpoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import killing
import studies
import tiny_models
from outgrow import models
from outgrow.losses.logconf import Logconf
from outgrow.models import loader
from outgrow.store import Store
from outgrow.students import finetune
from outgrow.students.finetune import Finetune, Texts
from outgrow.training import checkpoint, classifier

CLASSES = {2: ("true", "false"), 3: ("yes", "no", "maybe")}
COUNT, TAUGHT = 100, 64
KINDS = pytest.mark.parametrize(
    ("encoder", "kind", "classes"),
    [(False, "lora", 2), (False, "full", 3), (True, "lora", 2), (True, "full", 3)],
    ids=["causal lora", "causal full", "encoder lora", "encoder full"],
)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory) -> dict[bool, Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    return {encoder: tiny_models.save(folder / f"encoder {encoder}", encoder) for encoder in (False, True)}


def lively_rate(model: models.Model, kind: str) -> float:
    """A rate for a model of a few thousand numbers."""
    return 5e-3


@pytest.fixture(autouse=True)
def lively(monkeypatch):
    """Such a rate, and the precision that every machine has."""
    monkeypatch.setattr(finetune, "default_rate", lively_rate)
    monkeypatch.setattr(loader, "chosen_precision", lambda asked=None: asked or "float32")


def gold(classes: int = 2) -> np.ndarray:
    return np.random.default_rng(classes).integers(0, classes, COUNT)


def one_hot(labels: np.ndarray) -> np.ndarray:
    return np.eye(labels.max() + 1, dtype=np.float32)[labels]


def sentences(classes: int = 2) -> tuple[tuple[str], ...]:
    """The last word says the class."""
    rng = np.random.default_rng(7)
    said = [CLASSES[classes][label] for label in gold(classes)]
    return tuple((" ".join([*rng.choice(tiny_models.WORDS[:8], rng.integers(1, 6)), word]),) for word in said)


def duels(turn: bool = False) -> tuple[tuple[str, str], ...]:
    """The text that ends in "true" is the better one: the second where gold is 1."""
    rng = np.random.default_rng(8)
    out = []
    for better in gold():
        pair = [" ".join([*rng.choice(tiny_models.WORDS[:8], 3), word]) for word in ("false", "true")]
        out.append(tuple(pair if bool(better) != turn else pair[::-1]))
    return tuple(out)


def student(path: Path, store: Path, kind: str, texts, classes: int = 2, seed: int = 0, replicates=(0,)) -> Finetune:
    kept = Store(store)
    train = np.tile(np.arange(COUNT) < TAUGHT, (len(replicates), 1))
    read = Texts(models.resolve(str(path), kept), texts, CLASSES[classes], kept)
    return Finetune(read, kind, train, np.arange(COUNT), seed, replicates)


HELD = np.arange(COUNT) >= TAUGHT


def plainly(folder: Path, texts: list[str]) -> np.ndarray:
    """Logits of a saved student, by `transformers` alone."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    net = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    given = AutoTokenizer.from_pretrained(folder)(texts, padding=True, return_tensors="pt", return_token_type_ids=False)
    with torch.no_grad():
        return net(**given).logits.numpy()


@KINDS
def test_it_learns_and_plain_transformers_reads_what_it_saves(checkpoints, tmp_path, encoder, kind, classes):
    labels, texts = gold(classes), sentences(classes)
    fitted = student(checkpoints[encoder], tmp_path / "store", kind, texts, classes).fit(one_hot(labels))
    probs = fitted.predict(HELD)
    assert probs.shape == (1, HELD.sum(), classes) and probs.dtype == np.float32
    assert np.allclose(probs.sum(-1), 1, atol=1e-5)
    assert (probs[0].argmax(-1) == labels[HELD]).mean() > 0.8
    fitted.save(tmp_path / "saved")
    z = plainly(tmp_path / "saved", [text for (text,) in texts])
    assert np.allclose(torch.tensor(z).softmax(-1), fitted.predict()[0], atol=1e-5)
    assert (tmp_path / "saved" / "config.json").read_text().count(CLASSES[classes][0])


def test_of_two_texts_one_score_decides(checkpoints, tmp_path):
    labels = gold()
    fitted = student(checkpoints[False], tmp_path / "store", "lora", duels()).fit(one_hot(labels), steps=30)
    assert (fitted.predict(HELD)[0].argmax(-1) == labels[HELD]).mean() > 0.9
    turned = student(checkpoints[False], tmp_path / "store", "lora", duels(turn=True)).fit(
        one_hot(1 - labels), steps=30
    )
    assert np.allclose(turned.predict()[..., ::-1], fitted.predict(), atol=1e-4)
    fitted.save(tmp_path / "saved")
    scores = plainly(tmp_path / "saved", [text for pair in duels() for text in pair])[:, 0]
    chance = 1 / (1 + np.exp(scores[::2] - scores[1::2]))
    assert np.allclose(fitted.predict()[0, :, 1], chance, atol=1e-5)


def test_full_training_is_what_a_plain_loop_does(checkpoints, tmp_path):
    """Adam, cosine, mean loss of the batch, a zero head, written out."""
    from transformers import AutoModelForSequenceClassification

    texts, targets = sentences(), one_hot(gold())
    weights = np.linspace(0.5, 2, COUNT).astype(np.float32)
    fitted = student(checkpoints[False], tmp_path / "store", "full", texts).fit(targets, weights=weights, steps=3)
    net = AutoModelForSequenceClassification.from_pretrained(
        checkpoints[False], dtype=torch.float32, num_labels=2
    ).eval()
    torch.nn.init.zeros_(net.score.weight)
    run, adam = fitted.runs[0], torch.optim.Adam(net.parameters(), lr=5e-3)

    def read(item: int) -> torch.Tensor:
        return net(input_ids=torch.from_numpy(run.texts.ids[item][0].astype(np.int64))[None]).logits[0]

    for step in range(3):
        adam.param_groups[0]["lr"] = 5e-3 * (1 + np.cos(np.pi * step / 3)) / 2
        loss = torch.zeros(())
        for item in run.batch(step).tolist():
            cross_entropy = -(torch.from_numpy(targets[item]) * read(item).log_softmax(-1)).sum()
            loss = loss + weights[item] / weights[:TAUGHT].mean() * cross_entropy / 32
        adam.zero_grad()
        loss.backward()
        adam.step()
    with torch.no_grad():
        expected = torch.stack([read(item) for item in range(COUNT)]).softmax(-1)
    assert np.allclose(fitted.predict()[0], expected, atol=1e-4)
    assert np.unique(np.concatenate([run.batch(step) for step in range(2)])).size == TAUGHT


@pytest.mark.parametrize("kind", classifier.KINDS)
def test_same_seed_same_bytes_whatever_stands_in_rows_that_do_not_count(checkpoints, tmp_path, kind):
    targets = one_hot(gold())
    weights = np.ones(COUNT, np.float32)
    weights[:10] = 0

    def fit(name: str, targets: np.ndarray, seed: int = 0, **more) -> bytes:
        made = student(checkpoints[True], tmp_path / name, kind, sentences(), seed=seed)
        return made.fit(targets, weights=weights, steps=3, **more).predict().tobytes()

    first = fit("a", targets)
    others = np.where(weights[:, None] > 0, targets, targets[:, ::-1])
    others[3], others[TAUGHT:] = np.nan, 0.5
    assert fit("b", others) == first
    assert fit("c", targets, loss=Logconf(alpha=0)) == first, "a = 0: the weak labels alone"
    assert fit("d", targets, loss=Logconf(alpha=0.9)) != first
    assert fit("e", targets, seed=1) != first


def test_replicates_are_trained_one_after_another_and_a_row_of_nan_is_left_out(checkpoints, tmp_path):
    targets = np.stack([one_hot(gold()), one_hot(1 - gold())])
    targets[:, :5] = np.nan
    both = student(checkpoints[False], tmp_path / "a", "lora", sentences(), replicates=(4, 5)).fit(targets, steps=3)
    alone = student(checkpoints[False], tmp_path / "b", "lora", sentences(), replicates=(5,)).fit(targets[1], steps=3)
    assert both.predict().shape == (2, COUNT, 2)
    assert np.array_equal(both.predict()[1], alone.predict()[0])
    assert both.runs[0].rows.min() == 5
    nothing = student(checkpoints[False], tmp_path / "a", "lora", sentences()).fit(
        np.full((COUNT, 2), np.nan, np.float32)
    )
    assert np.allclose(nothing.predict(), 0.5), "a head of zeros says nothing"


@pytest.mark.parametrize("kind", classifier.KINDS)
def test_a_training_that_stops_goes_on_to_the_same_bytes(checkpoints, tmp_path, monkeypatch, kind):
    def begun(name: str) -> Finetune:
        return student(checkpoints[False], tmp_path / name, kind, sentences())

    targets = one_hot(gold())
    expected = begun("a").fit(targets, steps=6).predict().tobytes()
    monkeypatch.setattr(checkpoint.Checkpoint, "due", True)
    done, read = [], finetune.FinetuneRun.batch

    def batch(run, step):
        done.append(step)
        if len(done) in (3, 6):
            raise KeyboardInterrupt
        return read(run, step)

    monkeypatch.setattr(finetune.FinetuneRun, "batch", batch)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            begun("b").fit(targets, steps=6)
    fitted = begun("b").fit(targets, steps=6)
    assert done == [0, 1, 2, 2, 3, 4, 4, 5], "no step that was kept is taken twice"
    assert fitted.predict().tobytes() == expected
    assert not list((tmp_path / "b" / "training").iterdir()), "what is no longer needed is gone"
    done.clear()
    assert begun("b").fit(targets, steps=6).predict().tobytes() == expected
    assert not done, "the second time it comes out of the store"


KILLED = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import test_finetune as t
from outgrow.models import loader
t.checkpoint.Checkpoint.due = True
t.finetune.default_rate = t.lively_rate
loader.chosen_precision = lambda asked=None: asked or "float32"
keep = t.checkpoint.Checkpoint.keep
def slowly(self, step, arrays):
    keep(self, step, arrays)
    print(step, flush=True)
    time.sleep(float(sys.argv[4]))
t.checkpoint.Checkpoint.keep = slowly
made = t.student(Path(sys.argv[2]), Path(sys.argv[3]), "lora", t.sentences()).fit(t.one_hot(t.gold()), steps=5)
print(made.predict().tobytes().hex())
"""


def test_a_killed_training_ends_with_the_same_bytes(checkpoints, tmp_path):
    whole = student(checkpoints[False], tmp_path / "whole", "lora", sentences()).fit(one_hot(gold()), steps=5)
    assert killing.resumed(KILLED, checkpoints[False], tmp_path / "killed") == [
        "2",
        "3",
        "4",
        "5",
        whole.predict().tobytes().hex(),
    ]


def test_what_came_out_of_the_store_is_trained_again_to_be_saved(checkpoints, tmp_path):
    for folder in ("first", "again"):
        student(checkpoints[False], tmp_path / "store", "lora", sentences()).fit(one_hot(gold()), steps=3).save(
            tmp_path / folder
        )
    first, again = ((tmp_path / folder / "model.safetensors").read_bytes() for folder in ("first", "again"))
    assert first == again


@pytest.mark.parametrize("kind", classifier.KINDS)
def test_blocks_that_are_computed_twice_to_save_memory_learn_the_same(checkpoints, tmp_path, monkeypatch, kind):
    targets = one_hot(gold())
    expected = student(checkpoints[False], tmp_path / "a", kind, sentences()).fit(targets, steps=3).predict()
    monkeypatch.setattr(classifier, "_memory", lambda: 1)
    made = student(checkpoints[False], tmp_path / "b", kind, sentences())
    net, called = made.texts.network(kind, np.random.default_rng(0)), []
    loader.blocks(net.net, 5)[2].register_forward_pre_hook(lambda *given: called.append(1))
    loader.blocks(net.net, 5)[2].mlp.register_forward_pre_hook(lambda *given: called.append(2))
    made.texts.logits(net, [0, 1]).sum().backward()
    assert called == [1, 2, 2]
    assert np.allclose(made.fit(targets, steps=3).predict(), expected, atol=1e-5)


@pytest.mark.parametrize("kind", classifier.KINDS)
def test_bfloat16_leaves_logits_and_trained_weights_in_float32(checkpoints, tmp_path, monkeypatch, kind):
    monkeypatch.setattr(loader, "chosen_precision", lambda asked=None: asked or "bfloat16")
    made = student(checkpoints[True], tmp_path / "store", kind, sentences())
    net = made.texts.network(kind, np.random.default_rng(0))
    assert {weight.dtype for weight in net.weights} == {torch.float32}
    assert torch.bfloat16 in {w.dtype for w in net.net.parameters()} or kind == "full"
    probs = made.fit(one_hot(gold()), steps=20).predict()
    assert np.isfinite(probs).all()
    odds = torch.from_numpy(np.log(probs[0, :, 1] / probs[0, :, 0]))
    assert (odds.bfloat16().float() != odds).float().mean() > 0.5


def test_a_study_of_a_fine_tuned_student(tmp_path, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    monkeypatch.setattr(finetune, "default_steps", lambda epochs, count: 3)
    result = studies.study(tmp_path, student="lora", seeds=2, methods=["naive", "logconf"]).run()
    rows = {row["method"]: row for row in result.summary.iter_rows(named=True)}
    assert {"floor", "ceiling", "naive", "logconf", "shuffled", "gold-few"} <= set(rows)
    assert {row["replicates"] for row in rows.values()} == {2}
    assert rows["gold-naive"]["value"] == rows["ceiling"]["value"]
    assert result.report().stat().st_size > 10_000
    few = (
        studies.study(tmp_path, student="lora", seeds=1, methods=["naive", "logconf"], out=tmp_path / "few").run().cells
    )
    same = few.join(result.cells, on=["method", "replicate"], suffix="_more")
    assert (same["value"] == same["value_more"]).all() and len(same) == len(few)


def test_training_on_begins_where_the_first_training_ended(checkpoints, tmp_path):
    """Weak labels of the other class, then a little gold: after one step it still says what the weak labels said."""
    texts, labels = sentences(), gold()
    made = student(checkpoints[False], tmp_path / "store", "full", texts)
    after = made.after(one_hot(1 - labels))
    told = after.on(np.tile(np.arange(COUNT) < 16, (1, 1)))
    short = told.fit(one_hot(labels), steps=1).predict(HELD)[0].argmax(-1)
    long = told.fit(one_hot(labels), steps=60).predict(HELD)[0].argmax(-1)
    assert (short == 1 - labels[HELD]).mean() > 0.8
    assert (long == labels[HELD]).mean() > 0.7
    first = made.fit(one_hot(1 - labels))
    assert len(told.fit(one_hot(labels), steps=1).runs[0].stages) == len(first.runs[0].stages) + 1 == 2
