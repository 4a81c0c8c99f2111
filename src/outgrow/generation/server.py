"""A language model behind a server that speaks OpenAI's protocol (vLLM, llama.cpp, ...), through the `openai` client.

    server:URL,NAME                        draws answers, and scores texts where the server echoes prompts with their log-probabilities
    server:URL,NAME,tokenizer=MODEL        also says what comes next: MODEL is the checkpoint whose tokenizer it uses. The server must
                                           read token ids and return log-probabilities of the whole vocabulary (vLLM: --max-logprobs)

The key is taken from OPENAI_API_KEY; a server that wants none gets any. What a server sends is read as `wire.py` says: no redirect is
followed, an answer has a largest size and all of a request a longest time. Every request is for one answer, with its own seed. What only
some servers know is left out once a server says that it does not know it.

A request that gets no answer (time-out, refused connection, 429, 5xx, garbage, nonsense) is sent again after growing waits, or after those the
server asks for; then its answer is marked "failed", as is one that the server refuses (a prompt that is too long). The endpoint counts as dead where it no longer lists its models either, or has given
none of LOST answers in a row.
"""

from __future__ import annotations

import os
import re
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.core.seeding import hashed
from outgrow.generation import Answer, Sampling, wire
from outgrow.generation.answers import FLIGHT, Paid, SamplingCost
from outgrow.generation.tokenizer import Tokenized
from outgrow.models.checkpoints import Model
from outgrow.store import Store, made_of

if TYPE_CHECKING:
    import torch

WAITS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds before a request is sent again."""
LONGEST = 300.0
"""Seconds that a server may ask us to wait."""
LOST = 16
"""Answers in a row that failed, after which no more are asked for."""
_SAID = ("id", "owned_by", "root", "parent", "max_model_len", "meta")
"""What a server says of its model that does not change from one call to the next."""
_OPTIONAL = ("seed", "logprobs", "top_k", "min_p", "repetition_penalty", "return_tokens_as_token_ids")
_UNCUT = {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
"""Some servers have settings of their own that would bend the distribution."""
_ID = re.compile(r"token_id:(\d{1,15})")
_ENDED = (None, "stop", "eos", "eos_token", "stop_sequence", "tool_calls", "function_call")
"""Why an answer that is whole is over; for any other reason (length, content_filter, abort) it was cut."""
_FOREIGN = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What reading an answer of another shape than OpenAI's can raise."""


class _Vain(Exception):
    """A request without an answer; `wait` is what the server asks for, in seconds."""

    def __init__(self, why: str, wait: float = 0.0):
        super().__init__(why)
        self.wait = wait


