"""Probabilities of class words: of a checkpoint, and of a server that lists tokens, lists none, fails or dies."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import loopback
import tiny_models
from outgrow.core.errors import UserError
from outgrow.generation import class_words
from outgrow.generation.local import Local
from outgrow.generation.server import Server, Step
from outgrow.store import Store
from outgrow.tasks.asking import named as given
from outgrow.training.names import named

WORDS = ("yes", "no", "maybe")
ITEMS = [
    (f"{text} yes no maybe :", f"{text} maybe no yes :") for text in ("the city of lyon", "paris is in", "very", "so")
]


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> Local:
    """A tiny model with a chat template."""
    folder = tiny_models.save(tmp_path_factory.mktemp("chatting"), encoder=False)
    path = folder / "tokenizer_config.json"
    template = "<s> {% for message in messages %}maybe {{ message['content'] }} : {% endfor %}"
    path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": template}))
    return Local(named(str(folder), Store(tmp_path_factory.mktemp("models"))).model, "float32")


@pytest.fixture
def served(local):
    with loopback.serving(local) as server:
        yield server


def asked(served, **more) -> Server:
    return Server(served.url, "tiny", timeout=60.0, waits=(0.02, 0.04), **more)


@pytest.mark.parametrize("chat", [False, True])
def test_a_checkpoint_gives_the_softmax_of_its_scores_of_the_words(local, chat: bool, tmp_path, float32) -> None:
    model = Local(local.model)
    found = class_words.ask(model, ITEMS, WORDS, chat, 0, 0, Store(tmp_path))
    words = list(WORDS) if chat else [f" {word}" for word in WORDS]
    how = class_words.Prompting("chat" if chat else "plain")
    for item, rows in zip(ITEMS, found.probs, strict=True):
        for prompt, probs in zip(item, rows, strict=True):
            odds = np.exp([score.sum() for score in model.logprobs([prompt] * 3, words, how)])
            np.testing.assert_allclose(probs, odds / odds.sum(), atol=1e-5)
    assert found.why == ("",) * 4 and found.cost.prompt_tokens > 0 and found.samples == 0
    again = class_words.ask(model, ITEMS[::-1], WORDS, chat, 0, 0, Store(tmp_path))
    np.testing.assert_array_equal(again.probs[::-1], found.probs)
    assert again.now.prompt_tokens == 0, "everything is in the store"


def test_a_prompt_beyond_the_models_positions_has_no_answer_and_the_others_have(local, tmp_path) -> None:
    long = ("very " * 70, "very")
    found = class_words.ask(Local(local.model), [ITEMS[0], long], WORDS, False, 0, 0, Store(tmp_path))
    assert found.why[0] == "" and "longer than the 64 tokens" in found.why[1]
    assert np.isnan(found.probs[1]).all() and not np.isnan(found.probs[0]).any()


def test_a_server_that_lists_all_tokens_gives_the_checkpoints_own_probabilities(
    served, local, tmp_path, float32
) -> None:
    there = class_words.ask(asked(served), ITEMS, WORDS, False, 0, 0, Store(tmp_path / "there"))
    here = class_words.ask(Local(local.model), ITEMS, WORDS, False, 0, 0, Store(tmp_path / "here"))
    # An answer may begin with a control token, which says nothing, before its word: that is a word to a server alone.
    np.testing.assert_allclose(there.probs, here.probs, atol=2e-3)
    assert there.cost.requests == served.answers == 8, "a request a prompt"
    assert there.samples == 0 and there.failed == 0


def test_a_server_is_asked_in_a_chat_for_twenty_tokens_of_each_place(served, tmp_path) -> None:
    found = class_words.ask(asked(served), ITEMS, WORDS, True, 0, 0, Store(tmp_path))
    bodies = [body for path, body in served.asked if path == "/v1/chat/completions"]
    assert {(body["top_logprobs"], body["temperature"]) for body in bodies} == {(20, 0.0)}
    assert (found.cost.tokens, found.cost.requests) == (16 * 8, 8) or found.cost.requests == 8
    told = found.probs[~np.isnan(found.probs).any(-1)]
    np.testing.assert_allclose(told.sum(-1), 1, atol=1e-5)


def test_what_is_kept_is_not_asked_for_again_and_a_new_item_alone_is(served, tmp_path) -> None:
    store = Store(tmp_path)
    first = class_words.ask(asked(served), ITEMS[:3], WORDS, False, 0, 0, store)
    again = class_words.ask(asked(served), ITEMS, WORDS, False, 0, 0, store)
    assert served.answers == 8 and again.now.requests == 2 and again.cost.requests == 8
    np.testing.assert_array_equal(again.probs[:3], first.probs)


def test_a_server_without_log_probabilities_is_sampled_and_it_is_said(local, tmp_path, capsys) -> None:
    with loopback.serving(local, limited=True) as served:
        found = class_words.ask(asked(served), ITEMS, WORDS, True, 3, 0, Store(tmp_path))
        assert found.samples == 3
        assert "gives no log-probabilities of 'tiny': 3 sampled answers" in capsys.readouterr().err
        before = served.answers
        again = class_words.ask(asked(served), ITEMS, WORDS, True, 3, 0, Store(tmp_path))
        np.testing.assert_array_equal(again.probs, found.probs)
        assert served.answers - before <= 2 * class_words.TRIED, "it is found out again, and nothing else is asked"
    for item, why in zip(found.probs, found.why, strict=True):
        assert why in ("", class_words.NAMELESS)
        for probs in item[~np.isnan(item).any(-1)]:
            assert probs.sum() == pytest.approx(1)
            assert any(math.isclose(probs.max(), k / n, rel_tol=1e-5) for n in (1, 2, 3) for k in range(1, n + 1))


def test_a_server_without_log_probabilities_is_refused_where_no_answers_may_be_sampled(local, tmp_path) -> None:
    with (
        loopback.serving(local, limited=True) as served,
        pytest.raises(UserError, match="gives no log-probabilities of 'tiny': let answers be sampled, with `samples`"),
    ):
        class_words.ask(asked(served), ITEMS, WORDS, False, 0, 0, Store(tmp_path))


def test_an_item_that_gets_no_reply_is_counted_and_asked_for_again(served, tmp_path) -> None:
    lost = {ITEMS[1][0]}
    served.wrong = lambda number, path: (
        "error" if path.endswith("completions") and served.asked[-1][1].get("prompt") in lost else None
    )
    store = Store(tmp_path)
    found = class_words.ask(asked(served), ITEMS, WORDS, False, 0, 0, store)
    assert found.failed == 1 and found.why == ("", class_words.SILENT, "", "")
    assert np.isnan(found.probs[1, 0]).all() and not np.isnan(found.probs[[0, 2, 3]]).any()
    lost.clear()
    before = served.answers
    again = class_words.ask(asked(served), ITEMS, WORDS, False, 0, 0, store)
    assert again.failed == 0 and served.answers - before == 2, "both prompts of the one item"


def test_a_server_that_dies_stops_with_one_line_and_what_was_answered_is_kept(served, local, tmp_path) -> None:
    items = [(f"{a} {b} yes no :",) for a in tiny_models.WORDS[:10] for b in tiny_models.WORDS[:4]]
    whole = class_words.ask(asked(served), items, WORDS, False, 0, 0, Store(tmp_path / "whole"))
    with loopback.serving(local) as dying:
        dying.wrong = lambda number, path: "die" if number == 21 else None
        with pytest.raises(UserError, match=r"of the 40 items asked for are kept, the same command goes on"):
            class_words.ask(asked(dying), items, WORDS, False, 0, 0, Store(tmp_path / "store"))
        kept = 20
    before = served.answers
    resumed = class_words.ask(asked(served), items, WORDS, False, 0, 0, Store(tmp_path / "store"))
    assert served.answers - before == len(items) - kept
    np.testing.assert_array_equal(resumed.probs, whole.probs)


def test_a_prompt_that_is_refused_stays_empty_with_the_servers_own_words(served, tmp_path, monkeypatch) -> None:
    real = loopback._Handler._complete

    def short(self, body):
        if body["prompt"] == ITEMS[2][1]:
            raise KeyError("this is longer than my context")
        return real(self, body)

    monkeypatch.setattr(loopback._Handler, "_complete", short)
    found = class_words.ask(asked(served), ITEMS, WORDS, False, 0, 0, Store(tmp_path))
    assert "longer than my context" in found.why[2] and found.failed == 0
    assert [bool(why) for why in found.why] == [False, False, True, False]


def test_mass_goes_to_the_words_that_tokens_begin_and_shared_beginnings_are_followed() -> None:
    words = ["ham", "not_spam", "not_sure"]
    steps = [
        Step("**", {"**": math.log(0.9), "ham": math.log(0.1)}),
        Step("Not", {"Not": math.log(0.5), "HAM": math.log(0.25), "the": math.log(0.25)}),
        Step(" spam", {" spam": math.log(0.6), " sure": math.log(0.3), "e": math.log(0.1)}),
        Step(" Ham", {" Ham": 0.0}),
    ]
    ham, spam, sure = 0.1 + 0.9 * 0.25, 0.9 * 0.5 * 0.6, 0.9 * 0.5 * 0.3
    np.testing.assert_allclose(class_words.masses(steps, words), [ham, spam, sure])


def test_a_word_that_begins_another_is_told_from_it_by_what_follows() -> None:
    begun = Step("no", {"no": math.log(0.8), "yes": math.log(0.2)})
    np.testing.assert_allclose(class_words.masses([begun], ["yes", "no", "not sure"]), [0.2, 0.8, 0])
    more = Step("t sure", {"t sure": math.log(0.7), ".": math.log(0.3)})
    np.testing.assert_allclose(class_words.masses([begun, more], ["yes", "no", "not sure"]), [0.2, 0.24, 0.56])


def test_the_longer_of_two_words_is_given_by_an_answer_that_goes_on_after_it() -> None:
    words = ["not", "not sure"]
    begun = Step("Not", {"Not": 0.0})
    steps = [begun, Step(" sure", {" sure": math.log(0.9), ".": math.log(0.1)}), Step(".", {".": 0.0})]
    np.testing.assert_allclose(class_words.masses(steps, words), [0.1, 0.9])
    steps = [begun, Step(".", {".": math.log(0.6), " sure": math.log(0.4)})]
    np.testing.assert_allclose(class_words.masses(steps, words), [0.6, 0.4])
    steps = [begun, Step(" ", {" ": 0.0}), Step("sure", {"sure": math.log(0.7), "yet": math.log(0.3)})]
    np.testing.assert_allclose(class_words.masses(steps, words), [0.3, 0.7])


@pytest.mark.parametrize(
    ("answer", "index"),
    [
        ("Not spam", 1),
        ('"not-spam".', 1),
        ("spam", 0),
        ("It is Not_Spam, since", 1),
        ("spam or not_spam", 0),
        ("spammy", None),
        ("", None),
    ],
)
def test_an_answer_names_the_word_it_begins_with_or_the_only_one_it_holds(answer: str, index: int | None) -> None:
    assert given(answer, ["spam", "not_spam"]) == index


@pytest.mark.parametrize("answer", ["Not spam", "This is not spam.", "It isn't spam", "non-spam"])
def test_a_word_that_is_denied_is_not_given(answer: str) -> None:
    assert given(answer, ["ham", "spam"]) is None and given("It is spam, no doubt", ["ham", "spam"]) == 1
