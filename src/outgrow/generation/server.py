"""A language model behind a server with OpenAI's protocol (vLLM, llama.cpp, ...), through the `openai` client.

    server:URL,NAME                        samples answers, and scores texts if the server echoes prompts with
                                           log-probabilities
    server:URL,NAME,tokenizer=MODEL        also says what token comes next: MODEL is the checkpoint whose tokenizer it
                                           uses. The server must read token ids and return log-probabilities of the
                                           whole vocabulary (vLLM: --max-logprobs)

The key is taken from OPENAI_API_KEY; a server that needs none gets any. Replies are read as in `wire.py`: no redirect
is followed, size and time are bounded. Every request is for one answer, with its own seed. Optional settings are left
out once a server says that it does not know them.

A request without an answer (time-out, refused connection, 429, 5xx, garbage, nonsense) is sent again after growing
waits, or after the server's own; after the last one the answer is marked "failed", as is one that the server refuses (a
prompt that is too long). The endpoint counts as dead where it no longer lists its models either, or has given none of
`LOST` answers in a row.
"""

from __future__ import annotations

import os
import re
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from outgrow.core import progress
from outgrow.core.errors import UserError
from outgrow.core.seeding import hashed
from outgrow.generation import PLAIN, Answer, Prompting, Sampling, wire
from outgrow.generation.answers import FLIGHT, PaidAnswer, SamplingCost
from outgrow.generation.tokenizer import Tokenized
from outgrow.models.checkpoints import Model
from outgrow.store import Store, made_of

if TYPE_CHECKING:
    import torch