@final
class Server(Tokenized):
    """A language model at `url`. Raises UserError where no such model is served, or no server is there."""

    def __init__(
        self,
        url: str,
        name: str,
        tokenizer: Model | None = None,
        *,
        timeout: float = 600.0,
        waits: Sequence[float] = WAITS,
    ):
        try:
            import openai
        except ImportError:
            raise UserError("a server is asked through the package openai: pip install 'outgrow[server]'") from None
        self._url, self.name, self._spelled, self._waits = url.rstrip("/"), name, tokenizer, tuple(waits)
        self.url = wire.address(self._url)
        """Where it is, without name and password."""
        self._key, self._timeout = (os.environ.get("OPENAI_API_KEY") or "none").strip(), timeout
        if not (self._key.isascii() and self._key.isprintable()):
            raise UserError("OPENAI_API_KEY holds characters that no key has: set it to the key alone")
        self._client = openai.OpenAI(
            base_url=self._url, api_key=self._key, max_retries=0, http_client=(client := wire.client(timeout))
        )
        weakref.finalize(self, client.close)
        self._lock = threading.Lock()
        self._unknown: set[str] = set()
        self._told: set[str] = set()
        self._given = self._lost = 0
        self._dead: str | None = None

    @classmethod
    def named(cls, spec: str, store: Store) -> Server:
        """From "URL,NAME" or "URL,NAME,tokenizer=MODEL"."""
        url, _, rest = spec.partition(",")
        name, _, tokenizer = rest.partition(",tokenizer=")
        if not wire.valid(url) or not name:
            raise UserError(
                f"server:{wire.address(spec)} is not server:URL,NAME, as in server:http://localhost:8000/v1,Qwen/Qwen3-0.6B"
            )
        if not tokenizer:
            return cls(url, name)
        from outgrow import models

        return cls(url, name, models.resolve(tokenizer, store))

    @property
    def spelled(self) -> Model:
        """The checkpoint whose tokenizer the server uses."""
        if self._spelled is None:
            raise UserError(
                f"no tokenizer of {self.name!r} is known: add it, as in server:{self.url},{self.name},tokenizer=MODEL"
            )
        return self._spelled

    @cached_property
    def _about(self) -> Mapping[str, Any]:
        """What the server says of the model."""
        named, _ = self._insist("models", None, _listed)
        if self.name not in named:
            raise UserError(
                f"{self.url} serves no model {self.name!r}: it serves {wire.shown(', '.join(sorted(named)), self._key) or 'none'}"
            )
        return named[self.name]

    @cached_property
    def digest(self) -> str:
        """Of the name and of what the server says of the model; the same at any URL."""
        return made_of({"server": hashed(repr(sorted(self._about.items()))), "name": self.name})

    @cached_property
    def engine(self) -> str:
        """Whose server it is, and its version where it tells."""
        root, owner = self._url.removesuffix("/v1"), wire.shown(self._about["owned_by"], self._key)
        for path, word in (("version", "version"), ("props", "build_info")):
            try:
                told = wire.shown(self._send(f"{root}/{path}", None)[word], self._key)
            except (_Vain, UserError, *_FOREIGN):
                continue
            return f"server {owner} {told}"
        return f"server {owner}"

    def ask(self, prompt: str, how: Sampling, seed: int) -> Paid:
        """One answer, which may have failed. Raises UserError where the endpoint is dead or refuses what is asked."""
        body = {
            **({"messages": [{"role": "user", "content": prompt}]} if how.chat else {"prompt": self._begun(prompt)}),
            "max_tokens": how.tokens,
            "temperature": how.temperature,
            "top_p": how.top_p,
            **({"stop": list(how.stop)} if how.stop else {}),
            "seed": seed,
            "logprobs": True if how.chat else 1,
            "return_tokens_as_token_ids": True,
            **_UNCUT,
        }
        began = time.monotonic()
        path, read = ("chat/completions", _said) if how.chat else ("completions", _continued)
        try:
            found, requests = self._insist(path, body, lambda answer: read(answer, seed), _OPTIONAL)
        except _Refused as refused:
            # It may be this prompt alone that it does not take.
            if str(refused) not in self._told:
                self._told.add(str(refused))
                progress.say(str(refused))
            self._lose(str(refused))
            found, requests = None, 1
        spent = SamplingCost(time.monotonic() - began, 0, 0, requests)
        return (
            Paid(Answer("", (), (), "failed", seed), spent) if found is None else Paid(found.answer, found.cost + spent)
        )

    def _begun(self, prompt: str) -> str | list[int]:
        """A prompt as the server is sent it: in tokens where they are known, since it would take the text of a control token for one."""
        return prompt if self._spelled is None else self.encode(prompt, False)

    def draw(self, prompts: Sequence[str], n: int, how: Sampling, seeds: Sequence[Sequence[int]]) -> list[list[Answer]]:
        """n answers to each prompt, the k-th to prompt i drawn with seeds[i][k]."""
        asked = [(prompt, seed) for prompt, row in zip(prompts, seeds, strict=True) for seed in row[:n]]
        answers = self._together(lambda one: self.ask(one[0], how, one[1]).answer, asked)
        return [answers[start : start + n] for start in range(0, len(asked), n)]

    def logprobs(self, prompts: Sequence[str], texts: Sequence[str], chat: bool = False) -> list[np.ndarray]:
        """Of each text after its prompt: float32 (T,) log p of its tokens. Raises UserError where the server does not echo prompts.

        Where the tokenizer is not known, a chat cannot be scored, and the tokens are those that the server makes of prompt and text.
        """
        if chat or self._spelled is not None:
            pairs = [(self.encode(prompt, chat), self.after(text)) for prompt, text in zip(prompts, texts, strict=True)]
        else:
            pairs = list(zip(prompts, texts, strict=True))
        return self._together(self._scored, pairs)

    def begin(self, ids: Sequence[Sequence[int]]) -> _Steps:
        """Reads B beginnings of token ids. Raises UserError where the server does not tell what comes next."""
        return _Steps(self, [list(one) for one in ids])

    def logits(self, begun: Sequence[Sequence[int]], then: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """Of each pair: float32 (T, V), row t is what is said after `begun` and the first t of `then`; they are log-probabilities."""
        asked = [[*ids, *more[:t]] for ids, more in zip(begun, then, strict=True) for t in range(len(more))]
        return list(self.following(asked).split([len(more) for more in then]))

    def following(self, ids: Sequence[Sequence[int]]) -> torch.Tensor:
        """float32 (B, V): log-probabilities of what follows each of B rows of ids."""
        import torch

        return torch.from_numpy(
            np.stack(self._together(self._next, ids)) if ids else np.zeros((0, len(self.tokens)), np.float32)
        )

    def _together(self, ask: Callable[[Any], Any], asked: Sequence[Any]) -> list[Any]:
        with ThreadPoolExecutor(FLIGHT) as pool:
            return list(pool.map(ask, asked))

    def _next(self, ids: Sequence[int]) -> np.ndarray:
        size = len(self.tokens)
        body = {
            "prompt": list(ids),
            "max_tokens": 1,
            "temperature": 1.0,
            "logprobs": size,
            "return_tokens_as_token_ids": True,
        }
        try:
            told, why = self._must("completions", body, _following), ""
        except _Refused as refused:
            told, why = {}, f"; {refused}"
        row = np.full(size, np.nan, np.float32)
        for token, logp in told.items():
            if token < size:
                row[token] = logp
        missing = int(np.isnan(row).sum())
        if missing:
            raise UserError(
                f"{self.url} tells {size - missing:,} of the {size:,} log-probabilities of {self.name!r}: steering and beams need all of "
                f"them, by token id (vLLM: max-logprobs {size}), and tokenizer= must name its own tokenizer{why}"
            )
        return row

    def _scored(self, pair: tuple[Any, Any]) -> np.ndarray:
        begun, text = pair
        if not text:
            return np.zeros(0, np.float32)
        body = {"prompt": begun + text, "max_tokens": 1, "temperature": 1.0, "echo": True, "logprobs": 1}

        def read(answer: Any) -> np.ndarray:
            told = _only(answer)["logprobs"]
            read = wire.count(answer["usage"]["prompt_tokens"])
            logprobs, words = told["token_logprobs"][:read], told["tokens"][:read]
            if len(logprobs) < read or logprobs[0] is not None or read < 2:
                return np.zeros(0, np.float32)
            many = len(text)
            if isinstance(text, str):
                many = next((k for k in range(1, read) if "".join(words[-k:]).endswith(text)), read)
            return np.array([wire.logprob(one) for one in logprobs[1:][-many:]] if many < read else [], np.float32)

        found = self._must("completions", body, read)
        if not len(found):
            raise UserError(
                f"{self.url} does not score given texts (echo with log-probabilities of the prompt): use a server that does, or the checkpoint itself"
            )
        return found

    def _must(self, path: str, body: Mapping[str, Any], read: Callable[[Any], Any]) -> Any:
        found, _ = self._insist(path, body, read)
        if found is None:
            raise UserError(
                f"{self.url} gave no answer that can be read after {1 + len(self._waits)} requests: see its log"
            )
        return found

    def _insist(
        self, path: str, body: Mapping[str, Any] | None, read: Callable[[Any], Any], optional: Sequence[str] = ()
    ) -> tuple[Any, int]:
        """What `read` makes of the answer, None where there was none; and the number of requests. It can do without the `optional`."""
        requests, given = 0, self._given
        for wait in (*self._waits, None):
            if self._dead:
                raise UserError(self._dead)
            try:
                requests += 1
                answer = self._send(path, body, optional)
                try:
                    found = read(answer)
                except _FOREIGN as error:
                    told = wire.shown(error, self._key)
                    raise _Vain(
                        f"its answer has another shape than OpenAI's ({type(error).__name__}: {told})"
                    ) from None
            except _Unknown as error:
                with self._lock:
                    self._unknown.add(str(error))
                return _more(self._insist(path, body, read, optional), requests)
            except _Vain as vain:
                why = vain
                if wait is not None:
                    self._pause(max(wait, vain.wait))
            else:
                with self._lock:
                    self._given, self._lost = self._given + 1, 0
                return found, requests
        told = f"{self.url} does not answer ({why})"
        if path == "models" or (self._given == given and not self._alive()):
            self._dead = told
            raise UserError(told)
        self._lose(told)
        return None, requests

    def _lose(self, why: str) -> None:
        """One more answer in a row that failed."""
        with self._lock:
            self._lost += 1
            if self._lost >= LOST:
                self._dead = why
        if self._dead:
            raise UserError(self._dead)

    def _pause(self, seconds: float) -> None:
        """Waits, but not for a server that is dead."""
        until = time.monotonic() + seconds
        while not self._dead and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.5))

    def _alive(self) -> bool:
        try:
            return bool(self._send("models", None)["data"])
        except (_Vain, UserError, *_FOREIGN):
            return False

    def _send(self, path: str, body: Mapping[str, Any] | None, optional: Sequence[str] = ()) -> Any:
        """One request; the JSON that came back."""
        import openai

        known = {
            name: value for name, value in (body or {}).items() if name not in optional or name not in self._unknown
        }
        try:
            if body is None:
                return wire.within(self._timeout, lambda: self._client.get(path, cast_to=object))
            return wire.within(
                self._timeout, lambda: self._client.post(path, body={"model": self.name, **known}, cast_to=object)
            )
        except wire.Refused as refused:
            raise _Vain(str(refused)) from None
        except openai.APITimeoutError:
            raise _Vain("time-out") from None
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, wire.Refused):
                raise _Vain(str(error.__cause__)) from None
            raise _Vain(f"no connection: {wire.shown(error.__cause__ or error, self._key)}") from None
        except openai.APIStatusError as error:
            code = error.status_code
            if code in (408, 409, 429) or code >= 500:
                raise _Vain(f"status {code}", _asked_for(error.response.headers.get("retry-after"))) from None
            if 300 <= code < 400:
                to = wire.address(error.response.headers.get("location", "nowhere"))
                raise UserError(
                    f"{self.url} redirects to {wire.shown(to, self._key)}, where neither prompt nor key is taken unasked: name that URL if it is the server's"
                ) from None
            told = str(error.message)
            if code in (400, 422):
                for name in optional:
                    if name in told and name in known:
                        raise _Unknown(name) from None
            told = wire.shown(told, self._key)
            if code in (401, 403):
                told = f"set OPENAI_API_KEY ({told})"
            kind = _Refused if code in (400, 413, 422) else UserError
            raise kind(f"{self.url} refuses the request for {self.name!r} (status {code}): {told}") from None
        except (openai.APIError, ValueError, RecursionError) as error:
            raise _Vain(f"garbage ({type(error).__name__})") from None


