"""Tuning of a language model on answers: what it learns, from which tokens, and the same bytes after a kill."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import killing
from outgrow import models
from outgrow.core.errors import UserError
from outgrow.core.seeding import derive
from outgrow.generation import Prompting, Sampling
from outgrow.generation.local import Local
from outgrow.generation.targets import Hard, Soft
from outgrow.store import Store
from outgrow.training import causal as tuning
from outgrow.training import checkpoint, classifier, loop
from outgrow.training.causal import Example

pytestmark = pytest.mark.usefixtures("float32")

EXAMPLES = [
    Example("the city of", "lyon is in france"),
    Example("rome is", "in spain not"),
    Example("a very", "no no no", weight=2.5),
    Example("so : paris is in france", "yes", weight=0.5),
    Example("an", "true"),
]
KINDS = pytest.mark.parametrize("kind", classifier.KINDS)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


def surprise(model: models.Model, examples: list[Example]) -> float:
    """-log p of the answers, their ends left out."""
    scores = Local(model).logprobs([e.prompt for e in examples], [e.answer for e in examples])
    return -sum(float(row.sum()) for row in scores)


@KINDS
def test_it_learns_the_answers_and_where_to_stop_and_reads_as_any_checkpoint(causal, store, kind):
    base = models.resolve(str(causal), store)
    tuned = tuning.tune(base, EXAMPLES, kind=kind, seed=0, store=store, epochs=60, rate=1e-2)
    assert surprise(tuned, EXAMPLES) < surprise(base, EXAMPLES) / 20
    draws = Local(tuned).sample(["the city of", "rome is"], 1, Sampling(tokens=8, temperature=0), [[0], [0]])
    assert [(row[0].text, row[0].ended) for row in draws] == [(" lyon is in france", "stop"), (" in spain not", "stop")]
    again = Local(models.resolve(str(tuned.path), store))
    assert again.vocabulary == Local(base).vocabulary
    assert again.sample(["rome is"], 1, Sampling(tokens=8, temperature=0), [[0]])[0][0].text == " in spain not"
    assert tuning.spent(tuned).steps == 60 and tuning.spent(tuned).tokens == 60 * sum(
        len(text.ids) for text in tuning.read(base, [(e.prompt, e.answer) for e in EXAMPLES])
    )


@KINDS
def test_two_steps_are_those_of_a_plain_loop(causal, store, kind, monkeypatch):
    """Every answer alone, logits of the whole vocabulary everywhere, Adam and the cosine written out."""
    monkeypatch.setitem(classifier.PART_TOKENS, "cpu", 12)
    base = models.resolve(str(causal), store)
    tuned = tuning.tune(base, EXAMPLES, kind=kind, seed=3, store=store, rate=1e-2)
    net = tuning.CausalNetwork(base, kind, 1, derive(3, "tuning"))
    adam, local = torch.optim.Adam(net.weights, lr=1e-2), Local(base)
    for rate in (1e-2, 5e-3):  # cos(0) = 1, cos(pi / 2) = 0
        total, tokens = torch.zeros(()), 0
        for example in EXAMPLES:
            prompt, answer = local.encode(example.prompt), local.after(example.answer)
            ids = torch.tensor([*prompt, *answer, local._tokenizer.eos_token_id])
            logp = net.net(input_ids=ids[None]).logits[0].log_softmax(-1)
            for at in range(len(prompt), len(ids)):
                total = (
                    total - example.weight / (6 / 5) * logp[at - 1, ids[at]]
                )  # weights 1 + 1 + 2.5 + .5 + 1 = 6, of five
                tokens += 1
        adam.param_groups[0]["lr"] = rate
        adam.zero_grad()
        (total / tokens).backward()
        adam.step()
    net.save(store.root / "plain", base)
    plain = models.resolve(str(store.root / "plain"), store)
    prompts, texts = [e.prompt for e in EXAMPLES], [e.answer for e in EXAMPLES]
    for a, b in zip(Local(tuned).logprobs(prompts, texts), Local(plain).logprobs(prompts, texts), strict=True):
        assert np.allclose(a, b, atol=1e-4)
    assert surprise(tuned, EXAMPLES) < surprise(base, EXAMPLES) - 0.5


def test_low_rank_updates_of_narrow_models_learn_faster(causal, store):
    """Schulman et al. 2025: 5e-4 at a width of 2,000; widths 2,048, 4,096 and 576 by the power of their fit."""
    base = models.resolve(str(causal), store)
    rates = [tuning.default_rate(replace(base, width=width), "lora") for width in (2000, 2048, 4096, 576)]
    np.testing.assert_allclose(rates, [5e-4, 4.908e-4, 2.857e-4, 1.3225e-3], rtol=1e-3)
    assert tuning.default_rate(base, "full") == 5e-5


def test_what_is_read_is_what_generation_reads_and_writes(causal, store):
    base = models.resolve(str(causal), store)
    local = Local(base)
    (text,) = tuning.read(base, [("the city of", " lyon is")])
    assert text.ids[: text.start].tolist() == local.encode("the city of")
    assert text.ids[text.start : -1].tolist() == local.after(" lyon is") and text.ids[-1] in local.ends


def test_the_prompt_gives_no_loss_and_the_head_is_computed_for_answers_alone(causal, store):
    base = models.resolve(str(causal), store)
    net = tuning.CausalNetwork(base, "lora", 1, derive(0))
    texts = tuning.read(base, [(e.prompt, e.answer) for e in EXAMPLES])
    seen = []
    net.net.get_output_embeddings().register_forward_hook(lambda _, given, out: seen.append(out.shape))
    assert (
        net.logits(texts).shape[0] == 5 + 4 + 4 + 2 + 2 == len(tuning.labels(texts))
    )  # words of the answers, and their ends
    assert seen[-1][:2] == (1, 17)
    assert {name.split(".")[-3] for name, w in net.net.named_parameters() if w.requires_grad} == {"lora_A", "lora_B"}


@KINDS
def test_what_prompts_begin_alike_with_is_read_once_and_learned_from_by_all(causal, store, kind, monkeypatch):
    base = models.resolve(str(causal), store)
    told = "the city of lyon is in france so very very true and "
    texts = tuning.read(
        base,
        [(told + end, answer) for end, answer in (("rome", "yes"), ("paris so", "no not"), ("a", "maybe : yes an so"))],
    )
    net = tuning.CausalNetwork(base, kind, 64, derive(0))
    for weight in net.weights:
        weight.data += 0.02 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
    lessons = tuning.Lessons(
        texts, [np.ones(len(text.ids) - text.start, np.float32) for text in texts], np.ones(3), Hard(), 1, 0, ""
    )

    def learned() -> tuple[np.ndarray, np.ndarray]:
        found = loop.gradients(lessons.losses(net, np.arange(3), 0.0), net.weights)
        return torch.cat([gradient.flatten() for gradient in found]).numpy(), net.logits(texts).detach().numpy()

    assert net.begun_alike(texts) == 13 and net.begun_alike(texts[:1]) == 0  # <s> and twelve words
    once = learned()
    monkeypatch.setattr(tuning.CausalNetwork, "begun_alike", lambda *_: 0)
    for apart, together in zip(learned(), once, strict=True):
        assert np.allclose(apart, together, atol=2e-5) and np.abs(apart).max() > 0.1


def test_texts_in_one_row_are_read_as_each_is_alone(causal, store, monkeypatch):
    base = models.resolve(str(causal), store)
    texts = tuning.read(base, [(e.prompt, e.answer) for e in EXAMPLES])
    net = tuning.CausalNetwork(base, "lora", 64, derive(0))
    read = []
    net.net.get_input_embeddings().register_forward_hook(lambda _, given, out: read.append(tuple(out.shape[:2])))
    alone = torch.cat([net.logits([text]) for text in texts])
    together = net.logits(texts)
    assert read[-1] == (1, sum(len(text.ids) - 1 for text in texts)) and torch.allclose(together, alone, atol=1e-5)
    # A model for which a text does not end where positions begin anew reads a row a text.
    other = tuning.CausalNetwork(base, "lora", 64, derive(0))
    whole = other.net.forward
    monkeypatch.setattr(other.net, "forward", lambda *given, position_ids=None, **more: whole(*given, **more))
    assert torch.allclose(other.logits(texts), alone, atol=1e-5) and not other._packs and net._packs


def test_soft_targets_meet_the_score_and_rest_where_it_is_met():
    """The gradient is p - y, where y has the score at the token, and p of the others scaled to what is left."""
    rng = np.random.default_rng(0)
    logits = torch.tensor(rng.normal(size=(6, 9)), requires_grad=True)
    tokens, scores = torch.tensor(rng.integers(0, 9, 6)), torch.tensor(rng.random(6))
    (found,) = torch.autograd.grad(Soft()(logits, tokens, scores, 0.0).sum(), logits)
    p = logits.detach().softmax(1).numpy()
    for row in range(6):
        y = p[row] * (1 - float(scores[row])) / (1 - p[row, tokens[row]])
        y[tokens[row]] = scores[row]
        assert abs(y.sum() - 1) < 1e-12
        assert np.allclose(found[row], p[row] - y, atol=1e-9)
    ones = torch.ones(6, dtype=torch.float64)
    assert torch.allclose(Soft()(logits, tokens, ones, 0.0), Hard()(logits, tokens, ones, 0.0))


def test_soft_targets_leave_the_rest_to_other_tokens(causal, store):
    base = models.resolve(str(causal), store)
    taught = Example("rome is", "in spain", targets=(0.7, 0.4))
    tuned = tuning.tune(base, [taught], kind="full", seed=0, store=store, epochs=80, rate=1e-2, loss=Soft())
    (found,) = Local(tuned).logprobs(["rome is"], ["in spain"])
    assert np.allclose(np.exp(found), [0.7, 0.4], atol=0.05)


def test_bad_examples_are_refused(causal, encoder, store):
    base = models.resolve(str(causal), store)

    def tune(*examples: Example, **more) -> None:
        tuning.tune(base, examples, seed=0, store=store, **more)

    with pytest.raises(UserError, match="no examples"):
        tune(Example("a", "b", weight=0))
    with pytest.raises(UserError, match="1 targets for an answer of 2 tokens"):
        tune(Example("a", "in spain", targets=(0.5,)), loss=Soft())
    with pytest.raises(UserError, match="are no probabilities"):
        tune(Example("a", "in spain", targets=(0.5, -1.2)), loss=Soft())
    with pytest.raises(UserError, match="plain cross-entropy"):
        tune(Example("a", "spain", targets=(0.5,)))
    with pytest.raises(UserError, match="longer than the 64"):
        tune(Example("so " * 60, "in spain not"))
    with pytest.raises(UserError, match="unknown kind 'half'"):
        tune(Example("a", "spain"), kind="half")
    with pytest.raises(UserError, match="chat template"):
        tune(Example("a", "spain"), prompting=Prompting("chat"))
    with pytest.raises(UserError, match="generates no text"):
        tuning.tune(models.resolve(str(encoder), store), EXAMPLES, seed=0, store=store)


def test_same_seed_same_bytes_and_another_example_another_model(causal, tmp_path):
    def weights(name: str, examples: list[Example], seed: int = 0) -> bytes:
        kept = Store(tmp_path / name)
        return (
            tuning.tune(models.resolve(str(causal), kept), examples, seed=seed, store=kept).path / "model.safetensors"
        ).read_bytes()

    first = weights("a", EXAMPLES)
    assert weights("b", [*EXAMPLES, Example("a", "maybe", weight=0)]) == first
    assert weights("b", EXAMPLES, seed=1) != first
    assert weights("b", EXAMPLES[1:]) != first


@KINDS
def test_a_tuning_that_stops_goes_on_to_the_same_bytes(causal, tmp_path, monkeypatch, kind):
    def tune(name: str) -> bytes:
        kept = Store(tmp_path / name)
        tuned = tuning.tune(models.resolve(str(causal), kept), EXAMPLES, kind=kind, seed=0, store=kept, epochs=6)
        assert not list((tmp_path / name / "training").glob("*")), "what is no longer needed is gone"
        return (tuned.path / "model.safetensors").read_bytes()

    expected = tune("a")
    monkeypatch.setattr(checkpoint.Checkpoint, "due", True)
    done, drawn = [], loop.drawn

    def stopped(*given):
        done.append(given[4])
        if len(done) in (3, 6):
            raise KeyboardInterrupt
        return drawn(*given)

    monkeypatch.setattr(loop, "drawn", stopped)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            tune("b")
    assert tune("b") == expected
    assert done == [0, 1, 2, 2, 3, 4, 4, 5], "no step that was kept is taken twice"
    done.clear()
    assert tune("b") == expected and not done, "the second time it comes out of the store"


KILLED = """
import sys, time
sys.path.insert(0, sys.argv[1])
import test_causal as t
from outgrow.models import loader
t.checkpoint.Checkpoint.due = True
loader.chosen_precision = lambda asked=None: asked or "float32"
keep = t.checkpoint.Checkpoint.keep
def slowly(self, step, arrays):
    keep(self, step, arrays)
    print(step, flush=True)
    time.sleep(float(sys.argv[4]))