WAITS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds before a request is sent again."""
LONGEST = 300.0
"""Seconds that a server's own wait may last."""
LOST = 16
"""Failed answers in a row after which no more are requested."""
_STABLE = ("id", "owned_by", "root", "parent", "max_model_len", "meta")
"""Fields of a server's model that do not change from one call to the next."""
_OPTIONAL = ("seed", "logprobs", "top_k", "min_p", "repetition_penalty", "return_tokens_as_token_ids")
_UNCUT = {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
"""Switches off settings of some servers that would change the distribution."""
_ID = re.compile(r"token_id:(\d{1,15})")
_ENDED = (None, "stop", "eos", "eos_token", "stop_sequence", "tool_calls", "function_call")
"""Reasons for which a whole answer ends; for any other (length, content_filter, abort) it was cut."""
_FOREIGN = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""Errors of reading a reply that has another shape than OpenAI's."""


@final
@dataclass(frozen=True)
class Step:
    """One token of an answer."""

    token: str
    logprobs: Mapping[str, float]
    """log p of the token and of others that could stand in its place."""


@final
@dataclass(frozen=True)
class ScoredAnswer:
    """The likeliest answer of a server."""

    text: str
    steps: tuple[Step, ...]
    """Its tokens; () where the server gives no log-probabilities, or no answer."""
    cost: SamplingCost
    refusal: str = ""
    """Why the server refuses to answer this prompt; "" where it does not."""
    lost: bool = False
    """Whether no reply came, so that the prompt is worth another request."""


class _NoReply(Exception):
    """A request without a reply; `wait` is the server's own wait in seconds."""

    def __init__(self, why: str, wait: float = 0.0):
        super().__init__(why)
        self.wait = wait


@final
class Server(Tokenized):
    """A language model behind a server.

    Args:
        url: of the server, up to /v1.
        name: the server's name of the model.
        tokenizer: the checkpoint whose tokenizer it uses, if known.
        timeout: seconds of a request.
        waits: seconds before each repetition of a request.

    Raises:
        UserError: the package openai is missing or, when the model is first used, there is no such server or model.
    """

    column = 0

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
            raise UserError("a server needs the package openai: pip install 'outgrow[server]'") from None
        self._url, self.name, self._tokenizer_model, self._waits = url.rstrip("/"), name, tokenizer, tuple(waits)
        self.url = wire.address(self._url)
        """Its URL, without name and password."""
        self._key, self._timeout = (os.environ.get("OPENAI_API_KEY") or "none").strip(), timeout
        if not (self._key.isascii() and self._key.isprintable()):
            raise UserError("OPENAI_API_KEY holds characters that no key has: set it to the key alone")
        self._client = openai.OpenAI(
            base_url=self._url, api_key=self._key, max_retries=0, http_client=(client := wire.client(timeout))
        )
        weakref.finalize(self, client.close)
        self._lock = threading.Lock()
        self._unknown: set[str] = set()
        self._reported: set[str] = set()
        self._given = self._lost = 0
        self._dead: str | None = None

    @classmethod
    def named(cls, spec: str, store: Store) -> Server:
        """From "URL,NAME" or "URL,NAME,tokenizer=MODEL"."""
        url, name, tokenizer = cls.parse(spec)
        if not tokenizer:
            return cls(url, name)
        from outgrow import models

        return cls(url, name, models.resolve(tokenizer, store))

    @staticmethod
    def parse(spec: str) -> tuple[str, str, str]:
        """URL, name and tokenizer ("": not known) of "URL,NAME" or "URL,NAME,tokenizer=MODEL"; asks nobody.

        Raises:
            UserError: it is neither.
        """
        url, _, rest = spec.partition(",")
        name, _, tokenizer = rest.partition(",tokenizer=")
        if not wire.valid(url) or not name:
            raise UserError(
                f"server:{wire.address(spec)} is not server:URL,NAME, "
                "as in server:http://localhost:8000/v1,Qwen/Qwen3-0.6B"
            )
        return url, name, tokenizer

    @property
    def tokenizer_model(self) -> Model:
        """The checkpoint whose tokenizer the server uses."""
        if self._tokenizer_model is None:
            raise UserError(
                f"no tokenizer of {self.name!r} is known: add it, as in server:{self.url},{self.name},tokenizer=MODEL"
            )
        return self._tokenizer_model

    @cached_property
    def _about(self) -> Mapping[str, Any]:
        """The server's own description of the model."""
        models, _ = self._insist("models", None, _listed)
        if self.name not in models:
            served = wire.shown(", ".join(sorted(models)), self._key) or "none"
            raise UserError(f"{self.url} serves no model {self.name!r}: it serves {served}")
        return models[self.name]

    @cached_property
    def digest(self) -> str:
        """Digest of the model's name and the server's description of it; the same at any URL."""
        return made_of({"server": hashed(repr(sorted(self._about.items()))), "name": self.name})

    @cached_property
    def engine(self) -> str:
        """The server's owner, and its version where it gives one."""
        root, owner = self._url.removesuffix("/v1"), wire.shown(self._about["owned_by"], self._key)
        for path, word in (("version", "version"), ("props", "build_info")):
            try:
                version = wire.shown(self._send(f"{root}/{path}", None)[word], self._key)
            except (_NoReply, UserError, *_FOREIGN):
                continue
            return f"server {owner} {version}"
        return f"server {owner}"

    def ask(self, prompt: str, how: Sampling, seed: int) -> PaidAnswer:
        """One answer, which may have failed. Raises UserError where the endpoint is dead or refuses every request."""
        chat = self._chats(how.prompting)
        body = {
            **({"messages": [{"role": "user", "content": prompt}]} if chat else {"prompt": self._prompt(prompt, how)}),
            "max_tokens": how.tokens,
            "temperature": how.temperature,
            "top_p": how.top_p,
            **({"stop": list(how.stop)} if how.stop else {}),
            "seed": seed,
            "logprobs": True if chat else 1,
            "return_tokens_as_token_ids": True,
            **_UNCUT,
        }
        began = time.monotonic()
        path, read = ("chat/completions", _chat) if chat else ("completions", _completion)
        try:
            found, requests = self._insist(path, body, lambda answer: read(answer, seed), _OPTIONAL)
        except _Refused as refused:
            # It may refuse this prompt alone.
            if str(refused) not in self._reported:
                self._reported.add(str(refused))
                progress.say(str(refused))
            self._lose(str(refused))
            found, requests = None, 1
        spent = SamplingCost(time.monotonic() - began, 0, 0, requests)
        if found is None:
            return PaidAnswer(Answer("", (), (), "failed", seed), spent)
        return PaidAnswer(found.answer, found.cost + spent)

    def alternatives(self, prompt: str, chat: bool, tokens: int, top: int) -> ScoredAnswer:
        """The likeliest answer, with what else each of its tokens could have been.

        Args:
            prompt: a text to continue, or what a user says.
            chat: whether a user says it.
            tokens: at most so many tokens of the answer.
            top: the number of likeliest tokens for each place, at most the server's limit.

        Raises:
            UserError: the endpoint is dead, or refuses every request.
        """
        body: dict[str, Any] = {"max_tokens": tokens, "temperature": 0.0}
        if chat:
            body |= {"messages": [{"role": "user", "content": prompt}], "logprobs": True, "top_logprobs": top}
        else:
            body |= {"prompt": prompt, "logprobs": top}
        began = time.monotonic()
        path, read = ("chat/completions", _scored_chat) if chat else ("completions", _scored_completion)
        found, requests, refusal = None, 1, ""
        try:
            found, requests = self._insist(path, body, read)
        except _Refused as refused:
            refusal = str(refused)
            self._lose(refusal)
        cost = SamplingCost(time.monotonic() - began, 0, 0, requests)
        if found is None:
            return ScoredAnswer("", (), cost, refusal, lost=not refusal)
        return replace(found, cost=found.cost + cost)

    @property
    def template(self) -> bool:
        """Whether prompts are put into the server's chat template where nobody says so: they are not."""
        return False

    def _chats(self, prompting: Prompting) -> bool:
        """Whether prompts are what a user says. Raises UserError for a reply that has to begin with a given text."""
        chat = prompting.chats(self.template)
        if chat and prompting.instruction:
            raise UserError(
                f"{self.name}: a server's chat cannot go on with a reply that is begun, as this task's prompts want: "
                "give `prompting` = plain"
            )
        return chat

    def _prompt(self, prompt: str, how: Sampling) -> str | list[int]:
        """A prompt for the server: ids if they are known, since it would read the text of a control token as one."""
        text = how.prompting.examples + prompt
        return text if self._tokenizer_model is None else self.encode(text)

    def sample(
        self, prompts: Sequence[str], n: int, how: Sampling, seeds: Sequence[Sequence[int]]
    ) -> list[list[Answer]]:
        """n answers to each prompt, the k-th to prompt i sampled with seeds[i][k]."""
        rows = [(prompt, seed) for prompt, row in zip(prompts, seeds, strict=True) for seed in row[:n]]
        answers = self._together(lambda one: self.ask(one[0], how, one[1]).answer, rows)
        return [answers[start : start + n] for start in range(0, len(rows), n)]

    def logprobs(self, prompts: Sequence[str], texts: Sequence[str], prompting: Prompting = PLAIN) -> list[np.ndarray]:
        """For each text after its prompt float32 (T,): log p of its tokens. UserError where the server gives none.

        Without a known tokenizer a chat cannot be scored, and the tokens are those of the server.
        """
        pairs: list[tuple[Any, Any]]
        if prompting.chats(self.template) or self._tokenizer_model is not None:
            begun = [self.encode(prompt, prompting) for prompt in prompts]
            pairs = [(ids, self.after(text)) for ids, text in zip(begun, texts, strict=True)]
        else:
            pairs = [(prompting.examples + prompt, text) for prompt, text in zip(prompts, texts, strict=True)]
        return self._together(self._scored, pairs)

    def begin(self, ids: Sequence[Sequence[int]]) -> _ServerSteps:
        """Reads B prefixes of token ids. Raises UserError where the server gives no probabilities of the next token."""
        return _ServerSteps(self, [list(one) for one in ids])

    def logits(self, prefixes: Sequence[Sequence[int]], texts: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """For each pair log p, float32 (T, V): row t follows the prefix and the first t tokens of the text."""
        rows = [[*ids, *text[:t]] for ids, text in zip(prefixes, texts, strict=True) for t in range(len(text))]
        return list(self.following(rows).split([len(text) for text in texts]))

    def following(self, ids: Sequence[Sequence[int]]) -> torch.Tensor:
        """float32 (B, V): log-probabilities of the next token after each of B rows of ids."""
        import torch

        if not ids:
            return torch.zeros(0, len(self.tokens))
        return torch.from_numpy(np.stack(self._together(self._next, ids)))

    def _together(self, ask: Callable[[Any], Any], rows: Sequence[Any]) -> list[Any]:
        with ThreadPoolExecutor(FLIGHT) as pool:
            return list(pool.map(ask, rows))

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
            given, why = self._must("completions", body, _following), ""
        except _Refused as refused:
            given, why = {}, f"; {refused}"
        row = np.full(size, np.nan, np.float32)
        for token, logp in given.items():
            if token < size:
                row[token] = logp
        missing = int(np.isnan(row).sum())
        if missing:
            raise UserError(
                f"{self.url} gives {size - missing:,} of the {size:,} log-probabilities of {self.name!r}: "
                f"steering and beam search need all, by token id (vLLM: max-logprobs {size}), "
                f"and tokenizer= must name its own tokenizer{why}"
            )
        return row

    def _scored(self, pair: tuple[Any, Any]) -> np.ndarray:
        prefix, text = pair
        if not text:
            return np.zeros(0, np.float32)
        body = {"prompt": prefix + text, "max_tokens": 1, "temperature": 1.0, "echo": True, "logprobs": 1}

        def read(answer: Any) -> np.ndarray:
            scores = _choice(answer)["logprobs"]
            count = wire.count(answer["usage"]["prompt_tokens"])
            logprobs, words = scores["token_logprobs"][:count], scores["tokens"][:count]
            if len(logprobs) < count or logprobs[0] is not None or count < 2:
                return np.zeros(0, np.float32)
            many = len(text)
            if isinstance(text, str):
                many = next((k for k in range(1, count) if "".join(words[-k:]).endswith(text)), count)
            return np.array([wire.logprob(one) for one in logprobs[1:][-many:]] if many < count else [], np.float32)

        found = self._must("completions", body, read)
        if not len(found):
            raise UserError(
                f"{self.url} does not score given texts (echo with log-probabilities of the prompt): "
                "use a server that does, or the checkpoint itself"
            )
        return found

    def _must(self, path: str, body: Mapping[str, Any], read: Callable[[Any], Any]) -> Any:
        found, _ = self._insist(path, body, read)
        if found is None:
            raise UserError(f"{self.url} gave no readable answer after {1 + len(self._waits)} requests: see its log")
        return found

    def _insist(
        self, path: str, body: Mapping[str, Any] | None, read: Callable[[Any], Any], optional: Sequence[str] = ()
    ) -> tuple[Any, int]:
        """(read(reply), number of requests); None for read(reply) where there was no reply.

        Settings in `optional` are left out if the server does not know them.
        """
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
                    what = wire.shown(error, self._key)
                    raise _NoReply(
                        f"its answer has another shape than OpenAI's ({type(error).__name__}: {what})"
                    ) from None
            except _Unknown as error:
                with self._lock:
                    self._unknown.add(str(error))
                found, more = self._insist(path, body, read, optional)
                return found, more + requests
            except _NoReply as error:
                why = str(error)
                if wait is not None:
                    self._pause(max(wait, error.wait))
            else:
                with self._lock:
                    self._given, self._lost = self._given + 1, 0
                return found, requests
        problem = f"{self.url} does not answer ({why})"
        if path == "models" or (self._given == given and not self._alive()):
            self._dead = problem
            raise UserError(problem)
        self._lose(problem)
        return None, requests

    def _lose(self, why: str) -> None:
        """Counts one more failed answer in a row."""
        with self._lock:
            self._lost += 1
            if self._lost >= LOST:
                self._dead = why
        if self._dead:
            raise UserError(self._dead)

    def _pause(self, seconds: float) -> None:
        """Waits, but not for a dead server."""
        until = time.monotonic() + seconds
        while not self._dead and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.5))

    def _alive(self) -> bool:
        try:
            return bool(self._send("models", None)["data"])
        except (_NoReply, UserError, *_FOREIGN):
            return False

    def _send(self, path: str, body: Mapping[str, Any] | None, optional: Sequence[str] = ()) -> Any:
        """The JSON that comes back from one request."""
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
            raise _NoReply(str(refused)) from None
        except openai.APITimeoutError:
            raise _NoReply("time-out") from None
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, wire.Refused):
                raise _NoReply(str(error.__cause__)) from None
            raise _NoReply(f"no connection: {wire.shown(error.__cause__ or error, self._key)}") from None
        except openai.APIStatusError as error:
            raise self._problem(error, [name for name in optional if name in known]) from None
        except (openai.APIError, ValueError, RecursionError) as error:
            raise _NoReply(f"garbage ({type(error).__name__})") from None

    def _problem(self, error: Any, optional: Sequence[str]) -> Exception:
        """The exception for a reply with an error status; `optional`: settings of the request that can be left out."""
        code = error.status_code
        if code in (408, 409, 429) or code >= 500:
            return _NoReply(f"status {code}", _retry_after(error.response.headers.get("retry-after")))
        if 300 <= code < 400:
            to = wire.shown(wire.address(error.response.headers.get("location", "nowhere")), self._key)
            return UserError(
                f"{self.url} redirects to {to}, where neither prompt nor key is taken unasked: "
                "name that URL if it is the server's"
            )
        message = str(error.message)
        unknown = next((name for name in optional if name in message), None)
        if code in (400, 422) and unknown:
            return _Unknown(unknown)
        message = wire.shown(message, self._key)
        if code in (401, 403):
            message = f"set OPENAI_API_KEY ({message})"
        kind = _Refused if code in (400, 413, 422) else UserError
        return kind(f"{self.url} refuses the request for {self.name!r} (status {code}): {message}")


