"""Replies of a server that nobody vouches for, bounded in size and time.

A reply is read up to `LARGEST` bytes, never decompressed, and within the time of its request, however slowly it
arrives. A redirect is not followed: it would send the prompt and the key to another host. A server's text is shown
without control characters and keys.
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
"""Bytes of a reply; the log-probabilities of a vocabulary of 262,144 tokens take some 10 million."""
COUNT = 1 << 53
"""Numbers of tokens and ids are below this: a larger one is nonsense, and fits no array."""
_SHOWN = 300
"""Characters of a server's text that are shown."""


class Refused(Exception):
    """A reply that was not read to its end; the text says why."""


def client(seconds: float) -> Any:
    """The HTTP client for `openai.OpenAI`: it follows no redirect, and reads at most `LARGEST` bytes in `seconds`."""
    import openai

    # `openai` is built on httpx or on its successor: this is the one that it has loaded.
    http: Any = sys.modules[openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0]]

    class Body(http.SyncByteStream):
        """The bytes of a reply, counted and timed."""

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
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},
        event_hooks={"response": [bounded]},
        timeout=openai.Timeout(seconds, connect=min(seconds, 10.0)),
    )


def within(seconds: float, ask: Callable[[], Any]) -> Any:
    """Returns or raises what `ask` does, or Refused after `seconds`: a server can send a byte a minute for ever."""
    found: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(ask())
        except BaseException as error:  # raised again by the caller
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        try:
            raise failed[0]
        finally:
            failed.clear()  # an error refers to its frames, and they to it
    if not found:
        raise Refused("time-out")
    return found[0]


def shown(text: object, key: str = "") -> str:
    """A server's text on one line, shortened, without control characters and without the key."""
    line = str(text)
    for secret in sorted({key, quote(key, safe="")}, key=len, reverse=True):
        if len(secret) >= 8:
            line = line.replace(secret, "[key]")
    line = "".join(" " if one.isspace() else "\ufffd" if unicodedata.category(one)[0] == "C" else one for one in line)
    line = " ".join(line.split())
    return line if len(line) <= _SHOWN else line[:_SHOWN] + "..."


def address(url: str) -> str:
    """A URL without user name and password, as it may be shown."""
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
    """A number of tokens, or an id. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < COUNT:
        raise ValueError("a count is no whole number from 0")
    return value


def logprob(value: object) -> float:
    """A log-probability. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -COUNT < value <= 1e-3:
        raise ValueError("a log-probability is no number up to 0")
    return min(float(value), 0.0)
