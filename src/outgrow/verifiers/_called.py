"""Runs in a sandbox: an answer's program, of which one function is called with plain values until nobody calls any more.

    python _called.py ENTRY_POINT HANDLE_TO_READ HANDLE_TO_WRITE        beside program.py

Whatever the program does to this process, all it can bring about is what it says in reply. Each call is answered with
("value", what it returned, the arguments if it changed them) or ("raised", the exception's class, its text).
"""

import os
import sys

from _values import Unlike, dumps, receive, send


def _raised(error: BaseException) -> tuple[str, str, str]:
    return "raised", type(error).__name__, str(error)[:200]


def main(entry_point: str, requests: int, replies: int) -> None:
    """Serves."""
    module = type(sys)("answer")
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["answer"] = module
    with open(os.path.join(os.path.dirname(__file__), "program.py"), "rb") as file:
        program = file.read()
    reading, writing = os.fdopen(requests, "rb"), os.fdopen(replies, "wb")
    try:
        exec(compile(program, "program.py", "exec"), module.__dict__)
    except BaseException as error:
        send(writing, _raised(error))
        return
    function = module.__dict__.get(entry_point)
    if not callable(function):
        send(writing, ("raised", "NameError", f"there is no function {entry_point}"))
        return
    send(writing, ("value", None, None))
    while True:
        try:
            arguments, named = receive(reading)
        except EOFError:
            return
        before = dumps((arguments, named))
        try:
            value = function(*arguments, **named)
            try:
                after = (arguments, named) if dumps((arguments, named)) != before else None
            except Unlike:
                after = None
            reply = ("value", value, after)
            dumps(reply)
        except Unlike as error:
            reply = ("raised", "Unlike", f"it returned a {error}, which is no plain value")
        except BaseException as error:
            reply = _raised(error)
        send(writing, reply)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