class _Refused(UserError):
    """A request that the server refuses."""


class _Unknown(Exception):
    """A setting that the server does not know."""


def _retry_after(header: str | None) -> float:
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
    """A server's descriptions of its models by their names."""
    models = {str(one["id"]): {name: one.get(name) for name in _STABLE} for one in answer["data"]}
    repr(models)  # raises here for a value that is nested too deep
    return models


def _following(answer: Any) -> dict[int, float]:
    """Log-probabilities of the next token, by id."""
    top = _choice(answer)["logprobs"]["top_logprobs"][0].items()
    return {int(number[1]): wire.logprob(logp) for token, logp in top if (number := _ID.fullmatch(token))}


def _choice(answer: Any) -> Any:
    (choice,) = answer["choices"]
    return choice


def _completion(answer: Any, seed: int) -> PaidAnswer:
    """The answer of /completions."""
    choice = _choice(answer)
    scores = choice.get("logprobs") or {}
    return _paid(answer, choice["text"], scores.get("tokens") or [], scores.get("token_logprobs") or [], seed)


def _chat(answer: Any, seed: int) -> PaidAnswer:
    """The answer of /chat/completions."""
    choice = _choice(answer)
    scores = (choice.get("logprobs") or {}).get("content") or []
    text = choice["message"]["content"]
    tokens, logprobs = [one["token"] for one in scores], [one["logprob"] for one in scores]
    return _paid(answer, "" if text is None else text, tokens, logprobs, seed)


