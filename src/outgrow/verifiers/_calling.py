"""Runs in a sandbox of its own: the tests, which call the answer's function in the other one, and say whether it holds.

    python _calling.py ENTRY_POINT HANDLE_TO_READ HANDLE_TO_WRITE        beside tests.py and prompt.py

What the tests call is a stand-in that sends its arguments over and gives what comes back. The verdict goes to standard output:
("sound" | "unsound" | "cannot tell", why).
"""

import builtins
import os
import sys

from _values import Unlike, dumps, receive, send


class Foreign(Exception):
    """The answer's program raised what is no built-in exception, is gone, or replied with what is none."""


class Untold(BaseException):
    """What passes between tests and program is not covered; no test can catch it, and it is remembered."""


def main(entry_point: str, requests: int, replies: int) -> None:
    """Checks."""
    verdict = os.fdopen(os.dup(1), "wb")
    nowhere = os.open("/dev/null", os.O_WRONLY)
    os.dup2(nowhere, 1)
    writing, reading = os.fdopen(requests, "wb"), os.fdopen(replies, "rb")
    called = 0
    untold: list[str] = []
    loose: list[str] = []
    texts: list[str] = []

    def stop(why):
        untold.append(why)
        raise Untold(why)

    def reply():
        try:
            kind, value, more, lost = receive(reading)
        except EOFError:
            raise Foreign("the program ended") from None
        except (ValueError, TypeError):
            raise Foreign("it replied with what is no plain value") from None
        if kind == "unlike":
            what, own = value
            if own and what not in "".join(texts):
                raise Foreign(f"it returned a {what}, which says itself what it is equal to")
            stop(f"it returned a {what}, which is no plain value")
        if kind == "value":
            if lost and (not lost[1] or lost[0] in "".join(texts)):
                loose.append(f"it returned a {lost[0]}, of which plain values alone were handed over")
            return value, more
        name = str(value)
        known = getattr(builtins, name, None)
        # A StopIteration would end a loop over calls as if all had been made.
        if (
            isinstance(known, type)
            and issubclass(known, Exception)
            and not issubclass(known, (StopIteration, StopAsyncIteration))
        ):
            try:
                raised = known(str(more))
            except TypeError:
                raised = Foreign(f"{name}: {more}")
            raise raised
        raise Foreign(f"{name}: {more}")

    def candidate(*arguments, **named):
        nonlocal called
        called += 1
        lost: list = []
        try:
            dumps((arguments, named), lost)
            if lost or _shared((arguments, named)):
                loose.append(
                    f"the tests hand over {f'a {lost[0].__name__}' if lost else 'one value twice'}, of which a copy was handed over"
                )
            send(writing, (arguments, named))
        except Unlike as error:
            stop(f"the tests hand over a {error}, which is no plain value")
        except OSError:
            raise Foreign("the program ended") from None
        value, after = reply()
        if after is not None:
            for old, new in zip((*arguments, *named.values()), (*after[0], *after[1].values()), strict=True):
                _become(old, new)
        return value

    try:
        reply()
    except MemoryError:
        send(verdict, ("unsound", "memory"))
        return
    except Exception as error:
        send(verdict, ("unsound", _said(error)))
        return
    candidate.__name__ = entry_point
    space = {"__name__": "tests", "__builtins__": builtins}
    lines: list[str] = []
    try:
        for name in ("prompt.py", "tests.py"):
            with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8", errors="surrogatepass") as file:
                text = file.read()
            lines = text.splitlines()
            texts.append(text)
            exec(compile(text, name, "exec"), space)
            space[entry_point] = space["candidate"] = candidate
        if callable(space.get("check")):
            space["check"](candidate)
        said = ("sound", "") if called else ("cannot tell", f"the tests never called {entry_point}")
    except Untold:
        pass
    except MemoryError:
        said = ("unsound", "memory")
    except BaseException as error:
        line = _line(error, lines)
        if called:
            said = ("unsound", line if isinstance(error, AssertionError) else f"{_said(error)}, at: {line}")
        else:
            said = ("cannot tell", f"the tests fail by themselves: {_said(error)}")
        if called and loose:
            said = ("cannot tell", loose[0])
    send(verdict, ("cannot tell", untold[0]) if untold else said)


def _shared(value) -> bool:
    """Whether one list, set or dict stands in it at two places."""
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
    """A changed argument, in place."""
    if isinstance(old, list):
        old[:] = new
    elif isinstance(old, (dict, set)):
        old.clear()
        old.update(new)


def _said(error: BaseException) -> str:
    return str(error) if isinstance(error, Foreign) else f"{type(error).__name__}: {str(error)[:200]}"


def _line(error: BaseException, lines: list[str]) -> str:
    """The last line of the tests that was at work."""
    at, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "tests.py":
            at = trace.tb_lineno
        trace = trace.tb_next
    return lines[at - 1].strip()[:200] if 0 < at <= len(lines) else ""


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
