"""Generative fine-tuning on tiny random causal checkpoints: its loss, its order, its identities, and where it helps."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from test_finetune import COUNT, KILLED, TAUGHT, checkpoints, duels, gold, lively, one_hot, sentences, student  # noqa: F401

import killing
import studies
import tiny_models
from outgrow import methods, models
from outgrow.metrics.accuracy import accuracy
from outgrow.metrics.intervals import ScoreTable
from outgrow.store import Store
from outgrow.students import finetune
from outgrow.students.finetune import Finetune, TextReading, Texts
from outgrow.training import checkpoint, classifier, loop

ROWS = np.arange(COUNT)[None] < TAUGHT


@pytest.mark.parametrize("kind", classifier.KINDS)
def test_the_loss_is_that_of_a_plain_language_model(checkpoints, tmp_path, monkeypatch, kind):  # noqa: F811
    from transformers import AutoModelForCausalLM

    monkeypatch.setitem(classifier.PART_TOKENS, "cpu", 40)
    made = student(checkpoints[False], tmp_path / "store", kind, sentences())
    reading, net = TextReading(made.texts, np.arange(20), 1, 0, 0), made.texts.network(kind, np.random.default_rng(0))
    batch = np.arange(len(reading.ids))
    plain = AutoModelForCausalLM.from_pretrained(checkpoints[False], dtype=torch.float32).eval()
    total, count = torch.zeros(()), 0
    for ids in reading.ids:
        given = torch.from_numpy(ids.astype(np.int64))[None]
        total, count = total + (len(ids) - 1) * plain(input_ids=given, labels=given).loss, count + len(ids) - 1
    with torch.no_grad():
        losses = list(reading.losses(net, batch, 0.0))
    assert len(losses) > 2
    assert sum(losses).item() == pytest.approx(total.item() / count, rel=1e-5)
    found = dict(
        zip(
            [n for n, w in net.net.named_parameters() if w.requires_grad],
            loop.gradients(reading.losses(net, batch, 0.0), net.weights),
            strict=True,
        )
    )
    if kind == "full":
        (total / count).backward()
        expected = dict(plain.named_parameters())
        assert not found.pop("score.weight").any() and found.keys() == {n for n in expected if n != "lm_head.weight"}
        assert all(np.allclose(found[name], expected[name].grad, atol=1e-6) for name in found)
    else:
        assert {name.split(".")[-3] for name, g in found.items() if g.any()} == {"lora_B"}, (
            "the first step moves B alone"
        )


def test_a_text_is_read_once_whatever_the_order_of_items(checkpoints, tmp_path):  # noqa: F811
    pairs = student(checkpoints[False], tmp_path / "store", "lora", duels()).texts
    rows = np.arange(COUNT)
    straight, turned = TextReading(pairs, rows, 1, 0, 0), TextReading(pairs, rows[::-1], 1, 0, 0)
    assert len(straight.ids) == len({text for item in pairs.texts for text in item}) < 2 * COUNT
    assert (
        all(np.array_equal(a, b) for a, b in zip(straight.ids, turned.ids, strict=True))
        and straight.made_of == turned.made_of
    )
    assert not TextReading(pairs, rows, 0, 0, 0).steps


def test_without_an_epoch_it_is_naive_and_texts_that_are_not_taught_do_not_count(checkpoints, tmp_path):  # noqa: F811
    targets = one_hot(gold())
    made = student(checkpoints[False], tmp_path / "store", "lora", sentences())
    naive = made.fit(targets, steps=3).predict().tobytes()
    assert made.adapted(ROWS, 0).fit(targets, steps=3).predict().tobytes() == naive
    read = made.adapted(ROWS, 1).fit(targets, steps=3).predict().tobytes()
    assert read != naive
    texts = [*sentences()[:TAUGHT], *sentences()[: COUNT - TAUGHT]]
    other = student(checkpoints[False], tmp_path / "store", "lora", tuple(texts))
    again = other.adapted(np.ones_like(ROWS), 1).fit(targets, steps=3).predict()
    assert again[:, :TAUGHT].tobytes() == np.frombuffer(read, np.float32).reshape(1, COUNT, 2)[:, :TAUGHT].tobytes()


def test_stopped_while_reading_and_after_it_ends_with_the_same_bytes(checkpoints, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(finetune, "default_steps", lambda epochs, count: 4)
    targets = one_hot(gold())

    def fit(name: str) -> bytes:
        made = student(checkpoints[False], tmp_path / name, "lora", sentences())
        return made.adapted(ROWS, 2).fit(targets, steps=3).predict().tobytes()

    expected = fit("a")
    monkeypatch.setattr(checkpoint.Checkpoint, "due", True)
    done, drawn = [], finetune.drawn

    def stopped(seed, name, replicate, count, step, size):
        done.append((name, step))
        if len(done) in (3, 6, 8):
            raise KeyboardInterrupt
        return drawn(seed, name, replicate, count, step, size)

    monkeypatch.setattr(finetune, "drawn", stopped)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            fit("b")
    assert fit("b") == expected
    assert done == [*(("reading", s) for s in (0, 1, 2, 2, 3)), *(("epoch", s) for s in (0, 0, 1, 1, 2))]


def test_killed_while_reading_it_ends_with_the_same_bytes(checkpoints, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(finetune, "default_steps", lambda epochs, count: 3)
    made = student(checkpoints[False], tmp_path / "whole", "lora", sentences())
    whole = made.adapted(ROWS, 1).fit(one_hot(gold()), steps=5).predict().tobytes().hex()
    first = "t.finetune.default_steps = lambda epochs, count: 3\nrows = t.np.arange(t.COUNT)[None] < t.TAUGHT\nmade ="
    script = KILLED.replace("made =", first).replace(".fit(", ".adapted(rows, 1).fit(")
    again = killing.resumed(script, checkpoints[False], tmp_path / "killed")
    assert again == [*(str(n) for n in range(2, 9)), whole], "three steps of reading, five of labels"


def topics(told: bool) -> tuple[np.ndarray, tuple[tuple[str], ...]]:
    """Gold and texts: with `told` all words of a text are of its class, otherwise the last one alone."""
    rng, words = np.random.default_rng(1), np.array(tiny_models.WORDS[:16]).reshape(2, 8)
    gold = rng.integers(0, 2, 400)
    drawn = np.where(np.arange(6) == 5, gold[:, None], gold[:, None] if told else rng.integers(0, 2, (400, 6)))
    return gold, tuple((" ".join(words[side, rng.integers(8)] for side in row),) for row in drawn)


def test_it_helps_where_the_texts_tell_classes_apart_and_not_where_they_do_not(checkpoints, tmp_path, monkeypatch):  # noqa: F811
    """Labels of 65%, too few steps for a random model; a language model has to find out what a text is about."""
    exactly = lambda epochs, count: math.ceil(epochs * count / finetune.BATCH)  # noqa: E731
    monkeypatch.setattr(finetune, "default_steps", exactly)
    monkeypatch.setattr(finetune, "default_rate", lambda model, kind: 1e-2)
    store, train = Store(tmp_path / "store"), np.tile(np.arange(400) < 160, (8, 1))
    wrong = np.random.default_rng(3).random(train.shape) < 0.35
    found = {}
    for told in (True, False):
        labels, texts = topics(told)
        read = Texts(models.resolve(str(checkpoints[False]), store), texts, ("a", "b"), store)
        made = Finetune(read, "full", train, np.arange(400), 0, range(8))
        targets = np.eye(2, dtype=np.float32)[np.where(wrong, 1 - labels, labels)]
        probs = {"naive": made.fit(targets), "generative": made.adapted(train, 6).fit(targets)}
        scores = {
            k: accuracy(p.predict(~train[0]), labels[160:], np.ones(240), np.arange(240)) for k, p in probs.items()
        }
        table = ScoreTable.of(scores, 0.0)
        found[told] = table.estimate(table.weights({"generative": 1, "naive": -1}))
    assert found[True].ci[0] > 0, found
    assert found[False].ci[0] <= 0 and found[False].value < found[True].value / 2, found


def test_a_fine_tuned_student_has_no_axes_for_auxiliary_tasks(tmp_path, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    (tmp_path / "other").mkdir()
    asked = {
        "methods": ["naive", "auxiliary"],
        "auxiliary": [str(studies.table(tmp_path / "other", seed=1))],
        "seeds": 1,
    }
    monkeypatch.setattr(finetune, "default_steps", lambda epochs, count: 1)
    result = studies.study(tmp_path, student="lora", **asked).run()
    assert "--auxiliary TASK and --student linear or mlp" in (result.path / "details.json").read_text()


def test_heads_and_encoders_lack_it_and_a_study_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("OUTGROW_STORE", str(tmp_path / "store"))
    result = studies.study(tmp_path, seeds=8, methods=["naive", "generative"]).run()
    assert "generative" not in set(result.summary["method"])
    assert "needs a causal model and --student lora or full" in (result.path / "details.json").read_text()
    assert methods.find("generative").lacks(type("Nothing", (), {"weak": 1, "generator": None})) != []