def _paid(answer: Any, text: Any, tokens: Sequence[str], logprobs: Sequence[float], seed: int) -> PaidAnswer:
    if not isinstance(text, str):
        raise TypeError(f"a text was expected, not {type(text).__name__}")
    ids = [_ID.fullmatch(token) for token in tokens]
    numbers = tuple(int(one[1]) for one in ids if one)
    used = answer.get("usage") or {}
    made = Answer(
        # Half a surrogate pair, which JSON can hold and no file can.
        text.encode("utf-8", "replace").decode(),
        tuple(wire.logprob(one) for one in logprobs),
        numbers if len(numbers) == len(tokens) else (),
        "stop" if _choice(answer).get("finish_reason") in _ENDED else "length",
        seed,
    )
    written, read = used.get("completion_tokens", len(logprobs)), used.get("prompt_tokens", 0)
    return PaidAnswer(made, SamplingCost(0.0, wire.count(written), wire.count(read), 0))


def _scored_completion(answer: Any) -> ScoredAnswer:
    """The answer of /completions with alternatives."""
    choice = _choice(answer)
    scores = choice.get("logprobs") or {}
    tokens, logprobs = scores.get("tokens") or [], scores.get("token_logprobs") or []
    places = [one or {} for one in scores.get("top_logprobs") or [{}] * len(tokens)]
    return _scored(answer, choice["text"], tokens, logprobs, places)


