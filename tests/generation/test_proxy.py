"""Proxy-tuning: its laws on tiny random models of one vocabulary, and how it behaves as a language model."""

from __future__ import annotations

from contextlib import ExitStack

import numpy as np
import pytest
import torch

import families
import loopback
import tiny_models
from outgrow import models
from outgrow.core.errors import UserError
from outgrow.generation import Sampling, decoding
from outgrow.generation.local import Local
from outgrow.generation.proxy import ProxyTuned, steer
from outgrow.generation.server import Server
from outgrow.store import Store
from outgrow.training.names import named

PROMPTS = ["the city of lyon is", "not very", "rome"]
TEXTS = ["in france", "true", "a maybe so yes"]
BEGUN = [[4, 7, 9, 11], [4, 20], [4, 8, 8, 10, 13, 22]]


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """Three random models: "strong" of five blocks, "tuned" and "base" of two."""
    root = tmp_path_factory.mktemp("models")
    store = Store(root / "store")
    folders = {
        name: families.save(root / name, seed, depth)
        for name, seed, depth in (("strong", 1, 5), ("tuned", 2, 2), ("base", 3, 2))
    }
    return {name: Local(models.resolve(str(folder), store)) for name, folder in folders.items()}


@pytest.fixture(scope="module")
def proxy(local):
    return ProxyTuned(local["strong"], local["tuned"], local["base"], 0.7)


def plain(model: Local, ids: list[int]) -> np.ndarray:
    """float64 (V,): what comes after `ids`, all of it read anew by the network itself."""
    with torch.no_grad():
        return model._net(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1].double().numpy()


def by_hand(local, ids: list[int], alpha: float) -> np.ndarray:
    """log softmax(s_M + alpha (s_M+ - s_M-)), numbers added in float64."""
    s = plain(local["strong"], ids) + alpha * (plain(local["tuned"], ids) - plain(local["base"], ids))
    return s - s.max() - np.log(np.exp(s - s.max()).sum())


def test_what_comes_next_is_the_formula(local, proxy) -> None:
    said = torch.log_softmax(proxy.begin(BEGUN).logits, 1).numpy()
    for row, ids in zip(said, BEGUN, strict=True):
        assert np.abs(row - by_hand(local, ids, 0.7)).max() < 1e-4


def test_with_the_strong_model_as_it_was_for_base_it_is_the_tuned_one(local) -> None:
    proxy = ProxyTuned(local["strong"], local["tuned"], local["strong"])
    for name in ("logits", "scores"):
        one, other = (_said(model, name) for model in (proxy, local["tuned"]))
        assert all(np.abs(a - b).max() < 2e-5 for a, b in zip(one, other, strict=True))


def test_a_small_model_that_tuning_did_not_change_leaves_the_strong_one_to_the_bit(local) -> None:
    proxy = ProxyTuned(local["strong"], local["base"], local["base"], 1.7)
    assert all(
        np.array_equal(a, b) for a, b in zip(_said(proxy, "logits"), _said(local["strong"], "logits"), strict=True)
    )


def test_alpha_of_zero_is_the_strong_model_to_the_bit_and_asks_no_other(local) -> None:
    class Silent:
        name, digest, engine, vocabulary = "silent", "none", "none", local["strong"].vocabulary

    proxy = ProxyTuned(local["strong"], Silent(), Silent(), 0)
    assert all(
        np.array_equal(a, b) for a, b in zip(_said(proxy, "logits"), _said(local["strong"], "logits"), strict=True)
    )
    how, seeds = Sampling(tokens=6), [[1, 2], [3, 4], [5, 6]]
    assert proxy.sample(PROMPTS, 2, how, seeds) == local["strong"].sample(PROMPTS, 2, how, seeds)


def _said(model, what: str) -> list[np.ndarray]:
    if what == "logits":
        then = [model.after(text) for text in TEXTS]
        return [rows.numpy() for rows in model.logits([model.encode(p) for p in PROMPTS], then)]
    return model.logprobs(PROMPTS, TEXTS)