class _Refused(UserError):
    """A request that the server does not take."""


class _Unknown(Exception):
    """A setting that the server does not know."""


def _more(found: tuple[Any, int], requests: int) -> tuple[Any, int]:
    return found[0], found[1] + requests


def _asked_for(header: str | None) -> float:
    """Seconds of a Retry-After header, which may also be a date."""
    if not header:
        return 0.0
    try:
        seconds = float(header)
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return min(max(0.0, seconds), LONGEST)


def _listed(answer: Any) -> dict[str, dict[str, Any]]:
    """What a server says of its models, by their names."""
    told = {str(one["id"]): {name: one.get(name) for name in _SAID} for one in answer["data"]}
    repr(told)  # what is nested too deeply to be told is found here
    return told


def _following(answer: Any) -> dict[int, float]:
    """Log-probabilities of what follows, by the ids of the tokens."""
    told = _only(answer)["logprobs"]["top_logprobs"][0].items()
    return {int(number[1]): wire.logprob(logp) for token, logp in told if (number := _ID.fullmatch(token))}


def _only(answer: Any) -> Any:
    (choice,) = answer["choices"]
    return choice


def _continued(answer: Any, seed: int) -> Paid:
    """The answer of /completions."""
    choice = _only(answer)
    told = choice.get("logprobs") or {}
    return _paid(answer, choice["text"], told.get("tokens") or [], told.get("token_logprobs") or [], seed)