def _scored_chat(answer: Any) -> ScoredAnswer:
    """The answer of /chat/completions with alternatives."""
    choice = _choice(answer)
    scores = (choice.get("logprobs") or {}).get("content") or []
    places = [{one["token"]: one["logprob"] for one in place.get("top_logprobs") or ()} for place in scores]
    tokens, logprobs = [one["token"] for one in scores], [one["logprob"] for one in scores]
    return _scored(answer, choice["message"]["content"] or "", tokens, logprobs, places)


def _scored(
    answer: Any, text: Any, tokens: Sequence[Any], logprobs: Sequence[Any], places: Sequence[Mapping[Any, Any]]
) -> ScoredAnswer:
    """An answer whose tokens have alternatives; without steps where no token has any."""
    paid = _paid(answer, text, list(map(str, tokens)), logprobs, 0)
    steps = tuple(
        Step(str(token), {str(token): logp, **{str(other): wire.logprob(p) for other, p in place.items()}})
        for token, logp, place in zip(tokens, paid.answer.logprobs, places, strict=True)
    )
    return ScoredAnswer(paid.answer.text, steps if any(places) else (), paid.cost)


@final
class _ServerSteps:
    """B prefixes, which the server reads anew at every step; it may have a cache of its own."""

    def __init__(self, server: Server, ids: list[list[int]]):
        self._server, self._ids = server, ids
        self.logits = server.following(ids)

    def add(self, tokens: torch.Tensor) -> None:
        """Appends one token to each prefix: int64 (B,)."""
        self._ids = [[*ids, token] for ids, token in zip(self._ids, tokens.tolist(), strict=True)]
        self.logits = self._server.following(self._ids)

    def keep(self, rows: torch.Tensor) -> None:
        """Continues with these rows, int64, alone; rows may be left out or repeated."""
        self._ids, self.logits = [self._ids[row] for row in rows.tolist()], self.logits[rows.to(self.logits.device)]
