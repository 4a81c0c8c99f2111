"""A real server on the loopback device with OpenAI's protocol and a checkpoint. It misbehaves when told to.

with serving(local) as server:
    server.url, server.asked            # what was asked, path and body, in order
    server.wrong = lambda number, path: "garbage" if number == 3 else None
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from outgrow.generation import PLAIN, Prompting, Sampling, decoding

SLOW = 3.5
"""Seconds after which a connection is dropped whose answer has never come."""
WRONG = {
    "garbage": (200, b'{"choices": [{"te'),
    "page": (200, b"<html>the proxy says hello</html>"),
    "shape": (200, b'{"choices": [{"text": 5}], "usage": null}'),
    "empty": (200, b'{"choices": []}'),
    "list": (200, b"[1, 2]"),
    "rate": (429, b'{"error": {"message": "slow down"}}'),
    "error": (500, b'{"error": {"message": "out of memory"}}'),
    "key": (401, b'{"error": {"message": "no such key"}}'),
}


class _Over(Exception):
    """The server is closed: whoever asked has gone."""


class Loopback(ThreadingHTTPServer):
    """What serves."""

    daemon_threads = True

    def __init__(self, local: Any, name: str, limited: bool):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.local, self.name, self.limited = local, name, limited
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        self.asked: list[tuple[str, dict]] = []
        self.times: list[float] = []
        self.wrong: Callable[[int, str], str | None] = lambda number, path: None
        self.dead = self.over = False
        self.lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is no news."""

    @property
    def answers(self) -> int:
        """Requests for answers, those in vain among them."""
        return sum(path.endswith("completions") for path, _ in self.asked)


@contextmanager
def serving(local: Any, name: str = "tiny", limited: bool = False) -> Iterator[Loopback]:
    """Serves `local`; a limited server knows no settings but OpenAI's own and tells one log-probability a token."""
    server = Loopback(local, name, limited)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        # The checkpoint is shared with the next server: nobody reads with it once this one is over.
        with server.lock:
            server.over = True
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Loopback
    protocol_version = "HTTP/1.1"

    def log_message(self, *given: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._handle({})

    def do_POST(self) -> None:
        self._handle(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _handle(self, body: dict) -> None:
        server = self.server
        with server.lock:
            server.asked.append((self.path, body))
            server.times.append(time.monotonic())
            wrong = server.wrong(server.answers, self.path)
        if wrong == "die":
            server.dead = True
        if wrong == "slow":
            time.sleep(SLOW)
        if server.dead or wrong == "slow":
            self._drop()
            return
        if wrong is not None:
            self._reply(*WRONG[wrong], more={"Retry-After": "0.2"} if wrong == "rate" else {})
            return
        try:
            answer = self._answer(body)
        except _Over:
            self._drop()
            return
        except KeyError as error:
            self._reply(
                400 if self.path.endswith("completions") else 404,
                json.dumps({"error": {"message": f"unknown: {error}"}}).encode(),
            )
            return
        self._reply(200, json.dumps(answer).encode())

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _reply(self, status: int, data: bytes, more: dict | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (more or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _answer(self, body: dict) -> dict:
        server = self.server
        if self.path == "/v1/models":
            told = {"id": server.name, "object": "model", "created": int(time.time() * 1000), "owned_by": "tests"}
            return {"object": "list", "data": [told]}
        if self.path == "/version":
            return {"version": "1.2"}
        if self.path not in ("/v1/completions", "/v1/chat/completions"):
            raise KeyError(self.path)
        if server.limited:
            for setting in ("top_k", "min_p", "repetition_penalty", "return_tokens_as_token_ids"):
                if setting in body:
                    raise KeyError(setting)
        with server.lock:
            if server.over:
                raise _Over
            return self._chat(body) if self.path.startswith("/v1/chat") else self._complete(body)

    def _how(self, body: dict) -> Sampling:
        chat = "messages" in body
        return Sampling(
            body["max_tokens"],
            body["temperature"],
            body.get("top_p", 1.0),
            tuple(body.get("stop", ())),
            Prompting("chat") if chat else PLAIN,
        )

    def _complete(self, body: dict) -> dict:
        local = self.server.local
        ids = local.encode(body["prompt"]) if isinstance(body["prompt"], str) else body["prompt"]
        ((answer,),) = decoding.generate(local, [ids], [[body.get("seed", 0)]], self._how(body))
        tokens, logprobs, text = list(answer.tokens), list(answer.logprobs), answer.text
        if body.get("echo"):
            said = local.logits([ids[:1]], [ids[1:]])[0].log_softmax(1)
            logprobs = [None, *(float(said[t, token]) for t, token in enumerate(ids[1:])), *logprobs]
            tokens, text = [*ids, *tokens], local.decode(ids) + text
        words = self._words(tokens, body)
        top = [{}] * len(tokens)
        if body["logprobs"] > 1 and not self.server.limited:
            said = local.logits([ids], [list(answer.tokens)])[0].log_softmax(1)
            top = [dict(zip(self._words(range(said.shape[1]), body), row.tolist(), strict=True)) for row in said]
        told = {"tokens": words, "token_logprobs": logprobs, "top_logprobs": top}
        return self._whole({"index": 0, "text": text, "logprobs": told}, answer, len(ids))

    def _chat(self, body: dict) -> dict:
        local = self.server.local
        ids = local.encode(body["messages"][0]["content"], Prompting("chat"))
        ((answer,),) = decoding.generate(local, [ids], [[body.get("seed", 0)]], self._how(body))
        words = self._words(answer.tokens, body)
        told = [{"token": word, "logprob": logp} for word, logp in zip(words, answer.logprobs, strict=True)]
        if body.get("top_logprobs") and answer.tokens and not self.server.limited:
            said = local.logits([ids], [list(answer.tokens)])[0].log_softmax(1)
            for place, row in zip(told, said.tolist(), strict=True):
                near = sorted(zip(row, self._words(range(len(row)), body), strict=True), reverse=True)
                place["top_logprobs"] = [{"token": w, "logprob": p} for p, w in near[: body["top_logprobs"]]]
        message = {"role": "assistant", "content": answer.text}
        return self._whole({"index": 0, "message": message, "logprobs": {"content": told}}, answer, len(ids))

    def _words(self, tokens: Any, body: dict) -> list[str]:
        if body.get("return_tokens_as_token_ids"):
            return [f"token_id:{token}" for token in tokens]
        return [self.server.local.decode([token]) for token in tokens]

    def _whole(self, choice: dict, answer: Any, read: int) -> dict:
        used = {"prompt_tokens": read, "completion_tokens": len(answer.tokens)}
        return {"id": "x", "choices": [{**choice, "finish_reason": answer.ended}], "usage": used}
