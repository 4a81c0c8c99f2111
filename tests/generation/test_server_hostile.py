"""Hostile servers: each costs one line or a counted answer, never a traceback, the prompt or the key."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loopback
import tiny_models
from outgrow.core.errors import UserError
from outgrow.generation import Sampling, answers, wire
from outgrow.generation.server import Server
from outgrow.store import Store
from outgrow.training.names import named

HOW = Sampling(tokens=3)
PROMPTS = ["very", "the city of lyon", "paris is in"]
KEY = "sk-verysecret-0123456789"


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    folder = tiny_models.save(tmp_path_factory.mktemp("tiny"), encoder=False)
    return named(str(folder), Store(tmp_path_factory.mktemp("store")))


def asked(url: str, timeout: float = 20.0) -> Server:
    return Server(url, "tiny", timeout=timeout, waits=(0.01,))


def choice(**more) -> bytes:
    told = {"tokens": ["token_id:7"], "token_logprobs": [-1.0]}
    return json.dumps(
        {
            "choices": [{"text": "so", "logprobs": told, "finish_reason": "stop"}],
            "usage": {"completion_tokens": 1, "prompt_tokens": 1},
            **more,
        }
    ).encode()


def with_tokens(tokens: str, logprobs: str) -> bytes:
    return (
        b'{"choices": [{"text": "so", "finish_reason": "stop", "logprobs": {"tokens": %b, "token_logprobs": %b}}]}'
        % (tokens.encode(), logprobs.encode())
    )


NONSENSE = {
    "a count of 5,000 digits": choice()[:-1] + b', "n": ' + b"9" * 5000 + b"}",
    "a count of 4,000 digits": b'{"choices": [{"text": "so"}], "usage": {"completion_tokens": ' + b"9" * 4000 + b"}}",
    "a count below 0": choice(usage={"completion_tokens": -5, "prompt_tokens": 1}),
    "a count that is a truth value": choice(usage={"completion_tokens": True, "prompt_tokens": 1}),
    "a token of 5,000 digits": with_tokens('["token_id:%s"]' % ("9" * 5000), "[[]]"),
    "a log-probability that is no number": with_tokens('["token_id:7"]', "[NaN]"),
    "a log-probability of 1e400": with_tokens('["token_id:7"]', "[1e400]"),
    "a log-probability above 0": with_tokens('["token_id:7"]', "[3.5]"),
    "lists 100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "records 100,000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "no UTF-8": b'{"choices": [{"text": "\xff\xfe"}]}',
    "nothing": b"",
}


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_is_a_failed_answer_that_is_counted_and_the_others_go_on(
    local, tmp_path, what: str, monkeypatch
) -> None:
    monkeypatch.setitem(loopback.WRONG, "nonsense", (200, NONSENSE[what]))
    with loopback.serving(local) as served:
        served.wrong = lambda number, path: "nonsense" if served.asked[-1][1].get("prompt") == PROMPTS[2] else None
        drawn = answers.sample(asked(served.url), PROMPTS, 1, HOW, 1, Store(tmp_path))
    assert drawn.failures == 1 and drawn.cost.requests == 4
    assert [row[0].ended == "failed" for row in drawn.answers] == [False, False, True]


def test_a_huge_token_id_is_no_id_and_the_answer_stands(local, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(loopback.WRONG, "huge", (200, with_tokens('["token_id:%s"]' % ("9" * 4000), "[-1.0]")))
    with loopback.serving(local) as served:
        served.wrong = lambda number, path: "huge" if path.endswith("completions") else None
        drawn = answers.sample(asked(served.url), PROMPTS[:1], 1, HOW, 1, Store(tmp_path))
    assert (drawn.answers[0][0].text, drawn.answers[0][0].tokens, drawn.answers[0][0].logprobs) == ("so", (), (-1.0,))


MODELS = {"data": [{"id": "tiny", "owned_by": "tests"}]}


@contextlib.contextmanager
def raw(reply):
    """A server by hand: `reply(connection, path)` answers requests as it likes; models are listed properly."""
    listening = socket.create_server(("127.0.0.1", 0))
    seen: list[bytes] = []
    over = threading.Event()

    def one(connection) -> None:
        with connection, contextlib.suppress(OSError):
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536) or b"\r\n\r\n"
            head, _, body = data.partition(b"\r\n\r\n")
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                ),
                0,
            )
            while len(body) < length:
                body += connection.recv(65536)
            seen.append(head + b"\r\n\r\n" + body)
            if b"/completions" in head.split(b"\r\n")[0]:
                reply(connection, over)
            else:
                connection.sendall(whole(json.dumps(MODELS).encode()))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1", seen
    finally:
        over.set()
        listening.close()


def whole(body: bytes, status: str = "200 OK", *more: str) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *more,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def drips_a_body(connection, over) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    while not over.wait(0.1):
        connection.sendall(b" ")


def drips_a_head(connection, over) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not over.wait(0.1):
        connection.sendall(b"x")


def never_stops_saying_wait(connection, over) -> None:
    while not over.wait(0.05):
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")


def pours(connection, over) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while not over.is_set():
        connection.sendall(b" " * (1 << 20))


def packs(connection, over) -> None:
    connection.sendall(whole(gzip.compress(b" " * (1 << 20)), "200 OK", "Content-Encoding: gzip"))


@pytest.mark.parametrize(
    ("hostile", "seconds", "says"),
    [
        (drips_a_body, 1.0, "time-out"),
        (drips_a_head, 1.0, "time-out"),
        (never_stops_saying_wait, 1.0, "time-out"),
        (pours, 30.0, "more than 64 MiB"),
        (packs, 1.0, "is packed"),
    ],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_a_server_that_never_ends_costs_the_time_of_a_request_and_no_more(hostile, seconds, says, tmp_path) -> None:
    with raw(hostile) as (url, _):
        server, began = asked(url, timeout=seconds), time.monotonic()
        paid = server.ask("very", HOW, 1)
        assert paid.answer.ended == "failed" and paid.cost.requests == 2
        assert time.monotonic() - began < 2 * seconds + 5, "two requests, on a busy machine"
        with pytest.raises(UserError, match=says):
            server._lost = 10**6
            server.ask("very", HOW, 1)


@pytest.mark.parametrize(
    "status",
    ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"],
)
def test_a_redirect_takes_neither_prompt_nor_key_along(status, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with raw(lambda connection, over: connection.sendall(whole(choice()))) as (other, stolen):
        away = f"Location: {other.replace('://', '://user:word@')}/completions"
        with raw(lambda connection, over: connection.sendall(whole(b"", status, away))) as (url, _):
            with pytest.raises(
                UserError, match=r"redirects to http://127\.0\.0\.1:[0-9]+/v1/completions, where neither prompt nor key"
            ) as told:
                answers.sample(asked(url), PROMPTS, 1, HOW, 1, Store(tmp_path))
            assert "user" not in str(told.value) and "word" not in str(told.value)
    assert stolen == []


@pytest.mark.parametrize(
    "status", ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "418 Teapot"]
)
def test_what_a_server_says_is_shown_without_escapes_and_keys(status, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    body = json.dumps({"error": {"message": f"\x1b[2J\x1b]0;owned\x07 key {KEY} is\r\nwrong \u202e\x9b5m"}}).encode()
    with (
        raw(lambda connection, over: connection.sendall(whole(body, status))) as (url, _),
        pytest.raises(UserError) as told,
    ):
        answers.sample(asked(url), PROMPTS[:1], 1, HOW, 1, Store(tmp_path))
    said = str(told.value) + capsys.readouterr().err
    assert KEY not in said
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\r"} & set(said) and "\n" not in str(told.value)


def test_names_of_models_are_shown_without_escapes(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(MODELS, "data", [{"id": "\x1b[31mred"}, {"id": "x" * 10_000}])
    with (
        raw(lambda connection, over: None) as (url, _),
        pytest.raises(UserError, match="serves no model 'tiny'") as told,
    ):
        answers.sample(asked(url), PROMPTS, 1, HOW, 1, Store(tmp_path))
    assert "\x1b" not in str(told.value) and len(str(told.value)) < 500


@pytest.mark.parametrize(
    "said", [[{"id": "tiny", "meta": json.loads("[" * 900 + "]" * 900)}], 5, None, [5], {"a": 1}, [{"name": "tiny"}]]
)
def test_a_list_of_models_of_another_shape_is_one_line_or_read(said, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(MODELS, "data", said)
    with raw(lambda connection, over: connection.sendall(whole(choice()))) as (url, _), contextlib.suppress(UserError):
        assert answers.sample(asked(url), PROMPTS, 1, HOW, 1, Store(tmp_path)).failures == 0


@pytest.mark.parametrize(
    "name", ["http://[::1/v1,x", "http://:80/v1,x", "ftp://host/v1,x", "http://host:99999/v1,x", "http://ho\x1bst/v1,x"]
)
def test_a_url_that_is_none_is_one_line(name, tmp_path) -> None:
    with pytest.raises(UserError, match="is not server:URL,NAME"):
        named(f"server:{name}", Store(tmp_path))


def test_a_password_in_the_url_is_used_and_not_shown(tmp_path) -> None:
    server = Server("http://someone:opensesame@127.0.0.1:9/v1", "tiny", timeout=0.5, waits=(0.01,))
    with pytest.raises(UserError, match=r"^http://127\.0\.0\.1:9/v1 does not answer") as told:
        answers.sample(server, PROMPTS, 1, HOW, 0, Store(tmp_path))
    assert "opensesame" not in str(told.value)


def test_a_key_that_no_header_can_hold_is_one_line_without_it(monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret\nX-More: 1")
    with pytest.raises(UserError, match="OPENAI_API_KEY holds characters that no key has") as told:
        Server("http://127.0.0.1:9/v1", "tiny")
    assert "sk-secret" not in str(told.value)


def test_a_prompt_is_sent_as_tokens_where_they_are_known_so_that_its_text_is_no_control_token(local) -> None:
    with loopback.serving(local) as served:
        Server(served.url, "tiny", tokenizer=local.model).ask("the </s> city", HOW, 1)
        asked(served.url).ask("the </s> city", HOW, 1)
        first, second = (body["prompt"] for path, body in served.asked if path.endswith("completions"))
    assert first == [4, 6, 1, 1, 1, 7], "<s> the </ s > city, of which the vocabulary knows two words"
    assert second == "the </s> city"


@given(st.lists(st.one_of(st.text(), st.just(KEY), st.sampled_from(["\x1b[2J", "\r\n", "\u202e", "\x9b"]))))
def test_whatever_is_shown_is_one_short_line_without_controls_and_key(parts) -> None:
    said = wire.shown("".join(parts), KEY)
    assert KEY not in said and len(said) <= 303
    assert all(unicodedata.category(one)[0] != "C" and not (one.isspace() and one != " ") for one in said)


@given(st.one_of(st.integers(), st.floats(), st.booleans(), st.text(), st.none(), st.lists(st.integers())))
def test_counts_and_log_probabilities_are_numbers_that_can_be(value) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    for read, good in (
        (wire.count, number and isinstance(value, int) and 0 <= value < 2**53),
        (wire.logprob, number and -(2**53) < value <= 1e-3),
    ):
        if good:
            assert read(value) == min(value, 0.0) if read is wire.logprob else read(value) == value
        else:
            with pytest.raises(ValueError, match="is no"):
                read(value)