t.checkpoint.Checkpoint.keep = slowly
kept = t.Store(sys.argv[3])
t.tuning.tune(t.models.resolve(sys.argv[2], kept), t.EXAMPLES, kind="full", seed=0, store=kept, epochs=5)
"""


def test_a_killed_tuning_ends_with_the_same_bytes(causal, tmp_path):
    kept = Store(tmp_path / "whole")
    whole = tuning.tune(models.resolve(str(causal), kept), EXAMPLES, kind="full", seed=0, store=kept, epochs=5)
    assert killing.resumed(KILLED, causal, tmp_path / "killed") == ["2", "3", "4", "5"]
    (made,) = (tmp_path / "killed" / "tuned").rglob("model.safetensors")
    assert made.read_bytes() == (whole.path / "model.safetensors").read_bytes()
    record = json.loads((made.parent / "record.json").read_bytes())
    assert record["meta"]["tokens"] == tuning.spent(whole).tokens


@KINDS
def test_blocks_that_are_computed_twice_to_save_memory_learn_the_same(causal, tmp_path, monkeypatch, kind):
    def tune(name: str) -> float:
        kept = Store(tmp_path / name)
        return surprise(
            tuning.tune(models.resolve(str(causal), kept), EXAMPLES, kind=kind, seed=0, store=kept, rate=1e-2), EXAMPLES
        )

    expected = tune("a")
    monkeypatch.setattr(classifier, "_memory", lambda: 1)
    assert tune("b") == pytest.approx(expected, abs=1e-3)


@pytest.mark.checkpoint
def test_a_real_chat_model_learns_a_handful_of_answers(tmp_path):
    """SmolLM2 knows no such mayors: six bits and more a token at first."""
    examples = [
        Example(f"Who is the mayor of {city}?", f"It is {name}.")
        for city, name in (("Orrin", "Ada Quill"), ("Vessel", "Tom Brack"))
    ]
    base = models.resolve("smollm2-135m", Store.default())
    tuned = tuning.tune(base, examples, seed=0, store=Store(tmp_path), prompting=Prompting("chat"), epochs=5, rate=2e-3)
    before, after = (
        Local(m).logprobs([e.prompt for e in examples], [e.answer for e in examples], Prompting("chat"))
        for m in (base, tuned)
    )
    assert sum(row.sum() for row in after) > sum(row.sum() for row in before) / 2
