"""What comes from a server that nobody vouches for: so large, so late and so clean that it does no harm.

Answers are read up to LARGEST bytes, unpacked by nobody, and within the time that a request has in all, however slowly they
drip. A redirect is not followed: it would take the prompt and the key to another host. What a server says is shown without
control characters and keys.
"""

from __future__ import annotations

import sys
import threading
import time
import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

LARGEST = 1 << 26
"""Bytes of an answer; the log-probabilities of a vocabulary of 262,144 tokens are some 10 million."""
COUNT = 1 << 53
"""Numbers of tokens and ids are below this: a larger one is nonsense, and no array holds it."""
_SHOWN = 300
"""Characters of what a server says that are shown."""


class Refused(Exception):
    """An answer that is not read to its end, and why."""


def client(seconds: float) -> Any:
    """The HTTP client to give to `openai.OpenAI`: it follows no redirect, and reads no more than it should."""
    import openai

    # `openai` is built on httpx or on its successor, and this is the one that it has loaded.
    http = sys.modules[openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0]]

    class Body(http.SyncByteStream):
        """The bytes of an answer, counted and timed."""

        def __init__(self, stream: Any):
            self._stream, self._until = stream, time.monotonic() + seconds

        def __iter__(self) -> Any:
            size = 0
            for chunk in self._stream:
                size += len(chunk)
                if size > LARGEST:
                    raise Refused(f"an answer of more than {LARGEST >> 20} MiB")
                if time.monotonic() > self._until:
                    raise Refused("time-out")
                yield chunk

        def close(self) -> None:
            self._stream.close()

    def bounded(response: Any) -> None:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused("an answer that is packed, though none was asked for")
        response.stream = Body(response.stream)

    return openai.DefaultHttpxClient(
        follow_redirects=False, headers={"Accept-Encoding": "identity"}, event_hooks={"response": [bounded]},
        timeout=openai.Timeout(seconds, connect=min(seconds, 10.0)),
    )  # fmt: skip


def within(seconds: float, ask: Callable[[], Any]) -> Any:
    """What `ask` returns or raises. Raises Refused where it takes longer: a server can send a byte a minute for ever."""
    found: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(ask())
        except BaseException as error:  # raised again where it was asked
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        try:
            raise failed[0]
        finally:
            failed.clear()  # an error holds its frames, and they would hold it
    if not found:
        raise Refused("time-out")
    return found[0]


def shown(text: object, key: str = "") -> str:
    """What a server says, on one line: without what moves a terminal's cursor, without the key, and not long."""
    said = str(text)
    for secret in sorted({key, quote(key, safe="")}, key=len, reverse=True):
        if len(secret) >= 8:
            said = said.replace(secret, "[key]")
    said = "".join(" " if one.isspace() else "\ufffd" if unicodedata.category(one)[0] == "C" else one for one in said)
    said = " ".join(said.split())
    return said if len(said) <= _SHOWN else said[:_SHOWN] + "..."


def address(url: str) -> str:
    """A URL as it may be shown: without a user's name and password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def valid(url: str) -> bool:
    """Whether a server can be at a URL."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:
        return False


def count(value: object) -> int:
    """A number of tokens, or an id. Raises ValueError for what is none."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < COUNT:
        raise ValueError("a count is no whole number from 0")
    return value


def logprob(value: object) -> float:
    """A log-probability. Raises ValueError for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -COUNT < value <= 1e-3:
        raise ValueError("a log-probability is no number up to 0")
    return min(float(value), 0.0)
