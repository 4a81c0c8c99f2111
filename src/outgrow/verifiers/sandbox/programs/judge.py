"""Runs in a box of its own: the tests, which call the answer's function in the other box, and the verdict.

    python judge.py ENTRY_POINT HANDLE_TO_WRITE HANDLE_TO_READ        beside tests.py and prompt.py

The tests call a stand-in that sends its arguments over and returns what comes back. The verdict goes to standard
output: ("sound" | "unsound" | "cannot tell", why).
"""

import builtins
import os
import sys

from plain_values import NotPlain, dumps, receive, send


class ProgramError(Exception):
    """The answer's program raised an exception that is not built in, has ended, or sent what is no reply."""


class NotCovered(BaseException):
    """A value between tests and program is not plain. No test can catch it, and the exchange remembers it."""


class Exchange:
    """Calls of the answer's function, and what came back."""

    def __init__(self, requests: int, replies: int):
        self._writing, self._reading = os.fdopen(requests, "wb"), os.fdopen(replies, "rb")
        self.calls = 0
        self.not_covered: list[str] = []
        """Why a value could not be exchanged."""
        self.losses: list[str] = []
        """What was exchanged as a copy or without its own type."""
        self.texts: list[str] = []
        """The prompt's code and the tests, as far as they have run."""

    def call(self, arguments: tuple, named: dict):
        """The function's value for these arguments, which are changed as it changed them."""
        self.calls += 1
        subclasses: list = []
        try:
            dumps((arguments, named), subclasses)
            if subclasses or _shared((arguments, named)):
                what = f"a {subclasses[0].__name__}" if subclasses else "one value twice"
                self.losses.append(f"the tests hand over {what}, of which a copy was handed over")
            send(self._writing, (arguments, named))
        except NotPlain as error:
            self._stop(f"the tests hand over a {error}, which is no plain value")
        except OSError:
            raise ProgramError("the program ended") from None
        value, after = self.reply()
        if after is not None:
            for old, new in zip((*arguments, *named.values()), (*after[0], *after[1].values()), strict=True):
                _become(old, new)
        return value

    def reply(self) -> tuple:
        """(value, changed arguments or None) of the next reply; raises what the program raised."""
        try:
            kind, value, more, loss = receive(self._reading)
        except EOFError:
            raise ProgramError("the program ended") from None
        except (ValueError, TypeError):
            raise ProgramError("it replied with what is no plain value") from None
        if kind == "not plain":
            name, own = value
            if own and name not in "".join(self.texts):
                raise ProgramError(f"it returned a {name}, which says itself what it is equal to")
            self._stop(f"it returned a {name}, which is no plain value")
        if kind == "value":
            if loss and (not loss[1] or loss[0] in "".join(self.texts)):
                self.losses.append(f"it returned a {loss[0]}, of which plain values alone were handed over")
            return value, more
        raise _exception(str(value), more)

    def _stop(self, why: str) -> None:
        self.not_covered.append(why)
        raise NotCovered(why)


def _exception(name: str, text) -> Exception:
    """The built-in exception of that name, else a ProgramError."""
    known = vars(builtins).get(name)
    # A StopIteration would end a loop over calls as if all had been made.
    ends_loops = (StopIteration, StopAsyncIteration)
    if isinstance(known, type) and issubclass(known, Exception) and not issubclass(known, ends_loops):
        try:
            return known(str(text))
        except TypeError:
            pass
    return ProgramError(f"{name}: {text}")


def main(entry_point: str, requests: int, replies: int) -> None:
    """Runs the tests and writes the verdict."""
    verdict = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
    exchange = Exchange(requests, replies)
    try:
        exchange.reply()
    except MemoryError:
        send(verdict, ("unsound", "memory"))
    except Exception as error:
        send(verdict, ("unsound", _described(error)))
    else:
        send(verdict, _judge(entry_point, exchange))


def _judge(entry_point: str, exchange: Exchange) -> tuple:
    def candidate(*arguments, **named):
        return exchange.call(arguments, named)

    candidate.__name__ = entry_point
    space: dict = {"__name__": "tests", "__builtins__": builtins}
    lines: list[str] = []
    verdict = ("sound", "")
    try:
        for name in ("prompt.py", "tests.py"):
            with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8", errors="surrogatepass") as file:
                text = file.read()
            lines = text.splitlines()
            exchange.texts.append(text)
            exec(compile(text, name, "exec"), space)
            space[entry_point] = space["candidate"] = candidate
        if callable(space.get("check")):
            space["check"](candidate)
        if not exchange.calls:
            verdict = ("cannot tell", f"the tests never called {entry_point}")
    except NotCovered:
        pass
    except MemoryError:
        verdict = ("unsound", "memory")
    except BaseException as error:
        verdict = _failure(error, lines, exchange)
    return ("cannot tell", exchange.not_covered[0]) if exchange.not_covered else verdict


def _failure(error: BaseException, lines: list[str], exchange: Exchange) -> tuple:
    """The verdict where the tests raised an exception."""
    if not exchange.calls:
        return "cannot tell", f"the tests fail by themselves: {_described(error)}"
    if exchange.losses:
        return "cannot tell", exchange.losses[0]
    line = _line(error, lines)
    return "unsound", line if isinstance(error, AssertionError) else f"{_described(error)}, at: {line}"


def _shared(value) -> bool:
    """Whether one list, set or dict occurs in it twice."""
    seen, todo = set(), [value]
    while todo:
        one = todo.pop()
        if isinstance(one, (list, set, dict)):
            if id(one) in seen:
                return True
            seen.add(id(one))
        if isinstance(one, (list, tuple)):
            todo += one
        elif isinstance(one, dict):
            todo += dict.values(one)
    return False


def _become(old, new) -> None:
    """Changes an argument in place."""
    if isinstance(old, list):
        old[:] = new
    elif isinstance(old, (dict, set)):
        old.clear()
        old.update(new)


def _described(error: BaseException) -> str:
    return str(error) if isinstance(error, ProgramError) else f"{type(error).__name__}: {str(error)[:200]}"


def _line(error: BaseException, lines: list[str]) -> str:
    """The last line of the tests that was running."""
    at, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "tests.py":
            at = trace.tb_lineno
        trace = trace.tb_next
    return lines[at - 1].strip()[:200] if 0 < at <= len(lines) else ""


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