def _said(answer: Any, seed: int) -> Paid:
    """The answer of /chat/completions."""
    choice = _only(answer)
    told = (choice.get("logprobs") or {}).get("content") or []
    text = choice["message"]["content"]
    return _paid(
        answer, "" if text is None else text, [one["token"] for one in told], [one["logprob"] for one in told], seed
    )


def _paid(answer: Any, text: Any, tokens: Sequence[str], logprobs: Sequence[float], seed: int) -> Paid:
    if not isinstance(text, str):
        raise TypeError(f"a text was expected, not {type(text).__name__}")
    ids = [_ID.fullmatch(token) for token in tokens]
    numbers = tuple(int(one[1]) for one in ids if one)
    used = answer.get("usage") or {}
    made = Answer(
        # Half a surrogate pair, which JSON can say and no file can hold.
        text.encode("utf-8", "replace").decode(),
        tuple(wire.logprob(one) for one in logprobs),
        numbers if len(numbers) == len(tokens) else (),
        "stop" if _only(answer).get("finish_reason") in _ENDED else "length",
        seed,
    )
    cost = SamplingCost(
        0.0, wire.count(used.get("completion_tokens", len(logprobs))), wire.count(used.get("prompt_tokens", 0)), 0
    )
    return Paid(made, cost)


@final
class _Steps:
    """B beginnings, which the server reads anew at every step; it may keep a cache of its own."""

    def __init__(self, server: Server, ids: list[list[int]]):
        self._server, self._ids = server, ids
        self.logits = server.following(ids)

    def add(self, tokens: torch.Tensor) -> None:
        """One more token each, int64 (B,)."""
        self._ids = [[*ids, token] for ids, token in zip(self._ids, tokens.tolist(), strict=True)]
        self.logits = self._server.following(self._ids)

    def keep(self, rows: torch.Tensor) -> None:
        """Go on with these rows, int64; some may be gone, some come twice."""
        self._ids, self.logits = [self._ids[row] for row in rows.tolist()], self.logits[rows.to(self.logits.device)]