def test_three_caches_stay_in_step_while_rows_come_go_and_double(local, proxy) -> None:
    steps, texts = proxy.begin(BEGUN), [list(ids) for ids in BEGUN]
    rng = np.random.default_rng(0)
    for t in range(5):
        if t in (1, 3):
            rows = [[2, 0, 0, 1], [3, 1]][t // 2]
            steps.keep(torch.tensor(rows))
            texts = [list(texts[row]) for row in rows]
        tokens = rng.integers(6, 27, len(texts))
        steps.add(torch.tensor(tokens))
        for text, token in zip(texts, tokens.tolist(), strict=True):
            text.append(token)
        for row, ids in zip(torch.log_softmax(steps.logits, 1).numpy(), texts, strict=True):
            assert np.abs(row - by_hand(local, ids, 0.7)).max() < 1e-4


def test_greedy_writing_with_caches_equals_writing_by_reading_all_again(local, proxy) -> None:
    answers = proxy.sample(PROMPTS, 1, Sampling(tokens=8, temperature=0), [[0], [0], [0]])
    for prompt, (answer,) in zip(PROMPTS, answers, strict=True):
        ids, slowly, scores = proxy.encode(prompt), [], []
        while len(slowly) < 8 and not (slowly and slowly[-1] in proxy.ends):
            logp = by_hand(local, [*ids, *slowly], 0.7)
            slowly.append(int(logp.argmax()))
            scores.append(logp.max())
        assert list(answer.tokens) == slowly
        assert np.abs(np.array(answer.logprobs) - scores).max() < 1e-4


def test_the_score_of_a_text_is_the_sum_of_its_steps(local, proxy) -> None:
    for prompt, text, found in zip(PROMPTS, TEXTS, proxy.logprobs(PROMPTS, TEXTS), strict=True):
        ids, steps = proxy.encode(prompt), 0.0
        for token in proxy.after(text):
            steps += by_hand(local, ids, 0.7)[token]
            ids = [*ids, token]
        assert found.dtype == np.float32 and len(found) == len(proxy.after(text))
        assert found.sum() == pytest.approx(steps, abs=1e-4)


def test_scores_do_not_depend_on_what_is_held_together(proxy) -> None:
    times = 1 + 512 // sum(len(proxy.after(text)) for text in TEXTS)  # logits of 512 tokens are held at once
    together = proxy.logprobs(PROMPTS * times, TEXTS * times)
    assert all(
        np.abs(a - b).max() < 1e-5 for a, b in zip(together, proxy.logprobs(PROMPTS, TEXTS) * times, strict=True)
    )
    assert proxy.logprobs([], []) == []


def test_log_probabilities_steer_as_logits_do(local) -> None:
    class Told:
        """A server that tells log-probabilities of the whole vocabulary."""

        def __init__(self, model):
            self.model, self.name, self.digest, self.engine, self.vocabulary = (
                model,
                "told",
                model.digest,
                "a server",
                model.vocabulary,
            )
            self.tokenizer_model, self.tokens = model.tokenizer_model, model.tokens

        def logits(self, begun, then):
            return [torch.log_softmax(rows, 1) for rows in self.model.logits(begun, then)]

    parts = [local[name] for name in ("strong", "tuned", "base")]
    by_logits, by_logprobs = (
        ProxyTuned(*three).logprobs(PROMPTS, TEXTS) for three in (parts, [Told(part) for part in parts])
    )
    assert all(np.abs(a - b).max() < 2e-5 for a, b in zip(by_logits, by_logprobs, strict=True))


def test_three_servers_that_tell_all_log_probabilities_steer_as_their_models_do_in_process(local, proxy) -> None:
    with ExitStack() as stack:
        parts = []
        for name in ("strong", "tuned", "base"):
            served = stack.enter_context(loopback.serving(local[name]))
            parts.append(Server(served.url, "tiny", tokenizer=local[name].model))
        over = ProxyTuned(*parts, 0.7)
        how, seeds = Sampling(tokens=4), [[5], [6], [7]]
        here, there = (model.sample(PROMPTS, 1, how, seeds) for model in (proxy, over))
        assert [one.text for (one,) in there] == [one.text for (one,) in here]
        for (a,), (b,) in zip(here, there, strict=True):
            assert np.abs(np.array(a.logprobs) - b.logprobs).max() < 1e-4
        assert all(
            np.abs(a - b).max() < 1e-4
            for a, b in zip(over.logprobs(PROMPTS, TEXTS), proxy.logprobs(PROMPTS, TEXTS), strict=True)
        )


def test_rows_beyond_the_tokens_are_left_out() -> None:
    said = [torch.tensor([[1.0, 2.0, 3.0, 9.0]]), torch.tensor([[0.5, 0.0, 1.0]]), torch.tensor([[0.0, 1.0, 1.0, 7.0]])]
    # 1 + 2 (.5 - 0), 2 + 2 (0 - 1), 3 + 2 (1 - 1)
    assert steer(said, 2.0).tolist() == [[2.0, 0.0, 3.0]]


def test_different_vocabularies_are_refused_by_name_size_and_first_token(local, tmp_path) -> None:
    words = [*tiny_models.WORDS]
    words[3] = "milan"
    other = Local(models.resolve(str(families.save(tmp_path / "other", 4, 2, words)), Store(tmp_path / "store")))
    with pytest.raises(
        UserError, match=r"strong' has 27 tokens and .*other' has 27 tokens, and token 9 is 'lyon' against 'milan'"
    ):
        ProxyTuned(local["strong"], local["tuned"], other)
    fewer = Local(
        models.resolve(str(families.save(tmp_path / "fewer", 4, 2, tiny_models.WORDS[:-1])), Store(tmp_path / "store"))
    )
    with pytest.raises(UserError, match=r"fewer' has 26 tokens, and token 26 is 'so' against none"):
        ProxyTuned(local["strong"], fewer, local["base"])


def test_its_digest_is_made_of_its_parts_and_alpha(local) -> None:
    parts = [local[name] for name in ("strong", "tuned", "base")]
    digests = [ProxyTuned(*three, alpha).digest for three in (parts, parts[::-1]) for alpha in (0.5, 1.0)]
    assert len(set(digests)) == 4
    assert ProxyTuned(*parts, 0.5).digest == digests[0]


def test_an_alpha_that_is_no_number_is_refused(local) -> None:
    with pytest.raises(UserError, match="alpha nan: give a number"):
        ProxyTuned(local["strong"], local["tuned"], local["base"], float("nan"))


def test_it_is_a_language_model_by_name_and_searches_beams(local, tmp_path) -> None:
    parts = ",".join(local[name].name for name in ("strong", "tuned", "base"))
    found = named(f"proxy:{parts},.7", Store(tmp_path))
    assert found.name == f"proxy:{parts},0.7"
    for prompt, (best, *_) in zip(PROMPTS, decoding.beams(found, PROMPTS, 3, Sampling(tokens=3)), strict=True):
        ids = found.encode(prompt)
        slowly = [by_hand(local, [*ids, *best.tokens[:t]], 0.7)[token] for t, token in enumerate(best.tokens)]
        assert np.abs(np.array(best.logprobs) - slowly).max() < 1e-4
