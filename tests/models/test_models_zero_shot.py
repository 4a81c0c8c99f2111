"""Zero-shot probabilities against the scoring of every whole sequence by hand."""

from __future__ import annotations

import numpy as np
import pytest

from outgrow import models
from outgrow.core.errors import UserError
from outgrow.models import language_model, sweep
from outgrow.store import Store
from tiny_models import texts

WORDS = [" true", " not true", " not very true", " false", " maybe not"]


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setitem(sweep.BATCH_TOKENS, "cpu", 60)
    monkeypatch.setitem(sweep.SHARD_TOKENS, "cpu", 150)
    return Store(tmp_path / "store")


def by_hand(folder, prompt, words):
    """Softmax over words of the sum of log-probabilities of each word's tokens, one whole sequence at a time."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    net = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    scores = []
    for word in words:
        before = tokenizer(prompt).input_ids
        after = tokenizer(word, add_special_tokens=False).input_ids
        with torch.no_grad():
            logp = net(torch.tensor([before + after])).logits[0].log_softmax(-1)
        scores.append(sum(float(logp[len(before) + at - 1, token]) for at, token in enumerate(after)))
    odds = np.exp(np.array(scores) - max(scores))
    return odds / odds.sum()


def ask(folder, store, prompts, words=WORDS):
    return models.zero_shot(models.resolve(str(folder), store), prompts, words, store, precision="float32")


def test_words_of_several_tokens_are_scored_exactly(causal, store):
    prompts = texts(12)
    got = ask(causal, store, prompts)
    assert got.probs.shape == (12, 5) and got.probs.dtype == np.float32
    for prompt, row in zip(prompts, got.probs, strict=True):
        np.testing.assert_allclose(row, by_hand(causal, prompt, WORDS), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(got.probs.sum(1), 1, rtol=1e-6)


def test_words_of_one_token_take_one_reading_a_prompt(causal, store, monkeypatch):
    rows, call = [], language_model._NextTokens.__call__
    monkeypatch.setattr(
        language_model._NextTokens, "__call__", lambda self, batch: rows.append(len(batch.row)) or call(self, batch)
    )
    prompts = ["the city", "lyon is", "the city"]
    got = ask(causal, store, prompts, [" yes", " no"])
    assert sum(rows) == 2
    assert np.array_equal(got.probs[0], got.probs[2])
    del rows[:]
    again = ask(causal, store, prompts, [" yes", " no"])
    assert again.cached and not rows and np.array_equal(again.probs, got.probs)
    # "not true" and "not very true" share the beginning "not": "", "not" and "not very" after each of two prompts.
    ask(causal, store, prompts, WORDS[:3])
    assert sum(rows) == 6


def test_the_head_is_computed_at_the_last_position_alone(causal, store, monkeypatch):
    import torch

    seen, linear = [], torch.nn.Linear.forward

    def watching(self, x):
        out = linear(self, x)
        if out.shape[-1] == 27:
            seen.append(out.shape[1])
        return out

    monkeypatch.setattr(torch.nn.Linear, "forward", watching)
    ask(causal, store, texts(10), [" yes", " no"])
    assert seen and set(seen) == {1}


def test_a_long_prompt_keeps_its_end_and_leaves_room_for_the_words(causal, store):
    long = " ".join(["the city of lyon"] * 30)
    got = ask(causal, store, [long])
    assert got.truncated == 1
    # 64 positions; <s>, and the 2 tokens "not very" before the last of the longest word: 61 words are left.
    end = " ".join(long.split()[-61:])
    np.testing.assert_allclose(got.probs[0], by_hand(causal, end, WORDS), rtol=1e-3, atol=1e-5)


def test_an_encoder_cannot_be_prompted(encoder, store):
    with pytest.raises(UserError, match="without a language-model head"):
        ask(encoder, store, ["the city"])


@pytest.mark.parametrize("words, says", [([" yes", "yes"], "not different"), ([" yes", ""], "has no tokens")])
def test_words_that_cannot_be_told_apart_are_the_users_to_mend(words, says, causal, store):
    with pytest.raises(UserError, match=says):
        ask(causal, store, ["the city"], words)
