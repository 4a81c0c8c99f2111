"""A server is asked: over a real connection on the loopback device, well-behaved and otherwise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

import loopback
import tiny_models
from outgrow.core.errors import UserError
from outgrow.generation import Prompting, Sampling, answers, decoding
from outgrow.generation import server as asking
from outgrow.generation.server import Server
from outgrow.store import Store
from outgrow.training.names import named

PROMPTS = ["the city of lyon", "paris is in", "very", "yes no maybe"]
HOW = Sampling(tokens=3)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def local(tmp_path_factory, store):
    folder = tiny_models.save(tmp_path_factory.mktemp("chatting"), encoder=False)
    path = folder / "tokenizer_config.json"
    template = "<s> {% for message in messages %}maybe {{ message['content'] }} : {% endfor %}"
    path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": template}))
    return named(str(folder), store)


@pytest.fixture
def served(local):
    with loopback.serving(local) as server:
        yield server


def asked(served, timeout: float = 60.0, **more) -> Server:
    return Server(served.url, "tiny", timeout=timeout, waits=(0.02, 0.04, 0.08), **more)


@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_server_gives_the_answers_that_its_model_gives_in_process(
    served, local, chat: bool, temperature: float
) -> None:
    how = Sampling(tokens=7, temperature=temperature, stop=("in",), prompting=Prompting("chat" if chat else "plain"))
    seeds = [[5, 6], [7, 8], [9, 10], [11, 12]]
    here, there = local.sample(PROMPTS, 2, how, seeds), asked(served).sample(PROMPTS, 2, how, seeds)
    for one, other in zip((a for row in here for a in row), (a for row in there for a in row), strict=True):
        assert (one.text, one.tokens, one.ended, one.seed) == (other.text, other.tokens, other.ended, other.seed)
        np.testing.assert_allclose(one.logprobs, other.logprobs, atol=1e-5)


def test_settings_that_a_server_does_not_know_are_left_out_and_it_is_asked_once_for_each(local) -> None:
    with loopback.serving(local, limited=True) as served:
        server = asked(served)
        first = server.ask("very", HOW, 5)
        assert first.cost.requests == 5, "four that it did not know, and the answer"
        second = server.ask("very", HOW, 5)
        assert second.cost.requests == 1
        assert second.answer.text == local.sample(["very"], 1, HOW, [[5]])[0][0].text
        assert second.answer.tokens == (), "the server says words, not ids"
        many = asked(served).sample(PROMPTS, 3, HOW, [[1, 2, 3]] * 4)
        assert all(one.ended != "failed" for row in many for one in row), "several find out at the same time"


def test_what_is_in_the_store_is_not_asked_for_again(served, local, store, capsys) -> None:
    server = asked(served)
    eight = answers.sample(server, PROMPTS, 3, HOW, 1, store)
    assert served.answers == 12
    assert eight.cost.requests == 12 and eight.now == eight.cost and eight.failures == 0
    assert eight.tokens == sum(len(one.tokens) for row in eight.answers for one in row)
    assert eight.cost.prompt_tokens == 3 * sum(len(local.encode(prompt)) for prompt in PROMPTS)
    told = capsys.readouterr().err
    assert (
        f"answers of tiny cost 12 requests, {eight.cost.prompt_tokens} prompt tokens, {eight.tokens} answer tokens"
        in told
    )
    more = answers.sample(server, PROMPTS, 5, HOW, 1, store)
    assert served.answers == 20
    assert [row[:3] for row in more.answers] == eight.answers
    assert (more.cost.requests, more.now.requests) == (20, 8)


def test_answers_do_not_depend_on_the_url_of_the_server(served, local, store) -> None:
    with loopback.serving(local) as other:
        one, two = asked(served), asked(other)
        assert one.url != two.url
        assert (one.digest, one.engine, one.name) == (two.digest, two.engine, two.name)
        assert one.engine == "server tests 1.2"


@pytest.mark.parametrize("wrong", ["slow", "garbage", "page", "shape", "empty", "list", "rate", "error"])
def test_a_request_in_vain_is_sent_again_and_ends_with_the_same_answers(
    served, local, store, tmp_path, wrong: str
) -> None:
    served.wrong = lambda number, path: wrong if number in (2, 3, 6) and path.endswith("completions") else None
    wanted = answers.sample(local, PROMPTS, 2, HOW, 1, store)
    server = asked(served, timeout=2.5 if wrong == "slow" else 60.0)
    drawn = answers.sample(server, PROMPTS, 2, HOW, 1, Store(tmp_path))
    assert [[one.tokens for one in row] for row in drawn.answers] == [
        [one.tokens for one in row] for row in wanted.answers
    ]
    assert drawn.failures == 0
    assert drawn.cost.requests == served.answers
    # On a busy machine other answers may be too slow as well.
    assert served.answers == 8 + 3 or (wrong == "slow" and served.answers > 8 + 3)


def test_a_server_is_given_the_time_it_asks_for(served) -> None:
    served.wrong = lambda number, path: "rate" if number == 1 and path.endswith("completions") else None
    asked(served).ask("very", HOW, 1)
    first, second = (
        at for at, (path, _) in zip(served.times, served.asked, strict=True) if path.endswith("completions")
    )
    assert second - first >= 0.2, "Retry-After"
    assert asking._retry_after("7") == 7 and asking._retry_after("1e9") == asking.LONGEST
    assert asking._retry_after("soon") == 0
    from email.utils import formatdate

    assert 55 < asking._retry_after(formatdate(time.time() + 60, usegmt=True)) <= 60


def test_an_answer_that_never_comes_is_marked_and_the_others_go_on_and_next_time_it_is_asked_for_again(
    served, store, capsys
) -> None:
    bad = PROMPTS[1]
    real = loopback._Handler._complete

    def poisoned(self, body):
        if body["prompt"] == bad:
            raise RuntimeError("this prompt kills the worker")
        return real(self, body)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loopback._Handler, "_complete", poisoned)
        drawn = answers.sample(asked(served), PROMPTS, 2, HOW, 2, store)
    assert drawn.failures == 2
    assert [[one.ended == "failed" for one in row] for row in drawn.answers] == [
        [prompt == bad] * 2 for prompt in PROMPTS
    ]
    assert all(one.text == "" and one.logprobs == () for one in drawn.answers[1])
    assert "2 answers failed and are requested again next time" in capsys.readouterr().err
    before = served.answers
    again = answers.sample(asked(served), PROMPTS, 2, HOW, 2, store)
    assert served.answers - before == 2 and again.failures == 0 and again.answers[0] == drawn.answers[0]


def test_a_prompt_that_a_server_refuses_fails_alone_and_at_once(served, tmp_path, capsys) -> None:
    real = loopback._Handler._complete

    def short(self, body):
        if len(body["prompt"]) > 30:
            raise KeyError("this is longer than my context")
        return real(self, body)

    prompts = ["very " * 20, *PROMPTS]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loopback._Handler, "_complete", short)
        drawn = answers.sample(asked(served), prompts, 1, HOW, 2, Store(tmp_path))
        assert [row[0].ended == "failed" for row in drawn.answers] == [True, False, False, False, False]
        assert drawn.now.requests == 5
        assert (
            "refuses the request for 'tiny' (status 400): " in (told := capsys.readouterr().err)
            and "longer than my context" in told
        )
        with pytest.raises(UserError, match="tiny gave none of the 2 requested answers"):
            answers.sample(asked(served), prompts[:1], 2, HOW, 2, Store(tmp_path))


def test_a_server_that_dies_midway_stops_the_run_which_goes_on_at_another_one_and_nothing_is_paid_twice(
    served, local, tmp_path
) -> None:
    whole = answers.sample(asked(served), PROMPTS, 6, HOW, 3, Store(tmp_path / "whole"))
    store = Store(tmp_path / "store")
    with loopback.serving(local) as dying:
        dying.wrong = lambda number, path: "die" if number == 11 else None
        with pytest.raises(
            UserError,
            match=r"does not answer \(no connection.*\): (\d+) of the 24 requested answers are kept, the same",
        ) as told:
            answers.sample(asked(dying), PROMPTS, 6, HOW, 3, store)
        kept = int(str(told.value).split(" of the 24")[0].split()[-1])
        assert kept == 10, "every answer that was given before"
    before = served.answers
    resumed = answers.sample(asked(served), PROMPTS, 6, HOW, 3, store)
    assert served.answers - before == 24 - kept
    assert resumed.answers == whole.answers
    assert resumed.cost.tokens == whole.cost.tokens and resumed.cost.prompt_tokens == whole.cost.prompt_tokens
    assert resumed.now.requests == 24 - kept


def test_a_server_that_gives_no_answer_though_it_lists_its_models_is_given_up(served, store) -> None:
    served.wrong = lambda number, path: "error" if path.endswith("completions") else None
    with pytest.raises(UserError, match=r"does not answer \(status 500\): 0 of the 40 requested answers"):
        answers.sample(asked(served), PROMPTS, 10, HOW, 4, store)


def test_a_key_that_is_refused_and_a_model_that_is_not_served_are_said_in_one_line(served, store) -> None:
    with pytest.raises(UserError, match="serves no model 'huge': it serves tiny"):
        answers.sample(Server(served.url, "huge"), PROMPTS, 1, HOW, 0, store)
    served.wrong = lambda number, path: "key"
    with pytest.raises(UserError, match=r"refuses the request for 'tiny'.*set OPENAI_API_KEY"):
        answers.sample(asked(served), PROMPTS, 1, HOW, 0, store)


def test_no_server_at_all_is_said_in_one_line(store) -> None:
    server = Server("http://127.0.0.1:9/v1", "tiny", timeout=0.5, waits=(0.01,))
    with pytest.raises(UserError, match=r"http://127.0.0.1:9/v1 does not answer \(no connection"):
        answers.sample(server, PROMPTS, 1, HOW, 0, store)


@pytest.mark.parametrize("spec", ["localhost,tiny", "http://localhost/v1", "http://localhost/v1,"])
def test_a_server_needs_url_and_name(store, spec: str) -> None:
    with pytest.raises(UserError, match="is not server:URL,NAME"):
        named(f"server:{spec}", store)


@pytest.mark.parametrize("spelled", [False, True])
def test_a_server_that_echoes_scores_texts_as_the_model_does_in_process(served, local, spelled: bool) -> None:
    texts = [" the city", " of rome", "", " yes"]
    server = asked(served, tokenizer=local.model if spelled else None)
    for one, other in zip(local.logprobs(PROMPTS, texts), server.logprobs(PROMPTS, texts), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    if spelled:
        for one, other in zip(
            local.logprobs(PROMPTS, texts, Prompting("chat")),
            server.logprobs(PROMPTS, texts, Prompting("chat")),
            strict=True,
        ):
            np.testing.assert_allclose(one, other, atol=1e-5)
    else:
        with pytest.raises(UserError, match="no tokenizer of 'tiny' is known: add it"):
            server.logprobs(PROMPTS, texts, Prompting("chat"))


def test_a_server_that_does_not_echo_is_said_not_to_score(served, monkeypatch) -> None:
    real = loopback._Handler._complete
    monkeypatch.setattr(loopback._Handler, "_complete", lambda self, body: real(self, {**body, "echo": False}))
    with pytest.raises(UserError, match="does not score given texts"):
        asked(served).logprobs(["very"], [" so"])


def test_a_server_that_tells_the_whole_vocabulary_is_stepped_like_the_model_itself(served, local, store) -> None:
    server = named(f"server:{served.url},tiny,tokenizer={local.name}", store)
    assert server.vocabulary == local.vocabulary and server.ends == local.ends
    begun = [local.encode(prompt) for prompt in PROMPTS[:3]]
    there, here = server.begin(begun), local.begin(begun)
    for rows, tokens in (([0, 2, 2], [7, 8, 9]), ([2, 0], [20, 11])):
        for steps in (there, here):
            steps.keep(torch.tensor(rows))
            steps.add(torch.tensor(tokens))
        np.testing.assert_allclose(there.logits, here.logits.log_softmax(1), atol=1e-5)
    for one, other in zip(server.logits(begun, [[7], [], [8, 9]]), local.logits(begun, [[7], [], [8, 9]]), strict=True):
        np.testing.assert_allclose(one, other.log_softmax(1), atol=1e-5)
    how = Sampling(tokens=3)
    beams = [decoding.beams(model, PROMPTS[:2], 3, how) for model in (server, local)]
    assert [[a.tokens for a in row] for row in beams[0]] == [[a.tokens for a in row] for row in beams[1]]


def test_a_server_can_be_the_strong_model_of_proxy_tuning(served, local, store) -> None:
    strong = f"server:{served.url},tiny,tokenizer={local.name}"
    steered = named(f"proxy:{strong},{local.name},{local.name},0.5", store)
    one, other = (model.sample(PROMPTS[:2], 1, Sampling(tokens=3), [[5], [6]]) for model in (steered, local))
    assert [row[0].tokens for row in one] == [row[0].tokens for row in other], (
        "both small models are the same: nothing is added"
    )


def test_a_server_that_tells_less_than_the_whole_vocabulary_is_not_stepped(local) -> None:
    with loopback.serving(local, limited=True) as served:
        server = asked(served, tokenizer=local.model)
        with pytest.raises(UserError, match="gives 0 of the 27 log-probabilities of 'tiny'"):
            server.begin([[4, 8]])


def test_without_the_openai_client_the_install_line_is_shown() -> None:
    code = (
        "import sys; sys.modules['openai'] = None\nfrom outgrow.generation.server import Server\n"
        "Server('http://localhost/v1', 'x')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ})
    assert "pip install 'outgrow[server]'" in run.stderr


@pytest.mark.checkpoint
def test_a_packaged_checkpoint_answers_through_a_server_as_in_process(tmp_path) -> None:
    local = named("smollm2-135m", Store.default())
    how = Sampling(tokens=8, temperature=0, prompting=Prompting("chat"))
    prompts = ["Name a city in France."]
    with loopback.serving(local, name="smollm2") as served:
        server = Server(served.url, "smollm2")
        there = answers.sample(server, prompts, 1, how, 0, Store(tmp_path / "a")).answers
        scores = server.logprobs(["The city of Lyon is in"], [" France."])
    here = answers.sample(local, prompts, 1, how, 0, Store(tmp_path / "b")).answers
    assert [row[0].text for row in there] == [row[0].text for row in here]
    np.testing.assert_allclose(there[0][0].logprobs, here[0][0].logprobs, atol=1e-3)
    np.testing.assert_allclose(scores[0], local.logprobs(["The city of Lyon is in"], [" France."])[0], atol=1e-3)
