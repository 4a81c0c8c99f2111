"""OUTGROW_ALONE=1: answers, beams and scores depend on their prompt alone; without it, up to the order of sums."""

from __future__ import annotations

import numpy as np
import pytest

import tiny_models
from outgrow import models
from outgrow.core.errors import UserError
from outgrow.generation import Sampling, answers, decoding
from outgrow.generation.local import Local
from outgrow.generation.proxy import ProxyTuned
from outgrow.store import Store

PROMPTS = [
    "the city of lyon is in",
    "very",
    "paris is the city of the city of rome",
    "a",
    "the city of",
    *tiny_models.texts(8, seed=3),
]


@pytest.fixture
def lonely(monkeypatch):
    monkeypatch.setenv("OUTGROW_ALONE", "1")


def makers(model, precision):
    yield Local(model, precision)
    yield ProxyTuned(*(Local(model, precision) for _ in range(3)), 0.5)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_each_answer_is_the_same_to_the_bit_whatever_is_asked_beside_it(model, lonely, precision, temperature) -> None:
    how = Sampling(tokens=6, temperature=temperature)
    seeds = [[3 * i, 3 * i + 1] for i in range(len(PROMPTS))]
    for local in makers(model, precision):
        together = local.sample(PROMPTS, 2, how, seeds)
        for at in (0, 3, 11):
            assert local.sample([PROMPTS[at]], 2, how, [seeds[at]])[0] == together[at]
            assert local.sample([PROMPTS[at]], 1, how, [seeds[at][1:]])[0] == together[at][1:]
        assert local.sample(PROMPTS[::-1], 2, how, seeds[::-1]) == together[::-1]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_each_score_and_each_beam_is_the_same_to_the_bit(model, lonely, precision) -> None:
    local = Local(model, precision)
    texts = ([" yes very", "", " no", " the city of rome", " a"] * 3)[: len(PROMPTS)]
    together, beams = local.logprobs(PROMPTS, texts), decoding.beams(local, PROMPTS, 3, Sampling(tokens=4))
    for at in (0, 2, 3, 9):
        np.testing.assert_array_equal(local.logprobs([PROMPTS[at]], [texts[at]])[0], together[at])
        assert decoding.beams(local, [PROMPTS[at]], 3, Sampling(tokens=4))[0] == beams[at]


def test_answers_alone_are_kept_apart_from_others(model, store, monkeypatch) -> None:
    how = Sampling(tokens=3)
    beside = answers.sample(Local(model), PROMPTS[:3], 2, how, 0, store)
    monkeypatch.setenv("OUTGROW_ALONE", "1")
    alone = answers.sample(Local(model), PROMPTS[:3], 2, how, 0, store)
    assert not beside.cached and not alone.cached
    assert Local(model).engine.endswith("each alone")
    monkeypatch.setenv("OUTGROW_ALONE", "0")
    assert answers.sample(Local(model), PROMPTS[:3], 2, how, 0, store).cached
    assert "alone" not in Local(model).engine


@pytest.mark.parametrize("value", ["yes", "2", "true", " 1"])
def test_another_value_is_one_line(model, monkeypatch, value) -> None:
    monkeypatch.setenv("OUTGROW_ALONE", value)
    with pytest.raises(UserError, match=r"OUTGROW_ALONE is .*: give 1, or 0"):
        Local(model)


def test_without_it_answers_differ_no_more_than_sums_in_another_order(model) -> None:
    local, how = Local(model, "float32"), Sampling(tokens=6, temperature=0.0)
    together = local.sample(PROMPTS, 1, how, [[0]] * len(PROMPTS))
    for prompt, (beside,) in zip(PROMPTS, together, strict=True):
        ((one,),) = local.sample([prompt], 1, how, [[0]])
        assert one.tokens == beside.tokens
        np.testing.assert_allclose(one.logprobs, beside.logprobs, atol=1e-4)


@pytest.mark.checkpoint
def test_a_packaged_checkpoint_in_bfloat16_answers_a_prompt_as_it_does_alone(lonely) -> None:
    local = Local(models.resolve("smollm2-135m", Store.default()), "bfloat16")
    asked = [
        "The capital of France is",
        "Water boils at a temperature of one hundred degrees, and the freezing point, "
        "as everybody who has been to school knows well, is",
        "2 + 2 =",
    ]
    how = Sampling(tokens=8, temperature=0.0)
    together = local.sample(asked, 1, how, [[0]] * 3)
    assert together == [local.sample([prompt], 1, how, [[0]])[0] for prompt in asked]
    for one, prompt in zip(local.logprobs(asked, [" Paris"] * 3), asked, strict=True):
        np.testing.assert_array_equal(one, local.logprobs([prompt], [" Paris"])[0])
